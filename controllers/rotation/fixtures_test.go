// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

const day = 24 * time.Hour

// noon is now in these tests.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return noon.Add(d) }

// record is what everything here was asked for.
func record() Record {
	return Record{
		Version: 1, AccountKind: "CloudAccount", AccountName: "prod", ProjectID: "p",
		ClusterID: "c-1", ClusterType: "Standard", Validity: "720h0m0s",
	}
}

// situation is an object at rest: 30 days were granted ten days ago, so that the
// renewal lies about ten days ahead. Tests change what they are about.
type situation struct {
	want Wanted
	have Found
}

func rest(changes ...func(*situation)) situation {
	published := record()
	s := situation{
		want: Wanted{UID: "uid-1", Record: record(), With: "with-1", Floor: 10 * time.Minute},
		have: Found{
			Stored:    &Stored{Validity: Validity{NotBefore: at(-10 * day), NotAfter: at(20 * day), Serial: "0A"}, IssuanceID: "i-1"},
			Published: true,
			Record:    &published,
			Handled:   []string{"done", "before"},
			Attempts:  []Attempt{{ID: "i-1", Trigger: v1alpha1.TriggerFirst, At: at(-10 * day)}},
		},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func (s situation) decide() Decision { return Decide(noon, s.want, s.have) }

// Faults and waits, by name.

func neverPublished(s *situation) {
	s.have = Found{Failures: s.have.Failures, FailedWith: s.have.FailedWith, RetryAt: s.have.RetryAt, Attempts: s.have.Attempts}
}
func lostSecret(s *situation)   { s.have.Stored = nil }
func expired(s *situation)      { s.have.Stored.NotBefore, s.have.Stored.NotAfter = at(-30*day), noon }
func dueByTime(s *situation)    { s.have.Stored.NotBefore, s.have.Stored.NotAfter = at(-29*day), at(day) }
func otherName(s *situation)    { s.want.OtherName = true }
func otherCluster(s *situation) { s.want.Record.ClusterID = "c-2" }
func otherSpec(s *situation)    { s.want.Record.Validity = "max" }
func unreachable(s *situation)  { s.want.Unreachable = true }
func request(s *situation)      { s.want.RenewRequest = "now" }
func refused(s *situation)      { s.have.Refused = true }
func otherCA(s *situation)      { s.have.CAChanged = true }
func manual(s *situation)       { s.want.Schedule.Manual = true }
func suspended(s *situation)    { s.want.Suspended = true }

func failed(count int32, with string, retryAt time.Time) func(*situation) {
	return func(s *situation) { s.have.Failures, s.have.FailedWith, s.have.RetryAt = count, with, retryAt }
}

// attempts replaces the attempts, newest first.
func attempts(list ...Attempt) func(*situation) {
	return func(s *situation) { s.have.Attempts = list }
}

func made(trigger v1alpha1.Trigger, ago time.Duration) Attempt {
	return Attempt{Trigger: trigger, At: at(-ago)}
}

func discarded(ago time.Duration) Attempt {
	return Attempt{Trigger: v1alpha1.TriggerFirst, At: at(-ago), Discarded: true}
}

func lost(ago time.Duration) Attempt {
	return Attempt{Trigger: v1alpha1.TriggerExpiry, At: at(-ago), Lost: true}
}

// several are n attempts, the newest ago, the others a minute apart before it.
func several(n int, trigger v1alpha1.Trigger, ago time.Duration) []Attempt {
	var list []Attempt
	for i := range n {
		list = append(list, made(trigger, ago+time.Duration(i)*time.Minute))
	}
	return list
}
