// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAGateLetsSoManyInOfEachAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGates(2)
		var inside, most, served atomic.Int64
		pass := func(key string) {
			leave, entered := g.enter(t.Context(), key)
			if !entered {
				t.Error("was not let in")
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(time.Second)
			inside.Add(-1)
			served.Add(1)
			leave()
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { pass("one") })
		}
		all.Wait()
		if most.Load() != 2 || served.Load() != 10 {
			t.Errorf("%d of one account were inside at a time, %d in all", most.Load(), served.Load())
		}
		most.Store(0)
		for _, key := range []string{"one", "one", "two", "two"} {
			all.Go(func() { pass(key) })
		}
		all.Wait()
		if most.Load() != 4 {
			t.Errorf("%d of two accounts were inside at a time, want 4", most.Load())
		}
		if len(g.open) != 0 {
			t.Errorf("%d gates are kept that nobody uses", len(g.open))
		}
	})
}

func TestWhoWaitsAtAGateLeavesWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGates(1)
		leave, _ := g.enter(t.Context(), "one")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, entered := g.enter(ctx, "one"); entered {
			t.Error("two are inside")
		}
		leave()
		if len(g.open) != 0 {
			t.Error("a gate is kept that nobody uses")
		}
		if leave, entered := g.enter(t.Context(), "one"); !entered {
			t.Error("nobody is inside, and nobody is let in")
		} else {
			leave()
		}
	})
}
