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
}

func compare(a, b Claim) int {
	return cmp.Or(a.Expiry.Compare(b.Expiry), cmp.Compare(a.ID, b.ID))
}

// put enters a claim, or moves it where its expiry has changed, and returns how many
// are before it.
func (l *line) put(now time.Time, claim Claim) int {
	if l.expiry == nil {
		l.expiry = map[string]time.Time{}
	}
	known, waiting := l.expiry[claim.ID]
	switch {
	case claim.Expiry.IsZero() && waiting:
		claim.Expiry = known
	case claim.Expiry.IsZero():
		claim.Expiry = now
	}
	if waiting && !known.Equal(claim.Expiry) {
		l.remove(claim.ID)
		waiting = false
	}
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
