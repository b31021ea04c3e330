// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// A leader that stands still (a machine that is paused) comes back with an answer when another one leads already.
func TestALeaderThatStoodStillLosesNoCertificate(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"still"}, latency: time.Second, elects: true})
	w.apply(accountYAML())
	leader := w.startManager("--leader-elect")
	w.eventually(takeover, func() error {
		if !works(leader) {
			return fmt.Errorf("the only manager does not lead")
		}
		return nil
	})
	w.apply(credentialYAML("still", "still"))
	w.eventually(eventTime, func() error {
		if len(w.posts("still")) == 0 {
			return fmt.Errorf("the cloud was not asked")
		}
		return nil
	})
	w.must(leader.Signal(syscall.SIGSTOP))
	standby := w.startManager("--leader-elect")
	w.eventually(takeover, func() error {
		if !works(standby) {
			return fmt.Errorf("the standby does not take over")
		}
		return nil
	})
	w.eventually(eventTime, func() error {
		return w.says("still", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnknownOutcome)
	})
	w.must(leader.Signal(syscall.SIGCONT))
	w.eventually(80*time.Second, func() error {
		return w.says("still", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
	})
	w.accountsForEveryPost("still", 1)
	select {
	case <-leader.Exited():
	case <-time.After(grace):
		t.Error("the former leader goes on, though its lease is gone")
	}
}

// accountsForEveryPost fails unless history tells of every certificate, with at most so many of them as Unknown.
func (w *world) accountsForEveryPost(name string, mostLost int) {
	w.t.Helper()
	told, unknown := map[string]bool{}, 0
	history := w.get(name).Status.History
	for _, entry := range history {
		told[entry.SerialNumber] = true
		if entry.State == v1alpha1.CertificateUnknown {
			unknown++
		}
	}
	lost := 0
	for _, post := range w.posts(name) {
		if post.Serial != "" && !told[post.Serial] {
			lost++
		}
	}
	if lost > unknown || lost > mostLost {
		w.t.Errorf("%d certificates of %s are not told of, %d outcomes are Unknown: %+v", lost, name, unknown, history)
	}
}

// The cloud takes the request and says nothing: the manager does not wait longer than for one answer.
func TestTermWhileTheCloudHangsEndsInTime(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"hangs"}})
	w.must(w.cloud.Script(stack.Fault{Name: "hang-after", Times: -1}))
	manager := w.startManager()
	w.apply(accountYAML(), credentialYAML("hangs", "hangs"))
	w.eventually(eventTime, func() error {
		if len(w.posts("hangs")) == 0 {
			return fmt.Errorf("the cloud was not asked")
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), grace)
	defer cancel()
	code, took, err := manager.Terminate(ctx)
	w.must(err)
	if code != 0 {
		t.Errorf("the manager ended with code %d:\n%s", code, manager.Log())
	}
	t.Logf("it took %s", took.Round(time.Second))
	if cc := w.get("hangs"); cc.Status.Issuance != nil || len(cc.Status.History) != 1 || cc.Status.History[0].State != v1alpha1.CertificateUnknown {
		t.Errorf("the lost certificate is not told of: %+v", cc.Status)
	}
}
