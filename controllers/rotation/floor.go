// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"fmt"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Bounds for one object that no arithmetic passes, whatever the cloud grants.
const (
	// freeRepairs is how many lost or unreadable Secrets an hour are replaced at once.
	freeRepairs = 2
	// changesPerHour bounds certificates for changed specs and requests.
	changesPerHour = 6
	// requestInterval is the least time between two certificates by request: a minute, and
	// the second that is cut off where the time of the first was stored.
	requestInterval = time.Minute + time.Second
	// discardsPerDay bounds certificates that were issued and not fit to be published.
	discardsPerDay = 4
	// refusedLasts is how long a certificate counts that replaced one which the cluster refused, or whose CA was another.
	refusedLasts = 72 * time.Hour
)

// refusedWaits are the waits after as many certificates that replaced refused ones: where such a one is refused, too, the
// reason lies elsewhere.
var refusedWaits = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}

// floorOf says when the object may ask for the next certificate at the earliest, and
// why it has to wait.
func floorOf(now time.Time, want Wanted, have Found, trigger v1alpha1.Trigger) (time.Time, string) {
	attempts := until(now, have.Attempts)
	at, why := discardFloor(now, attempts)
	candidate, reason := time.Time{}, ""
	switch trigger {
	case v1alpha1.TriggerExpiry:
		candidate, reason = intervalFloor(attempts, want.Floor)
	case v1alpha1.TriggerNotAccepted, v1alpha1.TriggerCAChanged:
		candidate, reason = refusedFloor(now, want, have, attempts)
	case v1alpha1.TriggerMissing:
		candidate, reason = repairFloor(now, want, have, attempts)
	case v1alpha1.TriggerRequest:
		candidate, reason = requestFloor(now, attempts)
	case v1alpha1.TriggerSpec:
		candidate, reason = changeFloor(now, attempts)
	default: // the first certificate waits for nobody
	}
	if candidate.After(at) {
		return candidate, reason
	}
	return at, why
}

// StillCounts says whether a bound on one object depends on knowing the attempt: whoever
// keeps few of them must forget the others first.
func (a Attempt) StillCounts(now time.Time) bool {
	age := now.Sub(a.At)
	switch {
	case a.Lost:
		return age < HoldOff
	case a.Discarded:
		return age < 24*time.Hour
	case a.Trigger == v1alpha1.TriggerNotAccepted, a.Trigger == v1alpha1.TriggerCAChanged:
		return age < refusedLasts
	case a.Trigger == v1alpha1.TriggerMissing, a.Trigger == v1alpha1.TriggerSpec, a.Trigger == v1alpha1.TriggerRequest:
		return age < time.Hour
	default:
		return false
	}
}

// until leaves out attempts that lie ahead: a clock was wrong when they were noted, and
// waiting for that time to come could take a day.
func until(now time.Time, attempts []Attempt) []Attempt {
	ahead := 0 // newest first
	for ahead < len(attempts) && attempts[ahead].At.After(now) {
		ahead++
	}
	return attempts[ahead:]
}

// repairFloor lets the first lost or unreadable Secrets of an hour be replaced at once,
// but not a certificate that expired: short lifetimes would come to less than the
// floor. A changed spec or a request does not wait longer because the Secret is lost, too.
func repairFloor(now time.Time, want Wanted, have Found, attempts []Attempt) (time.Time, string) {
	if have.Stored == nil && nth(attempts, freeRepairs, now.Add(-time.Hour), byTrigger(v1alpha1.TriggerMissing)) == nil {
		return time.Time{}, ""
	}
	at, why := intervalFloor(attempts, want.Floor)
	sooner := func(other time.Time, reason string) {
		if other.Before(at) {
			at, why = other, reason
		}
	}
	if want.OtherName || have.Record != nil && want.Record.Differs(*have.Record) {
		sooner(changeFloor(now, attempts))
	}
	if requested(want.RenewRequest, have.Handled) {
		sooner(requestFloor(now, attempts))
	}
	return at, why
}

// refusedFloor lets a refused certificate be replaced at once, and waits longer and longer where that does not help. Whoever
// requests one does not wait for that, nor does one that is due by time.
func refusedFloor(now time.Time, want Wanted, have Found, attempts []Attempt) (time.Time, string) {
	at, why := intervalFloor(attempts, want.Floor)
	last, wait := refusedWait(now, attempts)
	if last != nil && last.At.Add(wait).After(at) && !dueAnyway(now, want, have) {
		at, why = last.At.Add(wait), fmt.Sprintf(
			"one was asked for at %s already, since the cluster did not accept the published one or had another CA; the next one waits for %s after it", stamp(last.At), wait)
	}
	if requested(want.RenewRequest, have.Handled) {
		if other, reason := requestFloor(now, attempts); other.Before(at) {
			return other, reason
		}
	}
	return at, why
}

// refusedWait is the last certificate that replaced a refused one, and how long the next one waits after it.
func refusedWait(now time.Time, attempts []Attempt) (last *Attempt, wait time.Duration) {
	replaced, since := byTrigger(v1alpha1.TriggerNotAccepted, v1alpha1.TriggerCAChanged), now.Add(-refusedLasts)
	for n := range refusedWaits {
		if nth(attempts, n+1, since, replaced) == nil {
			break
		}
		wait = refusedWaits[n]
	}
	return nth(attempts, 1, since, replaced), wait
}

// requestFloor bounds certificates by request, whatever others there are beside them.
func requestFloor(now time.Time, attempts []Attempt) (time.Time, string) {
	at, why := changeFloor(now, attempts)
	if last := nth(attempts, 1, time.Time{}, byTrigger(v1alpha1.TriggerRequest)); last != nil && last.At.Add(requestInterval).After(at) {
		return last.At.Add(requestInterval), "at most one certificate a minute by request"
	}
	return at, why
}

// intervalFloor is --min-issue-interval after the last certificate.
func intervalFloor(attempts []Attempt, floor time.Duration) (time.Time, string) {
	last := nth(attempts, 1, time.Time{}, stored)
	if last == nil {
		return time.Time{}, ""
	}
	return last.At.Add(floor), fmt.Sprintf("at least %s between two certificates (--min-issue-interval)", floor)
}

func changeFloor(now time.Time, attempts []Attempt) (time.Time, string) {
	oldest := nth(attempts, changesPerHour, now.Add(-time.Hour), byTrigger(v1alpha1.TriggerSpec, v1alpha1.TriggerRequest))
	if oldest == nil {
		return time.Time{}, ""
	}
	return oldest.At.Add(time.Hour), fmt.Sprintf("at most %d certificates an hour for changed specs and requests", changesPerHour)
}

func discardFloor(now time.Time, attempts []Attempt) (time.Time, string) {
	oldest := nth(attempts, discardsPerDay, now.Add(-24*time.Hour), func(a Attempt) bool { return a.Discarded })
	if oldest == nil {
		return time.Time{}, ""
	}
	return oldest.At.Add(24 * time.Hour), fmt.Sprintf("%d certificates in a day were issued and not fit to be published", discardsPerDay)
}

// nth returns the n-th newest attempt since a time that matches; nil: there are fewer.
func nth(attempts []Attempt, n int, since time.Time, match func(Attempt) bool) *Attempt {
	for i := range attempts {
		if match(attempts[i]) && attempts[i].At.After(since) {
			if n--; n == 0 {
				return &attempts[i]
			}
		}
	}
	return nil
}

func stored(a Attempt) bool { return !a.Lost && !a.Discarded }

func byTrigger(triggers ...v1alpha1.Trigger) func(Attempt) bool {
	return func(a Attempt) bool {
		for _, trigger := range triggers {
			if a.Trigger == trigger && stored(a) {
				return true
			}
		}
		return false
	}
}

// floorNote tells the user that certificates live too short for the floor.
func floorNote(v Validity, floor time.Duration) string {
	lifetime := v.NotAfter.Sub(v.NotBefore)
	if lifetime >= floor+floor/2 {
		return ""
	}
	return fmt.Sprintf("the certificate was granted for %s only, too short for %s between two certificates (--min-issue-interval): it may expire before the next one; ask for a longer validity or lower the flag", lifetime, floor)
}
