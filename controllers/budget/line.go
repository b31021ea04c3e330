// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"cmp"
	"slices"
	"time"
)

// line keeps claims in their order: by class, then by round, then by expiry, ties by ID.
type line struct {
	claims []place
	places map[string]place
	rounds rounds
	// expected says until when a claim asks again; one that does not is gone.
	expected map[string]time.Time
	// since says when a claim asked first.
	since map[string]time.Time
}

// place is a claim with its round.
type place struct {
	Claim
	round int
}

func compare(a, b place) int {
	return cmp.Or(
		cmp.Compare(a.Class, b.Class), cmp.Compare(a.round, b.round), a.Expiry.Compare(b.Expiry), cmp.Compare(a.ID, b.ID))
}

// put enters a claim, or moves it where its class or its expiry has changed, and returns
// how many are before it.
func (l *line) put(now time.Time, claim Claim) int {
	if l.places == nil {
		l.places, l.expected, l.since = map[string]place{}, map[string]time.Time{}, map[string]time.Time{}
	}
	known, waiting := l.places[claim.ID]
	switch {
	case claim.Expiry.IsZero() && waiting:
		claim.Expiry = known.Expiry
	case claim.Expiry.IsZero():
		claim.Expiry = now
	}
	since, asked := l.since[claim.ID]
	if !asked {
		since = now
	}
	p := place{Claim: claim, round: known.round}
	if waiting && compare(known, p) == 0 {
		l.claims[l.rank(p)].Change = p.Change
		l.places[claim.ID] = p
		return l.rank(p)
	}
	if waiting {
		l.remove(claim.ID)
	}
	if !waiting || known.Class != claim.Class || known.Late != claim.Late {
		p.round = l.rounds.enter(claim)
	}
	l.since[claim.ID] = since
	l.claims = slices.Insert(l.claims, l.rank(p), p)
	l.places[claim.ID] = p
	return l.rank(p)
}

// rank is how many are before a place.
func (l *line) rank(p place) int {
	rank, _ := slices.BinarySearchFunc(l.claims, p, compare)
	return rank
}

// grant takes a claim out that got its turn.
func (l *line) grant(id string) {
	l.rounds.serve(l.places[id])
	l.remove(id)
}

func (l *line) remove(id string) {
	p, waiting := l.places[id]
	if !waiting {
		return
	}
	if at, found := slices.BinarySearchFunc(l.claims, p, compare); found {
		l.claims = slices.Delete(l.claims, at, at+1)
	}
	delete(l.places, id)
	delete(l.expected, id)
	delete(l.since, id)
}

// grace is how much later than it was told a claim may ask.
const grace = time.Minute

// expect notes when a claim was told to ask again.
func (l *line) expect(id string, at time.Time) {
	if _, waiting := l.places[id]; waiting {
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

// changes returns the ids of those that follow from a change, up to a class, and that come when they are expected.
func (l *line) changes(now time.Time, most Class) []string {
	var ids []string
	for _, p := range l.claims {
		if p.Class > most {
			break
		}
		if p.Change && !now.After(l.expected[p.ID]) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// first returns the ids of the first n claims.
func (l *line) first(n int) []string {
	n = min(max(n, 0), len(l.claims))
	ids := make([]string, n)
	for i, p := range l.claims[:n] {
		ids[i] = p.ID
	}
	return ids
}
