// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

// Bounds that the contract names, written down anew: an oracle that read them from the
// rules would agree with any of them.
const (
	hour        = time.Hour
	day         = 24 * time.Hour
	holdOff     = 45 * time.Second
	freeRepairs = 2 // an hour
	discards    = 4 // a day
	// busiest is how often an object is looked at in an hour at the most. The busiest are those
	// that retry every few seconds shortly before they expire.
	busiest = 150
)

// oracle holds the promises against what happens, and keeps the first that is broken.
type oracle struct {
	plan      plan
	tally     *tally
	restarted time.Time
	broken    error
}

func (c *oracle) fail(o *object, now time.Time, promise, format string, values ...any) {
	if c.broken == nil {
		c.broken = fmt.Errorf("seed %d, object %d, %s: %s: %s",
			c.plan.seed, o.number, now.Format(time.RFC3339), promise, fmt.Sprintf(format, values...))
	}
}

// looked bounds how often an object is looked at, and judges an expiry.
func (c *oracle) looked(o *object, now time.Time) {
	n := &o.notes
	if now.Sub(n.hour) >= hour {
		n.hour, n.looks = now, 0
	}
	n.looks++
	c.tally.busiest = max(c.tally.busiest, n.looks)
	if n.looks > busiest {
		c.fail(o, now, "hot loop", "%d looks since %s", n.looks, n.hour.Format(time.RFC3339))
	}
	c.judge(o, now)
}

// decided holds that every look is followed by another within an hour.
func (c *oracle) decided(o *object, now time.Time, d rotation.Decision) {
	if !d.NextLook.After(now) || d.NextLook.After(now.Add(hour)) {
		c.fail(o, now, "a look an hour", "the next one is at %s", d.NextLook.Format(time.RFC3339))
	}
}

// posts holds that an object waits after a failure, and everybody after a failover or a 429.
func (c *oracle) posts(o *object, now time.Time, d rotation.Decision) {
	n := &o.notes
	if wait := n.leastWait(); now.Before(n.failedAt.Add(wait)) {
		c.fail(o, now, "back-off", "asked %s after failure %d in a row, %s were left; %s is the least",
			now.Sub(n.failedAt), n.failures, n.failedLeft, wait)
	}
	if first := c.restarted.Add(time.Minute / time.Duration(c.plan.perMinute)); c.restarted.After(began) && now.Before(first) {
		c.fail(o, now, "a start", "asked before %s: the one before may have used the pace up", first.Format(time.RFC3339Nano))
	}
	if now.Before(n.unknown.Add(holdOff)) {
		c.fail(o, now, "hold-off", "asked %s after one whose outcome is unknown", now.Sub(n.unknown))
	}
	if now.Before(o.account.held) {
		c.fail(o, now, "429", "asked (%s) before %s", d.Trigger, o.account.held.Format(time.RFC3339))
	}
}

// arrives holds R7.
func (c *oracle) arrives(o *object, at time.Time) {
	if !o.account.window.add(at) {
		c.fail(o, at, "R7", "more than %d calls in 60 s", c.plan.perMinute)
	}
}

// published holds R5: never nearer than the floor, but for two repairs an hour.
func (c *oracle) published(o *object, f *flight, now time.Time) {
	c.judge(o, now)
	n, asked := &o.notes, o.open.At
	gap := asked.Sub(n.asked)
	free := f.trigger == v1alpha1.TriggerMissing && o.have.Stored == nil && !within(n.repairs[0], hour, f.began)
	if free {
		n.repairs[0], n.repairs[1] = n.repairs[1], asked
	}
	if !n.asked.IsZero() && gap < c.plan.floor && !free {
		c.fail(o, now, "R5", "a certificate (%s) %s after the one before", f.trigger, gap)
	}
	n.asked, n.obtained, n.judged, n.failures = asked, now, false, 0
}

// failed notes an attempt that failed in a pass that began then.
func (c *oracle) failed(o *object, began time.Time, by mood) {
	n := &o.notes
	n.failures++
	switch by {
	case failing:
		n.unknown = o.open.At
	case bad:
	default: // nothing can have been issued
	}
	n.failedAt, n.failedBy, n.failedLeft = began, by, o.left(began)
}

// refused notes a refusal, and holds that few certificates a day are discarded.
func (c *oracle) refused(o *object, f *flight, now time.Time) {
	c.failed(o, f.began, f.answer.mood)
	switch n := &o.notes; f.answer.mood {
	case throttling:
		least, most := time.Minute, 5*time.Minute
		if f.answer.retryAfter > 0 {
			least, most = f.answer.retryAfter, f.answer.retryAfter
		}
		o.account.held = latest(o.account.held, now.Add(least))
		o.account.freed = latest(o.account.freed, now.Add(most))
	case bad:
		c.tally.discarded++
		if within(n.discards[0], day, o.open.At) {
			c.fail(o, now, "discards", "the fifth in a day; the first was at %s", n.discards[0].Format(time.RFC3339))
		}
		copy(n.discards[:], n.discards[1:])
		n.discards[discards-1] = o.open.At
	default: // a failure like others
	}
}

// restart notes that an operator begins that remembers nothing.
func (c *oracle) restart(objects []*object, now time.Time) {
	c.restarted = now
	for _, o := range objects {
		o.account.window.times = o.account.window.times[:0]
		o.account.held = time.Time{}
	}
}
