// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
)

// gates let a few passes at a time of each account ask its cloud. A turn is longer than that: it begins with a look at what
// stands in the way, which is the API server's business, so that more turns are out than calls are under way.
type gates struct {
	// width is how many may be inside.
	width int

	mu   sync.Mutex
	open map[string]*gate // by the account's key; only where somebody is inside or waits
}

func newGates(width int) *gates { return &gates{width: width, open: map[string]*gate{}} }

type gate struct {
	inside chan struct{}
	users  int // inside or waiting
}

// enter waits for a place, and returns what gives it back; false: ctx has ended before.
func (g *gates) enter(ctx context.Context, key string) (leave func(), entered bool) {
	one := g.of(key)
	select {
	case one.inside <- struct{}{}:
		return func() {
			<-one.inside
			g.done(key, one)
		}, true
	case <-ctx.Done():
		g.done(key, one)
		return nil, false
	}
}

func (g *gates) of(key string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.open[key]
	if one == nil {
		one = &gate{inside: make(chan struct{}, g.width)}
		g.open[key] = one
	}
	one.users++
	return one
}

func (g *gates) done(key string, one *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(g.open, key)
	}
}
