// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"container/heap"
	"time"

	"github.com/clustercredential/operator/controllers/budget"
)

// plot says when the operator is killed next. Every other time somebody lies in wait, and
// kills it in the midst of the first call from then on.
func (w *world) plot(now time.Time) {
	w.kill, w.ambush = now.Add(w.plan.length), now.Add(w.plan.length)
	if at := now.Add(time.Minute + w.dice.span(2*w.plan.kills)); w.dice.one(2) {
		w.ambush = at
	} else {
		w.kill = at
	}
}

// restart kills the operator, and lets the next one begin: all memory is lost, with the
// calls under way, and every object is looked at. Mostly a standby takes over within a
// minute; sometimes nobody is there for long.
func (w *world) restart() {
	w.tally.kills++
	now := w.kill.Add(w.dice.span(time.Minute))
	if w.dice.one(8) {
		now = w.kill.Add(w.dice.span(w.plan.down))
	}
	w.budget = budget.New(w.kill, inFlight)
	w.rules.lead(w.budget, now)
	w.oracle.restart(w.objects, now)
	for _, o := range w.objects {
		if o.rests && o.open.ID == "" && !w.plan.everyLook {
			o.at = latest(o.at, now) // a look sooner than planned would change nothing
		} else {
			o.at = now
		}
		o.flight, o.again = nil, time.Time{}
	}
	heap.Init(&w.queue)
	w.plot(now)
}
