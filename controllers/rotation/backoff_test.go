// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

func TestBackoffDoublesUntilItsCap(t *testing.T) {
	for name, test := range map[string]struct {
		failures   int32
		most, left time.Duration
		want       time.Duration // before the jitter
	}{
		"the first failure waits 5 s":                          {1, CapSoon, 0, 5 * time.Second},
		"the second twice as long":                             {2, CapSoon, 0, 10 * time.Second},
		"the third again":                                      {3, CapSoon, 0, 20 * time.Second},
		"the sixth is still below five minutes":                {6, CapSoon, 0, 160 * time.Second},
		"the seventh is capped":                                {7, CapSoon, 0, CapSoon},
		"the ninth is below half an hour":                      {9, CapLate, 0, 1280 * time.Second},
		"the tenth is capped at half an hour":                  {10, CapLate, 0, CapLate},
		"the hundredth does not overflow":                      {100, CapLate, 0, CapLate},
		"the last that can be counted does not overflow":       {math.MaxInt32, CapLate, 0, CapLate},
		"a quarter of the time that is left bounds it":         {10, CapLate, 40 * time.Minute, 10 * time.Minute},
		"the quarter does not lengthen it":                     {1, CapLate, 720 * time.Hour, 5 * time.Second},
		"a few seconds left still leave five between attempts": {10, CapLate, 8 * time.Second, 5 * time.Second},
		"an expired certificate knows no quarter":              {10, CapLate, -time.Hour, CapLate},
		"nothing stored knows no quarter":                      {10, CapLate, 0, CapLate},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 200 {
				got := Backoff(test.failures, test.most, test.left, "uid-"+strconv.Itoa(i))
				low, high := test.want*8/10-time.Second, test.want*12/10
				if got < low || got > high || got < 4*time.Second {
					t.Fatalf("got %s, want %s ± 20 %%", got, test.want)
				}
			}
		})
	}
}

func TestBackoffIsSpreadOverObjectsAndFailures(t *testing.T) {
	byObject, byFailure := map[time.Duration]int{}, map[time.Duration]int{}
	for i := range 1000 {
		byObject[Backoff(7, CapSoon, 0, "uid-"+strconv.Itoa(i))]++
		byFailure[Backoff(int32(7+i), CapSoon, 0, "uid-1")]++
	}
	for what, got := range map[string]map[time.Duration]int{"objects": byObject, "failures": byFailure} {
		if len(got) != 2*jitterPercent+1 {
			t.Errorf("%s: %d different delays, want one for every percent from -20 to 20", what, len(got))
		}
		for delay, count := range got {
			if count > 100 {
				t.Errorf("%s: %d of 1000 wait %s", what, count, delay)
			}
		}
	}
}

// Whatever is asked, the delay is max(5 s, min(5 s · 2ⁿ, most, left/4)) ± 20 %, in
// whole seconds, and the same when it is asked again.
func TestBackoffKeepsItsBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1_000_000 {
		failures := 1 + random.Int32N(40)
		most := []time.Duration{CapSoon, CapLate}[random.IntN(2)]
		left := time.Duration(random.Int64N(int64(60*time.Hour))) - 10*time.Hour
		uid := strconv.FormatUint(random.Uint64(), 36)

		base := min(float64(5*time.Second)*math.Pow(2, float64(failures-1)), float64(most))
		if left > 0 {
			base = min(base, float64(left)/4)
		}
		base = max(base, float64(5*time.Second))
		got := Backoff(failures, most, left, uid)
		if float64(got) < 0.8*base-float64(time.Second) || float64(got) > 1.2*base || got < 4*time.Second || got%time.Second != 0 {
			t.Fatalf("Backoff(%d, %s, %s, %q) = %s, want %s ± 20 %%", failures, most, left, uid, got, time.Duration(base))
		}
		if again := Backoff(failures, most, left, uid); again != got {
			t.Fatalf("Backoff(%d, %s, %s, %q) = %s, then %s", failures, most, left, uid, got, again)
		}
	}
}
