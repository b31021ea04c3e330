// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"time"

	"github.com/clustercredential/operator/controllers/rotation"
)

// settle is a pass from the answer on. It mirrors issue in controllers/issue.go, and
// report in controllers/report.go: the pass goes on with the time at which it began. (The open intent,
// which makes report look 45 s later besides, is left out: it asks for nothing.)
func (w *world) settle(o *object, now time.Time) {
	f := o.flight
	o.flight = nil
	w.wake(now, w.rules.giveBack(w.budget, now, o.account.told, o.want.UID, f.answer.outcome()))
	if f.answer.mood == fine {
		w.publish(o, f, now)
	} else {
		w.refused(o, f, now)
	}
	o.open = rotation.Attempt{}
	d := w.rules.decide(f.began, o.want, o.have)
	o.rests = d.Trigger == ""
	next := w.next(o, f.began, d)
	if o.have.Failures > 0 && o.dice.one(8) {
		next = earlier(next, now.Add(o.dice.span(time.Minute))) // somebody touches the object
	}
	if !o.again.IsZero() {
		next = earlier(next, o.again)
		o.again = time.Time{}
	}
	w.queue.move(o, latest(next, now.Add(soonest)))
}

// publish stores a certificate. It mirrors accept in controllers/accept.go and succeed
// in controllers/status/next.go.
func (w *world) publish(o *object, f *flight, now time.Time) {
	w.tally.certificates++
	w.oracle.published(o, f, now)
	if w.plan.keep {
		w.kept = append(w.kept, certificate{o.number, now, f.answer.granted})
	}
	o.active = o.open.ID
	o.stored = rotation.Stored{Validity: f.answer.granted, IssuanceID: o.open.ID}
	o.have.Stored, o.have.Published, o.have.Record = &o.stored, true, &o.want.Record
	o.have.Failures, o.have.FailedWith, o.have.RetryAt = 0, "", time.Time{}
	o.note(o.open, o.stored.NotAfter, f.began)
	o.loses = time.Time{}
	if o.dice.one(w.plan.losses) {
		o.loses = now.Add(time.Second + o.dice.span(w.plan.loseWithin))
	}
}

// refused counts a failure. It mirrors cloudFailure in controllers/issue.go and discard in
// controllers/accept.go.
func (w *world) refused(o *object, f *flight, now time.Time) {
	w.tally.refusals++
	w.oracle.refused(o, f, now)
	backoff := func(most time.Duration) time.Time {
		return f.began.Add(rotation.Backoff(o.have.Failures+1, most, o.left(f.began), o.want.UID))
	}
	attempt := o.open
	switch f.answer.mood {
	case throttling:
		o.fail(w.budget.Probe(f.began, o.account.told).At)
	case failing:
		retry := latest(backoff(rotation.CapSoon), f.began.Add(rotation.HoldOff))
		attempt.Lost = true
		o.note(attempt, attempt.At.Add(o.lifetime), f.began)
		o.fail(retry)
	case bad:
		retry := backoff(rotation.CapLate)
		attempt.Discarded = true
		o.note(attempt, f.answer.granted.NotAfter, f.began)
		o.fail(retry)
	case forbidden:
		o.fail(backoff(rotation.CapLate))
	default:
		o.fail(backoff(rotation.CapSoon))
	}
}

// certificate is one that was published, for comparing worlds.
type certificate struct {
	Object   int
	At       time.Time
	Validity rotation.Validity
}
