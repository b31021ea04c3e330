// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/clustercredential/operator/hack/stack"
)

// tally is what the API server and the cloud have counted, and the manager has cost, at some moment.
type tally struct {
	requests     counts
	posts, calls int
	manager      *stack.Manager
	usage        stack.Usage
}

// tally reads all counters. Requests that are under way are not in there.
func (b *bed) tally(ctx context.Context) (tally, error) {
	var t tally
	var err error
	if t.requests, err = b.requests(ctx); err != nil {
		return t, err
	}
	ledger, err := b.stack.Sim.Ledger()
	if err != nil {
		return t, err
	}
	t.posts = len(ledger)
	calls, err := b.stack.Sim.Requests()
	if err != nil {
		return t, err
	}
	for _, n := range calls {
		t.calls += n
	}
	if t.manager = b.manager.Load(); t.manager != nil {
		t.usage, err = t.manager.Usage()
	}
	return t, err
}

// span tells what something has cost, from when all is quiet until it is again. What is done says itself how long it took.
func (b *bed) span(ctx context.Context, do func(context.Context) (time.Duration, error)) (cost, error) {
	if err := b.quiet(ctx); err != nil {
		return cost{}, err
	}
	before, err := b.tally(ctx)
	if err != nil {
		return cost{}, err
	}
	elapsed, err := do(ctx)
	if err != nil {
		return cost{}, err
	}
	if err := b.quiet(ctx); err != nil {
		return cost{}, err
	}
	after, err := b.tally(ctx)
	return after.since(before, elapsed), err
}

// during tells what a time has cost in which there is always something to do.
func (b *bed) during(ctx context.Context, d time.Duration) (cost, error) {
	before, err := b.tally(ctx)
	if err != nil {
		return cost{}, err
	}
	begin := time.Now()
	if err := pause(ctx, d); err != nil {
		return cost{}, err
	}
	elapsed := time.Since(begin)
	after, err := b.tally(ctx)
	return after.since(before, elapsed), err
}

// since tells what came in between. The CPU time of another manager than before is all that it has used.
func (t tally) since(before tally, elapsed time.Duration) cost {
	added := t.requests.since(before.requests)
	c := cost{
		Seconds: elapsed.Seconds(), CPUSeconds: t.usage.CPU.Seconds(), PeakRSSMiB: float64(t.usage.PeakRSS) / (1 << 20),
		Writes: added.sum(request.isWrite), Reads: added.sum(request.isRead),
		POSTs: t.posts - before.posts, Calls: t.calls - before.calls,
		Requests: map[string]float64{},
	}
	if t.manager == before.manager {
		c.CPUSeconds -= before.usage.CPU.Seconds()
	}
	for r, n := range added {
		if r.verb != "WATCH" { // they are counted when they end, ours among them
			c.Requests[r.String()] = n
		}
	}
	return c
}
