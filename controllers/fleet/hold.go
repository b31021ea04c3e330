// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"sync"
	"time"
)

// Window is the time over which changes are counted.
const Window = time.Hour

// Bounds of what is no mass change.
const (
	fewest  = 5  // credentials within Window, however small the fleet
	onePart = 50 // of the fleet: 2 %
)

// Most is how many of a fleet may change within Window.
func Most(size int) int { return max(fewest, size/onePart) }

// Hold counts the credentials that have asked for a certificate which was neither a first
// one, nor due, nor requested. The zero value has counted nothing. It is safe for
// concurrent use.
type Hold struct {
	mu sync.Mutex
	// asked is when a credential last asked, by its id; asking has those whose answer is
	// not there yet.
	asked  map[string]time.Time
	asking map[string]bool
}

// Note counts a credential that has asked at that time.
func (h *Hold) Note(id string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note(id, at)
}

func (h *Hold) note(id string, at time.Time) {
	if h.asked == nil {
		h.asked = map[string]time.Time{}
	}
	if at.After(h.asked[id]) {
		h.asked[id] = at
	}
}

// Holds says whether a credential has to wait, since most others have asked within
// Window, or will, as those before it. until is when the first of those leaves it, so not
// before then; zero: not known.
func (h *Hold) Holds(now time.Time, id string, most int, before ...string) (held bool, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holds(now, id, most, before)
}

func (h *Hold) holds(now time.Time, id string, most int, before []string) (held bool, until time.Time) {
	h.prune(now)
	_, counted := h.asked[id]
	if counted || h.asking[id] {
		return false, time.Time{} // it counts already: another try makes no other number
	}
	others := len(h.asked)
	for other := range h.asking {
		if _, counted := h.asked[other]; !counted {
			others++
		}
	}
	for _, other := range before {
		if _, counted := h.asked[other]; !counted && !h.asking[other] {
			others++
		}
	}
	if others < most {
		return false, time.Time{}
	}
	for _, at := range h.asked {
		if end := at.Add(Window); until.IsZero() || end.Before(until) {
			until = end
		}
	}
	return true, until
}

// prune forgets what has left the window. What lies ahead of the clock leaves it too: the
// clock was wrong.
func (h *Hold) prune(now time.Time) {
	for id, at := range h.asked {
		if now.Sub(at) >= Window || at.Sub(now) > Window {
			delete(h.asked, id)
		}
	}
}

// Begin is called before a credential asks; false: it has to wait after all. End must follow.
func (h *Hold) Begin(now time.Time, id string, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held, _ := h.holds(now, id, most, nil); held {
		return false
	}
	if h.asking == nil {
		h.asking = map[string]bool{}
	}
	h.asking[id] = true
	return true
}

// End is called once the answer is there. issued says that a certificate was, or may have
// been, issued: what failed changed nothing, and keeps nobody waiting.
func (h *Hold) End(now time.Time, id string, issued bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.asking, id)
	if issued {
		h.note(id, now)
	}
}
