// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// standstill is where a leader stands still: at a request of its workload, before it is forwarded or once it was carried out.
type standstill struct {
	at    int
	after bool
	// late is for a leader that goes on when the other one has done everything; else it goes on as soon as the other one leads.
	late bool
}

// standstills are from before the intent to before the status that tells of success. Until the Secret is written it makes a
// difference when the first one comes back.
var standstills = []standstill{
	{at: 0}, {at: 0, late: true},
	{at: 0, after: true},
	{at: 1}, {at: 1, late: true},
	{at: 1, after: true}, {at: 1, after: true, late: true},
	{at: 2}, {at: 2, late: true},
	{at: 2, after: true},
	{at: 3},
}

// A machine that is paused takes its manager along: the lease expires, another manager leads, and the first one goes on where it
// stood, with what it remembers. What it has sent before arrives late, and is carried out all the same.
func TestALeaderThatStoodStillAtAnyStepCostsAtMostOneCertificate(t *testing.T) {
	var switches, asked, lost, discarded, unknown, logins atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d switches: %d certificates were asked for, %d of them lost, %d discarded, %d told as Unknown; %d logins",
			switches.Load(), asked.Load(), lost.Load(), discarded.Load(), unknown.Load(), logins.Load())
	})
	for _, name := range []string{"create", "renew on request"} {
		if name == "create" && !*whole {
			continue // it makes the same requests, and nobody logs in meanwhile
		}
		t.Run(name, func(t *testing.T) {
			load := workloads[name]
			reference := load.run(t, nil)
			for _, s := range standstills {
				what := reference.requests[s.at]
				t.Run(fmt.Sprintf("%d %s carried out %v late %v", s.at, what, s.after, s.late), func(t *testing.T) {
					got, seen := load.runSwitch(t, s)
					got.wantEndAfterSwitch(t, reference, s.mostCost())
					switches.Add(1)
					asked.Add(int64(got.posts))
					lost.Add(int64(got.lost))
					discarded.Add(int64(got.discarded))
					unknown.Add(int64(got.unknown))
					logins.Add(int64(seen.Attempts))
				})
			}
		})
	}
}

// runSwitch lets it happen in a world of its own with two managers, of which the first stands still.
func (load workload) runSwitch(t *testing.T, at standstill) (run, stack.Probes) {
	t.Helper()
	w := newWorld(t, options{clusters: []string{"swept"}, gated: true, ownLease: true})
	w.args = []string{"--min-issue-interval=5s"}
	leader := w.startLeader()
	before, prober := load.prepare(w)
	s := &strike{at: at.at, after: at.after, done: make(chan struct{}), goesOn: make(chan struct{})}
	s.hit = func() {
		if err := leader.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
	}
	w.gate.begin(s)
	load.act(w, "swept")
	w.waitStruck(s)
	w.gate = w.newGate() // the standby has one to itself
	standby := w.startManager("--leader-elect")
	w.waitWorks(standby, takeover)
	isDone := func() error {
		return w.isDone("swept", func(cc *v1alpha1.ClusterCredential) bool { return load.done(cc, before) })
	}
	if at.late {
		w.eventually(2*time.Minute, isDone)
	}
	w.must(leader.Signal(syscall.SIGCONT))
	close(s.goesOn)
	select {
	case <-leader.Exited():
		if code := leader.ExitCode(); code != 1 {
			t.Errorf("the former leader ended with code %d, want 1: its lease is gone", code)
		}
	case <-time.After(grace):
		t.Fatal("the former leader goes on, though its lease is gone")
	}
	w.eventually(2*time.Minute, isDone)
	w.must(standby.Kill())
	return w.account("swept"), w.wantNoFailedLogin(prober)
}

// startLeader starts a manager and returns once it leads.
func (w *world) startLeader() *stack.Manager {
	w.t.Helper()
	leader := w.startManager("--leader-elect")
	w.waitWorks(leader, takeover)
	return leader
}

// waitWorks returns once a manager leads.
func (w *world) waitWorks(m *stack.Manager, within time.Duration) {
	w.t.Helper()
	w.eventually(within, func() error {
		if !works(m) {
			return fmt.Errorf("%s does not lead", m.Name)
		}
		return nil
	})
}

// mostCost is how many certificates it may cost: one between the intent and the Secret.
func (s standstill) mostCost() int {
	if s.at == 0 && !s.after || s.at == 2 && s.after || s.at > 2 {
		return 0
	}
	return 1
}

// wantEndAfterSwitch compares a run with one without a switch. What it cost stands in history: as unknown if nobody has seen the
// certificate, and as discarded if it came too late to be stored.
func (got run) wantEndAfterSwitch(t *testing.T, want run, most int) {
	t.Helper()
	t.Logf("%d certificates were asked for, %d of them lost, %d discarded, %d told as Unknown", got.posts, got.lost, got.discarded, got.unknown)
	if diff := cmp.Diff(want.end, got.end); diff != "" {
		t.Errorf("the end (-without a switch +with):\n%s", diff)
	}
	cost := got.lost + got.discarded
	if cost > most || got.unknown > most || got.lost > got.unknown {
		t.Errorf("%d certificates were lost, %d discarded, and history tells of %d as Unknown, want at most %d, and all of them told",
			got.lost, got.discarded, got.unknown, most)
	}
	if got.posts != want.posts+cost {
		t.Errorf("%d certificates were asked for, want %d and the %d that the switch has cost", got.posts, want.posts, cost)
	}
}
