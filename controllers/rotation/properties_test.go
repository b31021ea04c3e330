// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"flag"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// With "go test ./controllers/rotation -decisions=10000000" the floor is tried ten times as often.
var decisions = flag.Int("decisions", 1_000_000, "how many decisions the floor has to hold for")

// A cloud that grants what it likes: lifetimes from a second to months, backdated by
// up to a day, sometimes nothing at all. Whatever comes, two certificates by time are
// never nearer than the floor, every pass says when to look again, and a certificate that
// was granted for more than one and a half floors from now is replaced before it expires.
func TestTheFloorHoldsWhateverTheCloudGrants(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	made, refused := 0, 0
	for passes := 0; passes < *decisions; {
		loop := newLoop(random)
		for range 500 {
			passes++
			if !loop.step(t, random) {
				t.FailNow()
			}
		}
		made, refused = made+loop.made, refused+loop.refused
	}
	t.Logf("%d decisions, %d certificates, %d failures", *decisions, made, refused)
	if made < *decisions/10 || refused < *decisions/100 {
		t.Error("too few to have shown anything")
	}
}

// loop is one object that is looked at whenever it asked to be.
type loop struct {
	now           time.Time
	want          Wanted
	have          Found
	shortest      time.Duration // of what the cloud grants, from now
	longest       time.Duration
	made, refused int
}

func newLoop(random *rand.Rand) *loop {
	published := record()
	l := &loop{
		now:      noon,
		want:     Wanted{UID: strconv.FormatUint(random.Uint64(), 36), Record: record(), With: "with", Floor: 10 * time.Minute},
		have:     Found{Record: &published, Handled: []string{""}},
		shortest: time.Second,
		longest:  []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 60 * day}[random.IntN(4)],
	}
	switch random.IntN(3) {
	case 0:
		l.want.Schedule.Before = time.Duration(random.Int64N(int64(day)))
	case 1:
		l.want.Schedule.Percent = 1 + random.Int32N(89)
	}
	return l
}

// step decides once, does what was decided, and goes to when the next look is due.
func (l *loop) step(t *testing.T, random *rand.Rand) bool {
	d := Decide(l.now, l.want, l.have)
	if !d.NextLook.After(l.now) || d.NextLook.After(l.now.Add(time.Hour)) {
		t.Errorf("at %s the next look is at %s", l.now, d.NextLook)
		return false
	}
	if !d.Due {
		l.now = d.NextLook
		return true
	}
	if random.IntN(10) == 0 {
		l.refuse()
		return true
	}
	return l.issue(t, random, d)
}

func (l *loop) refuse() {
	l.refused++
	l.have.Failures++
	l.have.FailedWith = "with"
	left := time.Duration(0)
	if l.have.Stored != nil {
		left = l.have.Stored.NotAfter.Sub(l.now)
	}
	l.have.RetryAt = l.now.Add(Backoff(l.have.Failures, CapSoon, left, l.want.UID))
}

func (l *loop) issue(t *testing.T, random *rand.Rand, d Decision) bool {
	if byTime := d.Trigger == v1alpha1.TriggerExpiry || d.Trigger == v1alpha1.TriggerMissing; byTime && len(l.have.Attempts) > 0 {
		if since := l.now.Sub(l.have.Attempts[0].At); since < l.want.Floor {
			t.Errorf("a certificate (%s) %s after the one before; granted was %+v", d.Trigger, since, l.have.Stored.Validity)
			return false
		}
	}
	if stored := l.have.Stored; stored != nil && l.have.Failures == 0 && l.now.After(stored.NotAfter) {
		if usable := stored.NotAfter.Sub(l.have.Attempts[0].At); usable > l.want.Floor {
			t.Errorf("expired at %s, replaced at %s, though it was granted for %s and the floor is %s", stored.NotAfter, l.now, usable, l.want.Floor)
			return false
		}
	}
	l.made++
	granted := l.shortest + time.Duration(random.Int64N(int64(l.longest))).Truncate(time.Second)
	backdated := time.Duration(random.Int64N(int64(day))) * time.Duration(random.IntN(2))
	l.have.Stored = &Stored{Validity: Validity{
		NotBefore: l.now.Add(-backdated).Truncate(time.Second), NotAfter: l.now.Add(granted).Truncate(time.Second),
		Serial: strconv.Itoa(l.made),
	}}
	l.have.Published, l.have.Failures, l.have.RetryAt = true, 0, time.Time{}
	attempt := Attempt{Trigger: d.Trigger, At: l.now.Truncate(time.Second)}
	l.have.Attempts = slices.Insert(l.have.Attempts, 0, attempt)
	l.have.Attempts = l.have.Attempts[:min(len(l.have.Attempts), 10)] // as long as the history
	return true
}

// Every bound for one object holds over any mix of lost Secrets, changed specs,
// requests and short lifetimes, and any wait ends.
func TestNoObjectAsksWithoutEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 400 {
		l := newLoop(random)
		l.longest = 2 * time.Hour
		hourly := map[v1alpha1.Trigger][]time.Time{}
		for range 1000 {
			switch random.IntN(8) {
			case 0:
				l.have.Stored = nil
			case 1:
				l.want.Record.Validity = strconv.Itoa(random.Int())
			case 2:
				l.want.RenewRequest = strconv.Itoa(random.Int())
			default: // nothing happens: go on to the next look
				d := Decide(l.now, l.want, l.have)
				l.now = l.now.Add(min(d.NextLook.Sub(l.now), time.Duration(1+random.IntN(600))*time.Second))
			}
			d := Decide(l.now, l.want, l.have)
			if !d.Due {
				continue
			}
			if !l.grant(random, d.Trigger) {
				t.Fatal("the model is wrong")
			}
			hourly[d.Trigger] = append(hourly[d.Trigger], l.now)
		}
		for trigger, most := range map[v1alpha1.Trigger]int{
			v1alpha1.TriggerFirst: 1, v1alpha1.TriggerSpec: 6, v1alpha1.TriggerRequest: 6,
			// Two are free, and one every ten minutes; what replaces a lost Secret can be asked
			// for as a change or a request, too, and is counted here.
			v1alpha1.TriggerMissing: 2 + 6 + 6,
			v1alpha1.TriggerExpiry:  6,
		} {
			if got := densest(hourly[trigger]); got > most {
				t.Fatalf("%d certificates in an hour by %s, want at most %d", got, trigger, most)
			}
		}
	}
}

// grant publishes a certificate that handles everything that is wanted.
func (l *loop) grant(random *rand.Rand, trigger v1alpha1.Trigger) bool {
	record := l.want.Record
	l.made++
	l.have.Stored = &Stored{Validity: Validity{
		NotBefore: l.now, NotAfter: l.now.Add(time.Minute + time.Duration(random.Int64N(int64(l.longest)))), Serial: strconv.Itoa(l.made),
	}}
	l.have.Record, l.have.Published = &record, true
	l.have.Handled = []string{l.want.RenewRequest}
	l.have.Attempts = slices.Insert(l.have.Attempts, 0, Attempt{Trigger: trigger, At: l.now})
	return Decide(l.now, l.want, l.have).Trigger == none
}

// densest is the largest number of times in any hour.
func densest(times []time.Time) int {
	most, from := 0, 0
	for i, at := range times {
		for !times[from].Add(time.Hour).After(at) {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// In a year with outages of the cloud of up to half of before, and a clock that is
// wrong by a day now and then, nothing expires that was granted for 6 hours or more.
func TestNothingExpiresWhileThereIsAWay(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	made, refused := 0, 0
	defer func() {
		t.Logf("%d certificates, %d calls refused", made, refused)
		if made < 10_000 || refused < 1_000 {
			t.Error("too few to have shown anything")
		}
	}()
	for range 300 {
		l := newLoop(random)
		defer func() { made, refused = made+l.made, refused+l.refused }()
		l.want.Schedule = Schedule{}
		granted := []time.Duration{6 * time.Hour, day, 30 * day}[random.IntN(3)]
		outage := granted / 6 // half of before, which is a third
		down, up := noon, noon
		for end := at(year); l.now.Before(end); {
			if !l.now.Before(up) && random.IntN(20) == 0 { // the next outage
				down = l.now.Add(time.Duration(random.Int64N(int64(granted))))
				up = down.Add(time.Duration(random.Int64N(int64(outage))))
			}
			if stored := l.have.Stored; stored != nil && !l.now.Before(stored.NotAfter) {
				t.Fatalf("expired at %s; the cloud was down from %s to %s", stored.NotAfter, down, up)
			}
			d := Decide(l.now, l.want, l.have)
			switch {
			case !d.Due:
				l.now = d.NextLook
			case !l.now.Before(down) && l.now.Before(up):
				l.refuse()
			default:
				l.made++
				l.have.Stored = &Stored{Validity: Validity{NotBefore: l.now, NotAfter: l.now.Add(granted), Serial: strconv.Itoa(l.made)}}
				l.have.Failures, l.have.Published = 0, true
				noted := l.now
				if random.IntN(50) == 0 {
					noted = noted.Add(day) // by a clock that was wrong
				}
				l.have.Attempts = slices.Insert(l.have.Attempts, 0, Attempt{Trigger: d.Trigger, At: noted})
				slices.SortStableFunc(l.have.Attempts, func(a, b Attempt) int { return b.At.Compare(a.At) })
				l.have.Attempts = l.have.Attempts[:min(len(l.have.Attempts), 10)]
			}
		}
	}
}

const year = 365 * day

// The oracle of every decision, used by the property and by the fuzzer.
func checkDecision(t *testing.T, now time.Time, want Wanted, have Found) {
	t.Helper()
	before := clone(have)
	d := Decide(now, want, have)
	if !reflect.DeepEqual(before, have) {
		t.Fatalf("the arguments were changed: %+v", have)
	}
	if again := Decide(now, want, clone(have)); !reflect.DeepEqual(d, again) {
		t.Fatalf("decided %+v, then %+v", d, again)
	}
	switch {
	case !d.NextLook.After(now) || d.NextLook.After(now.Add(time.Hour)):
		t.Fatalf("the next look is at %s: %+v", d.NextLook, d)
	case d.Due && (d.Trigger == none || d.At.After(now) || d.At.IsZero()):
		t.Fatalf("due without reason: %+v", d)
	case d.Trigger != none && !d.Due && !d.At.IsZero() && !d.At.After(now):
		t.Fatalf("not due, and nothing to wait for: %+v", d)
	case (d.Trigger == none) != (d.Reason == "") || (d.Trigger == none) != (d.Message == ""):
		t.Fatalf("a trigger has a reason and a message: %+v", d)
	case want.Suspended && d.Trigger != none:
		t.Fatalf("suspended, and yet %+v", d)
	case want.Schedule.Manual && d.Trigger == v1alpha1.TriggerExpiry:
		t.Fatalf("by hand, and yet %+v", d)
	case d.OtherCluster && !d.Changed:
		t.Fatalf("another cluster is a change: %+v", d)
	case (have.Stored == nil) != d.RenewalTime.IsZero():
		t.Fatalf("a renewal time goes with a certificate: %+v", d)
	case d.RenewalTime.Before(d.PlainTime), len(want.Schedule.Windows) == 0 && !d.RenewalTime.Equal(d.PlainTime):
		t.Fatalf("windows make a renewal later, and nothing else does: %+v", d)
	case (d.Overridden || d.Reason == v1alpha1.ReasonWaitingForWindow) && (d.Trigger != v1alpha1.TriggerExpiry || len(want.Schedule.Windows) == 0):
		t.Fatalf("only renewals for expiry wait for windows: %+v", d)
	case d.Due && d.Reason == v1alpha1.ReasonWaitingForWindow:
		t.Fatalf("due, and yet it waits: %+v", d)
	case d.Trigger == none && !d.At.IsZero():
		t.Fatalf("nothing is wanted at %s", d.At)
	}
}

func clone(have Found) Found {
	have.Attempts, have.Handled = slices.Clone(have.Attempts), slices.Clone(have.Handled)
	if have.Stored != nil {
		stored := *have.Stored
		have.Stored = &stored
	}
	if have.Record != nil {
		record := *have.Record
		have.Record = &record
	}
	return have
}

func TestEveryDecisionIsSound(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	raw := make([]byte, 96)
	for range 300_000 {
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		now, want, have := fromBytes(raw)
		checkDecision(t, now, want, have)
	}
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("everything is possible in a string of bytes, and most of it makes no sense at all"))
	f.Add(slices.Repeat([]byte{0xff}, 96))
	f.Add(slices.Repeat([]byte{0, 7}, 48))
	f.Fuzz(func(t *testing.T, data []byte) {
		now, want, have := fromBytes(data)
		checkDecision(t, now, want, have)
	})
}

// fromBytes reads a whole situation from a string of bytes.
func fromBytes(data []byte) (time.Time, Wanted, Found) {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	word := func() string { return []string{"", "a", "b", "\xff"}[next()%4] }
	flag := func() bool { return next()%2 == 1 }
	span := func() time.Duration { // from ten years ago to ten years ahead, and seconds
		units := []time.Duration{time.Nanosecond, time.Second, time.Minute, time.Hour, day, 30 * day}
		return time.Duration(int8(next())) * units[int(next())%len(units)]
	}
	rec := func() Record {
		return Record{Version: 1, AccountKind: word(), AccountName: word(), ProjectID: word(), ClusterID: word(), ClusterType: word(), Validity: word()}
	}
	now := noon.Add(span())
	want := Wanted{
		UID: word(), Record: rec(), OtherName: flag(), RenewRequest: word(), Suspended: flag(), Unreachable: flag(),
		With: word(), Floor: max(0, span()),
		Schedule: Schedule{Before: max(0, span()), Percent: int32(next() % 90), Manual: flag()},
	}
	for range max(0, int(next()%8)-5) { // mostly none
		schedule := []string{"@daily", "0 2 * * 0", "0 0 30 2 *", "@every 1h", "@yearly"}[next()%5]
		want.Schedule.Windows = append(want.Schedule.Windows, Window{Schedule: schedule, Duration: span(), TimeZone: word()})
	}
	have := Found{Published: flag(), Failures: int32(next()), FailedWith: word()}
	if flag() {
		have.Stored = &Stored{Validity: Validity{NotBefore: noon.Add(span()), NotAfter: noon.Add(span()), Serial: word()}}
	}
	if flag() {
		r := rec()
		have.Record = &r
	}
	if flag() {
		have.Handled = []string{word(), word()}
	}
	if flag() {
		have.RetryAt = now.Add(span())
	}
	triggers := []v1alpha1.Trigger{v1alpha1.TriggerFirst, v1alpha1.TriggerMissing, v1alpha1.TriggerSpec, v1alpha1.TriggerRequest, v1alpha1.TriggerExpiry, ""}
	for range next() % 11 {
		have.Attempts = append(have.Attempts, Attempt{Trigger: triggers[int(next())%len(triggers)], At: now.Add(span()), Lost: flag(), Discarded: flag()})
	}
	slices.SortStableFunc(have.Attempts, func(a, b Attempt) int { return b.At.Compare(a.At) })
	return now, want, have
}
