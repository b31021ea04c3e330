// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"maps"
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

// Requests of this program while something is measured, as request.String writes them. The operator never creates a ClusterCredential,
// and patches one only for its finalizer, which nothing needs here.
const (
	creates = "POST clustercredentials"
	patches = "PATCH clustercredentials"
	nothing = ""
)

// span tells what something has cost, from when all is quiet until it is again, but for the requests that are made here. What is done says
// itself how long it took.
func (b *bed) span(ctx context.Context, here string, do func(context.Context) (time.Duration, error)) (cost, error) {
	if err := b.quiet(ctx); err != nil {
		return cost{}, err
	}
	before, err := b.tally(ctx)
	if err != nil {
		return cost{}, err
	}
	busy, err := busyWhile(func() (time.Duration, error) { return do(ctx) })
	if err != nil {
		return cost{}, err
	}
	if err := b.quiet(ctx); err != nil {
		return cost{}, err
	}
	after, err := b.tally(ctx)
	return after.since(before, here, busy), err
}

// busy is how long something took, and the CPU time that each program has used meanwhile.
type busy struct {
	elapsed time.Duration
	cpu     map[string]time.Duration
}

func busyWhile(do func() (time.Duration, error)) (busy, error) {
	before, err := stack.CPUByProgram()
	if err != nil {
		return busy{}, err
	}
	elapsed, err := do()
	if err != nil {
		return busy{}, err
	}
	used, err := stack.CPUByProgram()
	for name := range used {
		used[name] -= before[name]
	}
	delete(used, "manager") // there may be another one than before
	return busy{elapsed, used}, err
}

// during tells what a time has cost in which there is always something to do.
func (b *bed) during(ctx context.Context, d time.Duration) (cost, error) {
	before, err := b.tally(ctx)
	if err != nil {
		return cost{}, err
	}
	busy, err := busyWhile(func() (time.Duration, error) {
		begin := time.Now()
		err := pause(ctx, d)
		return time.Since(begin), err
	})
	if err != nil {
		return cost{}, err
	}
	after, err := b.tally(ctx)
	return after.since(before, nothing, busy), err
}

// since tells what came in between. The CPU time of another manager than before is all that it has used.
func (t tally) since(before tally, here string, while busy) cost {
	added := t.requests.since(before.requests)
	maps.DeleteFunc(added, func(r request, _ float64) bool { return r.String() == here })
	c := cost{
		Seconds: while.elapsed.Seconds(), Programs: map[string]float64{},
		CPUSeconds: t.usage.CPU.Seconds(), PeakRSSMiB: float64(t.usage.PeakRSS) / (1 << 20),
		Writes: added.sum(request.isWrite), Reads: added.sum(request.isRead),
		POSTs: t.posts - before.posts, Calls: t.calls - before.calls,
		Requests: map[string]float64{},
	}
	if t.manager == before.manager {
		c.CPUSeconds -= before.usage.CPU.Seconds()
	}
	for name, used := range while.cpu {
		c.Programs[name] = used.Seconds()
	}
	for r, n := range added {
		if r.verb != "WATCH" { // they are counted when they end, ours among them
			c.Requests[r.String()] = n
		}
	}
	return c
}
