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
	idleTime = time.Minute
	// requestInterval is the least time between two certificates of one object on request.
	requestInterval = 61 * time.Second
)

// start starts a manager in place of the one before, which has ended.
func (b *bed) start(ctx context.Context, args ...string) error {
	return b.startWith(ctx, stack.ManagerOptions{Args: args, Profiles: b.profiles != ""})
}

func (b *bed) startWith(ctx context.Context, o stack.ManagerOptions) error {
	manager, err := b.stack.StartManager(ctx, o)
	if err == nil {
		b.manager.Store(manager)
	}
	return err
}

// kill ends the manager, if there is one.
func (b *bed) kill() error {
	if manager := b.manager.Swap(nil); manager != nil {
		return manager.Kill()
	}
	return nil
}

// firstCertificates measures N ClusterCredentials from nothing to Ready. The manager's start is in its CPU time, as is
// everything up to the moment when it has come to rest again.
func (b *bed) firstCertificates(ctx context.Context, r *run) error {
	if err := b.makeAccount(ctx, measured); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	var err error
	r.First, err = b.span(ctx, creates, func(ctx context.Context) (time.Duration, error) {
		return b.createUntilReady(ctx, measured, newCredentials(measured, b.n))
	})
	if err != nil {
		return err
	}
	usage, err := b.manager.Load().Usage()
	r.First.CPUSeconds = usage.CPU.Seconds()
	b.issued = time.Now()
	return err
}

// idle measures a time in which nothing is due.
func (b *bed) idle(ctx context.Context, r *run) (err error) {
	r.Idle, err = b.span(ctx, nothing, func(ctx context.Context) (time.Duration, error) { return idleTime, pause(ctx, idleTime) })
	return err
}

// restart kills the manager and measures the next until it has looked at everything and has nothing more to do.
func (b *bed) restart(ctx context.Context, r *run) (err error) {
	r.Restart, err = b.restarted(ctx, b.profiles != "")
	return err
}

// beside measures restarts, the last ones beside Secrets that are none of the operator's business.
func (b *bed) beside(ctx context.Context, r *run) (err error) {
	if r.Alone, err = b.restartedTwice(ctx); err != nil {
		return err
	}
	if err := b.makeForeign(ctx); err != nil {
		return err
	}
	r.Beside, err = b.restartedTwice(ctx)
	return err
}

// restartedTwice measures a restart, and after another one what is alive in the end: that takes profiles, which cost memory themselves.
func (b *bed) restartedTwice(ctx context.Context) (cost, error) {
	c, err := b.restarted(ctx, b.profiles != "")
	if err != nil {
		return c, err
	}
	if b.profiles == "" {
		if _, err := b.restarted(ctx, true); err != nil {
			return c, err
		}
	}
	c.AliveMiB, err = b.alive(ctx)
	return c, err
}

func (b *bed) restarted(ctx context.Context, profiles bool) (cost, error) {
	return b.span(ctx, nothing, func(ctx context.Context) (time.Duration, error) {
		if err := b.kill(); err != nil {
			return 0, err
		}
		begin := time.Now()
		if err := b.startWith(ctx, stack.ManagerOptions{Profiles: profiles}); err != nil {
			return 0, err
		}
		err := b.settle(ctx)
		return time.Since(begin), err
	})
}

// alive is how large the manager's heap is without garbage, in MiB.
func (b *bed) alive(ctx context.Context) (float64, error) {
	manager := b.manager.Load()
	if _, err := manager.Profile(ctx, "heap?gc=1"); err != nil {
		return 0, err
	}
	m, err := manager.Metrics(ctx)
	return m.Sum("go_memstats_heap_alloc_bytes") / (1 << 20), err
}

// settle returns once the manager has made N passes, and none is under way or waiting.
func (b *bed) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience(b.n))
	defer cancel()
	const controller = "clustercredential"
	for {
		asked := time.Now()
		m, err := b.manager.Load().Metrics(ctx)
		if err != nil {
			return err
		}
		if m.Sum("controller_runtime_reconcile_total", "controller", controller) >= float64(b.n) &&
			m.Sum("controller_runtime_active_workers", "controller", controller) == 0 &&
			m.Sum("workqueue_depth", "name", controller) == 0 {
			return nil
		}
		// The answer tells of every object, and is work for the manager: a small part of what it does. So times are as exact as
		// this pause.
		if err := pause(ctx, min(max(50*time.Millisecond, 9*time.Since(asked)), 2*time.Second)); err != nil {
			return err
		}
	}
}

// renewAll measures N renewals on request, from the first annotation to the last new certificate in status.
func (b *bed) renewAll(ctx context.Context, r *run) (err error) {
	if err := pause(ctx, time.Until(b.issued.Add(requestInterval))); err != nil {
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
	all := newCredentials(measured, b.n)
	return b.span(ctx, patches, func(ctx context.Context) (time.Duration, error) {
		return b.changeUntil(ctx, measured, b.n, wanted, func(ctx context.Context, c client.Client, i int) error {
			return c.Patch(ctx, all[i], client.RawPatch(types.MergePatchType, []byte(patch)))
		})
	})
}
