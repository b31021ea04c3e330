// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestLessGarbageIsToleratedWhereMoreIsAlive(t *testing.T) {
	for alive, want := range map[uint64]int{0: 50, 5 << 20: 50, 20 << 20: 50, 32 << 20: 50, 64 << 20: 25, 1 << 40: 25} {
		if got := garbageFor(alive); got != want {
			t.Errorf("%d bytes: %d percent, want %d", alive, got, want)
		}
	}
}

func TestTheCollectorIsPacedUnlessSomebodyHasDecided(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	t.Setenv("GOGC", "77")
	paceGarbage()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("GOGC is set, and yet it is %d", got)
	}
	adjustCollector()
	if got := debug.SetGCPercent(77); got < leastGarbage || got > mostGarbage {
		t.Errorf("%d percent", got)
	}
}

func TestSomethingIsDoneAfterEachCollection(t *testing.T) {
	done, ended := make(chan bool), make(chan struct{})
	defer close(ended)
	afterEachCollection(func() {
		select {
		case done <- true:
		case <-ended:
		}
	})
	for range 3 {
		runtime.GC()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing is done")
		}
	}
}
