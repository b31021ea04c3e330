// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// grace is how long a manager may take to end.
const grace = 30 * time.Second

// The cloud takes two seconds to answer, so the signal comes before the call, during it at several moments, and after it.
func TestTermAtAnyMomentLosesNoCertificate(t *testing.T) {
	const latency = 2 * time.Second
	moments := []time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond,
		1950 * time.Millisecond, 2050 * time.Millisecond, 2300 * time.Millisecond}
	var clusters []string
	for i := range moments {
		clusters = append(clusters, fmt.Sprintf("term-%d", i))
	}
	w := newWorld(t, options{clusters: clusters, latency: latency})
	w.apply(accountYAML())
	for i, moment := range moments {
		name := clusters[i]
		manager := w.startManager()
		w.eventually(eventTime, func() error { // it works: its caches are there
			if !strings.Contains(manager.Log(), "Starting workers") {
				return fmt.Errorf("no worker has started")
			}
			return nil
		})
		w.apply(credentialYAML(name, name))
		if moment > 0 {
			w.eventually(eventTime, func() error {
				if len(w.posts(name)) == 0 {
					return fmt.Errorf("the cloud was not asked")
				}
				return nil
			})
			time.Sleep(moment) // the moment itself; nothing is proved by it
		}
		ctx, cancel := context.WithTimeout(t.Context(), grace)
		code, took, err := manager.Terminate(ctx)
		cancel()
		w.must(err)
		if code != 0 {
			t.Errorf("%s after the call began, the manager ended with code %d:\n%s", moment, code, manager.Log())
		}
		for _, post := range w.posts(name) {
			if post.Serial != w.serial(name) {
				t.Errorf("%s after the call began, certificate %s was lost; the Secret holds %q; the manager took %s to end",
					moment, post.Serial, w.serial(name), took)
			}
			if got := w.get(name).Status; got.Certificate == nil || got.Certificate.SerialNumber != post.Serial || got.Issuance != nil {
				t.Errorf("%s after the call began, status does not tell of certificate %s", moment, post.Serial)
			}
			w.eventually(eventTime, func() error { return w.wantEvent(name, "Issued", post.Serial) })
		}
	}
	// Whoever comes next asks for what is missing, and for nothing else.
	w.startManager()
	w.waitReady(clusters...)
	for _, name := range clusters {
		w.wantPosts(1, name)
	}
}
