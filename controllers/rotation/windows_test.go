// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/clustercredential/operator/api/v1alpha1"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loaded, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func in(windows ...Window) Schedule { return Schedule{Windows: windows} }

// nightly is a window of four hours; rest's renewal is due in the day before 2026-12-04T12:00:00Z.
var nightly = Window{Schedule: "0 2 * * *", Duration: 4 * time.Hour}

// granted are 30 days, as rest has them: due at plain, at the latest at limit.
func granted() (v Validity, plain, limit time.Time) {
	v = rest().have.Stored.Validity
	plain, _ = RenewAt(v, Schedule{}, "uid-1")
	return v, plain, v.NotAfter.Add(-3 * day)
}

func TestARenewalIsMovedIntoTheNextWindow(t *testing.T) {
	v, plain, limit := granted()
	cron := func(at time.Time) string {
		return fmt.Sprintf("%d %d %d %d *", at.Minute(), at.Hour(), at.Day(), at.Month())
	}
	from := func(at time.Time, open time.Duration) Window { return Window{Schedule: cron(at), Duration: open} }
	soon, later := plain.Truncate(time.Minute).Add(time.Hour), plain.Truncate(time.Minute).Add(30*time.Hour)
	for name, test := range map[string]struct {
		schedule      Schedule
		earliest      time.Time
		most          time.Duration // how much later than earliest
		inside        bool
		moved, noteOf string
	}{
		"without windows it is not moved":            {in(), plain, 0, true, "", ""},
		"into the first half of the next":            {in(from(soon, 4*time.Hour)), soon, 2 * time.Hour, true, "in the window of spec.renewal.windows that opens at " + stamp(soon), ""},
		"into the sooner of two":                     {in(from(later, 4*time.Hour), from(soon, time.Hour)), soon, 30 * time.Minute, true, "", ""},
		"not if one is open":                         {in(from(plain.Add(-time.Hour), 2*time.Hour)), plain, 0, true, "", ""},
		"not if one opens that minute":               {in(from(plain.Truncate(time.Minute), 10*time.Minute)), plain, 0, true, "", ""},
		"one that has just closed is over":           {in(from(plain.Truncate(time.Minute).Add(-time.Hour), time.Hour), from(later, time.Hour)), later, 30 * time.Minute, true, "", ""},
		"a day of a long window at the most":         {in(from(later, 168*time.Hour)), later, day, true, "", ""},
		"the limit cuts the share":                   {in(from(limit.Add(-time.Hour), 168*time.Hour)), limit.Add(-time.Hour), time.Hour, true, "", ""},
		"a window that opens at the limit is taken":  {in(from(limit, 4*time.Hour)), limit, 0, true, "", ""},
		"one that opens later is not waited for":     {in(from(limit.Add(time.Minute), 4*time.Hour)), limit.Add(-limit.Sub(plain) / 10), limit.Sub(plain) / 10, false, "outside of spec.renewal.windows: none opens in time, and a renewal waits until " + stamp(limit) + " at the latest", ""},
		"a yearly one is not waited for":             {in(Window{Schedule: "@yearly", Duration: time.Hour}), limit.Add(-limit.Sub(plain) / 10), limit.Sub(plain) / 10, false, "", ""},
		"by hand it is not moved":                    {Schedule{Manual: true, Windows: []Window{from(soon, time.Hour)}}, plain, 0, true, "", ""},
		"a schedule that cannot be read is ignored":  {in(Window{Schedule: "0 2 32 * *", Duration: time.Hour}), plain, 0, true, "", `spec.renewal.windows[0] is ignored: schedule "0 2 32 * *": end of range (32) above maximum (31): 32; write minute, hour, day of month, month and day of week, such as "0 2 * * 6"`},
		"a period is ignored":                        {in(Window{Schedule: "@every 1h", Duration: time.Hour}), plain, 0, true, "", `schedule "@every 1h" is not of that form: write minute`},
		"a zone in the schedule is ignored":          {in(Window{Schedule: "CRON_TZ=UTC 0 2 * * *", Duration: time.Hour}), plain, 0, true, "", "is not of that form: write minute"},
		"half a zone is ignored":                     {in(Window{Schedule: "TZ=0", Duration: time.Hour}), plain, 0, true, "", "is not of that form: write minute"},
		"a day that never comes is ignored":          {in(Window{Schedule: "0 0 30 2 *", Duration: time.Hour}), plain, 0, true, "", `schedule "0 0 30 2 *" names no day of the next five years: write one that comes`},
		"an unknown zone is ignored":                 {in(Window{Schedule: "@daily", Duration: time.Hour, TimeZone: "Europe/Atlantis"}), plain, 0, true, "", `timeZone "Europe/Atlantis" is not known: write a name of the IANA time zone database, such as Asia/Shanghai`},
		"the zone of the machine is ignored":         {in(Window{Schedule: "@daily", Duration: time.Hour, TimeZone: "Local"}), plain, 0, true, "", `timeZone "Local" is not known`},
		"a file of the machine is ignored":           {in(Window{Schedule: "@daily", Duration: time.Hour, TimeZone: "../../../etc/passwd"}), plain, 0, true, "", "is not known"},
		"no duration is ignored":                     {in(Window{Schedule: "@daily"}), plain, 0, true, "", "duration is not positive: write at least 10m"},
		"of two, the one that can be read counts":    {in(Window{Schedule: "?", Duration: time.Hour}, from(soon, time.Hour)), soon, 30 * time.Minute, true, "", "spec.renewal.windows[0] is ignored"},
		"both that cannot be read are told":          {in(from(soon, time.Hour), Window{Schedule: "a"}, Window{Schedule: "b"}), soon, 30 * time.Minute, true, "", "; spec.renewal.windows[2] is ignored"},
		"a small before leaves no time to wait":      {Schedule{Before: 60 * time.Hour, Windows: []Window{{Schedule: "@yearly", Duration: time.Hour}}}, v.NotAfter.Add(-66 * time.Hour), 6 * time.Hour, false, "outside of spec.renewal.windows", ""},
		"but not to renew in a window that is open":  {Schedule{Before: 60 * time.Hour, Windows: []Window{{Schedule: "@daily", Duration: 25 * time.Hour}}}, v.NotAfter.Add(-66 * time.Hour), 6 * time.Hour, true, "", ""},
		"an hour of another zone is an hour of ours": {in(Window{Schedule: cron(later.In(zone(t, "Asia/Shanghai"))), Duration: time.Hour, TimeZone: "Asia/Shanghai"}), later, 30 * time.Minute, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := renewalOf(v, test.schedule, "uid-1")
			if got.slot.at.Before(test.earliest) || got.slot.at.After(test.earliest.Add(test.most)) || got.slot.inside != test.inside {
				t.Errorf("renewed at %s, inside %v; want at most %s after %s, %v", got.slot.at, got.slot.inside, test.most, test.earliest, test.inside)
			}
			if moved := got.moved(); !strings.Contains(moved, test.moved) || (moved == "") != got.slot.at.Equal(got.plain) && test.inside {
				t.Errorf("moved: %q, want %q in it", moved, test.moved)
			}
			if (got.note == "") != (test.noteOf == "") || !strings.Contains(got.note, test.noteOf) {
				t.Errorf("note %q, want %q in it", got.note, test.noteOf)
			}
		})
	}
}

func TestShortLifetimesKnowNoWindows(t *testing.T) {
	for lifetimeOf, want := range map[time.Duration]string{
		10*time.Hour - time.Second: "spec.renewal.windows is ignored, since the certificate was granted for 9h59m59s only: write a validity of 10h0m0s or more",
		10 * time.Hour:             "",
	} {
		got := renewalOf(lifetime(lifetimeOf), in(Window{Schedule: "@yearly", Duration: time.Hour}), "uid-1")
		if got.note != want || (got.slot.at.Equal(got.plain)) != (want != "") {
			t.Errorf("%s: renewed at %s, due at %s, note %q", lifetimeOf, got.slot.at, got.plain, got.note)
		}
	}
}

func TestAFleetIsSpreadOverItsWindow(t *testing.T) {
	v, _, limit := granted()
	weekly := Window{Schedule: "0 20 * * 0", Duration: 6 * time.Hour} // Sunday, 2026-12-06T20:00:00Z
	for name, test := range map[string]struct {
		window       Window
		from, to     time.Time
		inside, wide bool
	}{
		"in the first half of the window": {weekly, moment(t, "2026-12-06T20:00:00Z"), moment(t, "2026-12-06T23:00:00Z"), true, true},
		"before the safe limit":           {Window{Schedule: "@yearly", Duration: time.Hour}, limit.Add(-19 * time.Hour), limit, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			first, last := test.to, test.from
			for i := range 1000 {
				got := renewalOf(v, in(test.window), "uid-"+strconv.Itoa(i)).slot
				if got.at.Before(test.from) || got.at.After(test.to) || got.inside != test.inside {
					t.Fatalf("renewed at %s", got.at)
				}
				if got.at.Before(first) {
					first = got.at
				}
				if got.at.After(last) {
					last = got.at
				}
			}
			if last.Sub(first) < test.to.Sub(test.from)*8/10 {
				t.Errorf("1000 are spread from %s to %s only", first, last)
			}
		})
	}
}

// The clock of Berlin leaps from 02:00 to 03:00 on 2027-03-28 and falls back from 03:00 to 02:00 on
// 2026-10-25; New York's does so at other hours, and that of Shanghai stands still.
func TestWindowsFollowTheClockOnTheWall(t *testing.T) {
	const berlin, newYork, shanghai, lordHowe = "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"
	for name, test := range map[string]struct {
		schedule, zone, after string
		want                  []string
	}{
		"in winter":                          {"0 2 * * *", berlin, "2027-01-10T12:00:00Z", []string{"2027-01-11T01:00:00Z"}},
		"in summer":                          {"0 2 * * *", berlin, "2027-07-10T12:00:00Z", []string{"2027-07-11T00:00:00Z"}},
		"of UTC":                             {"0 2 * * *", "", "2027-07-10T12:00:00Z", []string{"2027-07-11T02:00:00Z"}},
		"strictly later":                     {"0 2 * * *", berlin, "2027-07-11T00:00:00Z", []string{"2027-07-12T00:00:00Z"}},
		"a little later":                     {"0 2 * * *", berlin, "2027-07-10T23:59:59.999999999Z", []string{"2027-07-11T00:00:00Z"}},
		"Shanghai knows no summer time":      {"0 2 * * *", shanghai, "2027-03-27T12:00:00Z", []string{"2027-03-27T18:00:00Z", "2027-03-28T18:00:00Z"}},
		"the Sunday that lacks the hour":     {"0 2 * * 0", berlin, "2027-03-22T00:00:00Z", []string{"2027-03-28T01:00:00Z", "2027-04-04T00:00:00Z"}},
		"the half hour that is lacking":      {"30 2 * * *", berlin, "2027-03-27T12:00:00Z", []string{"2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"}},
		"all of the lacking hour opens once": {"*/20 2,3 * * *", berlin, "2027-03-28T00:00:00Z", []string{"2027-03-28T01:00:00Z", "2027-03-28T01:20:00Z"}},
		"lacking in New York":                {"30 2 * * *", newYork, "2027-03-13T12:00:00Z", []string{"2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"}},
		"the hour that comes twice":          {"30 2 * * *", berlin, "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		"twice in New York":                  {"30 1 * * *", newYork, "2026-10-31T12:00:00Z", []string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
		"from within its second time":        {"*/15 2 * * *", berlin, "2026-10-25T01:10:00Z", []string{"2026-10-26T01:00:00Z"}},
		"the end of the hour of both":        {"0 3 * * *", berlin, "2026-10-25T00:50:00Z", []string{"2026-10-25T02:00:00Z"}},
		"a leap of half an hour":             {"15 2 * * *", lordHowe, "2026-10-03T12:00:00Z", []string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
		"a day of the week or of the month":  {"0 0 13 * 5", "", "2026-11-07T00:00:00Z", []string{"2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"}},
		"the 29th of February":               {"0 0 29 2 *", "", "2026-11-24T12:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		"in thousands of years":              {"0 2 * * *", berlin, "9999-07-10T12:00:00Z", []string{"9999-07-11T00:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			at := moment(t, test.after)
			w, err := read(Window{Schedule: test.schedule, Duration: time.Hour, TimeZone: test.zone}, at)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if at = w.next(at); stamp(at) != want {
					t.Fatalf("opens at %s, want %s", stamp(at), want)
				}
			}
		})
	}
}

// Through all leaps of a year, what the clock on the wall shows later is never earlier, and next
// finds the same openings wherever it begins.
func TestNoOpeningIsMissedOrInvented(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"} {
		location := zone(t, name)
		before := time.Time{}
		for wall := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); wall.Year() < 2027; wall = wall.Add(15 * time.Minute) {
			got := timeOf(wall, location)
			if got.Before(before) {
				t.Fatalf("%s: %s is at %s, and what came before at %s", name, wall, got, before)
			}
			if shown := wallOf(got.In(location)); !shown.Equal(wall) && (shown.Before(wall) || shown.Sub(wall) > time.Hour) {
				t.Fatalf("%s: %s is at %s, when the clock shows %s", name, wall, got, shown)
			}
			before = got
		}
		w, err := read(Window{Schedule: "*/30 1-4 * * *", Duration: time.Hour, TimeZone: name}, noon)
		if err != nil {
			t.Fatal(err)
		}
		opens := time.Time{}
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2027; at = at.Add(37 * time.Minute) {
			got := w.next(at)
			if !got.After(at) || got.Before(opens) || opens.After(at) && !got.Equal(opens) {
				t.Fatalf("%s: from %s it opens at %s, from before that at %s", name, at, got, opens)
			}
			opens = got
		}
	}
}

// From the plain renewal on, until it is made.
func TestARenewalThatIsDueWaitsForItsWindow(t *testing.T) {
	_, plain, limit := granted()
	weekly := func(s *situation) { s.want.Schedule = in(Window{Schedule: "0 20 * * 0", Duration: 6 * time.Hour}) }
	never := func(s *situation) { s.want.Schedule = in(Window{Schedule: "@yearly", Duration: time.Hour}) }
	sunday, next := moment(t, "2026-12-06T20:00:00Z"), moment(t, "2026-12-13T20:00:00Z")
	slot := renewalOf(rest().have.Stored.Validity, rest(weekly).want.Schedule, "uid-1").slot.at
	last := renewalOf(rest().have.Stored.Validity, rest(never).want.Schedule, "uid-1").slot.at
	const waits, renewing = v1alpha1.ReasonWaitingForWindow, v1alpha1.ReasonRenewing
	for name, test := range map[string]struct {
		now        time.Time
		change     func(*situation)
		trigger    v1alpha1.Trigger
		reason     v1alpha1.Reason
		at         time.Time
		overridden bool
		message    string
	}{
		"before it is due, nothing":             {plain.Add(-time.Second), weekly, none, "", time.Time{}, false, ""},
		"once it is due, it waits":              {plain, weekly, v1alpha1.TriggerExpiry, waits, slot, false, "the renewal is due since " + stamp(plain) + " and waits for the window of spec.renewal.windows that opens at " + stamp(sunday) + "; asked for at " + stamp(slot)},
		"a request does not wait":               {plain, both(weekly, request), v1alpha1.TriggerRequest, renewing, plain, false, ""},
		"nor does another spec":                 {plain, both(weekly, otherSpec), v1alpha1.TriggerSpec, v1alpha1.ReasonIssuing, plain, false, ""},
		"nor a lost Secret":                     {plain, both(weekly, lostSecret), v1alpha1.TriggerMissing, v1alpha1.ReasonIssuing, plain, false, ""},
		"nor what has expired":                  {at(20 * day), weekly, v1alpha1.TriggerMissing, v1alpha1.ReasonIssuing, at(20 * day), false, ""},
		"by hand nothing is asked for":          {plain, both(weekly, func(s *situation) { s.want.Schedule.Manual = true }), none, "", time.Time{}, false, ""},
		"in the window, still before its share": {slot.Add(-time.Second), weekly, v1alpha1.TriggerExpiry, waits, slot, false, ""},
		"at its share":                          {slot, weekly, v1alpha1.TriggerExpiry, renewing, slot, false, "the certificate expires at 2026-12-14T12:00:00Z"},
		"as long as the window is open":         {sunday.Add(6*time.Hour - time.Second), weekly, v1alpha1.TriggerExpiry, renewing, sunday.Add(6*time.Hour - time.Second), false, ""},
		// The next Sunday lies behind the limit.
		"once it has closed, until expiry overrides":   {sunday.Add(6 * time.Hour), weekly, v1alpha1.TriggerExpiry, waits, last, true, "until " + stamp(last) + "; then expiry overrides spec.renewal.windows: none opens in time, and a renewal waits until " + stamp(limit) + " at the latest"},
		"a failure in the window is tried again in it": {slot.Add(time.Minute), both(weekly, failed(2, "with-1", slot.Add(2*time.Minute))), v1alpha1.TriggerExpiry, renewing, slot.Add(2 * time.Minute), false, ""},
		"and not behind its end":                       {sunday.Add(6*time.Hour - time.Minute), both(weekly, failed(2, "with-1", sunday.Add(6*time.Hour+time.Minute))), v1alpha1.TriggerExpiry, waits, last, true, ""},
		"what needs another spec has no time":          {plain, both(weekly, failed(2, "with-1", time.Time{})), v1alpha1.TriggerExpiry, renewing, time.Time{}, false, ""},
		"without a window, until expiry overrides":     {plain, never, v1alpha1.TriggerExpiry, waits, last, true, ""},
		"expiry overrides":                             {last, never, v1alpha1.TriggerExpiry, renewing, last, true, "the certificate expires at 2026-12-14T12:00:00Z; expiry overrides spec.renewal.windows: none opens in time"},
		"behind the limit it waits for nothing":        {limit.Add(time.Hour), weekly, v1alpha1.TriggerExpiry, renewing, limit.Add(time.Hour), true, ""},
		"and is not overridden in an open window":      {next, both(weekly, func(s *situation) { s.have.Stored.NotAfter = at(20*day + 12*time.Hour) }), v1alpha1.TriggerExpiry, renewing, next, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := rest(test.change)
			got := Decide(test.now, s.want, s.have)
			if got.Trigger != test.trigger || got.Reason != test.reason || !got.At.Equal(test.at) || got.Overridden != test.overridden || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %+v,\nwant %s, %s at %s, overridden %v: %s", got, test.trigger, test.reason, test.at, test.overridden, test.message)
			}
			if want := !test.at.IsZero() && !test.at.After(test.now); got.Due != want {
				t.Errorf("Due is %v, want %v", got.Due, want)
			}
			if got.NextLook.After(test.now.Add(time.Hour)) || got.Trigger == none && got.PlainTime.After(test.now) && got.NextLook.After(got.PlainTime) {
				t.Errorf("looks again at %s", got.NextLook)
			}
		})
	}
}

func TestWhatIsWrongWithWindowsIsToldBesides(t *testing.T) {
	s := rest(func(s *situation) {
		s.want.Schedule = Schedule{Before: 40 * day, Windows: []Window{{Schedule: "0 2 * *", Duration: time.Hour}, nightly}}
	})
	got := s.decide()
	for _, want := range []string{"spec.renewal.before is 960h0m0s", "; spec.renewal.windows[0] is ignored: schedule \"0 2 * *\": expected exactly 5 fields, found 4"} {
		if !strings.Contains(got.Note, want) {
			t.Errorf("note %q, want %q in it", got.Note, want)
		}
	}
	if got.Moved == "" {
		t.Error("the window that can be read does not count")
	}
}

// fixedWindows are windows by the day or by the week, at hours that no clock leaps over, with
// what an oracle needs to know of them.
type fixedWindow struct {
	Window
	zone         *time.Location
	hour, minute int
	weekday      int // -1: every day
}

func fixedWindowOf(t *testing.T, random *rand.Rand) fixedWindow {
	w := fixedWindow{hour: 5 + random.IntN(19), minute: random.IntN(60), weekday: random.IntN(8) - 1}
	w.TimeZone = []string{"", "Asia/Shanghai", "Europe/Berlin", "America/New_York"}[random.IntN(4)]
	w.zone = zone(t, w.TimeZone)
	w.Duration = time.Duration(10+random.IntN(10_000)) * time.Minute
	day := "*"
	if w.weekday >= 0 {
		day = strconv.Itoa(w.weekday)
	}
	w.Schedule = fmt.Sprintf("%d %d * * %s", w.minute, w.hour, day)
	return w
}

// isOpen asks the calendar of the zone, and not cron.
func (w fixedWindow) isOpen(at time.Time) bool {
	local := at.In(w.zone)
	for ago := range 9 {
		opens := time.Date(local.Year(), local.Month(), local.Day()-ago, w.hour, w.minute, 0, 0, w.zone)
		if (w.weekday < 0 || int(opens.Weekday()) == w.weekday) && !at.Before(opens) && at.Before(opens.Add(w.Duration)) {
			return true
		}
	}
	return false
}

// Whatever is granted and whichever windows there are, the renewal is not before it is due, not
// behind the safe limit unless it is due there, and in a window or told to be outside; a
// restart changes nothing. From then on it may be made in windows until the limit, and always
// after it.
func TestWindowsKeepTheirBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	moved, overridden, ignored := 0, 0, 0
	for range 6_000 {
		v := Validity{NotBefore: at(time.Duration(random.Int64N(40_000_000)) * time.Second), Serial: strconv.FormatUint(random.Uint64(), 16)}
		lifetimes := []time.Duration{20 * time.Hour, 5 * day, 30 * day, 400 * day}
		lifetime := (1 + time.Duration(random.Int64N(int64(lifetimes[random.IntN(len(lifetimes))]/time.Second)))) * time.Second
		v.NotAfter = v.NotBefore.Add(lifetime)
		schedule := Schedule{}
		if random.IntN(2) == 0 {
			schedule.Percent = 1 + random.Int32N(89)
		}
		uid := strconv.FormatUint(random.Uint64(), 36)
		plain, _ := RenewAt(v, schedule, uid)
		var windows []fixedWindow
		for range 1 + random.IntN(3) {
			windows = append(windows, fixedWindowOf(t, random))
			schedule.Windows = append(schedule.Windows, windows[len(windows)-1].Window)
		}
		isOpen := func(at time.Time) bool {
			for _, w := range windows {
				if w.isOpen(at) {
					return true
				}
			}
			return false
		}

		r := renewalOf(v, schedule, uid)
		limit := v.NotAfter.Add(-max(lifetime/10, time.Hour))
		latest := limit
		if plain.After(limit) {
			latest = plain
		}
		got := r.slot
		if again := renewalOf(v, schedule, uid).slot; again != got {
			t.Fatalf("%+v, then %+v", got, again)
		}
		if lifetime < 10*time.Hour {
			ignored++
			if !got.at.Equal(plain) || r.note == "" || !got.inside {
				t.Fatalf("granted for %s: %+v, note %q", lifetime, got, r.note)
			}
			continue
		}
		switch {
		case got.at.Before(plain), got.at.After(latest), got.at.Nanosecond() != 0, !r.plain.Equal(plain), r.note != "":
			t.Fatalf("due at %s, at the latest at %s, renewed at %s (%s)", plain, latest, got.at, r.note)
		case got.inside != isOpen(got.at):
			t.Fatalf("renewed at %s, in a window: %v; windows %+v", got.at, got.inside, windows)
		case isOpen(plain) && !got.at.Equal(plain):
			t.Fatalf("moved from %s to %s, though a window was open", plain, got.at)
		case !got.inside && got.at.Before(latest.Add(-max(0, limit.Sub(plain))/10-2*time.Second)):
			t.Fatalf("renewed at %s already, limit %s", got.at, limit)
		}
		for range 5 { // what a failure or an operator that was away makes of it
			from := got.at.Add(time.Duration(random.Int64N(int64(v.NotAfter.Sub(got.at)) + 1)))
			next := r.from(from)
			switch {
			case next.at.Before(from), next.at.After(latest) && !next.at.Equal(from), next.inside != isOpen(next.at):
				t.Fatalf("from %s on: %+v, limit %s", from, next, limit)
			case isOpen(from) && next.at.Sub(from) > day:
				t.Fatalf("from %s on, in a window: %+v", from, next)
			}
			if again := r.from(next.at); !again.at.Equal(next.at) {
				t.Fatalf("told to come at %s, and then at %s", next.at, again.at)
			}
		}
		if !got.inside {
			overridden++
		} else if got.at.After(plain) {
			moved++
		}
	}
	t.Logf("%d moved, %d overridden, %d ignored", moved, overridden, ignored)
	if moved < 500 || overridden < 300 || ignored < 500 {
		t.Error("too few to have shown anything")
	}
}

// While windows stand and the cloud fails now and then, renewals are tried in windows or once
// expiry overrides them, nothing expires that could be renewed, and every look is needed.
func TestNothingExpiresForAWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	made, refused, outside := 0, 0, 0
	for range 20 {
		l := newLoop(random)
		w := fixedWindowOf(t, random)
		l.want.Schedule = in(w.Window)
		lifetime := []time.Duration{10 * time.Hour, 2 * day, 30 * day}[random.IntN(3)]
		for end := at(min(year, 60*lifetime)); l.now.Before(end); {
			d := Decide(l.now, l.want, l.have)
			if stored := l.have.Stored; stored != nil && !l.now.Before(stored.NotAfter) {
				t.Fatalf("expired at %s, windows %+v", stored.NotAfter, l.want.Schedule.Windows)
			}
			switch {
			case !d.Due:
				l.now = d.NextLook
				continue
			case d.Trigger == v1alpha1.TriggerExpiry && d.Overridden == w.isOpen(l.now):
				t.Fatalf("asked for at %s, overridden: %v; window %+v", l.now, d.Overridden, w)
			case random.IntN(3) == 0:
				l.refuse()
				continue
			}
			if d.Overridden {
				outside++
			}
			l.made++
			l.have.Stored = &Stored{Validity: Validity{NotBefore: l.now.Truncate(time.Second), NotAfter: l.now.Truncate(time.Second).Add(lifetime), Serial: strconv.Itoa(l.made)}}
			l.have.Failures, l.have.Published = 0, true
			l.have.Attempts = []Attempt{{Trigger: d.Trigger, At: l.now}}
		}
		made, refused = made+l.made, refused+l.refused
	}
	t.Logf("%d certificates, %d of them outside of windows, %d calls refused", made, outside, refused)
	if made < 500 || refused < 200 || outside < 50 || outside > made*9/10 {
		t.Error("too few to have shown anything")
	}
}
