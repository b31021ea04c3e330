// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"cmp"
	"slices"
	"time"
)

// line keeps claims by expiry, the earliest first, ties by ID.
type line struct {
	claims []Claim
	expiry map[string]time.Time
	// expected says until when a claim asks again; one that does not is gone.
	expected map[string]time.Time
	// since says when a claim asked first.
	since map[string]time.Time
}

func compare(a, b Claim) int {
	return cmp.Or(a.Expiry.Compare(b.Expiry), cmp.Compare(a.ID, b.ID))
}

// put enters a claim, or moves it where its expiry has changed, and returns how many
// are before it.
func (l *line) put(now time.Time, claim Claim) int {
	if l.expiry == nil {
		l.expiry, l.expected, l.since = map[string]time.Time{}, map[string]time.Time{}, map[string]time.Time{}
	}
	known, waiting := l.expiry[claim.ID]
	switch {
	case claim.Expiry.IsZero() && waiting:
		claim.Expiry = known
	case claim.Expiry.IsZero():
		claim.Expiry = now
	}
	since, asked := l.since[claim.ID]
	if !asked {
		since = now
	}
	if waiting && !known.Equal(claim.Expiry) {
		l.remove(claim.ID)
		waiting = false
	}
	l.since[claim.ID] = since
	rank, _ := slices.BinarySearchFunc(l.claims, claim, compare)
	if !waiting {
		l.claims = slices.Insert(l.claims, rank, claim)
		l.expiry[claim.ID] = claim.Expiry
	}
	return rank
}

func (l *line) remove(id string) {
	expiry, waiting := l.expiry[id]
	if !waiting {
		return
	}
	if at, found := slices.BinarySearchFunc(l.claims, Claim{ID: id, Expiry: expiry}, compare); found {
		l.claims = slices.Delete(l.claims, at, at+1)
	}
	delete(l.expiry, id)
	delete(l.expected, id)
	delete(l.since, id)
}

// grace is how much later than it was told a claim may ask.
const grace = time.Minute

// expect notes when a claim was told to ask again.
func (l *line) expect(id string, at time.Time) {
	if _, waiting := l.expiry[id]; waiting {
		l.expected[id] = at.Add(grace)
	}
}

// prune removes claims from the head that were expected and did not come: they must
// not hold up those behind them.
func (l *line) prune(now time.Time) {
	for len(l.claims) > 0 {
		head := l.claims[0].ID
		if until, told := l.expected[head]; !told || !now.After(until) {
			return
		}
		l.remove(head)
	}
}

// first returns the ids of the first n claims.
func (l *line) first(n int) []string {
	n = min(max(n, 0), len(l.claims))
	ids := make([]string, n)
	for i, claim := range l.claims[:n] {
		ids[i] = claim.ID
	}
	return ids
}
