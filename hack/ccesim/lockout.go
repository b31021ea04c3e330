// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"sync"
	"time"
)

const (
	// maxFailures is how many consecutive failures an access key survives; the
	// next one locks it (API Request Signing Guide, APIG.0301).
	maxFailures = 5
	lockTime    = 5 * time.Minute
)

// lockout locks access keys that fail too often, for all who use them.
type lockout struct {
	mu   sync.Mutex
	keys map[string]*failures
}

type failures struct {
	inARow      int
	lockedUntil time.Time
}

func newLockout() *lockout { return &lockout{keys: map[string]*failures{}} }

func (l *lockout) locked(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.keys[key]
	return ok && now.Before(f.lockedUntil)
}

func (l *lockout) failed(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.keys[key]
	if !ok {
		f = &failures{}
		l.keys[key] = f
	}
	if f.inARow++; f.inARow > maxFailures {
		*f = failures{lockedUntil: now.Add(lockTime)}
	}
}

func (l *lockout) succeeded(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.keys, key)
}
