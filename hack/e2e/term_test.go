// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// ends counts managers that were asked to end.
type ends struct {
	mu      sync.Mutex
	terms   int
	longest time.Duration
}

func (e *ends) add(took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.terms++
	e.longest = max(e.longest, took)
}

// Here a credential becomes due when it is told to: the others of its world are at rest meanwhile.
const (
	termLifetime = 6 * time.Minute
	termBefore   = 322 * time.Second
)

// termWorkloads are those of the kills.
func termWorkloads() map[string]workload {
	all := maps.Clone(workloads)
	before := func(s string) string { return "  renewal: {before: " + s + "}" }
	all["rotate"] = workload{
		more: before(renewedLate), lifetime: termLifetime, done: hasAnother,
		act: func(w *world, name string) {
			w.eventually(time.Minute, func() error {
				if left := time.Until(w.get(name).Status.Certificate.NotAfter.Time); left > termBefore {
					return fmt.Errorf("the certificate of %s is not old enough: %s are left", name, left)
				}
				return nil
			})
			w.apply(credentialYAML(name, name, before(termBefore.String())))
		},
		rest: func(w *world, name string) {
			w.apply(credentialYAML(name, name, before(renewedLate)))
			w.eventually(eventTime, func() error {
				if cc := w.get(name); cc.Status.ObservedGeneration != cc.Generation {
					return fmt.Errorf("%s is not at rest", name)
				}
				return nil
			})
		},
	}
	return all
}

// The manager is asked to end at every request that changes something: before it is forwarded, and once it was carried out. It
// finishes what it has begun, so the next one has nothing to make good.
func TestTermAtAnyRequestLosesNothing(t *testing.T) {
	var sum ends
	t.Cleanup(func() {
		t.Logf("%d managers were asked to end; the longest took %s", sum.terms, sum.longest.Round(time.Millisecond))
	})
	for name, load := range termWorkloads() {
		t.Run(name, func(t *testing.T) { load.runTerms(t, &sum) })
	}
}

// mostTerms is more than a workload has requests, times two.
const mostTerms = 16

// runTerms makes the workload happen to one credential after the other, all in one world: first without a signal.
func (load workload) runTerms(t *testing.T, sum *ends) {
	var names []string
	for i := range mostTerms {
		names = append(names, fmt.Sprintf("term-%02d", i))
	}
	w := newWorld(t, options{clusters: names, lifetime: load.lifetime, gated: true, ownLease: true})
	w.args = []string{"--leader-elect", "--min-issue-interval=5s", "--fleet-hold=false"} // so many changes in a row are meant here
	w.startManager()
	load.prepareAll(w, names)
	reference, _ := load.happen(w, names[0], nil)
	t.Logf("without a signal: %q", reference.requests)
	if len(reference.requests) == 0 {
		t.Fatal("the gate has seen no request")
	}
	next := 1
	for at, what := range reference.requests {
		for _, after := range []bool{false, true} {
			name, moment := names[next], fmt.Sprintf("at %d %s, carried out %v", at, what, after)
			got, took := load.happen(w, name, w.term(at, after))
			got.wantNothingLost(t, moment, reference)
			sum.add(took)
			next++
		}
	}
}

// prepareAll makes the credentials that are there before.
func (load workload) prepareAll(w *world, names []string) {
	w.t.Helper()
	w.apply(accountYAML())
	w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "cloudaccount/"+theAccount)
	if load.fresh {
		return
	}
	var documents []string
	for _, name := range names {
		documents = append(documents, credentialYAML(name, name, load.more))
	}
	w.apply(documents...)
	w.waitReady(names...)
	for _, name := range names {
		w.eventually(eventTime, func() error { return w.wantEvent(name, "Issued", "") })
	}
}

// term is a signal to a manager.
type term struct {
	*strike
	manager *stack.Manager
	sent    time.Time
	took    chan time.Duration // comes once it has ended
}

// term asks the manager to end at a request, and lets the request go on once the manager is about to.
func (w *world) term(at int, after bool) *term {
	s := &term{manager: w.manager(), took: make(chan time.Duration, 1)}
	s.strike = &strike{at: at, after: after, done: make(chan struct{}), hit: func() {
		s.sent = time.Now()
		if err := s.manager.Signal(syscall.SIGTERM); err != nil {
			w.t.Error(err)
		}
		go func() { <-s.manager.Exited(); s.took <- time.Since(s.sent) }()
		for !strings.Contains(s.manager.Log(), "Stopping and waiting") && time.Since(s.sent) < 3*time.Second {
			time.Sleep(5 * time.Millisecond)
		}
	}}
	return s
}

// happen makes the workload happen to one credential, with one signal at the most, and lets the next manager finish. It returns
// how long the end took, too.
func (load workload) happen(w *world, name string, s *term) (result run, took time.Duration) {
	w.t.Helper()
	before := w.serial(name)
	w.gate.begin(nil)
	if s != nil {
		w.gate.begin(s.strike)
	}
	load.act(w, name)
	if s != nil {
		w.waitStruck(s.strike)
		took = s.wantEnd(w)
		w.startManager()
	}
	w.eventually(time.Minute, func() error {
		return w.isDone(name, func(cc *v1alpha1.ClusterCredential) bool { return load.done(cc, before) })
	})
	if serial := w.serial(name); serial != before {
		w.eventually(eventTime, func() error { return w.wantEvent(name, "Issued", serial) })
	}
	result = w.account(name)
	if load.rest != nil {
		load.rest(w, name)
	}
	return result, took
}

// wantNothingLost compares a run with one without a signal.
func (got run) wantNothingLost(t *testing.T, moment string, want run) {
	t.Helper()
	if diff := cmp.Diff(want.end, got.end); diff != "" {
		t.Errorf("%s: the end (-without a signal +with):\n%s", moment, diff)
	}
	if got.posts != want.posts || got.lost > 0 || got.unknown > 0 {
		t.Errorf("%s: %d certificates were asked for, %d of them lost, %d told as Unknown; want %d, 0 and 0",
			moment, got.posts, got.lost, got.unknown, want.posts)
	}
	// An event that was about to be written may be lost with its manager, and what was begun may be looked at once more.
	if most := len(want.requests) + 2; len(got.requests) > most {
		t.Errorf("%s: %d requests changed something, want at most %d: %q", moment, len(got.requests), most, got.requests)
	}
}

// wantEnd waits for the end, by itself and in time, and returns how long it took.
func (s *term) wantEnd(w *world) time.Duration {
	w.t.Helper()
	select {
	case took := <-s.took:
		if code := s.manager.ExitCode(); code != 0 {
			w.t.Errorf("the manager ended with code %d:\n%s", code, s.manager.Log())
		}
		return took
	case <-time.After(grace):
		w.t.Fatalf("after %s the manager has not ended:\n%s", grace, s.manager.Log())
		return 0
	}
}

// A standby that ends says nothing and asks for nothing, whatever the leader is about: it ends before each request of a first
// certificate.
func TestTermOfAStandbyDisturbsNobody(t *testing.T) {
	requests := []string{"PUT clustercredentials/status", postForCertificate, "POST secrets", "PUT clustercredentials/status", "POST events"}
	names := make([]string, 0, len(requests))
	for i := range requests {
		names = append(names, fmt.Sprintf("swept-%d", i))
	}
	w := newWorld(t, options{clusters: names, gated: true, ownLease: true})
	w.startLeader()
	leaders := w.gate
	w.gate = w.newGate()
	w.apply(accountYAML())
	w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "cloudaccount/"+theAccount)
	for at, name := range names {
		w.termStandby(t, leaders, at, name, requests)
	}
}

func (w *world) termStandby(t *testing.T, leaders *gate, at int, name string, want []string) {
	t.Helper()
	standby := w.startManager("--leader-elect")
	w.eventually(eventTime, func() error {
		if !strings.Contains(standby.Log(), "acquire leader lease") {
			return fmt.Errorf("%s does not stand by yet", standby.Name)
		}
		return nil
	})
	var took time.Duration
	s := &strike{at: at, done: make(chan struct{}), hit: func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), grace)
		defer cancel()
		var code int
		var err error
		if code, took, err = standby.Terminate(ctx); err != nil || code != 0 {
			t.Errorf("the standby ended with code %d: %v", code, err)
		}
	}}
	leaders.begin(s)
	w.apply(credentialYAML(name, name))
	w.waitStruck(s)
	w.waitReady(name)
	w.eventually(eventTime, func() error { return w.wantEvent(name, "Issued", w.serial(name)) })
	t.Logf("at %d, the standby took %s to end", at, took.Round(time.Millisecond))
	w.wantPosts(1, name)
	if requests := w.gate.requests(); len(requests) > 0 || works(standby) {
		t.Errorf("the standby has worked: %q", requests)
	}
	if diff := cmp.Diff(want, leaders.requests()); diff != "" {
		t.Errorf("what the leader changed (-want +got):\n%s", diff)
	}
}
