// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

const (
	// idleTime is watched while nothing is due.
	idleTime = 20 * time.Second
	// requestInterval is the least time between two certificates of one object on request.
	requestInterval = 61 * time.Second
)

// tally is what the API server and the cloud have counted, and the manager has cost, at some moment.
type tally struct {
	requests counts
	ledger   []stack.Entry
	calls    int
}

// tally waits until all is quiet first.
func (b *bed) tally(ctx context.Context) (tally, error) {
	var t tally
	var err error
	if t.requests, err = b.quiet(ctx); err != nil {
		return t, err
	}
	if t.ledger, err = b.stack.Sim.Ledger(); err != nil {
		return t, err
	}
	calls, err := b.stack.Sim.Requests()
	for _, n := range calls {
		t.calls += n
	}
	return t, err
}

// costOf tells what came in between.
func (b *bed) costOf(before, after tally, elapsed time.Duration) (cost, error) {
	usage, err := b.manager.Usage()
	added := after.requests.since(before.requests)
	c := cost{
		Seconds: elapsed.Seconds(), CPUSeconds: usage.CPU.Seconds(), PeakRSSMiB: float64(usage.PeakRSS) / (1 << 20),
		Writes: added.sum(request.isWrite), Reads: added.sum(request.isRead),
		POSTs: len(after.ledger) - len(before.ledger), Calls: after.calls - before.calls,
		Requests: map[string]float64{},
	}
	for r, n := range added {
		if r.verb != "WATCH" { // they are counted when they end, ours among them
			c.Requests[r.String()] = n
		}
	}
	return c, err
}

// firstCertificates measures N ClusterCredentials from nothing to Ready. The manager's start is in its CPU time, as is
// everything up to the moment when it has come to rest again.
func (b *bed) firstCertificates(ctx context.Context, r *run) error {
	err := b.makeAccount(ctx, measured)
	if err != nil {
		return err
	}
	if b.manager, err = b.stack.StartManager(ctx, stack.ManagerOptions{}); err != nil {
		return err
	}
	before, err := b.tally(ctx)
	if err != nil {
		return err
	}
	elapsed, err := b.createUntilReady(ctx, measured, newCredentials(measured, b.n))
	if err != nil {
		return err
	}
	after, err := b.tally(ctx)
	if err != nil {
		return err
	}
	r.First, err = b.costOf(before, after, elapsed)
	r.firstEnded = time.Now()
	return err
}

// idle measures a time in which nothing is due.
func (b *bed) idle(ctx context.Context, r *run) error {
	before, err := b.tally(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	usage, err := b.manager.Usage()
	if err != nil {
		return err
	}
	if err := pause(ctx, idleTime); err != nil {
		return err
	}
	elapsed := time.Since(begin)
	after, err := b.tally(ctx)
	if err != nil {
		return err
	}
	r.Idle, err = b.costOf(before, after, elapsed)
	r.Idle.CPUSeconds -= usage.CPU.Seconds()
	return err
}

// restart kills the manager and measures the next until it has looked at everything and has nothing more to do.
func (b *bed) restart(ctx context.Context, r *run) error {
	before, err := b.tally(ctx)
	if err != nil {
		return err
	}
	if err := b.manager.Kill(); err != nil {
		return err
	}
	begin := time.Now()
	if b.manager, err = b.stack.StartManager(ctx, stack.ManagerOptions{}); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	elapsed := time.Since(begin)
	after, err := b.tally(ctx)
	if err != nil {
		return err
	}
	r.Restart, err = b.costOf(before, after, elapsed)
	return err
}

// settle returns once the manager has made N passes, and none is under way or waiting.
func (b *bed) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience(b.n))
	defer cancel()
	const controller = "clustercredential"
	for {
		m, err := b.manager.Metrics(ctx)
		if err != nil {
			return err
		}
		if m.Sum("controller_runtime_reconcile_total", "controller", controller) >= float64(b.n) &&
			m.Sum("controller_runtime_active_workers", "controller", controller) == 0 &&
			m.Sum("workqueue_depth", "name", controller) == 0 {
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// renewAll measures N renewals on request, from the first annotation to the last new certificate in status.
func (b *bed) renewAll(ctx context.Context, r *run) (err error) {
	if err := pause(ctx, time.Until(r.firstEnded.Add(requestInterval))); err != nil {
		return err
	}
	renewed := func(cc *v1alpha1.ClusterCredential) bool { return cc.Status.Revision > 1 && cc.Status.Issuance == nil }
	r.Renewal, err = b.patchAll(ctx, `{"metadata":{"annotations":{"`+v1alpha1.AnnotationRenewRequestedAt+`":"bench"}}}`, renewed)
	return err
}

// changeAll measures a change of all specs, from the first patch until each is carried out or held.
func (b *bed) changeAll(ctx context.Context, r *run) (err error) {
	answered := func(cc *v1alpha1.ClusterCredential) bool {
		issued := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionIssued)
		held := issued != nil && issued.Reason == string(v1alpha1.ReasonFleetHeld)
		return cc.Status.ObservedGeneration == cc.Generation && cc.Status.Issuance == nil && (held || cc.Status.Revision > 2)
	}
	r.MassChange, err = b.patchAll(ctx, `{"spec":{"validity":{"days":60}}}`, answered)
	return err
}

// patchAll changes all ClusterCredentials, and returns what it cost until they were as wanted.
func (b *bed) patchAll(ctx context.Context, patch string, wanted func(*v1alpha1.ClusterCredential) bool) (cost, error) {
	before, err := b.tally(ctx)
	if err != nil {
		return cost{}, err
	}
	usage, err := b.manager.Usage()
	if err != nil {
		return cost{}, err
	}
	all := newCredentials(measured, b.n)
	elapsed, err := b.changeUntil(ctx, measured, b.n, wanted, func(ctx context.Context, c client.Client, i int) error {
		return c.Patch(ctx, all[i], client.RawPatch(types.MergePatchType, []byte(patch)))
	})
	if err != nil {
		return cost{}, err
	}
	after, err := b.tally(ctx)
	if err != nil {
		return cost{}, err
	}
	c, err := b.costOf(before, after, elapsed)
	c.CPUSeconds -= usage.CPU.Seconds()
	return c, err
}
