// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

const (
	// looking is how often the ClusterCredentials are read.
	looking = 250 * time.Millisecond
	// firstTime bounds how long first credentials may take.
	firstTime = 30 * time.Second
	// watching is the least time that the rotations are watched, and watchingMost the most: until everything has happened.
	watching     = 45 * time.Second
	watchingMost = 75 * time.Second
)

// waitUntilReady shows the table until so many ClusterCredentials are Ready.
func (p *play) waitUntilReady(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, firstTime)
	defer cancel()
	return p.look(ctx, func(credentials []v1alpha1.ClusterCredential) (bool, error) {
		ready := 0
		for _, cc := range credentials {
			if meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady) {
				ready++
			}
		}
		return ready == want, nil
	})
}

// watch shows the table while clients log in, has every act performed at its time, and tells about every new certificate.
func (p *play) watch(ctx context.Context) error {
	p.screen.say("Now clients log in with the newest Secret, ten times a second each. Watch the certificates rotate")
	begin := time.Now()
	revisions := map[string]int64{}
	performed := map[string]bool{}
	return p.look(ctx, func(credentials []v1alpha1.ClusterCredential) (bool, error) {
		for _, cc := range credentials {
			if before, known := revisions[cc.Name]; known && cc.Status.Revision > before {
				p.screen.say("%s: a new certificate, %s %s", cc.Name, short(cc), because(cc))
			}
			revisions[cc.Name] = cc.Status.Revision
		}
		elapsed := time.Since(begin)
		for _, a := range acts {
			if a.perform != nil && !performed[a.name] && elapsed >= a.cue {
				performed[a.name] = true
				if err := a.perform(p); err != nil {
					return false, err
				}
			}
		}
		return elapsed >= watchingMost || elapsed >= watching && len(p.result(credentials).missing()) == 0, nil
	})
}

// because says in words why the newest certificate was asked for.
func because(cc v1alpha1.ClusterCredential) string {
	if len(cc.Status.History) == 0 {
		return ""
	}
	switch cc.Status.History[0].Trigger {
	case v1alpha1.TriggerExpiry:
		return "(in time before the old one expires)"
	case v1alpha1.TriggerMissing:
		return "(the Secret was gone)"
	case v1alpha1.TriggerRequest:
		return "(on request)"
	default:
		return fmt.Sprintf("(%s)", cc.Status.History[0].Trigger)
	}
}

// look reads the ClusterCredentials and shows the table, again and again until done.
func (p *play) look(ctx context.Context, done func([]v1alpha1.ClusterCredential) (bool, error)) error {
	tick := time.NewTicker(looking)
	defer tick.Stop()
	for {
		credentials, err := p.list(ctx)
		if err != nil {
			return err
		}
		ended, err := done(credentials)
		if err != nil {
			return err
		}
		if ended || p.screen.due() {
			p.screen.draw(p.table(credentials, time.Now()))
		}
		if ended {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the ClusterCredentials: %w", ctx.Err())
		}
	}
}

// list reads the ClusterCredentials that there are, in the order of the acts.
func (p *play) list(ctx context.Context) ([]v1alpha1.ClusterCredential, error) {
	var all v1alpha1.ClusterCredentialList
	if err := p.client.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	order := func(cc v1alpha1.ClusterCredential) int {
		return slices.IndexFunc(acts, func(a act) bool { return a.name == cc.Name })
	}
	slices.SortFunc(all.Items, func(a, b v1alpha1.ClusterCredential) int { return order(a) - order(b) })
	return all.Items, nil
}
