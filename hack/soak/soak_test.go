// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const year = 365 * day

// rounds is for "make soak".
var rounds = flag.Uint64("rounds", 1, "how many times as many fleets are tried")

// small is a fleet in hard times: all that can go wrong, much of the time.
func small(seed uint64) plan {
	return plan{
		seed: seed, objects: 200, accounts: 5, length: year, perMinute: 30, floor: 10 * time.Minute,
		lifetimes: []time.Duration{6 * time.Hour, day, 30 * day, 30 * day, 90 * day},
		calm:      5 * day, longest: day, refusals: 30, shortened: 20, losses: 50, loseWithin: 2 * day,
		kills: 5 * day, down: 6 * time.Hour,
	}
}

// crowded is a fleet of short certificates that uses the whole pace of its accounts.
func crowded(seed uint64) plan {
	p := small(seed)
	p.objects, p.accounts, p.perMinute, p.length = 60, 2, 4, 20*day
	p.lifetimes = []time.Duration{time.Hour}
	p.kills = day
	return p
}

// decade is a fleet in bad, but usual times, for long.
func decade(seed uint64) plan {
	p := small(seed)
	p.objects, p.length, p.perMinute = 10_000, 10*year, 120
	p.lifetimes = []time.Duration{30 * day, 90 * day, 365 * day, 1826 * day, 1826 * day}
	p.calm, p.longest, p.kills, p.down = 60*day, 3*day, 15*day, 12*time.Hour
	p.refusals, p.losses, p.loseWithin = 50, 100, 30*day
	return p
}

func soak(t *testing.T, p plan) *world {
	t.Helper()
	w := newWorld(p, realRules())
	if err := w.run(); err != nil {
		t.Fatal(err)
	}
	if n := w.tally; n.certificates < 10_000 || n.refusals < 1000 || n.kills == 0 || n.lost == 0 || n.storms == 0 {
		t.Fatalf("seed %d: too little to have shown anything: %s", p.seed, n)
	}
	return w
}

func TestTenYearsOfAFleet(t *testing.T) {
	t.Parallel()
	for seed := range *rounds {
		t.Log(soak(t, decade(1+seed)).tally)
	}
}

func TestFleetsInHardTimes(t *testing.T) {
	t.Parallel()
	for seed := range 3 * *rounds {
		t.Log(soak(t, small(seed)).tally)
		t.Log(soak(t, crowded(seed)).tally)
	}
}

// Most looks are hourly ones at objects at rest. Here every one is made, and must change nothing.
func TestLooksThatAreSkippedWouldHaveChangedNothing(t *testing.T) {
	t.Parallel()
	for _, p := range []plan{small(10), crowded(10), crowded(11)} {
		p.keep = true
		skipped := soak(t, p)
		p.everyLook = true
		every := soak(t, p)
		if !slices.Equal(every.kept, skipped.kept) {
			for i := range min(len(every.kept), len(skipped.kept)) {
				if diff := cmp.Diff(every.kept[i], skipped.kept[i]); diff != "" {
					t.Fatalf("seed %d, certificate %d (-every look +some skipped):\n%s", p.seed, i, diff)
				}
			}
			t.Fatalf("seed %d: %d certificates, and %d where looks are skipped", p.seed, len(every.kept), len(skipped.kept))
		}
		t.Logf("seed %d: the same %d certificates with %d looks as with %d", p.seed, len(every.kept), skipped.tally.looks, every.tally.looks)
	}
}
