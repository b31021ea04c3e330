// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

// What a kill can lose is bounded by how many certificates are asked for at a time, and more turns than that are out.
func TestFourCertificatesOfAnAccountAreAskedForAtATime(t *testing.T) {
	t.Parallel()
	const at, most = 12, 4
	w := testkit.New(t)
	w.Create(w.Credential("prod-0"))
	w.Settle("prod-0") // the cloud has answered: before, it is asked by one at a time
	w.Sim.SetLatency(100 * time.Millisecond)
	passAll(w, at, func() bool { return len(w.Sim.Ledger()) == at+1 })
	wantPosts(t, w, at+1)
	if got := w.MostPosting(); got > most || got < 2 {
		t.Errorf("%d certificates were asked for at a time, want several, and at most %d", got, most)
	}
}

// Those that have a turn already, and have heard of the cloud before it fell silent, must not go on as if it had not.
func TestACloudThatFallsSilentIsAskedByOneAtATimeFromThenOn(t *testing.T) {
	t.Parallel()
	const at, before, most = 12, 1, 1 + 4 + 3
	w := testkit.New(t)
	w.Create(w.Credential("prod-0"))
	w.Settle("prod-0")
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultHang, Op: ccesim.OpIssue, Times: ccesim.Forever}))
	end := time.Now().Add(3 * testkit.CallTimeout)
	passAll(w, at, func() bool { return time.Now().After(end) })
	if got := w.Posted(); got <= before || got > most {
		t.Errorf("%d certificates were asked for, want at most %d: four while the cloud was trusted, and one in each time-out since", got-before, most-before)
	}
}

// passAll makes ClusterCredentials, and passes over all of them at a time until it is done, or a minute is over.
func passAll(w *testkit.World, n int, done func() bool) {
	var all sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("prod-%d", i+1)
		w.Create(w.Credential(name))
		all.Go(func() {
			for end := time.Now().Add(time.Minute); !done() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if _, err := w.Try(name); err != nil {
					w.T.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	all.Wait()
}
