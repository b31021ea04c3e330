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
	history := w.get("still").Status.History
	if sum := tallyOf(w.posts("still"), history); len(sum.lost) > 1 || len(sum.lost) > sum.unknown {
		t.Errorf("%d certificates were lost, and history tells of %d: %+v", len(sum.lost), sum.unknown, history)
	}
	select {
	case <-leader.Exited():
	case <-time.After(grace):
		t.Error("the former leader goes on, though its lease is gone")
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
