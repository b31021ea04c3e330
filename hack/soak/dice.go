// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import "time"

// dice are a source of chance. Each object and each account has its own, so that what
// happens to it does not depend on how often anybody looked.
type dice uint64

// roll is the next number: splitmix64, which is short and good enough.
func (d *dice) roll() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// fork are new dice whose rolls have nothing to do with the others.
func (d *dice) fork() dice { return dice(d.roll()) }

// below is a number from 0 to n-1; 0 where n is not positive.
func (d *dice) below(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return int64(d.roll()>>1) % n // half of the numbers fit
}

// span is a duration below most.
func (d *dice) span(most time.Duration) time.Duration { return time.Duration(d.below(int64(most))) }

// one says yes once in n times.
func (d *dice) one(n int64) bool { return d.below(n) == 0 }
