// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"testing"
	"time"
)

// crowded is a budget with n claims in line and one turn left for who is before all of them.
func crowded(b *testing.B, n int) (*Budget, Account) {
	b.Helper()
	budget, who := New(start.Add(-time.Hour), 2), unlimited("a")
	budget.Report(start, who, Outcome{Answered: true}) // before that, one is out at a time
	for _, id := range []string{"out", "back"} {
		if got := budget.Ask(start, who, Claim{ID: id}); got.Hold != None {
			b.Fatalf("got %+v, want a turn", got)
		}
	}
	for i := range n {
		if got := budget.Ask(start, who, Claim{ID: waiting(i), Expiry: after(time.Duration(i) * time.Hour)}); got.Hold != Line {
			b.Fatalf("got %+v, want a place in line", got)
		}
	}
	budget.Return(start, who, "back", Outcome{Posted: true, Answered: true})
	return budget, who
}

func waiting(i int) string { return fmt.Sprintf("waiting %05d", i) }

// BenchmarkAskAndReturn is a turn for a claim that is more urgent than all in line.
func BenchmarkAskAndReturn(b *testing.B) {
	for _, n := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			budget, who := crowded(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if got := budget.Ask(start, who, Claim{ID: "x", Class: Urgent}); got.Hold != None {
					b.Fatalf("got %+v, want a turn", got)
				}
				budget.Return(start, who, "x", Outcome{Posted: true, Answered: true})
			}
		})
	}
}

// BenchmarkAskAgain is a claim that stands in line and asks whether it is its turn.
func BenchmarkAskAgain(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			budget, who := crowded(b, n)
			last := Claim{ID: waiting(n - 1), Expiry: after(time.Duration(n-1) * time.Hour)}
			b.ReportAllocs()
			for b.Loop() {
				if got := budget.Ask(start, who, last); got.Hold != Line {
					b.Fatalf("got %+v, want a place in line", got)
				}
			}
		})
	}
}

// BenchmarkJoin is a fleet that comes to the line at once, in an order that has nothing to do with theirs.
func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		claims := make([]Claim, n)
		for i := range claims {
			claims[i] = Claim{ID: waiting(i), Expiry: after(time.Duration(i*7919%n) * time.Hour)}
		}
		b.Run(fmt.Sprintf("claims=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				budget, who := crowded(b, 0)
				for _, claim := range claims {
					budget.Ask(start, who, claim)
				}
			}
		})
	}
}
