// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
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
	runtime.GC()
	time.Sleep(50 * time.Millisecond) // a collector that were paced would be by then
	if got := tolerated(); got != 77 {
		t.Errorf("GOGC is set, and yet it is %d", got)
	}
	t.Setenv("GOGC", "")
	paceGarbage()
	if got := tolerated(); got != mostGarbage {
		t.Errorf("%d percent at first, want %d", got, mostGarbage)
	}
	much := make([]byte, 2*100*fairGarbage/leastGarbage)
	for begin := time.Now(); tolerated() != leastGarbage; time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d percent with %d bytes alive, want %d", tolerated(), len(much), leastGarbage)
		}
	}
	runtime.KeepAlive(much)
}

// tolerated is the percentage that the collector goes by.
func tolerated() uint64 {
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(percent)
	return percent[0].Value.Uint64()
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
