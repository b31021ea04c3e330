// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/rotation"
)

// changed are the real rules but for what Decide is told.
func changed(change func(*rotation.Wanted, *rotation.Found)) func(*rules) {
	return func(r *rules) {
		r.decide = func(now time.Time, want rotation.Wanted, have rotation.Found) rotation.Decision {
			change(&want, &have)
			return rotation.Decide(now, want, have)
		}
	}
}

// lookingAfter are the real rules but for when to look again.
func lookingAfter(pause time.Duration) func(*rules) {
	return func(r *rules) {
		r.decide = func(now time.Time, want rotation.Wanted, have rotation.Found) rotation.Decision {
			d := rotation.Decide(now, want, have)
			d.NextLook = now.Add(pause)
			return d
		}
	}
}

// without are attempts but for some; the argument is not changed.
func without(attempts []rotation.Attempt, match func(rotation.Attempt) bool) []rotation.Attempt {
	return slices.DeleteFunc(slices.Clone(attempts), match)
}

// Each bug must break the promise that it is about, in a world that breaks none without it.
func TestAPlantedBugIsNoticed(t *testing.T) {
	t.Parallel()
	unlucky, careless := small(20), small(21)
	unlucky.refusals = 2
	careless.objects, careless.losses, careless.loseWithin = 20, 1, 10*time.Minute
	table := map[string]struct {
		plan    plan
		promise string
		bug     func(*rules)
	}{
		"a failure is not waited for": {small(22), "back-off", changed(func(_ *rotation.Wanted, have *rotation.Found) { have.Failures = 0 })},
		"an attempt without an outcome is not waited for": {small(22), "hold-off", changed(func(_ *rotation.Wanted, have *rotation.Found) {
			have.Failures, have.Attempts = 0, without(have.Attempts, func(a rotation.Attempt) bool { return a.Lost })
		})},
		"a certificate is renewed when it expires": {small(23), "R6", changed(func(want *rotation.Wanted, _ *rotation.Found) { want.Schedule = rotation.Schedule{Before: 1} })},
		"a certificate is renewed by nobody":       {small(23), "R6", changed(func(want *rotation.Wanted, _ *rotation.Found) { want.Schedule.Manual = true })},
		"a failure is waited for without end":      {small(23), "R6", changed(func(_ *rotation.Wanted, have *rotation.Found) { have.RetryAt = time.Time{} })},
		"the floor is ignored":                     {small(24), "R5", changed(func(want *rotation.Wanted, _ *rotation.Found) { want.Floor = 0 })},
		"every lost Secret is replaced at once": {careless, "R5", changed(func(_ *rotation.Wanted, have *rotation.Found) {
			if have.Stored == nil {
				have.Attempts = nil
			}
		})},
		"discarded certificates are not counted": {unlucky, "discards", changed(func(_ *rotation.Wanted, have *rotation.Found) {
			have.Attempts = without(have.Attempts, func(a rotation.Attempt) bool { return a.Discarded })
		})},
		"nobody looks for a day":                   {small(25), "a look an hour", lookingAfter(day)},
		"somebody looks each second":               {small(25), "hot loop", lookingAfter(time.Second)},
		"the budget is told twice the limit":       {crowded(26), "R7", func(r *rules) { r.limit = func(perMinute int) int { return 2 * perMinute } }},
		"the budget is told one more":              {crowded(26), "R7", func(r *rules) { r.limit = func(perMinute int) int { return perMinute + 1 } }},
		"a new leader does not know when it began": {crowded(27), "a start", func(r *rules) { r.lead = func(*budget.Budget, time.Time) {} }},
		"turns are not given back": {small(28), "R6", func(r *rules) {
			r.giveBack = func(*budget.Budget, time.Time, budget.Account, string, budget.Outcome) budget.Call {
				return budget.Call{}
			}
		}},
		"a 429 holds only who got it": {small(29), "429", func(r *rules) {
			r.giveBack = func(b *budget.Budget, now time.Time, who budget.Account, id string, outcome budget.Outcome) budget.Call {
				outcome.Throttled = false
				return b.Return(now, who, id, outcome)
			}
		}},
	}
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			row.plan.length = 30 * day // by then each is noticed
			if err := newWorld(row.plan, realRules()).run(); err != nil {
				t.Fatalf("without the bug: %v", err)
			}
			r := realRules()
			row.bug(&r)
			err := newWorld(row.plan, r).run()
			if err == nil || !strings.Contains(err.Error(), ": "+row.promise+": ") {
				t.Fatalf("got %v, want that %q is broken", err, row.promise)
			}
			t.Log(err)
		})
	}
}
