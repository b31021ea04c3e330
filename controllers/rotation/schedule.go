// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"fmt"
	"hash/fnv"
	"time"
)

// Schedule is what a ClusterCredential says of its renewal.
type Schedule struct {
	// Before is how long before expiry; zero: Percent counts.
	Before time.Duration
	// Percent is Before as a share of the granted lifetime, 1 to 89; zero: one third.
	Percent int32
	// Manual: expiry alone asks for nothing.
	Manual bool
	// Windows are when it may be renewed for expiry; none: always.
	Windows []Window
	// Cap is the longest validity that somebody else allows, since CapSince; zero: nobody does. A certificate that is valid for
	// longer is renewed sooner.
	Cap      time.Duration
	CapSince time.Time
	// AskedAt is when the certificate was asked for: the cap counts from then, where the cloud has dated it back. Zero: from its
	// NotBefore.
	AskedAt time.Time
}

// CapSlack is by how much a certificate may be valid for longer than allowed: the cloud rounds.
func CapSlack(allowed time.Duration) time.Duration { return min(time.Hour, allowed/10) }

// mostBackdated is by how much the cloud may date a certificate back.
const mostBackdated = time.Hour

// begin is when the validity began that a cap is held against.
func (s Schedule) begin(v Validity) time.Time {
	if s.AskedAt.Before(v.NotBefore) || s.AskedAt.After(v.NotBefore.Add(mostBackdated)) {
		return v.NotBefore
	}
	return s.AskedAt
}

// IsOverCap says whether a certificate is valid for longer than is allowed.
func (s Schedule) IsOverCap(v Validity) bool {
	return s.Cap > 0 && v.NotAfter.Sub(s.begin(v)) > s.Cap+CapSlack(s.Cap)
}

// Validity is the granted validity of a certificate.
type Validity struct {
	NotBefore, NotAfter time.Time
	// Serial is the certificate's serial number; it spreads renewals.
	Serial string
}

// maxSpread bounds how much earlier than Before a renewal is spread.
const maxSpread = 24 * time.Hour

// RenewAt says when the certificate is renewed if no windows hold that back, in whole
// seconds, and a note for the user where Before does not fit the granted lifetime; empty
// otherwise. It depends on its arguments alone, so that it is the same after a restart. It is
// never after NotAfter - before and never before NotBefore.
func RenewAt(v Validity, s Schedule, uid string) (at time.Time, note string) {
	lifetime := v.NotAfter.Sub(v.NotBefore)
	before, note := leadTime(lifetime, s)
	spread := spreadOf(uid, v.Serial, min(before/10, maxSpread, (lifetime-before)/10))
	at = v.NotAfter.Add(-before - spread).Truncate(time.Second)
	if s.IsOverCap(v) {
		if sooner := underCap(v, s, uid); sooner.Before(at) {
			return sooner, note
		}
	}
	return at, note
}

// underCap is when a certificate would be renewed that is valid for as long as is allowed; where that was before it became so,
// the renewals are spread over the time after that.
func underCap(v Validity, s Schedule, uid string) time.Time {
	most, since, begin := s.Cap, s.CapSince, s.begin(v)
	s.Cap = 0
	at, _ := RenewAt(Validity{NotBefore: begin, NotAfter: begin.Add(most), Serial: v.Serial}, s, uid)
	if at.Before(since) {
		at = slotAfter(since, spreadOf(uid, v.Serial, min(most/3, maxSpread)), min(most/3, maxSpread))
	}
	return at
}

// slotAfter is the next of the times that come once in every period, at an offset from its beginning. They do not move with since, so
// that nobody puts a renewal off who changes a cap again.
func slotAfter(since time.Time, offset, period time.Duration) time.Time {
	slot := since.Truncate(period).Add(offset)
	if slot.Before(since) {
		slot = slot.Add(period)
	}
	return slot.Truncate(time.Second)
}

// leadTime is how long before expiry the renewal is due at the latest.
func leadTime(lifetime time.Duration, s Schedule) (time.Duration, string) {
	third := lifetime / 3
	switch {
	case s.Before > 0 && s.Before >= lifetime/10*9:
		return third, fmt.Sprintf("spec.renewal.before is %s, but the certificate was granted for %s only: it is renewed %s before expiry; write a smaller before or a longer validity",
			s.Before, lifetime, third.Round(time.Second))
	case s.Before > 0:
		return s.Before, ""
	case s.Percent > 0:
		return lifetime / 100 * time.Duration(s.Percent), ""
	default:
		return third, ""
	}
}

// spreadOf is a hash of uid and serial modulo most: equal inputs, equal spread.
func spreadOf(uid, serial string, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(hashOf(uid, serial) % uint64(most)).Truncate(time.Second) //nolint:gosec // below most
}

func hashOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part)) // a hash never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
