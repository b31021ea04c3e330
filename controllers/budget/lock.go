// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"maps"
	"time"
)

// lockTries is how many wrong secrets of one access key are tried within refusedProbe, whoever has written them. The cloud locks the
// key after more than five in a row, for everybody: so whoever knows its id, which is no secret, could have it locked.
const lockTries = 4

// lock is one access key, of which secrets were refused.
type lock struct{ refused []time.Time }

// lockOf returns the lock of an access key; nil: it has none.
func (b *Budget) lockOf(now time.Time, name string) *lock {
	if name == "" {
		return nil
	}
	known := b.locks[name]
	if known == nil {
		maps.DeleteFunc(b.locks, func(_ string, l *lock) bool { return l.count(now) == 0 })
		known = &lock{}
		b.locks[name] = known
	}
	return known
}

// note counts a refusal.
func (l *lock) note(now time.Time) {
	if l != nil {
		l.count(now)
		l.refused = append(l.refused, now)
	}
}

// count is how many refusals count now.
func (l *lock) count(now time.Time) int {
	for len(l.refused) > 0 && !l.refused[0].Add(refusedProbe).After(now) {
		l.refused = l.refused[1:]
	}
	return len(l.refused)
}

// until is until when no secret is tried that was never accepted; zero: one may be.
func (l *lock) until(now time.Time) time.Time {
	if l == nil || l.count(now) < lockTries {
		return time.Time{}
	}
	return l.refused[len(l.refused)-lockTries].Add(refusedProbe)
}
