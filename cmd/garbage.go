// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage is tolerated: so many bytes, within bounds that are a share of what is alive. Most of what is alive is cache, and
// what is tolerated comes on top of it.
const (
	fairGarbage  = 16 << 20
	mostGarbage  = 50 // percent of what is alive
	leastGarbage = 25 // below this, collecting costs more than it frees
)

// garbageFor is the percentage for a heap of which so many bytes are alive.
func garbageFor(alive uint64) int {
	fair := 100 * float64(fairGarbage) / max(1, float64(alive))
	return int(max(leastGarbage, min(mostGarbage, fair)))
}

// profileMemory is for the beginning: the runtime notes where memory comes from, in one or two megabytes, and where no profiles are served
// nobody sees it.
func profileMemory(wanted bool) {
	if !wanted {
		runtime.MemProfileRate = 0
	}
}

// paceGarbage has the collector adjusted from now on. Whoever sets GOGC has decided.
func paceGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	adjustCollector()
	afterEachCollection(adjustCollector)
}

func adjustCollector() {
	found := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}} // the first as the last collection has found it
	metrics.Read(found)
	// It stops everything for a moment.
	if percent := garbageFor(found[0].Value.Uint64()); uint64(percent) != found[1].Value.Uint64() { //nolint:gosec // at least 25
		debug.SetGCPercent(percent)
	}
}

// afterEachCollection does something after each collection of garbage: that is when what nobody refers to is cleaned up.
func afterEachCollection(do func()) {
	nobodys := &struct{ pointer *int }{} // with a pointer, or it would be kept together with others
	runtime.AddCleanup(nobodys, func(do func()) {
		afterEachCollection(do)
		do()
	}, do)
}
