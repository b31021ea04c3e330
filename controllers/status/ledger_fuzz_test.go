// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

// ledger is what an auditor notes of one object, apart from its status.
type ledger struct {
	posts    []time.Time
	turns    []time.Time // of this process
	changes  []time.Time // by spec or request, since the status was last wiped
	repairs  []time.Time // of lost Secrets and expired certificates, since then too
	last     *Stored     // the last one that was stored, as long as Secret or status know it
	discards []time.Time // since the status was last wiped
	silent   time.Time   // the cloud asked this process for silence until then
	reasons  map[string]bool
}

// forget is what a wiped status costs: bounds that only it remembers begin afresh.
func (l *ledger) forget(secret *Stored) {
	l.changes, l.repairs, l.discards, l.last = nil, nil, nil, secret
}

func (l *ledger) stored(s *Stored) {
	l.last = s
	switch s.Trigger {
	case v1alpha1.TriggerSpec, v1alpha1.TriggerRequest:
		l.changes = append(l.changes, s.IssuedAt)
	case v1alpha1.TriggerMissing:
		l.repairs = append(l.repairs, s.IssuedAt)
	default:
	}
}

// back is what a clock costs that goes back: times that lie ahead bind nobody.
func (l *ledger) back() { *l = ledger{posts: l.posts, reasons: l.reasons, last: l.last} }

func (l *ledger) saw(reason string) {
	if l.reasons == nil {
		l.reasons = map[string]bool{}
	}
	l.reasons[reason] = true
}

// throttled notes what a 429 asks for: what it says, and else at least a minute.
func (l *ledger) throttled(now time.Time, retryAfter time.Duration) {
	if retryAfter == 0 {
		retryAfter = time.Minute
	}
	l.silent = now.Add(retryAfter)
}

// post judges one call: may it have been made now?
func (l *ledger) post(w *world, d rotation.Decision) {
	t, now := w.t, w.now
	l.posts = append(l.posts, now)
	l.turns = append(l.turns, now)
	if w.suspended || d.Trigger == "" || w.manual && d.Trigger == v1alpha1.TriggerExpiry {
		t.Fatalf("nobody wants it: %+v", d)
	}
	if now.Before(l.silent) {
		t.Fatalf("asked at %s, and the cloud wanted silence until %s", now, l.silent)
	}
	if n := within(l.turns, now, time.Minute); n > perMinute {
		t.Fatalf("%d calls in a minute, allowed are %d", n, perMinute)
	}
	if n := within(l.discards, now, 24*time.Hour); n >= 4 {
		t.Fatalf("another one, and %d were discarded within a day", n)
	}
	if d.Trigger == v1alpha1.TriggerSpec || d.Trigger == v1alpha1.TriggerRequest {
		if n := within(l.changes, now, time.Hour); n >= 6 {
			t.Fatalf("%d changes and requests within an hour", n+1)
		}
	}
	if since, bound := l.interval(w, d); bound && since < floor {
		t.Fatalf("a certificate (%s) %s after the one before", d.Trigger, since)
	}
}

// interval is the time since the last certificate, and whether the floor counts: by time
// always, for lost Secrets from the third in an hour on. An expired or lost one waits no
// longer than a change or a request, where there is one.
func (l *ledger) interval(w *world, d rotation.Decision) (since time.Duration, bound bool) {
	if l.last == nil || l.last.IssuedAt.After(w.now) {
		return 0, false
	}
	published, _ := rotation.ParseRecord(l.last.Certificate.Request)
	asked := w.record.Differs(published) || w.request != "" && w.request != l.last.Handled
	free := w.secret == nil && within(l.repairs, w.now, time.Hour) < 2
	byTime := d.Trigger == v1alpha1.TriggerExpiry || d.Trigger == v1alpha1.TriggerMissing && !asked && !free
	return w.now.Sub(l.last.IssuedAt), byTime
}

// within counts the times of the last while.
func within(times []time.Time, now time.Time, last time.Duration) (n int) {
	for _, at := range times {
		if now.Sub(at) < last {
			n++
		}
	}
	return n
}

// checkLook holds that somebody looks again within an hour, and neither now nor before.
func (w *world) checkLook(d rotation.Decision) {
	if !d.NextLook.After(w.now) || d.NextLook.After(w.now.Add(time.Hour)) {
		w.t.Fatalf("at %s the next look is at %s", w.now, d.NextLook)
	}
}

// checkPure holds that Next changes none of its arguments, and says the same again.
func (w *world) checkPure(previous, before v1alpha1.ClusterCredentialStatus, facts Facts) {
	if !Equal(previous, before) {
		w.t.Fatalf("the previous status was changed (-before +now):\n%s", cmp.Diff(before, previous))
	}
	w.checkEqual("said once more, it differs", Next(before, facts))
}

// checkStill holds that an object at rest is left alone: the same facts, and a second pass,
// write nothing.
func (w *world) checkStill(facts Facts) {
	if facts.Attempt != nil || facts.Lost != nil || facts.Held {
		return
	}
	w.checkEqual("the same facts a second time", Next(w.status, facts))
	d := rotation.Decide(w.now, w.want(), w.found(nil))
	if d.Due {
		return
	}
	facts.Decision = d
	w.checkEqual("a second pass writes", Next(w.status, facts))
}

func (w *world) checkEqual(what string, second v1alpha1.ClusterCredentialStatus) {
	if !Equal(w.status, second) {
		w.t.Fatalf("%s (-first +second):\n%s", what, cmp.Diff(w.status, second))
	}
}

// checkStored holds that the API server gives back what it is given: else every pass writes.
func (w *world) checkStored() {
	text, err := json.Marshal(w.status)
	var read v1alpha1.ClusterCredentialStatus
	if err != nil || json.Unmarshal(text, &read) != nil {
		w.t.Fatalf("it cannot be stored: %v", err)
	}
	w.checkEqual("it comes back as another status", read)
}

func (w *world) checkHistory() {
	history := w.status.History
	newestFirst := slices.IsSortedFunc(history, func(a, b v1alpha1.HistoryEntry) int { return b.IssuedAt.Compare(a.IssuedAt.Time) })
	active := 0
	for _, entry := range history {
		if entry.State == v1alpha1.CertificateActive {
			active++
		}
	}
	if len(history) > 10 || !newestFirst || active > 1 {
		w.t.Fatalf("%d entries, newest first: %v, %d active", len(history), newestFirst, active)
	}
}

// documented are the reasons with a row in docs/conditions.md.
var documented = sync.OnceValue(func() map[string]bool {
	page, err := os.ReadFile("../../docs/conditions.md")
	if err != nil {
		panic(err)
	}
	reasons := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		reasons[row[1]] = true
	}
	return reasons
})
