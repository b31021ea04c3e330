// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much garbage is tolerated: so many bytes, within bounds that are a share of what is alive. Most of what is alive is cache, and
// what is tolerated comes on top of it.
const (
	fairGarbage  = 16 << 20
	mostGarbage  = 60 // percent of what is alive
	leastGarbage = 25 // below this, collecting costs more than it frees
)

// How often it is looked at what is alive: a start doubles it within a second or two, and at rest it stays what it is.
const (
	paceOften  = 500 * time.Millisecond
	paceSeldom = 10 * time.Second
)

// garbageFor is the percentage for a heap of which so many bytes are alive.
func garbageFor(alive uint64) int {
	fair := 100 * float64(fairGarbage) / max(1, float64(alive))
	return int(max(leastGarbage, min(mostGarbage, fair)))
}

// profileMemory is for the beginning: the runtime notes where memory comes from, in two megabytes, and where no profiles are served
// nobody sees it.
func profileMemory(wanted bool) {
	if !wanted {
		runtime.MemProfileRate = 0
	}
}

// paceGarbage adjusts the collector until ctx ends. Whoever sets GOGC has decided.
func paceGarbage(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	set, pause := 0, paceOften
	for {
		metrics.Read(alive)
		pause = min(2*pause, paceSeldom)
		if percent := garbageFor(alive[0].Value.Uint64()); percent != set {
			debug.SetGCPercent(percent)
			set, pause = percent, paceOften
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
