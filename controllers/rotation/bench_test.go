// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// A pass decides twice: before and after what it does.
func BenchmarkDecide(b *testing.B) {
	weekly := Window{Schedule: "0 2 * * 0", Duration: 4 * time.Hour, TimeZone: "Europe/Berlin"}
	never := Window{Schedule: "0 0 30 2 *", Duration: time.Hour}
	for _, test := range []struct {
		name string
		situation
		want v1alpha1.Reason
	}{
		{"case=rest/windows=none", rest(), ""},
		{"case=rest/windows=utc", rest(inWindows(nightly)), ""},
		{"case=rest/windows=zone", rest(inWindows(weekly)), ""},
		{"case=rest/windows=never", rest(inWindows(never)), ""},
		{"case=due/windows=none", rest(longDue), v1alpha1.ReasonRenewing},
		{"case=due/windows=utc", rest(longDue, inWindows(nightly)), v1alpha1.ReasonWaitingForWindow},
		{"case=due/windows=zone", rest(longDue, inWindows(weekly)), v1alpha1.ReasonWaitingForWindow},
		{"case=limited/windows=none", rest(otherSpec, attempts(several(10, v1alpha1.TriggerSpec, time.Minute)...)), v1alpha1.ReasonRateLimited},
	} {
		b.Run(test.name, func(b *testing.B) {
			if got := test.decide().Reason; got != test.want {
				b.Fatalf("it is %q, want %q", got, test.want)
			}
			b.ReportAllocs()
			for b.Loop() {
				test.decide()
			}
		})
	}
}

func inWindows(windows ...Window) func(*situation) {
	return func(s *situation) { s.want.Schedule = in(windows...) }
}

// longDue has waited for most of a day, and can wait for days.
func longDue(s *situation) { s.have.Stored.NotBefore, s.have.Stored.NotAfter = at(-21*day), at(9*day) }

func BenchmarkParseRecord(b *testing.B) {
	text := record().String()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseRecord(text); !ok {
			b.Fatal("it is not read")
		}
	}
}
