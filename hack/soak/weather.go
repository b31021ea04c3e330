// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"slices"
	"time"
)

// mood is how a cloud answers.
type mood int

const (
	fine       mood = iota
	silent          // no connection: nothing was asked for
	failing         // 5xx, or no answer: a certificate may exist
	throttling      // 429
	forbidden       // 403
	bad             // a certificate that cannot be published
	moods
)

// storm is a time in which a cloud answers in one way that is not fine.
type storm struct {
	from, to time.Time
	mood     mood
}

// weather are the storms over one account, in order, never two at a time.
type weather []storm

// newWeather draws storms of random lengths until end. Most are short, some take as
// long as they may.
func newWeather(d dice, p plan) weather {
	var w weather
	for at := began.Add(p.calm / 4); ; {
		at = at.Add(time.Minute + d.span(2*p.calm))
		if !at.Before(began.Add(p.length)) {
			return w
		}
		length := time.Minute + d.span(p.longest/8)
		if d.one(8) {
			length = d.span(p.longest)
		}
		w = append(w, storm{at, at.Add(length), silent + mood(d.below(int64(forbidden)))})
		at = at.Add(length)
	}
}

// latest is the last storm that began before a time; a zero one: there was none.
func (w weather) latest(at time.Time) storm {
	n, _ := slices.BinarySearchFunc(w, at, func(s storm, t time.Time) int { return s.from.Compare(t) })
	if n == 0 {
		return storm{}
	}
	return w[n-1]
}

// now is how the cloud answers at a time.
func (w weather) now(at time.Time) mood {
	if s := w.latest(at); at.Before(s.to) {
		return s.mood
	}
	return fine
}
