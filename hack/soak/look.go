// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"time"

	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/rotation"
)

// soonest is how soon a pass can follow another: see nextLook in controllers/report.go.
const soonest = time.Millisecond

// look is a pass up to the call. It mirrors Reconcile in controllers/reconciler.go.
func (w *world) look(o *object, now time.Time) {
	w.tally.looks++
	w.oracle.looked(o, now)
	if o.open.ID != "" {
		w.lost(o, now)
	}
	d := w.rules.decide(now, o.want, o.have)
	w.oracle.decided(o, now, d)
	o.rests = d.Trigger == ""
	if !d.Due {
		w.wake(now, w.budget.Forget(now, o.want.UID))
		w.queue.move(o, w.next(o, now, d))
		return
	}
	turn := w.budget.Ask(now, o.account.told, o.claim(d.Trigger))
	if turn.Hold == budget.None {
		w.post(o, now, d)
		return
	}
	w.wake(now, turn.Wake)
	next := earlier(d.NextLook, turn.At) // mirrors waitForTurn in controllers/obtain.go
	w.queue.move(o, latest(next, now.Add(soonest)))
}

// post writes the intent and makes the call. It mirrors useTurn in controllers/obtain.go.
func (w *world) post(o *object, now time.Time, d rotation.Decision) {
	w.tally.posts++
	w.oracle.posts(o, now, d)
	o.open = rotation.Attempt{ID: o.nextID(), Trigger: d.Trigger, At: now.Truncate(time.Second)}
	o.flight = &flight{began: now, trigger: d.Trigger, answer: w.ask(o, now)}
	w.oracle.arrives(o, now.Add(o.flight.answer.arrives))
	w.queue.move(o, now.Add(o.flight.answer.after))
	if !now.Before(w.ambush) {
		w.kill = earlier(w.kill, now.Add(o.flight.answer.after/2))
	}
}

// lost finds an attempt whose outcome nobody knows. It mirrors noteLost in controllers/found.go.
func (w *world) lost(o *object, now time.Time) {
	w.tally.lost++
	w.oracle.failed(o, now, failing)
	retry := now.Add(rotation.Backoff(o.have.Failures+1, rotation.CapSoon, o.left(now), o.want.UID))
	retry = latest(retry, o.open.At.Add(rotation.HoldOff))
	a := o.open
	a.Lost = true
	o.open = rotation.Attempt{}
	o.note(a, a.At.Add(o.lifetime), now)
	o.fail(retry)
}

// next is when the object is looked at again. Where only the hour asks for a look, a
// world that does not make every look goes on to the first moment at which Decide
// can answer something else.
func (w *world) next(o *object, now time.Time, d rotation.Decision) time.Time {
	at := d.NextLook
	if !w.plan.everyLook && at.Equal(now.Add(time.Hour)) {
		at = o.change(now, d)
	}
	if o.have.Failures > 0 && o.have.RetryAt.After(now) {
		at = earlier(at, o.have.RetryAt) // mirrors nextLook in controllers/report.go
	}
	if o.loses.After(now) {
		at = earlier(at, o.loses) // the watch tells
	}
	return at
}

// change is when Decide answers something else at the earliest: when a wait ends, when
// the certificate is renewed, or when it expires.
func (o *object) change(now time.Time, d rotation.Decision) time.Time {
	at := time.Time{}
	consider := func(other time.Time) {
		if other.After(now) && (at.IsZero() || other.Before(at)) {
			at = other
		}
	}
	consider(d.At)
	consider(d.RenewalTime)
	if o.have.Stored != nil {
		consider(o.have.Stored.NotAfter)
	}
	if at.IsZero() {
		return d.NextLook
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
