// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"maps"
	"slices"
	"time"
)

const (
	// throttleFirst and throttleMost bound how long an account waits after a 429 that
	// does not say how long: doubled each time in a row.
	throttleFirst = time.Minute
	throttleMost  = 5 * time.Minute
	// refusedTries is how often a key is tried that the cloud refuses: it locks a key after
	// five failures, for everybody who uses it.
	refusedTries = 2
	// refusedProbe is how often a refused key is tried again.
	refusedProbe = time.Hour
	// lookAgain is how soon a claim asks again whose turn depends on others: Return wakes
	// it when it comes, so that this only mends what was missed.
	lookAgain = 30 * time.Second
	// callSoon is how soon a call under way will likely be answered.
	callSoon = 5 * time.Second
)

// grant remembers the pace before a turn, to take it back if nothing was asked for.
type grant struct{ before, after time.Time }

// account is the state of one key.
type account struct {
	limits    map[string]int    // PerMinute by account name
	versions  map[string]string // Version by account name
	perMinute int               // the smallest limit
	next      time.Time         // the pace: no certificate is asked for before
	answered  []time.Time       // when the certificates of the last minute were answered
	line      line
	out       map[string]grant // turns that are out, by claim

	heldUntil  time.Time // because of 429
	throttles  int       // 429s in a row
	refusals   int       // refusals in a row
	probeAfter time.Time // when a refused key may be tried again
}

// limit notes the limit of one account object. A change of the smallest one starts a
// fresh window: nothing is asked for before a full interval has passed.
func (a *account) limit(now time.Time, who Account) {
	if a.limits[who.Name] == who.PerMinute {
		return
	}
	a.limits[who.Name] = who.PerMinute
	a.smallest(now)
}

// leave takes an account object out: a larger limit may count from now on.
func (a *account) leave(name string) {
	delete(a.limits, name)
	delete(a.versions, name)
	if len(a.limits) > 0 {
		a.perMinute = smallestOf(a.limits)
	}
}

func (a *account) smallest(now time.Time) {
	if smallest := smallestOf(a.limits); smallest != a.perMinute {
		a.perMinute = smallest
		a.next = now.Add(a.interval())
	}
}

func smallestOf(limits map[string]int) int {
	return slices.Min(slices.Collect(maps.Values(limits)))
}

// interval is the distance between two certificates.
func (a *account) interval() time.Duration {
	if a.perMinute >= Unlimited {
		return 0
	}
	return time.Minute / time.Duration(max(1, a.perMinute))
}

// notice opens the breaker of a refused key when an account or its Secret has changed.
func (a *account) notice(who Account) {
	if a.versions[who.Name] == who.Version {
		return
	}
	a.versions[who.Name] = who.Version
	a.refusals, a.probeAfter = 0, time.Time{}
}

// turn decides for the claim of the given rank in line.
func (a *account) turn(now time.Time, rank, inFlight int) Turn {
	if held := a.hold(now); held.Hold != None {
		return held
	}
	ready, free := a.ready(now), a.free(inFlight)
	may := !now.Before(ready)
	if may && rank < free {
		return Turn{}
	}
	turn := Turn{Hold: Line, At: ready.Add(time.Duration(rank) * a.interval())}
	if may {
		turn.Wake = a.line.first(free)
		if soonest := now.Add(lookAgain); turn.At.Before(soonest) {
			turn.At = soonest // Return wakes it earlier
		}
	}
	return turn
}

// free is how many claims from the head of the line may have a turn now.
func (a *account) free(inFlight int) int {
	switch {
	case a.refusals > 0 && len(a.out) > 0:
		return 0 // a key in doubt is tried by one at a time
	case a.perMinute < Unlimited:
		return min(1, inFlight-len(a.out))
	default:
		return inFlight - len(a.out)
	}
}

// ready is when pace and minute allow the next certificate. A call reaches the cloud
// at some moment between its grant and its answer: so it counts for a minute after
// its answer, and while it is under way.
func (a *account) ready(now time.Time) time.Time {
	if a.perMinute >= Unlimited {
		return now
	}
	gone := 0
	for gone < len(a.answered) && !a.answered[gone].Add(time.Minute).After(now) {
		gone++
	}
	a.answered = a.answered[gone:]
	ready := a.next
	if over := len(a.answered) + len(a.out) - a.perMinute; over >= 0 {
		full := now.Add(callSoon)
		if over < len(a.answered) {
			full = a.answered[over].Add(time.Minute)
		}
		if full.After(ready) {
			ready = full
		}
	}
	return ready
}

// hold says whether the whole account waits.
func (a *account) hold(now time.Time) Turn {
	if now.Before(a.heldUntil) {
		return Turn{Hold: Throttled, At: a.heldUntil}
	}
	if a.refusals >= refusedTries && now.Before(a.probeAfter) {
		return Turn{Hold: Refused, At: a.probeAfter}
	}
	return Turn{}
}

func (a *account) grant(now time.Time, claimID string) {
	g := grant{before: a.next, after: now.Add(a.interval())}
	a.next = g.after
	a.out[claimID] = g
}

// settle takes a turn back. One in which nothing was asked for gives its place in the
// pace back too, unless another was granted since.
func (a *account) settle(now time.Time, claimID string, outcome Outcome) {
	g, granted := a.out[claimID]
	if !granted {
		return
	}
	delete(a.out, claimID)
	switch {
	case outcome.Posted && a.perMinute < Unlimited:
		a.answered = append(a.answered, now)
	case !outcome.Posted && a.next.Equal(g.after):
		a.next = g.before
	}
	a.learn(now, outcome)
}

// learn notes what the cloud's answer means for the whole account.
func (a *account) learn(now time.Time, outcome Outcome) {
	switch {
	case outcome.Throttled:
		wait := outcome.RetryAfter
		if wait <= 0 {
			wait = min(throttleMost, throttleFirst<<min(a.throttles, 8))
		}
		a.throttles++
		if until := now.Add(wait); until.After(a.heldUntil) {
			a.heldUntil = until
		}
	case outcome.Refused:
		a.refusals++
		a.probeAfter = now.Add(refusedProbe)
	case outcome.Answered:
		a.throttles, a.refusals, a.probeAfter = 0, 0, time.Time{}
	}
}
