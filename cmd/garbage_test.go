// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"runtime/debug"
	"testing"
)

func TestLessGarbageIsToleratedWhereMoreIsAlive(t *testing.T) {
	for alive, want := range map[uint64]int{0: 60, 5 << 20: 60, 20 << 20: 60, 32 << 20: 50, 64 << 20: 25, 1 << 40: 25} {
		if got := garbageFor(alive); got != want {
			t.Errorf("%d bytes: %d percent, want %d", alive, got, want)
		}
	}
}

func TestTheCollectorIsPacedUnlessSomebodyHasDecided(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	t.Setenv("GOGC", "77")
	paceGarbage(ended)
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("GOGC is set, and yet it is %d", got)
	}
	t.Setenv("GOGC", "")
	paceGarbage(ended)
	if got := debug.SetGCPercent(77); got < leastGarbage || got > mostGarbage {
		t.Errorf("%d percent", got)
	}
}
