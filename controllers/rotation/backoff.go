// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"strconv"
	"time"
)

// Back-off of failed attempts.
const (
	backoffFirst = 5 * time.Second
	// CapSoon bounds the back-off where the cloud will likely recover by itself.
	CapSoon = 5 * time.Minute
	// CapLate bounds it where somebody has to act: a missing cluster, a missing
	// permission, an answer that cannot be used.
	CapLate = 30 * time.Minute
	// jitterPercent spreads attempts that failed together.
	jitterPercent = 20
)

// HoldOff is how long after its start an attempt without an outcome is waited for,
// since whoever made it may still be storing the certificate.
const HoldOff = 45 * time.Second

// Backoff says how long the failures-th failure in a row waits:
//
//	max(5 s, min(5 s · 2ⁿ, most, left/4)) ± 20 %, n = failures − 1
//
// where left is the time until the stored certificate expires; zero or less (none is
// stored, or it expired): the quarter rule does not count. The jitter depends on uid and failures alone.
func Backoff(failures int32, most, left time.Duration, uid string) time.Duration {
	delay := most
	if n := failures - 1; n >= 0 && n < 20 {
		delay = min(most, backoffFirst<<n)
	}
	if left > 0 {
		delay = min(delay, left/4)
	}
	delay = max(backoffFirst, delay)
	percent := int64(hashOf(uid, strconv.Itoa(int(failures)))%(2*jitterPercent+1)) - jitterPercent
	return (delay + delay/100*time.Duration(percent)).Truncate(time.Second)
}
