// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

func account8(key string) Account {
	return Account{Key: key, Name: "fleet/" + key, Version: "1", PerMinute: 8}
}

func unlimited(key string) Account {
	return Account{Key: key, Name: "fleet/" + key, Version: "1", PerMinute: 1_000_000}
}

func TestAStartBeginsWithAnEmptyAllowance(t *testing.T) {
	b := New(start, 4)
	if got := b.Ask(start, account8("a"), Claim{ID: "x"}); got.Hold != Line || !got.At.Equal(after(7500*time.Millisecond)) {
		t.Errorf("the first Ask after a start: %+v, want Line until one interval has passed", got)
	}
	if got := b.Ask(after(7500*time.Millisecond), account8("a"), Claim{ID: "x"}); got.Hold != None {
		t.Errorf("after one interval: %+v, want a turn", got)
	}
}

func TestAnAccountThatIsSeenLongAfterTheStartNeedNotWait(t *testing.T) {
	b := New(start, 4)
	if got := b.Ask(after(time.Hour), account8("a"), Claim{ID: "x"}); got.Hold != None {
		t.Errorf("got %+v, want a turn", got)
	}
}

func TestAChangedLimitStartsAFreshWindow(t *testing.T) {
	b := New(start, 4)
	faster := account8("a")
	faster.PerMinute = 60
	_ = b.Probe(start, account8("a"))
	got := b.Ask(after(time.Hour), faster, Claim{ID: "x"})
	if got.Hold != None {
		// The smallest limit of all accounts under a key counts, and the limit of the only one is now 60.
		if want := after(time.Hour + time.Second); !got.At.Equal(want) {
			t.Errorf("got %+v, want to wait until %v", got, want)
		}
		return
	}
	t.Error("a changed limit granted a turn at once")
}

func TestTheSmallestLimitOfAKeyCounts(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	big, small := unlimited("a"), account8("a")
	big.Name, small.Name = "fleet/big", "fleet/small"
	_ = b.Probe(start, small)
	now := after(time.Minute)
	if got := b.Ask(now, big, Claim{ID: "x"}); got.Hold != None {
		t.Fatalf("first: %+v, want a turn", got)
	}
	b.Return(now, big, "x", Outcome{Posted: true, Answered: true})
	if got := b.Ask(now, big, Claim{ID: "y"}); got.Hold != Line {
		t.Errorf("second at once: %+v, want Line", got)
	}
}

func TestTheEarliestExpiryGoesFirst(t *testing.T) {
	b := New(start, 4)
	who := account8("a")
	for id, expiry := range map[string]time.Duration{"late": 72 * time.Hour, "soon": time.Hour, "middle": 24 * time.Hour} {
		b.Ask(start, who, Claim{ID: id, Expiry: after(expiry)})
	}
	b.Ask(start, who, Claim{ID: "first issue"})
	var order []string
	for now := after(0); len(order) < 4 && now.Before(after(10*time.Minute)); now = now.Add(500 * time.Millisecond) {
		for _, id := range []string{"late", "middle", "soon", "first issue"} {
			if slices.Contains(order, id) {
				continue
			}
			claim := Claim{ID: id, Expiry: map[string]time.Time{
				"late": after(72 * time.Hour), "soon": after(time.Hour), "middle": after(24 * time.Hour),
			}[id]}
			if b.Ask(now, who, claim).Hold == None {
				order = append(order, id)
				b.Return(now, who, id, Outcome{Posted: true, Answered: true})
			}
		}
	}
	if diff := cmp.Diff([]string{"first issue", "soon", "middle", "late"}, order); diff != "" {
		t.Error(diff)
	}
}

// served asks for every claim in turn until all got one, and returns the order.
func served(t *testing.T, claims []Claim) []string {
	t.Helper()
	b, who := New(start.Add(-time.Hour), 1), unlimited("a")
	b.Ask(start, who, Claim{ID: "out", Class: Urgent, Expiry: start.Add(-time.Hour)})
	for _, c := range claims {
		b.Ask(start, who, c)
	}
	called := b.Return(start, who, "out", Outcome{Posted: true, Answered: true})
	byID := map[string]Claim{}
	for _, c := range claims {
		byID[c.ID] = c
	}
	var order []string
	for len(called.IDs) > 0 {
		id := called.IDs[0]
		if turn := b.Ask(start, who, byID[id]); turn.Hold != None {
			t.Fatalf("%s was called and has no turn: %+v", id, turn)
		}
		order = append(order, id)
		called = b.Return(start, who, id, Outcome{Posted: true, Answered: true})
	}
	return order
}

func TestTheOrderIsByNeedThenExpiryThenWish(t *testing.T) {
	got := served(t, []Claim{
		{ID: "asked for", Class: Wished, Expiry: after(time.Second)},
		{ID: "expires late", Class: ByExpiry, Expiry: after(3 * time.Hour)},
		{ID: "expires soon", Class: ByExpiry, Expiry: after(time.Hour)},
		{ID: "lost", Class: Urgent},
	})
	if diff := cmp.Diff([]string{"lost", "expires soon", "expires late", "asked for"}, got); diff != "" {
		t.Error(diff)
	}
}

// One tenant asks for ten, two others for one each: they wait for one of the ten, and not for all.
func TestATenantsLoopStarvesNobody(t *testing.T) {
	for _, class := range []Class{Urgent, Wished} {
		var claims []Claim
		for i := range 10 {
			claims = append(claims, Claim{ID: fmt.Sprint("loud ", i), Class: class, Namespace: "loud", Expiry: after(time.Duration(i))})
		}
		claims = append(claims,
			Claim{ID: "quiet", Class: class, Namespace: "quiet", Expiry: after(time.Hour)},
			Claim{ID: "calm", Class: class, Namespace: "calm", Expiry: after(time.Hour)})
		order := served(t, claims)
		if len(order) != len(claims) {
			t.Fatalf("%d of %d got a turn", len(order), len(claims))
		}
		for _, id := range []string{"quiet", "calm"} {
			if at := slices.Index(order, id); at > 2 {
				t.Errorf("class %d: %s comes as number %d: %v", class, id, at+1, order)
			}
		}
	}
}

// A flow of new credentials that does not end holds up nobody whose credential is about to expire.
func TestARenewalThatIsLateDoesNotWaitForAFlowOfNewOnes(t *testing.T) {
	b, who := New(start.Add(-time.Hour), 1), unlimited("a")
	newOne := func(i int) Claim { return Claim{ID: fmt.Sprint("new ", i), Class: Urgent, Namespace: "loud"} }
	b.Ask(start, who, newOne(0))
	for i := range 5 {
		b.Ask(start, who, newOne(i+1))
	}
	late := Claim{ID: "late", Class: Urgent, Late: true, Namespace: "loud", Expiry: after(time.Hour)} // its own namespace, even
	b.Ask(start, who, late)
	out := newOne(0).ID
	for turn := range 5 {
		b.Ask(start, who, newOne(turn+6)) // they keep coming
		next := b.Return(start, who, out, Outcome{Posted: true, Answered: true}).IDs[0]
		if next == late.ID {
			if turn > 2 {
				t.Errorf("its turn comes as number %d", turn+1)
			}
			return
		}
		var number int
		_, _ = fmt.Sscanf(next, "new %d", &number)
		b.Ask(start, who, newOne(number))
		out = next
	}
	t.Error("it has no turn")
}

func TestChangesInLineAreNamedToWhoComesAfterThem(t *testing.T) {
	b := New(start, 1)
	claim := func(id string, class Class, change bool) Claim { return Claim{ID: id, Class: class, Change: change} }
	want := func(when string, asks Claim, want ...string) {
		t.Helper()
		got := b.Changes(start, "one", asks)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v for %s, want %v", when, got, asks.ID, want)
		}
	}
	wished, urgent := claim("x", Wished, true), claim("y", Urgent, true)
	want("nobody is in line", wished)
	for _, id := range []string{"a", "b", "c"} {
		b.Ask(start, account8("one"), claim(id, Wished, true))
	}
	b.Ask(start, account8("one"), claim("d", Urgent, true))
	b.Ask(start, account8("one"), claim("e", Urgent, false))
	b.Ask(start, account8("two"), claim("f", Wished, true))
	want("four of that account are", wished, "a", "b", "c", "d")
	want("to one that would come before three of them", urgent, "d")
	want("to one of them", claim("a", Wished, true))
	b.Ask(start, account8("one"), claim("a", Wished, true))
	want("one asks again", wished, "a", "b", "c", "d")
	b.Ask(start, account8("one"), claim("a", Wished, false))
	want("it is requested now", wished, "b", "c", "d")
	b.Ask(start, account8("two"), claim("b", Wished, true))
	want("one has another account now", wished, "c", "d")
	b.Forget(start, "d")
	want("one is not due any more", wished, "c")
	if got := b.Changes(after(time.Hour), "one", wished); len(got) > 0 {
		t.Errorf("%v did not come when they were expected, and count", got)
	}
	b.Report(start, account8("one"), Outcome{Throttled: true})
	want("the account waits", wished)
}

// A turn that was spent on nothing keeps its place in the pace.
func TestASpentTurnCounts(t *testing.T) {
	for spent, want := range map[bool]Hold{false: None, true: Line} {
		b := New(start.Add(-time.Hour), 4)
		b.Ask(start, account8("a"), Claim{ID: "x"})
		b.Return(start, account8("a"), "x", Outcome{Answered: true, Spent: spent})
		if got := b.Ask(start, account8("a"), Claim{ID: "y"}); got.Hold != want {
			t.Errorf("spent %v: %+v", spent, got)
		}
	}
}

// Certificates that expire go by their expiry, whosever they are: a fair share would let some expire.
func TestExpiryKnowsNoTenants(t *testing.T) {
	got := served(t, []Claim{
		{ID: "a1", Namespace: "a", Expiry: after(1)}, {ID: "a2", Namespace: "a", Expiry: after(2)},
		{ID: "a3", Namespace: "a", Expiry: after(3)}, {ID: "b1", Namespace: "b", Expiry: after(4)},
	})
	if diff := cmp.Diff([]string{"a1", "a2", "a3", "b1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNamespacesWhoseRoundsAreOverAreForgotten(t *testing.T) {
	b, who := New(start.Add(-time.Hour), 1), unlimited("a")
	for i := range 1000 {
		id := fmt.Sprint(i)
		b.Ask(start, who, Claim{ID: id, Class: Wished, Namespace: "team-" + id})
		b.Return(start, who, id, Outcome{Posted: true, Answered: true})
		b.Ask(start, who, Claim{ID: id, Class: Wished, Namespace: "team-" + id})
		b.Return(start, who, id, Outcome{Posted: true, Answered: true})
	}
	if n := len(b.accounts["a"].line.rounds.next); n > 10 {
		t.Errorf("%d namespaces are remembered", n)
	}
}

func TestAtMostSoManyTurnsAreOutAndReturnWakesTheNext(t *testing.T) {
	b := New(start, 2)
	who := unlimited("a")
	b.Report(start, who, Outcome{Answered: true})
	for _, id := range []string{"1", "2"} {
		if got := b.Ask(start, who, Claim{ID: id}); got.Hold != None {
			t.Fatalf("%s: %+v, want a turn", id, got)
		}
	}
	if got := b.Ask(start, who, Claim{ID: "3"}); got.Hold != Line {
		t.Fatalf("third: %+v, want Line", got)
	}
	b.Ask(after(1), who, Claim{ID: "4"})
	if diff := cmp.Diff(Call{[]string{"3"}, after(2)}, b.Return(after(2), who, "1", Outcome{Posted: true, Answered: true})); diff != "" {
		t.Error(diff)
	}
	if got := b.Ask(after(3), who, Claim{ID: "4"}); got.Hold != Line {
		t.Errorf("the second in line: %+v, want Line while one slot is free for the first", got)
	}
	if got := b.Ask(after(3), who, Claim{ID: "3"}); got.Hold != None {
		t.Errorf("the first in line: %+v, want a turn", got)
	}
}

// A cloud that hangs would otherwise take as many workers for each of its accounts as may be in flight, and leave few for others.
func TestOneAtATimeWaitsForACloudThatDoesNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		heard []Outcome
		out   int
	}{
		"nothing was asked yet":            {nil, 1},
		"it answered":                      {[]Outcome{{Answered: true}}, 3},
		"it threw somebody out":            {[]Outcome{{Throttled: true, RetryAfter: time.Second}}, 3},
		"it did not answer":                {[]Outcome{{Answered: true}, {Posted: true, Silent: true}}, 1},
		"it answers again":                 {[]Outcome{{Posted: true, Silent: true}, {Answered: true}}, 3},
		"nothing was asked since it did":   {[]Outcome{{Answered: true}, {}}, 3},
		"nothing was asked since it hangs": {[]Outcome{{Silent: true}, {}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b, who, out := New(start, 3), unlimited("a"), 0
			for _, outcome := range test.heard {
				b.Report(start, who, outcome)
			}
			for i := range 5 {
				if got := b.Ask(after(time.Minute), who, Claim{ID: fmt.Sprint(i)}); got.Hold == None {
					out++
				}
			}
			if out != test.out {
				t.Errorf("%d turns are out, want %d", out, test.out)
			}
		})
	}
}

func TestWhoeverAsksWakesThoseBeforeItThatDoNotKnowThatTheyMay(t *testing.T) {
	b := New(start.Add(-time.Hour), 1)
	who := unlimited("a")
	b.Report(start, who, Outcome{Throttled: true})
	b.Ask(start, who, Claim{ID: "first"})
	now := after(2 * time.Minute)
	got := b.Ask(now, who, Claim{ID: "second"})
	if diff := cmp.Diff(Turn{Hold: Line, At: now.Add(lookAgain), Wake: Call{[]string{"first"}, now}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAClaimThatDoesNotComeIsPassedOver(t *testing.T) {
	b := New(start.Add(-time.Hour), 1)
	who := unlimited("a")
	b.Ask(start, who, Claim{ID: "out"})
	b.Ask(start, who, Claim{ID: "gone", Expiry: after(-time.Hour)})
	b.Ask(start, who, Claim{ID: "here"})
	b.Return(start, who, "out", Outcome{Posted: true, Answered: true})
	if got := b.Ask(after(lookAgain+grace), who, Claim{ID: "here"}); got.Hold != Line {
		t.Errorf("within the grace of the first: %+v, want Line", got)
	}
	if got := b.Ask(after(lookAgain+grace+time.Second), who, Claim{ID: "here"}); got.Hold != None {
		t.Errorf("after the grace of the first: %+v, want a turn", got)
	}
}

func TestAnAccountThatIsGoneOrHasAnotherKeyLimitsNoLonger(t *testing.T) {
	leave := map[string]func(*Budget){
		"gone": func(b *Budget) { b.Leave(start, "fleet/small") },
		"with another key": func(b *Budget) {
			b.Probe(start, Account{Key: "another", Name: "fleet/small", Version: "2", PerMinute: 1})
		},
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			b := New(start.Add(-time.Hour), 4)
			b.Probe(start, Account{Key: "k", Name: "fleet/small", Version: "1", PerMinute: 1})
			leave(b)
			turns := 0
			for i := range 120 {
				now, id := after(2*time.Minute+time.Duration(i)*500*time.Millisecond), fmt.Sprint(i)
				if b.Ask(now, Account{Key: "k", Name: "fleet/big", Version: "1", PerMinute: 60}, Claim{ID: id}).Hold == None {
					turns++
					b.Return(now, Account{Key: "k", Name: "fleet/big", Version: "1", PerMinute: 60}, id, Outcome{Posted: true, Answered: true})
				}
				b.Forget(now, id)
			}
			if turns < 50 {
				t.Errorf("%d turns in a minute at 60 a minute", turns)
			}
		})
	}
}

func TestAForgottenClaimDoesNotHoldUpTheLine(t *testing.T) {
	b := New(start, 4)
	who := account8("a")
	b.Ask(start, who, Claim{ID: "gone", Expiry: after(1)})
	b.Ask(start, who, Claim{ID: "here", Expiry: after(2)})
	called := b.Forget(after(3), "gone")
	if diff := cmp.Diff(Call{[]string{"here"}, after(time.Minute / 8)}, called); diff != "" {
		t.Error(diff)
	}
	if got := b.Ask(after(8*time.Second), who, Claim{ID: "here", Expiry: after(2)}); got.Hold != None {
		t.Errorf("got %+v, want a turn", got)
	}
}

func TestATurnWithoutACertificateCostsNoPlaceInThePace(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	who := account8("a")
	b.Ask(start, who, Claim{ID: "1"})
	b.Return(start, who, "1", Outcome{Answered: true})
	if got := b.Ask(start, who, Claim{ID: "2"}); got.Hold != None {
		t.Errorf("got %+v, want a turn", got)
	}
}

func TestAThrottledAccountWaits(t *testing.T) {
	tests := map[string]struct {
		outcomes []Outcome
		want     time.Duration
	}{
		"as long as the cloud says":             {[]Outcome{{Throttled: true, RetryAfter: 17 * time.Second}}, 17 * time.Second},
		"a minute if it does not say":           {[]Outcome{{Throttled: true}}, time.Minute},
		"twice as long the second time":         {[]Outcome{{Throttled: true}, {Throttled: true}}, 2 * time.Minute},
		"five minutes at the most":              {[]Outcome{{Throttled: true}, {Throttled: true}, {Throttled: true}, {Throttled: true}, {Throttled: true}}, 5 * time.Minute},
		"never shorter than it was told before": {[]Outcome{{Throttled: true}, {Throttled: true}, {Answered: true}, {Throttled: true}}, 2 * time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := New(start.Add(-time.Hour), 4)
			who := unlimited("a")
			for _, outcome := range test.outcomes {
				b.Report(start, who, outcome)
			}
			got := b.Ask(start, who, Claim{ID: "x"})
			if diff := cmp.Diff(Turn{Hold: Throttled, At: after(test.want)}, got); diff != "" {
				t.Error(diff)
			}
			if other := b.Ask(start, unlimited("b"), Claim{ID: "y"}); other.Hold != None {
				t.Errorf("another account waits too: %+v", other)
			}
		})
	}
}

func TestARefusedKeyIsTriedTwiceThenOnlyHourlyOrWhenItChanges(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	who := unlimited("a")
	for i := range 2 {
		id := fmt.Sprint(i)
		if got := b.Ask(start, who, Claim{ID: id}); got.Hold != None {
			t.Fatalf("try %d: %+v", i, got)
		}
		if i == 1 {
			if got := b.Ask(start, who, Claim{ID: "beside"}); got.Hold == None {
				t.Error("a key in doubt was tried twice at a time")
			}
		}
		b.Return(start, who, id, Outcome{Refused: true})
	}
	if diff := cmp.Diff(Turn{Hold: Refused, At: after(time.Hour)}, b.Ask(start, who, Claim{ID: "x"})); diff != "" {
		t.Error(diff)
	}
	if got := b.Ask(after(time.Hour), who, Claim{ID: "x"}); got.Hold != None {
		t.Errorf("after an hour: %+v, want one probe", got)
	}
	b.Return(after(time.Hour), who, "x", Outcome{Refused: true})
	who.Version = "2"
	if got := b.Ask(after(time.Hour), who, Claim{ID: "x"}); got.Hold != None {
		t.Errorf("with another key: %+v, want a turn", got)
	}
}

// The cloud locks a key after five failures: it must not count how many objects name it.
func TestARefusedKeyIsTriedTwiceHoweverManyAccountsNameIt(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	tries := 0
	for i := range 10 {
		who := unlimited("a")
		who.Name = fmt.Sprintf("team-%d/huawei", i)
		if b.Probe(start, who).Hold != None {
			continue
		}
		tries++
		b.Report(start, who, Outcome{Refused: true})
	}
	if tries != 2 {
		t.Errorf("the key was tried %d times, want 2", tries)
	}
	good := unlimited("a")
	good.Version = "another secret"
	if got := b.Probe(start, good); got.Hold != None {
		t.Errorf("another secret of the same key: %+v, want it tried", got)
	}
	b.Report(start, good, Outcome{Answered: true})
	if got := b.Probe(start, unlimited("a")); got.Hold != Refused {
		t.Errorf("the refused one: %+v, want it held back still", got)
	}
}

func TestAChangedAccountMayTryARefusedKeyAgain(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	who := unlimited("a")
	who.State = "1"
	for range 2 {
		b.Report(start, who, Outcome{Refused: true})
	}
	if got := b.Probe(start, who); got.Hold != Refused {
		t.Fatalf("twice refused: %+v", got)
	}
	who.State = "2"
	if got := b.Probe(start, who); got.Hold != None {
		t.Errorf("after a change: %+v, want it tried", got)
	}
}

func TestATurnThatComesBackBringsNoOldLimitAlong(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	old := account8("a")
	b.Ask(start, old, Claim{ID: "x"})
	b.Leave(start, old.Name)
	who := account8("a")
	who.Name, who.PerMinute = "fleet/other", 60
	b.Return(after(time.Second), old, "x", Outcome{Posted: true, Answered: true})
	b.Probe(after(time.Second), who)
	if got := b.accounts["a"].limits; len(got) != 1 || got["fleet/other"] != 60 {
		t.Errorf("limits %v, want that of the account that is left", got)
	}
}

func TestAKeyThatNobodyHasAnyMoreIsForgotten(t *testing.T) {
	b := New(start.Add(-time.Hour), 4)
	for i := range 100 {
		now := after(time.Duration(i) * time.Hour)
		who := account8(fmt.Sprint("key ", i))
		who.Name = "fleet/huawei" // its key is another one every hour
		b.Ask(now, who, Claim{ID: "x"})
		b.Return(now, who, "x", Outcome{Posted: true, Answered: true})
	}
	if n := len(b.accounts); n > 2 {
		t.Errorf("%d keys are remembered, want those in use", n)
	}
}

// Whoever does what Turn and Call say, in whatever order, uses the whole pace: a fleet that needs it must not wait longer.
func TestNoPlaceInThePaceIsLeftEmpty(t *testing.T) {
	const n = 60
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 2))
		b, who := New(start, 4), account8("a")
		looks, expiry := map[string]time.Time{}, map[string]time.Time{} // when each looks again
		for i := range n {
			looks[fmt.Sprint(i)] = after(time.Duration(random.Int64N(int64(7 * time.Second))))
			expiry[fmt.Sprint(i)] = after(time.Duration(random.IntN(3)) * time.Hour)
		}
		called := func(c Call) {
			for _, id := range c.IDs {
				if at, waits := looks[id]; waits && c.At.Before(at) {
					looks[id] = c.At
				}
			}
		}
		var first, last time.Time
		for len(looks) > 0 {
			id, now := soonest(looks)
			turn := b.Ask(now, who, Claim{ID: id, Expiry: expiry[id]})
			if turn.Hold != None {
				looks[id] = turn.At
				called(turn.Wake)
				continue
			}
			delete(looks, id)
			if first.IsZero() {
				first = now
			}
			last = now
			called(b.Return(now.Add(50*time.Millisecond), who, id, Outcome{Posted: true, Answered: true}))
		}
		// A call counts for a minute after its answer, so every eighth place may come that much later.
		if took, want := last.Sub(first), time.Duration(n-1)*time.Minute/8; took > want+n*50*time.Millisecond {
			t.Fatalf("seed %d: %d certificates took %v, the pace allows %v", seed, n, took, want)
		}
	}
}

// soonest is who looks next; ties go by name.
func soonest(looks map[string]time.Time) (string, time.Time) {
	best := ""
	for id, at := range looks {
		if best == "" || at.Before(looks[best]) || at.Equal(looks[best]) && id < best {
			best = id
		}
	}
	return best, looks[best]
}

// TestNoMinuteHoldsMoreThanTheLimit drives random schedules of claims, latencies, refusals and
// restarts and counts what arrives at the cloud at a random moment of each call.
func TestNoMinuteHoldsMoreThanTheLimit(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		who := account8("a")
		who.PerMinute = 1 + random.IntN(40)
		b := New(start, 1+random.IntN(4))
		type call struct{ granted, answered time.Time }
		out := map[string]call{}
		var arrived []time.Time
		for now := start; now.Before(after(20 * time.Minute)); now = now.Add(time.Duration(random.Int64N(int64(2 * time.Second)))) {
			for id, c := range out {
				if now.Before(c.answered) {
					continue
				}
				delete(out, id)
				posted := random.IntN(10) > 0
				b.Return(now, who, id, Outcome{Posted: posted, Answered: random.IntN(3) > 0})
				if posted { // it counts, whatever came of it
					span := max(1, int64(c.answered.Sub(c.granted)))
					arrived = append(arrived, c.granted.Add(time.Duration(random.Int64N(span))))
				}
			}
			id := fmt.Sprint(random.IntN(30))
			if _, busy := out[id]; busy {
				continue
			}
			if b.Ask(now, who, Claim{ID: id, Expiry: after(time.Duration(random.IntN(1000)) * time.Hour)}).Hold == None {
				out[id] = call{granted: now, answered: now.Add(time.Duration(random.Int64N(int64(10 * time.Second))))}
			}
		}
		slices.SortFunc(arrived, time.Time.Compare)
		for i := range arrived {
			if j := i + who.PerMinute; j < len(arrived) && arrived[j].Sub(arrived[i]) < time.Minute {
				t.Fatalf("seed %d: %d certificates in %v with a limit of %d a minute",
					seed, who.PerMinute+1, arrived[j].Sub(arrived[i]), who.PerMinute)
			}
		}
		if len(arrived) < 3 {
			t.Fatalf("seed %d: only %d certificates in 20 minutes with a limit of %d: the budget starves", seed, len(arrived), who.PerMinute)
		}
	}
}

// More turns are out than call the cloud: what was granted before the cloud refused or fell silent is not used after that.
func TestATurnStandsAsLongAsTheCloudMayBeAsked(t *testing.T) {
	answered := Outcome{Posted: true, Answered: true}
	for name, test := range map[string]struct {
		out     int // turns that are out, besides the one that is returned
		outcome Outcome
		stands  bool
	}{
		"it answered":                             {3, answered, true},
		"it answered that there is no such one":   {3, Outcome{Answered: true}, true},
		"nothing was asked":                       {3, Outcome{}, true},
		"it asked for fewer calls":                {3, Outcome{Posted: true, Throttled: true, RetryAfter: time.Minute}, false},
		"it refused the key":                      {3, Outcome{Posted: true, Refused: true}, false},
		"it refused the key, and one is left":     {1, Outcome{Posted: true, Refused: true}, true},
		"it did not answer":                       {3, Outcome{Posted: true, Silent: true}, false},
		"it did not answer, and one is left":      {1, Outcome{Posted: true, Silent: true}, true},
		"it answered something that is no answer": {3, Outcome{Posted: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b, who := New(start.Add(-time.Hour), 8), unlimited("a")
			b.Report(start, who, Outcome{Answered: true})
			for i := range test.out + 1 {
				if got := b.Ask(start, who, Claim{ID: strconv.Itoa(i)}); got.Hold != None {
					t.Fatalf("%d: %+v, want a turn", i, got)
				}
			}
			if !b.Stands(start, who) {
				t.Error("it does not stand from the start")
			}
			b.Return(after(1), who, "0", test.outcome)
			if got := b.Stands(after(1), who); got != test.stands {
				t.Errorf("stands: %v, want %v", got, test.stands)
			}
		})
	}
}

// A turn began with the account as it was then, and that is no news.
func TestATurnThatStandsTellsNothingOfItsAccount(t *testing.T) {
	b, who := New(start.Add(-time.Hour), 8), account8("a")
	b.Report(start, who, Outcome{Answered: true})
	if got := b.Ask(start, who, Claim{ID: "1"}); got.Hold != None {
		t.Fatalf("%+v, want a turn", got)
	}
	b.Leave(after(1), who.Name)
	if !b.Stands(after(1), who) {
		t.Error("the turn does not stand")
	}
	b.Return(after(1), who, "1", Outcome{})
	if b.Stands(after(1), unlimited("another")) {
		t.Error("a turn stands that nobody has")
	}
	if _, known := b.keys[who.Name]; known || len(b.accounts[who.Key].limits) != 0 {
		t.Error("an account that has left is there again")
	}
}
