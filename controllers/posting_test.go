// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/testkit"
)

// What a kill can lose is bounded by how many certificates are asked for at a time, and more turns than that are out.
func TestFourCertificatesOfAnAccountAreAskedForAtATime(t *testing.T) {
	t.Parallel()
	const at, most = 12, 4
	w := testkit.New(t)
	w.Create(w.Credential("prod-0"))
	w.Settle("prod-0") // the cloud has answered: before, it is asked by one at a time
	w.Sim.SetLatency(100 * time.Millisecond)
	var all sync.WaitGroup
	for i := range at {
		name := fmt.Sprintf("prod-%d", i+1)
		w.Create(w.Credential(name))
		all.Go(func() {
			for end := time.Now().Add(time.Minute); len(w.Sim.Ledger()) < at+1 && time.Now().Before(end); {
				if _, err := w.Try(name); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	all.Wait()
	wantPosts(t, w, at+1)
	if got := w.MostPosting(); got != most {
		t.Errorf("%d certificates were asked for at a time, want %d", got, most)
	}
}
