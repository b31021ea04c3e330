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

// refusal is what the cloud has said of one secret of a key.
type refusal struct {
	times      int       // in a row
	probeAfter time.Time // when it may be tried again
}

// account is the state of one key.
type account struct {
	limits    map[string]int    // PerMinute by account name
	states    map[string]string // State by account name
	perMinute int               // the smallest limit
	next      time.Time         // the pace: no certificate is asked for before
	answered  []time.Time       // when the certificates of the last minute were answered
	line      line
	out       map[string]grant // turns that are out, by claim

	heldUntil time.Time          // because of 429
	throttles int                // 429s in a row
	refused   map[string]refusal // by Version
	heard     bool               // the last call had an answer, be it a refusal
	accepted  bool               // the cloud has accepted this secret of the key
	lock      *lock              // that of the access key; nil: none
	left      time.Time          // when the last account object left it
}

func newAccount() *account {
	return &account{limits: map[string]int{}, states: map[string]string{}, out: map[string]grant{}, refused: map[string]refusal{}}
}

// idle says whether nothing would be lost with the state: nobody has the key any more,
// and all that counted of it is over.
func (a *account) idle(now time.Time) bool {
	if len(a.limits)+len(a.out)+len(a.line.claims) > 0 || now.Before(a.next) || now.Before(a.heldUntil) {
		return false
	}
	if a.accepted && now.Before(a.left.Add(refusedProbe)) {
		return false // as long as wrong secrets that came in its place count, it is the one that they do not hold up
	}
	for _, r := range a.refused {
		if now.Before(r.probeAfter) {
			return false
		}
	}
	return len(a.answered) == 0 || !a.answered[len(a.answered)-1].Add(time.Minute).After(now)
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
func (a *account) leave(now time.Time, name string) {
	delete(a.limits, name)
	delete(a.states, name)
	if len(a.limits) > 0 {
		a.perMinute = smallestOf(a.limits)
		return
	}
	a.left = now
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

// notice lets a refused secret be tried again when an account that has it has changed. That
// one more account has it is no news: the cloud counts by key.
func (a *account) notice(who Account) {
	before, known := a.states[who.Name]
	a.states[who.Name] = who.State
	if known && before != who.State {
		delete(a.refused, who.Version)
	}
}

// turn decides for the claim of the given rank in line.
func (a *account) turn(now time.Time, version string, rank, most int) Turn {
	if held := a.hold(now, version); held.Hold != None {
		return held
	}
	ready, free := a.ready(now), a.free(version, most)
	may := !now.Before(ready)
	if may && rank < free {
		return Turn{}
	}
	turn := Turn{Hold: Line, At: ready.Add(time.Duration(rank) * a.interval())}
	if may {
		turn.Wake = Call{a.line.first(free), now}
		if soonest := now.Add(lookAgain); turn.At.Before(soonest) {
			turn.At = soonest // Return wakes it earlier
		}
	}
	return turn
}

// call names who may ask next, and when. Those whom a 429 holds back know when that ends.
func (a *account) call(now time.Time, version string, most int) Call {
	if a.hold(now, version).Hold != None {
		return Call{}
	}
	return Call{a.line.first(a.free(version, most)), a.ready(now)}
}

// free is how many claims from the head of the line may have a turn now.
func (a *account) free(version string, most int) int {
	switch {
	case a.isInDoubt(version) && len(a.out) > 0:
		return 0 // tried by one at a time
	case a.perMinute < Unlimited:
		return min(1, most-len(a.out))
	default:
		return most - len(a.out)
	}
}

// isInDoubt is true of a cloud that may not answer, and of a key that was refused.
func (a *account) isInDoubt(version string) bool { return !a.heard || a.refused[version].times > 0 }

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

// hold says whether everybody waits who uses the key, or this secret of it.
func (a *account) hold(now time.Time, version string) Turn {
	if now.Before(a.heldUntil) {
		return Turn{Hold: Throttled, At: a.heldUntil}
	}
	if until := a.lock.until(now); !a.accepted && !until.IsZero() {
		return Turn{Hold: Refused, At: until}
	}
	if r := a.refused[version]; r.times >= refusedTries && now.Before(r.probeAfter) {
		return Turn{Hold: Refused, At: r.probeAfter}
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
func (a *account) settle(now time.Time, version, claimID string, outcome Outcome) {
	g, granted := a.out[claimID]
	if !granted {
		return
	}
	delete(a.out, claimID)
	switch {
	case outcome.Spent: // its place in the pace is gone
	case outcome.Posted && a.perMinute < Unlimited:
		a.answered = append(a.answered, now)
	case !outcome.Posted && a.next.Equal(g.after):
		a.next = g.before
	}
	a.learn(now, version, outcome)
}

// learn notes what the cloud's answer means for the whole account.
func (a *account) learn(now time.Time, version string, outcome Outcome) {
	heard := outcome.Answered || outcome.Throttled || outcome.Refused
	a.heard = heard || a.heard && !outcome.Silent
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
		maps.DeleteFunc(a.refused, func(_ string, r refusal) bool { return now.After(r.probeAfter.Add(refusedProbe)) })
		a.lock.note(now)
		a.refused[version] = refusal{a.refused[version].times + 1, now.Add(refusedProbe)}
	case outcome.Answered:
		a.throttles, a.accepted = 0, true
		delete(a.refused, version)
	}
}
