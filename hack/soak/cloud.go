// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"time"

	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/rotation"
)

const (
	// slowest is the deadline of the one call: see postDeadline in controllers/issue.go.
	slowest = 10 * time.Second
	// skew is how far the clock of the cloud is off at the most.
	skew = 24 * time.Hour
	// clockSkew is how far ahead a certificate may begin: see controllers/kubeconfig/identity.go.
	clockSkew = 5 * time.Minute
	// longestHold is what a 429 asks for at the most.
	longestHold = 10 * time.Minute
)

// answer is what becomes of one call.
type answer struct {
	mood       mood
	after      time.Duration // from the look until the answer
	arrives    time.Duration // from the look until the call is at the cloud
	retryAfter time.Duration // with a 429; zero: it does not say
	granted    rotation.Validity
}

// outcome is what the budget learns. It mirrors outcomeOf in controllers/issue.go.
func (a answer) outcome() budget.Outcome {
	return budget.Outcome{
		Posted: true, Throttled: a.mood == throttling, RetryAfter: a.retryAfter, Silent: a.mood == silent,
		Answered: a.mood == fine || a.mood == bad || a.mood == forbidden,
	}
}

// ask draws what the cloud answers to a call that an object begins now.
func (w *world) ask(o *object, now time.Time) answer {
	a := answer{after: 200*time.Millisecond + o.dice.span(1500*time.Millisecond)}
	if o.dice.one(200) {
		a.after = o.dice.span(slowest)
	}
	a.arrives = o.dice.span(a.after)
	a.mood = o.account.weather.now(now.Add(a.arrives))
	if a.mood == fine && o.dice.one(w.plan.refusals) {
		a.mood = silent + mood(o.dice.below(int64(moods-silent)))
	}
	if a.mood == throttling && o.dice.one(2) {
		a.retryAfter = time.Second + o.dice.span(longestHold)
	}
	if a.mood == silent {
		a.after = min(slowest, 4*a.after)
	}
	a.granted = w.grant(o, now)
	if !now.Before(a.granted.NotAfter) || a.granted.NotBefore.After(now.Add(clockSkew)) {
		if a.mood == fine { // mirrors validAt in controllers/kubeconfig/identity.go
			a.mood = bad
		}
	}
	return a
}

// grant draws a validity: backdated or begun a little ahead, by a clock that is off, and
// sometimes for less than was asked for.
func (w *world) grant(o *object, now time.Time) rotation.Validity {
	lifetime := o.lifetime
	if o.dice.one(w.plan.shortened) {
		lifetime = lifetime/100 + o.dice.span(lifetime)
	}
	if o.dice.one(4 * w.plan.shortened) {
		lifetime = time.Minute + o.dice.span(time.Hour)
	}
	off := min(skew, lifetime/4)
	v := rotation.Validity{NotBefore: now, NotAfter: now.Add(lifetime), Serial: o.nextID()}
	switch o.dice.below(3) {
	case 0:
		v.NotBefore = now.Add(-o.dice.span(skew))
	case 1:
		v.NotBefore = now.Add(o.dice.span(min(clockSkew+5*time.Second, lifetime/4)))
	default: // an exact clock
	}
	v.NotBefore = v.NotBefore.Truncate(time.Second)
	v.NotAfter = v.NotAfter.Add(o.dice.span(2*off) - off).Truncate(time.Second)
	return v
}
