// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"slices"
	"time"
)

// window holds the calls of one account in order, by when they reached the cloud. It
// counts anew what the budget counts, in the plainest way.
type window struct {
	most  int
	times []time.Time
}

// add notes a call. It says whether no 60 seconds with it hold too many.
func (w *window) add(at time.Time) bool {
	if len(w.times) > 4*w.most+64 { // calls come in order, but for the seconds that one takes
		old, _ := slices.BinarySearchFunc(w.times, at.Add(-2*time.Minute), time.Time.Compare)
		w.times = slices.Delete(w.times, 0, old)
	}
	n, _ := slices.BinarySearchFunc(w.times, at, time.Time.Compare)
	w.times = slices.Insert(w.times, n, at)
	for i := max(0, n-w.most); i <= n && i+w.most < len(w.times); i++ {
		if w.times[i+w.most].Sub(w.times[i]) < time.Minute {
			return false
		}
	}
	return true
}
