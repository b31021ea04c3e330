// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"slices"
	"strconv"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/rotation"
)

// object is one ClusterCredential with what its Secret and its status hold.
type object struct {
	number   int
	account  *account
	dice     dice
	lifetime time.Duration // what it asks for
	want     rotation.Wanted
	have     rotation.Found // its Attempts are status.history
	stored   rotation.Stored
	expiries []time.Time // of the attempts in have, in the same order
	issued   int         // ids that were given out
	active   string      // the attempt that was published last
	open     rotation.Attempt
	flight   *flight   // memory: gone with a kill
	loses    time.Time // when its Secret is deleted; zero: never

	at    time.Time // of its event in the queue
	place int
	again time.Time // a wake during its call; zero: none
	rests bool      // nothing was wanted at the last look
	notes notes     // of the oracles
}

// flight is a call under way.
type flight struct {
	began   time.Time
	trigger v1alpha1.Trigger
	answer  answer
}

const with = "with"

// newObject draws a spec.
func newObject(number int, a *account, d dice, p plan) *object {
	o := &object{number: number, account: a, dice: d}
	o.lifetime = p.lifetimes[o.dice.below(int64(len(p.lifetimes)))]
	record := rotation.Record{Version: 1, ClusterID: "c", Validity: o.lifetime.String()}
	o.want = rotation.Wanted{UID: "uid-" + strconv.Itoa(number), Record: record, With: with, Floor: p.floor}
	o.have = rotation.Found{Handled: []string{""}}
	switch o.dice.below(3) {
	case 0:
		o.want.Schedule.Before = o.lifetime/50 + o.dice.span(o.lifetime/4*3)
	case 1:
		o.want.Schedule.Percent = 1 + int32(o.dice.below(89)) //nolint:gosec // at most 89
	default: // a third
	}
	o.at = began
	return o
}

func (o *object) nextID() string {
	o.issued++
	return strconv.Itoa(o.issued)
}

// claim mirrors claim in controllers/obtain.go.
func (o *object) claim(trigger v1alpha1.Trigger) budget.Claim {
	c := budget.Claim{ID: o.want.UID, Class: budget.Urgent}
	if o.have.Stored != nil {
		c.Expiry = o.have.Stored.NotAfter
	}
	if trigger == v1alpha1.TriggerExpiry {
		c.Class = budget.ByExpiry
	}
	return c
}

// left mirrors left in controllers/found.go.
func (o *object) left(now time.Time) time.Duration {
	if o.have.Stored == nil {
		return 0
	}
	return max(0, o.have.Stored.NotAfter.Sub(now))
}

// maxHistory is that of controllers/status/history.go.
const maxHistory = 10

// note mirrors history in controllers/status/history.go: newest first, and where there
// are too many, those leave last that a bound depends on, and of the others the expired
// ones first.
func (o *object) note(a rotation.Attempt, notAfter, now time.Time) {
	o.have.Attempts = slices.Insert(o.have.Attempts, 0, a)
	o.expiries = slices.Insert(o.expiries, 0, notAfter)
	if len(o.have.Attempts) <= maxHistory {
		return
	}
	leaver, last := 0, -1
	for i, entry := range slices.Backward(o.have.Attempts) {
		if entry.ID == o.active {
			continue
		}
		reluctance := 0
		if o.expiries[i].After(now) {
			reluctance = 1
		}
		if entry.StillCounts(now) {
			reluctance += 2
		}
		if last < 0 || reluctance < last {
			leaver, last = i, reluctance
		}
	}
	o.have.Attempts = slices.Delete(o.have.Attempts, leaver, leaver+1)
	o.expiries = slices.Delete(o.expiries, leaver, leaver+1)
}

// fail mirrors fail in controllers/status/next.go.
func (o *object) fail(retryAt time.Time) {
	o.have.Failures++
	o.have.FailedWith = with
	o.have.RetryAt = retryAt.Add(time.Second - time.Nanosecond).Truncate(time.Second)
}
