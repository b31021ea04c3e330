// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// ask lets a credential ask for a certificate, and says whether it might.
func ask(h *Hold, now time.Time, id string, most int) bool {
	if held, _ := h.Holds(now, id, most); held {
		return false
	}
	if !h.Begin(now, id, most) {
		return false
	}
	h.End(now, id, true)
	return true
}

func TestMostIsFiveOrTwoPercent(t *testing.T) {
	for size, want := range map[int]int{0: 5, 1: 5, 250: 5, 299: 5, 300: 6, 1000: 20, 10_000: 200} {
		if got := Most(size); got != want {
			t.Errorf("of %d at most %d may change, want %d", size, got, want)
		}
	}
}

func TestWhoComesAfterTheMostWaitsUntilTheFirstLeavesTheWindow(t *testing.T) {
	h := &Hold{}
	for i := range 5 {
		if !ask(h, noon.Add(time.Duration(i)*time.Minute), fmt.Sprint(i), 5) {
			t.Fatalf("number %d is held", i)
		}
	}
	now := noon.Add(5 * time.Minute)
	held, until := h.Holds(now, "late", 5)
	if !held || !until.Equal(noon.Add(Window)) {
		t.Errorf("held %v until %s, want until %s", held, until, noon.Add(Window))
	}
	if ask(h, until.Add(-time.Second), "late", 5) {
		t.Error("it was let go a second too early")
	}
	if !ask(h, until, "late", 5) {
		t.Error("it was not let go")
	}
	if ask(h, until, "later", 5) {
		t.Error("one place let two go")
	}
}

func TestWhoCountsAlreadyIsNotHeld(t *testing.T) {
	h := &Hold{}
	for i := range 5 {
		ask(h, noon, fmt.Sprint(i), 5)
	}
	if !ask(h, noon.Add(time.Minute), "3", 5) {
		t.Error("its second change within the hour is held, though the number of changed ones stays")
	}
}

func TestWhatFailedKeepsNobodyWaiting(t *testing.T) {
	h := &Hold{}
	for i := range 20 {
		if !h.Begin(noon, fmt.Sprint(i), 5) {
			t.Fatalf("number %d is held by attempts that failed", i)
		}
		h.End(noon, fmt.Sprint(i), false)
	}
}

func TestThoseUnderWayCount(t *testing.T) {
	h := &Hold{}
	for i := range 5 {
		h.Begin(noon, fmt.Sprint(i), 5)
	}
	if h.Begin(noon, "more", 5) {
		t.Error("six are under way")
	}
	if held, until := h.Holds(noon, "more", 5); !held || !until.IsZero() {
		t.Errorf("held %v until %s, want held until nobody knows when", held, until)
	}
	h.End(noon, "2", false)
	if !h.Begin(noon, "more", 5) {
		t.Error("the place of one that failed stays taken")
	}
}

func TestThoseBeforeCountOnce(t *testing.T) {
	h := &Hold{}
	h.Note("asked", noon)
	h.Begin(noon, "asking", 5)
	before := []string{"asked", "asking", "1", "2"}
	if held, _ := h.Holds(noon, "late", 5, before...); held {
		t.Error("four are before it, and it is held")
	}
	held, until := h.Holds(noon, "late", 4, before...)
	if !held || !until.Equal(noon.Add(Window)) {
		t.Errorf("four are before it: held %v until %s", held, until)
	}
	if held, _ := h.Holds(noon, "asked", 1, before...); held {
		t.Error("one that counts already is held")
	}
}

func TestAClockThatWasAheadHoldsNobodyForLong(t *testing.T) {
	h := &Hold{}
	for i := range 5 {
		h.Note(fmt.Sprint(i), noon.Add(24*time.Hour))
	}
	if !ask(h, noon, "x", 5) {
		t.Error("held until tomorrow")
	}
}

// Whatever the order of things, no hour sees more than the most.
func TestNoHourSeesMoreThanTheMost(t *testing.T) {
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 1))
		h, now, most := &Hold{}, noon, 1+dice.IntN(8)
		type change struct {
			id string
			at time.Time
		}
		var changes []change
		for range 500 {
			now = now.Add(time.Duration(dice.IntN(600)) * time.Second)
			id := fmt.Sprint(dice.IntN(30))
			if ask(h, now, id, most) {
				changes = append(changes, change{id, now})
			}
		}
		if len(changes) < 10*most {
			t.Fatalf("seed %d: %d changes only: nothing is shown", seed, len(changes))
		}
		for i, first := range changes {
			seen := map[string]bool{}
			for _, c := range changes[i:] {
				if c.at.Sub(first.at) < Window {
					seen[c.id] = true
				}
			}
			if len(seen) > most {
				t.Fatalf("seed %d: %d credentials changed within an hour from %s, want at most %d", seed, len(seen), first.at, most)
			}
		}
	}
}
