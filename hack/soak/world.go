// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"strconv"
	"time"

	"github.com/clustercredential/operator/controllers/budget"
)

// began is when the virtual time begins.
var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// inFlight is how many calls of an account are out at the most: see controllers/account.go.
const inFlight = 4

// plan is what a world is made of. Equal plans give equal worlds.
type plan struct {
	seed              uint64
	objects, accounts int
	length            time.Duration
	everyLook         bool // hourly looks at objects at rest, too
	perMinute         int
	floor             time.Duration
	lifetimes         []time.Duration // that are asked for
	calm, longest     time.Duration   // between storms; the longest storm
	refusals          int64           // one call in so many is refused for no reason
	shortened         int64           // one certificate in so many is granted for less
	losses            int64           // one Secret in so many is deleted
	loseWithin        time.Duration
	kills             time.Duration // between two kills
	down              time.Duration // the longest time without an operator
	keep              bool          // certificates are kept, for comparing
}

// account is a key and its cloud.
type account struct {
	told    budget.Account
	weather weather
	objects int
	window  window
	held    time.Time // until when a 429 holds it, at the least; memory of the oracle
	freed   time.Time // until when a 429 may hold it, at the most
}

// world is a fleet, its cloud, and one operator after another.
type world struct {
	plan    plan
	rules   rules
	dice    dice
	budget  *budget.Budget
	objects []*object
	byUID   map[string]*object
	queue   queue
	kill    time.Time // the next one
	ambush  time.Time // from when on it comes with the next call
	oracle  *oracle
	tally   tally
	kept    []certificate // all, in order, where the plan says so
}

func newWorld(p plan, r rules) *world {
	w := &world{plan: p, rules: r, dice: dice(p.seed), byUID: map[string]*object{}, budget: budget.New(began, inFlight)}
	w.tally.excused = map[string]int{}
	w.oracle = &oracle{plan: p, tally: &w.tally, restarted: began}
	accounts := make([]*account, 0, p.accounts)
	for i := range p.accounts {
		name := "account-" + strconv.Itoa(i)
		a := &account{weather: newWeather(w.dice.fork(), p), window: window{most: p.perMinute}}
		a.told = budget.Account{Key: name, Name: "fleet/" + name, Version: "1", PerMinute: r.limit(p.perMinute)}
		w.tally.storms += len(a.weather)
		accounts = append(accounts, a)
	}
	for i := range p.objects {
		a := accounts[i%len(accounts)]
		a.objects++
		o := newObject(i, a, w.dice.fork(), p)
		w.objects = append(w.objects, o)
		w.byUID[o.want.UID] = o
		w.queue.Push(o) // all at once, so that it is a heap
	}
	w.plot(began)
	return w
}

// run lets the time pass, until the end or until a promise is broken.
func (w *world) run() error {
	end := began.Add(w.plan.length)
	for w.oracle.broken == nil {
		o := w.queue[0]
		now := o.at
		if !w.kill.After(now) {
			w.restart()
			continue
		}
		if now.After(end) {
			w.oracle.end(w.objects, end)
			break
		}
		w.lose(o, now)
		if o.flight != nil {
			w.settle(o, now)
		} else {
			w.look(o, now)
		}
	}
	return w.oracle.broken
}

// lose deletes the object's Secret if it is time.
func (w *world) lose(o *object, now time.Time) {
	if o.loses.IsZero() || now.Before(o.loses) {
		return
	}
	w.tally.losses++
	w.oracle.judge(o, o.loses)
	o.loses = time.Time{}
	o.have.Stored = nil
}

// wake mirrors wake in controllers/wake.go.
func (w *world) wake(now time.Time, call budget.Call) {
	at := latest(call.At, now)
	for _, id := range call.IDs {
		switch o := w.byUID[id]; {
		case o.flight == nil && at.Before(o.at):
			w.queue.move(o, at)
		case o.flight != nil && (o.again.IsZero() || at.Before(o.again)):
			o.again = at
		}
	}
}
