// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"sync"
	"time"
)

const limitWindow = time.Minute

// limiter allows a number of writes in any window of 60 s for each account.
// Refused ones count too (measured on the real API), so a client that hammers
// never gets through.
type limiter struct {
	mu       sync.Mutex
	limit    int // 0: none
	accounts map[string]*recentWrites
}

// recentWrites is a ring of the times of the last limit writes.
type recentWrites struct {
	times []time.Time
	next  int
}

func newLimiter(limit int) *limiter {
	return &limiter{limit: limit, accounts: map[string]*recentWrites{}}
}

func (l *limiter) reset(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit, l.accounts = limit, map[string]*recentWrites{}
}

// allow counts a write and reports whether it may go through.
func (l *limiter) allow(account string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit == 0 {
		return true
	}
	w, ok := l.accounts[account]
	if !ok {
		w = &recentWrites{times: make([]time.Time, l.limit)}
		l.accounts[account] = w
	}
	// The slot to overwrite holds the write that came limit writes ago.
	oldest := w.times[w.next]
	w.times[w.next] = now
	w.next = (w.next + 1) % l.limit
	return oldest.IsZero() || now.Sub(oldest) >= limitWindow
}
