// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// tally is what happened in a world.
type tally struct {
	posts, minted, stored, discarded, unknown, gone int
	triggers                                        map[string]int
	faults                                          map[string]int
	outages, kills, stops, losses, changes          int
	wishes, keys, removals, troubles                int
	apiErrors, spoiled, conflicts, looks, busiest   int
	down                                            time.Duration // of the cloud
	writes                                          map[string]int
	excused                                         map[string]int // certificates that expired
	quietWrites                                     int
}

func newTally() tally {
	return tally{triggers: map[string]int{}, faults: map[string]int{}, writes: map[string]int{}, excused: map[string]int{}}
}

func (w *world) count(change func(*tally)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.tally)
}

// isPoor says whether too little has happened for a life without a finding to show anything.
func (t tally) isPoor() bool {
	hardships := []int{t.outages, t.kills / 5, t.stops, t.losses, t.changes / 5, t.wishes, t.removals, t.spoiled / 5, total(t.faults) / 20}
	fates := []int{t.stored / 50, t.discarded, t.unknown}
	return slices.Contains(append(hardships, fates...), 0)
}

// String tells it in the words of a log.
func (t tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls, %d certificates: %d stored, %d told as Discarded, %d as Unknown, %d gone with their object; ",
		t.posts, t.minted, t.stored, t.discarded, t.unknown, t.gone)
	fmt.Fprintf(&b, "calls by trigger: %s\n\t%d outages (%s), %d kinds of faults hit %d calls, %d kills, %d stops, ",
		list(t.triggers), t.outages, t.down.Round(time.Hour), len(t.faults), total(t.faults), t.kills, t.stops)
	fmt.Fprintf(&b, "%d Secrets lost, %d changes of spec, %d requests to renew, %d keys changed, %d objects deleted and made anew, ",
		t.losses, t.changes, t.wishes, t.keys, t.removals)
	fmt.Fprintf(&b, "%d troubles of the API server with %d errors, %d writes of Secrets failed, %d conflicts\n\t%d passes, at most %d an hour and object; ",
		t.troubles, t.apiErrors, t.spoiled, t.conflicts, t.looks, t.busiest)
	fmt.Fprintf(&b, "writes: %s; of them on the last quiet day: %d\n", list(t.writes), t.quietWrites)
	fmt.Fprintf(&b, "\texpired without a way: %d (%s)", total(t.excused), list(t.excused))
	return b.String()
}

func list(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}
