// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func lifetime(d time.Duration) Validity {
	return Validity{NotBefore: noon, NotAfter: noon.Add(d), Serial: "0A"}
}

func TestTheLeadTimeFitsTheGrantedLifetime(t *testing.T) {
	for name, test := range map[string]struct {
		granted  time.Duration
		schedule Schedule
		want     time.Duration
		note     string // part of it; empty: none
	}{
		"unset, a third of what was granted":                   {30 * day, Schedule{}, 10 * day, ""},
		"unset, a third of five years":                         {1826 * day, Schedule{}, 1826 * day / 3, ""},
		"unset, a third of a quarter of an hour":               {15 * time.Minute, Schedule{}, 5 * time.Minute, ""},
		"the user's value":                                     {30 * day, Schedule{Before: 240 * time.Hour}, 240 * time.Hour, ""},
		"the user's value just below nine tenths":              {10 * time.Hour, Schedule{Before: 9*time.Hour - time.Second}, 9*time.Hour - time.Second, ""},
		"nine tenths are too much and count as a third":        {10 * time.Hour, Schedule{Before: 9 * time.Hour}, 200 * time.Minute, "spec.renewal.before is 9h0m0s, but the certificate was granted for 10h0m0s only"},
		"more than the lifetime counts as a third":             {6 * time.Hour, Schedule{Before: 240 * time.Hour}, 2 * time.Hour, "it is renewed 2h0m0s before expiry; write a smaller before or a longer validity"},
		"a share of what was granted":                          {100 * time.Hour, Schedule{Percent: 25}, 25 * time.Hour, ""},
		"the largest share":                                    {100 * time.Hour, Schedule{Percent: 89}, 89 * time.Hour, ""},
		"the smallest share":                                   {100 * time.Hour, Schedule{Percent: 1}, time.Hour, ""},
		"the user's value stands above the share":              {100 * time.Hour, Schedule{Before: time.Hour, Percent: 50}, time.Hour, ""},
		"Manual changes nothing":                               {30 * day, Schedule{Manual: true}, 10 * day, ""},
		"the share looks at what was granted, not asked for":   {15 * time.Minute, Schedule{Percent: 33}, 297 * time.Second, ""},
		"a second before expiry, if that is what is asked for": {30 * day, Schedule{Before: time.Second}, time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, note := leadTime(test.granted, test.schedule)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if (note == "") != (test.note == "") || !strings.Contains(note, test.note) {
				t.Errorf("note %q, want %q in it", note, test.note)
			}
		})
	}
}

func TestTheRenewalIsSpreadOverTheObjects(t *testing.T) {
	for name, test := range map[string]struct {
		granted  time.Duration
		schedule Schedule
		latest   time.Duration // after noon
		most     time.Duration
	}{
		"a tenth of before":                      {30 * day, Schedule{}, 20 * day, day},
		"a day at the most":                      {1826 * day, Schedule{}, 1826 * day * 2 / 3, day},
		"a tenth of what lies before it":         {100 * time.Hour, Schedule{Percent: 80}, 20 * time.Hour, 2 * time.Hour},
		"of six hours, twelve minutes":           {6 * time.Hour, Schedule{}, 4 * time.Hour, 12 * time.Minute},
		"not at all where before is ten seconds": {6 * time.Hour, Schedule{Before: 10 * time.Second}, 6*time.Hour - 10*time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			earliest, last := at(test.latest), time.Time{}
			for i := range 1000 {
				got, _ := RenewAt(lifetime(test.granted), test.schedule, "uid-"+strconv.Itoa(i))
				if got.After(at(test.latest)) || got.Before(at(test.latest-test.most-time.Second)) {
					t.Fatalf("got %s, want at most %s before %s", got, test.most, at(test.latest))
				}
				if got.Before(earliest) {
					earliest = got
				}
				if got.After(last) {
					last = got
				}
			}
			if spread := last.Sub(earliest); spread < test.most*9/10-time.Second {
				t.Errorf("1000 objects are spread over %s only, want about %s", spread, test.most)
			}
		})
	}
}

func TestTheNextCertificateIsSpreadAnew(t *testing.T) {
	a, b := lifetime(30*day), lifetime(30*day)
	b.Serial = "0B"
	first, _ := RenewAt(a, Schedule{}, "uid-1")
	second, _ := RenewAt(b, Schedule{}, "uid-1")
	if first.Equal(second) {
		t.Error("the serial number does not change the spread")
	}
}

// Whatever is granted and asked for, the renewal is due within [NotBefore, NotAfter -
// before], by at most min(before/10, 24 h, (L - before)/10) earlier than that, in whole
// seconds, and at the same time after a restart.
func TestTheRenewalKeepsItsBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	lifetimes := []time.Duration{time.Minute, time.Hour, day, 30 * day, 3650 * day}
	for range 1_000_000 {
		v := Validity{
			NotBefore: at(time.Duration(random.Int64N(1_000_000)) * time.Second),
			Serial:    strconv.FormatUint(random.Uint64(), 16),
		}
		granted := (1 + time.Duration(random.Int64N(int64(lifetimes[random.IntN(len(lifetimes))]/time.Second)))) * time.Second
		v.NotAfter = v.NotBefore.Add(granted)
		schedule := Schedule{Manual: random.IntN(2) == 0}
		switch random.IntN(3) {
		case 0:
			schedule.Before = (1 + time.Duration(random.Int64N(int64(2*granted/time.Second)))) * time.Second
		case 1:
			schedule.Percent = 1 + random.Int32N(89)
		}
		uid := strconv.FormatUint(random.Uint64(), 36)

		got, note := RenewAt(v, schedule, uid)
		before, _ := leadTime(granted, schedule)
		latest := v.NotAfter.Add(-before)
		most := min(before/10, day, (granted-before)/10) + time.Second // whole seconds
		switch {
		case got.Before(v.NotBefore), got.After(latest), latest.Sub(got) > most, got.Nanosecond() != 0:
			t.Fatalf("RenewAt(%+v, %+v) = %s, want at most %s before %s", v, schedule, got, most, latest)
		case before >= granted, before <= 0, (note != "") != (schedule.Before >= granted/10*9 && schedule.Before > 0):
			t.Fatalf("of %s granted, %+v gives %s before expiry, note %q", granted, schedule, before, note)
		}
		local := v
		local.NotBefore, local.NotAfter = v.NotBefore.Local(), v.NotAfter.In(time.FixedZone("x", 3600))
		if again, _ := RenewAt(local, schedule, uid); !again.Equal(got) {
			t.Fatalf("RenewAt(%+v, %+v) = %s, then %s", v, schedule, got, again)
		}
	}
}

// Somebody else allows less than was granted.
func TestACapBringsTheRenewalForward(t *testing.T) {
	granted := Validity{NotBefore: at(-10 * day), NotAfter: at(20 * day), Serial: "0A"}
	plain, _ := RenewAt(granted, Schedule{}, "uid-1")
	for name, test := range map[string]struct {
		cap      time.Duration
		since    time.Time
		from, to time.Time
	}{
		"none":                          {0, time.Time{}, plain, plain},
		"more than was granted":         {31 * day, at(0), plain, plain},
		"as much as was granted":        {30 * day, at(0), plain, plain},
		"not an hour less":              {30*day - 59*time.Minute, at(0), plain, plain},
		"as if it had been granted":     {18 * day, at(-day), at(day), at(2 * day)},
		"long over: from when it holds": {3 * day, at(-time.Hour), at(-time.Hour), at(23 * time.Hour)},
		"short: within a third of it":   {6 * time.Hour, at(0), at(0), at(2 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := RenewAt(granted, Schedule{Cap: test.cap, CapSince: test.since}, "uid-1")
			if got.Before(test.from) || got.After(test.to) {
				t.Errorf("it is renewed at %s, want %s to %s", got, test.from, test.to)
			}
			if again, _ := RenewAt(granted, Schedule{Cap: test.cap, CapSince: test.since}, "uid-1"); !again.Equal(got) {
				t.Error("another time the next time")
			}
		})
	}
	spread := map[time.Time]bool{}
	for i := range 100 {
		got, _ := RenewAt(granted, Schedule{Cap: 3 * day, CapSince: at(0)}, "uid-"+strconv.Itoa(i))
		spread[got.Truncate(time.Hour)] = true
	}
	if len(spread) < 20 {
		t.Errorf("a fleet is renewed in %d different hours", len(spread))
	}
}
