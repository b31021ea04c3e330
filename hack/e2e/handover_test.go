// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// leaseTime is how long a lease lives that is not released.
const leaseTime = 15 * time.Second

// A leader that is asked to end releases its lease once its work is done, so that nobody has to wait for it to expire.
func TestTermOfALeaderHandsOverAtOnce(t *testing.T) {
	for name, at := range map[string]int{"at rest": -1, "between intent and call": 1, "between call and Secret": 2} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{clusters: []string{"swept", "after"}, gated: true, ownLease: true})
			w.startLeader()
			leaders := w.gate
			s := w.term(at, false)
			w.gate = w.newGate()
			standby := w.startManager("--leader-elect")
			w.apply(accountYAML())
			w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "cloudaccount/"+theAccount)
			leaders.begin(s.strike)
			w.apply(credentialYAML("swept", "swept"))
			if at < 0 {
				w.waitReady("swept")
				w.eventually(eventTime, func() error { return w.wantEvent("swept", "Issued", "") })
				s.hit()
			} else {
				w.waitStruck(s.strike)
			}
			w.waitWorks(standby, takeover)
			took := time.Since(s.sent)
			t.Logf("another one led %s after the signal", took.Round(10*time.Millisecond))
			if took >= leaseTime {
				t.Errorf("another one led only %s after the signal, which is no sooner than if the leader had been killed", took)
			}
			t.Logf("the former one took %s to end", s.wantEnd(w).Round(10*time.Millisecond))
			w.waitReady("swept")
			w.apply(credentialYAML("after", "after")) // the new leader works in earnest
			w.waitReady("after")
			w.wantPosts(1, "swept")
			if history := w.get("swept").Status.History; len(history) != 1 || history[0].State != v1alpha1.CertificateActive {
				t.Errorf("something was lost: %+v", history)
			}
		})
	}
}
