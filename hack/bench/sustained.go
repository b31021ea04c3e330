// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

const (
	// sustainedTime is how long renewals by time are counted.
	sustainedTime = time.Minute
	// wantedRate is how many certificates become due in a second then: more than are renewed, so that it is the operator and the
	// servers that say how many are.
	wantedRate = 200
	// earlyPercent of the life of a certificate are left when it becomes due: the most that can be asked for. Who waits for its
	// renewal waits far from its end.
	earlyPercent = 89
	// leastLife is the shortest life of a certificate in this phase.
	leastLife = 20 * time.Second
)

// shortLife is a life with which n certificates become due at wantedRate.
func shortLife(n int) time.Duration {
	due := time.Duration(n) * time.Second / wantedRate
	return max(leastLife, due*100/(100-earlyPercent)).Round(time.Second)
}

// sustain measures renewals by time, one after the other: each certificate lives so shortly that there is always one due.
func (b *bed) sustain(ctx context.Context, r *run) error {
	if err := b.kill(); err != nil {
		return err
	}
	if err := b.stack.Sim.SetGrantedLifetime(shortLife(b.n)); err != nil {
		return err
	}
	// Others than before: what becomes due goes before what is requested, which would wait for ever.
	if err := errors.Join(b.clear(ctx, measured), b.makeAccount(ctx, sustaining)); err != nil {
		return err
	}
	if err := b.start(ctx, "--min-issue-interval=1s"); err != nil {
		return err
	}
	all := newCredentials(sustaining, b.n)
	for _, cc := range all {
		cc.Spec.Renewal = &v1alpha1.Renewal{BeforePercent: new(int32(earlyPercent))}
	}
	if _, err := b.createUntilReady(ctx, sustaining, all); err != nil {
		return err
	}
	var err error
	if r.Sustained.cost, err = b.during(ctx, sustainedTime); err != nil {
		return err
	}
	r.Sustained.LifeSeconds = shortLife(b.n).Seconds()
	r.Sustained.NotReady, err = b.notReady(ctx)
	return err
}

// notReady counts those that were let down.
func (b *bed) notReady(ctx context.Context) (int, error) {
	var all v1alpha1.ClusterCredentialList
	if err := b.clients[0].List(ctx, &all, client.InNamespace(sustaining)); err != nil {
		return 0, err
	}
	n := 0
	for i := range all.Items {
		if !meta.IsStatusConditionTrue(all.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
			n++
		}
	}
	return n, nil
}
