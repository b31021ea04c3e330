// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// With "go test -timeout=2h ./hack/year -years=10" ten fleets live for a year.
var (
	years = flag.Int("years", 0, "how many fleets live for a year, each with a seed of its own; 0: short lives, for every day")
	lives = flag.Int("lives", 2, "how many fleets live a short life")
	short = flag.Int("days", 40, "how long a short life is")
	first = flag.Uint64("seed", 1, "the seed of the first")
	fleet = flag.Int("credentials", 20, "how many credentials a fleet has")
)

func TestMain(m *testing.M) {
	flag.Parse()
	debug.SetGCPercent(400) // a year makes much garbage, and keeps little
	ctrl.SetLogger(quiet)
	klog.SetLogger(quiet)
	os.Exit(m.Run())
}

// pass lets a world live for so long, and then comes a quiet week.
func (w *world) pass(length time.Duration) {
	w.begin()
	w.live(length, happenings())
	w.happen((*world).settle)
	w.live(6*day, nil)
	w.happen(func(w *world) { w.oracle.beginQuietDay() })
	w.live(day, nil)
	if !w.isBroken() {
		w.oracle.end()
	}
	w.leave()
}

// leave ends everything in the bubble.
func (w *world) leave() {
	if p := w.running(); p != nil {
		p.cancel()
		<-p.ended
	}
	_ = w.wire.Close()
	time.Sleep(10 * time.Minute) // by then whatever a killed process still does has failed
}

// Each fleet has a bubble of its own. TestMain has set the loggers before: what is made in one
// bubble cannot be used in another.
func TestTheWholeOperatorKeepsAFleetThroughHardTimes(t *testing.T) {
	fleets, length := *lives, time.Duration(*short)*day
	if *years > 0 {
		fleets, length = *years, 365*day
	}
	if fleets < 1 {
		t.Fatal("no fleet lives")
	}
	for seed := *first; seed < *first+uint64(fleets); seed++ {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, *fleet)
				w.pass(length)
				for _, promise := range w.broken[:min(len(w.broken), 5)] {
					t.Error(promise)
				}
				if len(w.broken) == 0 && w.tally.isPoor() {
					t.Error("too little has happened to show anything")
				}
				t.Logf("seed %d, %d credentials, 3 accounts, %d days and a quiet week: %s", seed, *fleet, length/day, w.tally)
			})
		})
	}
}
