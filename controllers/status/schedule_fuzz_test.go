// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

const floor = 10 * time.Minute

// FuzzSchedule takes a byte string for a whole schedule of faults: two bytes are one event,
// and after each the object is looked at. The oracles are the promises about one object; they
// stand at their functions.
func FuzzSchedule(f *testing.F) {
	for _, seed := range scheduleSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, schedule []byte) { run(t, schedule) })
}

// The events.
const (
	looks byte = iota // goes on to when it asked to be looked at
	waits             // by minutes
	leaps             // by days, as a clock that is put right
	falls             // back by hours
	wipes             // the status
	loses             // the Secret
	restarts
	changes // the spec
	requests
	sleeps // suspend, or wake
	turnsManual
	newKey
	mends   // the API server takes writes again, or refuses them
	answers // queues what the next call comes to
	events
)

const maxEvents = 400

func run(t *testing.T, schedule []byte) *world {
	w := newWorld(t)
	w.pass()
	for i := 0; i+1 < min(len(schedule), 2*maxEvents); i += 2 {
		w.happens(schedule[i]%events, schedule[i+1])
		w.pass()
	}
	return w
}

func (w *world) happens(event, how byte) {
	amount := time.Duration(how)
	switch event {
	case looks:
		w.now = w.look
	case waits:
		w.now = w.now.Add(amount * time.Minute)
	case leaps:
		w.now = w.now.Add(amount * day)
	case falls:
		w.now = w.now.Add(-amount * time.Hour)
		w.log.back() // floors let times pass that lie ahead
	case wipes:
		w.status = v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}
		w.log.forget(w.secret)
	case loses:
		w.secret = nil
	case restarts:
		w.restart()
	case changes:
		w.generation++
		w.record.Validity = (time.Duration(1+how%3) * time.Hour).String()
	case requests:
		w.request = strconv.Itoa(int(how))
	case sleeps:
		w.generation, w.suspended = w.generation+1, !w.suspended
	case turnsManual:
		w.generation, w.manual = w.generation+1, !w.manual
	case newKey:
		w.keyVersion++
	case mends:
		w.refusesWrites = how%4 == 0
	default:
		w.next = append(w.next, how)
	}
}

func scheduleSeeds() [][]byte {
	seeds := [][]byte{
		nil,
		slices.Repeat([]byte{looks, 0}, 15),
		slices.Repeat([]byte{loses, 0}, 12),
		slices.Repeat([]byte{loses, 0, waits, 1}, 15),
		slices.Repeat([]byte{changes, 0, changes, 1, waits, 2}, 15),
		slices.Repeat([]byte{requests, 1, waits, 1, requests, 2, waits, 1}, 15),
		slices.Repeat([]byte{answers, 1, looks, 0}, 15), // a second each
		slices.Repeat([]byte{answers, 2, looks, 0}, 15), // ten minutes each
		slices.Repeat([]byte{answers, byte(discarded), requests, 3, looks, 0, requests, 4}, 16),
		slices.Repeat([]byte{answers, byte(killed), loses, 0, looks, 0, restarts, 0, looks, 0}, 15),
		{answers, byte(unstored), loses, 0, wipes, 0, looks, 0, restarts, 0, looks, 0, mends, 1, looks, 0, looks, 0, looks, 0},
		slices.Repeat([]byte{falls, 30, looks, 0, leaps, 40, looks, 0, wipes, 0, sleeps, 0, looks, 0, sleeps, 0, turnsManual, 0}, 12),
	}
	for _, still := range []byte{turnsManual, sleeps} { // due by time, and nobody may ask
		seeds = append(seeds, slices.Concat([]byte{still, 0, leaps, 25}, slices.Repeat([]byte{looks, 0}, 5), []byte{requests, 1, leaps, 9, looks, 0}))
	}
	seeds = append(seeds,
		// Another key of an account that is silenced; the pace alone would let it pass.
		[]byte{answers, byte(turnedDown) + 4, requests, 1, waits, 1, newKey, 0, looks, 0, looks, 0, looks, 0, waits, 1, looks, 0},
		// A history that is full must not forget what was discarded.
		slices.Concat(slices.Repeat([]byte{answers, byte(discarded)}, 3), []byte{requests, 1}, slices.Repeat([]byte{looks, 0}, 6), oftenRequested(14),
			slices.Repeat([]byte{answers, byte(discarded)}, 3), []byte{requests, 1}, slices.Repeat([]byte{looks, 0}, 6)),
	)
	for n := range refusals {
		refusal := []byte{answers, byte(turnedDown) + byte(n)}
		seeds = append(seeds, slices.Concat(slices.Repeat(refusal, 6), []byte{leaps, 25}, slices.Repeat([]byte{looks, 0}, 12), []byte{newKey, 0, leaps, 7, looks, 0}))
	}
	return seeds
}

// oftenRequested are as many renewals by request as the bounds allow in some hours.
func oftenRequested(times byte) (schedule []byte) {
	for n := range times {
		schedule = append(schedule, requests, 100+n, waits, 11)
	}
	return schedule
}

// Seeds in which nothing works, or nothing goes wrong, would prove little.
func TestTheScheduleSeedsReachBothSides(t *testing.T) {
	ready, notReady, posts := 0, 0, 0
	reasons := map[string]bool{}
	for _, seed := range scheduleSeeds() {
		w := run(t, seed)
		if meta.IsStatusConditionTrue(w.status.Conditions, v1alpha1.ConditionReady) {
			ready++
		} else {
			notReady++
		}
		posts += len(w.log.posts)
		for reason := range w.log.reasons {
			reasons[reason] = true
		}
	}
	if ready < 5 || notReady < 2 || posts < 150 || len(reasons) < 17 {
		t.Errorf("Ready %d, not Ready %d, %d certificates asked for, reasons %v", ready, notReady, posts, reasons)
	}
}

// checkStatus holds what is true of every status that is written.
func (w *world) checkStatus(facts Facts) {
	t, s := w.t, w.status
	for _, c := range s.Conditions {
		w.log.saw(c.Reason)
		lasting := c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionIssued || c.Type == v1alpha1.ConditionPublished
		switch {
		case c.ObservedGeneration != w.generation || s.ObservedGeneration != w.generation:
			t.Fatalf("generation %d: %+v", w.generation, c)
		case !documented()[c.Reason]:
			t.Fatalf("a reason that is not documented: %+v", c)
		case c.Message == "" || len(c.Message) > maxMessage || !utf8.ValidString(c.Message):
			t.Fatalf("not a message: %+v", c)
		case !lasting && c.Status != metav1.ConditionTrue:
			t.Fatalf("it stands while True only: %+v", c)
		}
	}
	for _, lasting := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionIssued, v1alpha1.ConditionPublished} {
		if meta.FindStatusCondition(s.Conditions, lasting) == nil {
			t.Fatalf("%s is missing", lasting)
		}
	}
	works := w.secret != nil && w.secret.Certificate.NotAfter.After(facts.Now.Truncate(time.Second))
	if ready := meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReady); ready != works {
		t.Fatalf("Ready is %v, and what is published works: %v", ready, works)
	}
	w.checkHistory()
}
