// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import "time"

// notes are what the oracle remembers of one object. Kills do not touch them.
type notes struct {
	asked, obtained time.Time              // the stored certificate: when its pass began, and ended
	judged          bool                   // whether its expiry was judged
	repairs         [freeRepairs]time.Time // the last free ones, oldest first
	discards        [discards]time.Time    // the last ones, oldest first

	failures   int       // in a row
	failedAt   time.Time // when the last pass began that failed
	failedLeft time.Duration
	failedBy   mood
	unknown    time.Time // when the last attempt began whose outcome is unknown

	hour  time.Time // since when looks are counted
	looks int
}

// within says whether something that was is less than a span ago.
func within(at time.Time, span time.Duration, now time.Time) bool { return at.Add(span).After(now) }

// leastWait is the back-off of the contract less its jitter and the second that is cut off.
func (n *notes) leastWait() time.Duration {
	if n.failures == 0 || n.failedBy == throttling {
		return 0 // after a 429 the account waits
	}
	wait := 5 * time.Minute
	if n.failures < 7 {
		wait = 5 * time.Second << (n.failures - 1)
	}
	if n.failedLeft > 0 {
		wait = min(wait, n.failedLeft/4)
	}
	return max(5*time.Second, wait)*8/10 - time.Second
}

// mostWait is the back-off of the contract at its longest, and a hold-off.
func (n *notes) mostWait() time.Duration {
	wait := min(30*time.Minute, n.failedLeft/4)
	return max(holdOff+2*time.Second, max(5*time.Second, wait)*12/10+time.Second)
}
