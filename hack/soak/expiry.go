// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"time"

	"github.com/clustercredential/operator/controllers/rotation"
)

// excuse is why a certificate may expire: from when on there was a way, and what kept it
// closed until then.
type excuse struct {
	way, end time.Time
	why      string
}

func (e *excuse) until(at time.Time, why string) {
	if at = earlier(at, e.end); at.After(e.way) {
		e.way, e.why = at, why
	}
}

// judge holds R6 once a certificate has expired that was not replaced. It is broken unless
//
//   - less than 1.5 times the floor was left of it when it was stored (precise.md 15), or
//   - the way to a new one opened so late that pace can have cost the rest: everybody of
//     the account, once, each at the pace or in a second, and a minute for calls that hang.
//
// The way is closed until the renewal is due, a storm is over, a 429 is waited for, the
// operator is there, and the object's own last failure is backed off from. Back-off is
// bounded here by the contract: a quarter of what is left, plus jitter, and 45 s where
// the outcome is unknown.
func (c *oracle) judge(o *object, now time.Time) {
	n := &o.notes
	if n.judged || o.have.Stored == nil || now.Before(o.have.Stored.NotAfter) {
		return
	}
	n.judged = true
	end := o.have.Stored.NotAfter
	if 2*end.Sub(n.obtained) < 3*c.plan.floor {
		c.tally.excused["granted too short for the floor"]++
		return
	}
	e := excuse{end: end, way: end.Add(-lead(o.have.Stored.Validity, o.want.Schedule)), why: "renewed too late by its own before"}
	e.until(n.obtained, "replaced late, so that less than before was left")
	e.until(n.asked.Add(c.plan.floor), "the floor")
	e.until(n.discards[0].Add(day), "four discarded in a day")
	e.until(o.account.weather.latest(end).to, "an outage up to its end")
	e.until(o.account.freed, "a 429 just before its end")
	e.until(c.restarted, "no operator just before its end")
	if n.failures > 0 {
		e.until(n.failedAt.Add(n.mostWait()), "refused just before its end")
	}
	if rest := end.Sub(e.way); rest >= c.pace(o) {
		c.fail(o, now, "R6", "expired at %s, and for %s nothing was in the way (last: %s)", end.Format(time.RFC3339), rest, e.why)
		return
	}
	c.tally.excused[e.why]++
}

// pace is what the turns of all others can cost.
func (c *oracle) pace(o *object) time.Duration {
	each := max(time.Second, time.Minute/time.Duration(c.plan.perMinute))
	return time.Minute + time.Duration(o.account.objects)*each
}

// lead is before as docs/concepts.md tells it.
func lead(v rotation.Validity, s rotation.Schedule) time.Duration {
	lifetime := v.NotAfter.Sub(v.NotBefore)
	switch {
	case s.Before > 0 && s.Before*10 < lifetime*9:
		return s.Before
	case s.Before == 0 && s.Percent > 0:
		return lifetime / 100 * time.Duration(s.Percent)
	default:
		return lifetime / 3
	}
}

// end judges what has expired and was never looked at again.
func (c *oracle) end(objects []*object, now time.Time) {
	for _, o := range objects {
		c.judge(o, now)
		if o.notes.obtained.IsZero() {
			c.fail(o, now, "R6", "no certificate at all")
		}
	}
}
