// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// triesTime is how long published credentials are tried against their clusters, triesRate how many about in a second.
	triesTime = time.Minute
	triesRate = 50
)

// tries measures what it costs to try what is published: with the interval of the flag's default it is too little to be seen.
func (b *bed) tries(ctx context.Context, r *run) error {
	if err := b.kill(); err != nil {
		return err
	}
	interval := max(time.Second, time.Duration(b.n)*time.Second/triesRate)
	if err := b.start(ctx, fmt.Sprintf("--verify-interval=%s", interval)); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := pause(ctx, interval); err != nil { // the first ones come all at once, and read each Secret anyway
		return err
	}
	before, err := b.tried(ctx)
	if err != nil {
		return err
	}
	if r.Tries.cost, err = b.during(ctx, triesTime); err != nil {
		return err
	}
	after, err := b.tried(ctx)
	r.Tries.Tries = after - before
	return err
}

// tried is how many were accepted by their clusters.
func (b *bed) tried(ctx context.Context) (int, error) {
	m, err := b.manager.Load().Metrics(ctx)
	return int(m.Sum("clustercredential_verification_total", "result", "accepted")), err
}
