// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// told are the entries of the history as short texts, newest first.
func told(s v1alpha1.ClusterCredentialStatus) []string {
	var lines []string
	for _, e := range s.History {
		lines = append(lines, fmt.Sprintf("%s %s %s", e.IssuanceID, e.SerialNumber, e.State))
	}
	return lines
}

func issued(serial string, ago time.Duration) Facts {
	return rest(func(f *Facts) {
		f.Stored = storedOf(serial)
		f.Stored.IssuedAt = at(-ago)
		f.Attempt = &Attempt{With: f.With, Issuance: begun("i-"+serial, v1alpha1.TriggerExpiry, ago)}
	})
}

func failedCall(id string, ago time.Duration, change func(*Attempt)) func(*Facts) {
	return func(f *Facts) {
		f.Attempt = &Attempt{
			Issuance: begun(id, v1alpha1.TriggerExpiry, ago), With: f.With, ClusterID: "c-1", NotAfter: at(30*day - ago), RequestID: "req-" + id,
			Failure: &Failure{Reason: v1alpha1.ReasonUnavailable, Message: "failed", Counts: true, RetryAt: at(time.Minute)},
		}
		change(f.Attempt)
	}
}

func TestTheHistoryTellsOfEveryCertificate(t *testing.T) {
	discarded := certificate("0F")
	unknown := failedCall("i-2", 0, func(a *Attempt) { a.Unknown = true })
	for name, test := range map[string]struct {
		passes []Facts
		want   []string
	}{
		"nothing":                            {[]Facts{rest(empty)}, nil},
		"the one that is stored":             {[]Facts{rest(), rest()}, []string{"i-0A 0A Active"}},
		"the next one supersedes it":         {[]Facts{issued("0A", time.Hour), issued("0B", 0)}, []string{"i-0B 0B Active", "i-0A 0A Superseded"}},
		"a restored one is active again":     {[]Facts{issued("0A", time.Hour), issued("0B", time.Minute), rest()}, []string{"i-0B 0B Superseded", "i-0A 0A Active"}},
		"a lost Secret changes nothing":      {[]Facts{rest(), rest(empty)}, []string{"i-0A 0A Active"}},
		"a refusal leaves none":              {[]Facts{rest(), rest(failedCall("i-2", 0, func(*Attempt) {}))}, []string{"i-0A 0A Active"}},
		"a failure before the call, too":     {[]Facts{rest(), rest(failing(v1alpha1.ReasonForbidden, "403", noon))}, []string{"i-0A 0A Active"}},
		"an answer that did not come":        {[]Facts{rest(), rest(unknown)}, []string{"i-2  Unknown", "i-0A 0A Active"}},
		"an answer that cannot be used":      {[]Facts{rest(), rest(failedCall("i-2", 0, func(a *Attempt) { a.Discarded = &v1alpha1.Certificate{} }))}, []string{"i-2  Discarded", "i-0A 0A Active"}},
		"one that is not fit":                {[]Facts{rest(), rest(failedCall("i-2", 0, func(a *Attempt) { a.Discarded = &discarded }))}, []string{"i-2 0F Discarded", "i-0A 0A Active"}},
		"an attempt of a process that died":  {[]Facts{rest(), rest(lostAt(noon))}, []string{"i-lost  Unknown", "i-0A 0A Active"}},
		"told once, however often it is met": {[]Facts{rest(lostAt(noon)), rest(lostAt(noon))}, []string{"i-lost  Unknown", "i-0A 0A Active"}},
		"the Secret turns up after all": {[]Facts{rest(func(f *Facts) { empty(f); unknown(f) }), rest(func(f *Facts) { f.Stored.IssuanceID = "i-2" })},
			[]string{"i-2 0A Active"}},
		"a lost one and the next in one pass": {[]Facts{rest(lostAt(noon), func(f *Facts) {
			f.Stored = storedOf("0B")
			f.Stored.IssuedAt, f.Attempt = noon, &Attempt{With: f.With}
		})}, []string{"i-0B 0B Active", "i-lost  Unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := after(test.passes...)
			if diff := cmp.Diff(test.want, told(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkHistory(t, got, test.passes[len(test.passes)-1])
		})
	}
}

func TestAnEntryKeepsWhatWasKnownBefore(t *testing.T) {
	unknown := rest(empty, failedCall("i-2", time.Minute, func(a *Attempt) { a.Unknown = true }))
	turnedUp := rest(func(f *Facts) {
		f.Stored.IssuanceID, f.Stored.ClusterID, f.Stored.Certificate.RequestID, f.Stored.Trigger, f.Stored.IssuedAt = "i-2", "", "", "", time.Time{}
	})
	want := v1alpha1.HistoryEntry{
		IssuanceID: "i-2", SerialNumber: "0A", FingerprintSHA256: "fp-0A", CommonName: "user-1", ClusterID: "c-1",
		IssuedAt: *stampOf(-time.Minute), NotAfter: stampOf(20 * day), RequestID: "req-i-2",
		Trigger: v1alpha1.TriggerExpiry, State: v1alpha1.CertificateActive,
	}
	if diff := cmp.Diff([]v1alpha1.HistoryEntry{want}, after(unknown, turnedUp).History); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACertificateWithoutMarksIsDatedByItself(t *testing.T) {
	got := after(rest(func(f *Facts) { f.Stored.IssuanceID, f.Stored.Trigger, f.Stored.IssuedAt = "", "", time.Time{} })).History[0]
	if !got.IssuedAt.Time.Equal(at(-10*day)) || got.Trigger != v1alpha1.TriggerFirst {
		t.Errorf("got %+v", got)
	}
}

func TestADiscardedCertificateIsTold(t *testing.T) {
	c := certificate("0F")
	c.NotAfter = *stampOf(5 * day)
	got := after(rest(empty, failedCall("i-2", 0, func(a *Attempt) { a.Discarded = &c }))).History
	want := []v1alpha1.HistoryEntry{{
		IssuanceID: "i-2", SerialNumber: "0F", FingerprintSHA256: "fp-0F", CommonName: "user-1", ClusterID: "c-1",
		IssuedAt: *stampOf(0), NotAfter: stampOf(5 * day), RequestID: "req-i-2", Trigger: v1alpha1.TriggerExpiry, State: v1alpha1.CertificateDiscarded,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheHistoryKeepsTenAndLosesTheExpiredFirst(t *testing.T) {
	entry := func(n int, state v1alpha1.CertificateState, notAfter time.Duration) v1alpha1.HistoryEntry {
		return v1alpha1.HistoryEntry{IssuanceID: fmt.Sprintf("i-%02d", n), IssuedAt: *stampOf(time.Duration(-n) * time.Hour), NotAfter: stampOf(notAfter), State: state}
	}
	list := func(change func([]v1alpha1.HistoryEntry)) []v1alpha1.HistoryEntry {
		var entries []v1alpha1.HistoryEntry
		for n := range 11 {
			entries = append(entries, entry(n, v1alpha1.CertificateSuperseded, day))
		}
		change(entries)
		return entries
	}
	for name, test := range map[string]struct {
		entries []v1alpha1.HistoryEntry
		gone    []string
	}{
		"the oldest": {list(func([]v1alpha1.HistoryEntry) {}), []string{"i-10"}},
		"an expired one before older ones that are valid": {list(func(e []v1alpha1.HistoryEntry) { e[3].NotAfter = stampOf(0) }), []string{"i-03"}},
		"of two expired ones, the older":                  {list(func(e []v1alpha1.HistoryEntry) { e[3].NotAfter, e[7].NotAfter = stampOf(-day), stampOf(0) }), []string{"i-07"}},
		"never the active one, the oldest of all":         {list(func(e []v1alpha1.HistoryEntry) { e[10].State = v1alpha1.CertificateActive }), []string{"i-09"}},
		"never the active one, though it expired": {list(func(e []v1alpha1.HistoryEntry) {
			e[10].State, e[10].NotAfter = v1alpha1.CertificateActive, stampOf(-day)
		}), []string{"i-09"}},
		"one that may be valid for ever stays longer than an expired one": {list(func(e []v1alpha1.HistoryEntry) {
			e[10].NotAfter, e[2].NotAfter = nil, stampOf(0)
		}), []string{"i-02"}},
		"one that a floor depends on stays longer than an expired one that none does": {list(func(e []v1alpha1.HistoryEntry) {
			e[10].State, e[10].IssuedAt = v1alpha1.CertificateDiscarded, *stampOf(-23 * time.Hour)
			e[10].NotAfter, e[4].NotAfter = stampOf(-time.Hour), stampOf(0)
		}), []string{"i-04"}},
		"one that no floor depends on any more does not": {list(func(e []v1alpha1.HistoryEntry) {
			e[10].State, e[10].IssuedAt = v1alpha1.CertificateDiscarded, *stampOf(-25 * time.Hour)
		}), []string{"i-10"}},
		"an answer that was lost leaves before a repair of this hour": {list(func(e []v1alpha1.HistoryEntry) {
			for i := range e {
				e[i].State = v1alpha1.CertificateUnknown
			}
			e[10].State, e[10].Trigger, e[10].IssuedAt = v1alpha1.CertificateSuperseded, v1alpha1.TriggerMissing, *stampOf(-50 * time.Minute)
		}), []string{"i-09"}},
		"nothing, as long as ten are enough": {list(func([]v1alpha1.HistoryEntry) {})[:10], nil},
	} {
		t.Run(name, func(t *testing.T) {
			var before, gone []string
			for _, e := range test.entries {
				before = append(before, e.IssuanceID)
			}
			left := map[string]bool{}
			for _, e := range trim(test.entries, noon) {
				left[e.IssuanceID] = true
			}
			for _, id := range before {
				if !left[id] {
					gone = append(gone, id)
				}
			}
			if diff := cmp.Diff(test.gone, gone); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// checkHistory holds what is true of every history and every list of outputs.
func checkHistory(t *testing.T, s v1alpha1.ClusterCredentialStatus, facts Facts) {
	t.Helper()
	active, seen := 0, map[string]bool{}
	for i, e := range s.History {
		if e.State == v1alpha1.CertificateActive {
			active++
			if facts.Stored != nil && e.FingerprintSHA256 != facts.Stored.Certificate.FingerprintSHA256 {
				t.Errorf("active is %s, stored %s", e.SerialNumber, facts.Stored.Certificate.SerialNumber)
			}
		}
		if i > 0 && e.IssuedAt.After(s.History[i-1].IssuedAt.Time) {
			t.Errorf("not newest first: %s before %s", s.History[i-1].IssuedAt, e.IssuedAt)
		}
		if e.IssuanceID != "" && seen[e.IssuanceID] {
			t.Errorf("%s stands twice", e.IssuanceID)
		}
		seen[e.IssuanceID] = true
	}
	if active > 1 || facts.Stored != nil && active != 1 || len(s.History) > maxHistory {
		t.Errorf("%d active of %d", active, len(s.History))
	}
	names := map[string]bool{}
	for i, o := range s.Outputs {
		if names[o.SecretName] || (i == 0) == (o.State == v1alpha1.OutputReleased) || i > 0 && !o.NotAfter.After(facts.Now.Truncate(time.Second)) {
			t.Errorf("output %d: %+v", i, o)
		}
		names[o.SecretName] = true
	}
}

func TestTheOutputsTellWhatTheSecretsHold(t *testing.T) {
	for name, test := range map[string]struct {
		facts Facts
		want  v1alpha1.OutputStatus
	}{
		"current":                               {rest(), v1alpha1.OutputStatus{Revision: 4, NotAfter: stampOf(20 * day), State: "Current"}},
		"current, and expired":                  {rest(expired), v1alpha1.OutputStatus{Revision: 4, NotAfter: stampOf(0), State: "Current"}},
		"stale, and still valid":                {rest(stale), v1alpha1.OutputStatus{Revision: 4, NotAfter: stampOf(20 * day), State: "Stale", Reason: "Issuing"}},
		"stale, since the write is refused":     {rest(refused(v1alpha1.ReasonWriteRefused, "quota")), v1alpha1.OutputStatus{Revision: 4, NotAfter: stampOf(20 * day), State: "Stale", Reason: "WriteRefused"}},
		"stale, since it is suspended":          {rest(stale, suspended), v1alpha1.OutputStatus{Revision: 4, NotAfter: stampOf(20 * day), State: "Stale", Reason: "Suspended"}},
		"stale and expired is failed":           {rest(stale, expired), v1alpha1.OutputStatus{Revision: 4, NotAfter: stampOf(0), State: "Failed", Reason: "Issuing"}},
		"nothing in it yet":                     {rest(empty), v1alpha1.OutputStatus{State: "Failed", Reason: "Issuing"}},
		"nothing in it, for the account's sake": {rest(empty, failing(v1alpha1.ReasonUnauthorized, "401", noon)), v1alpha1.OutputStatus{State: "Failed", Reason: "Unauthorized"}},
		"somebody else's":                       {rest(empty, refused(v1alpha1.ReasonSecretConflict, "theirs")), v1alpha1.OutputStatus{State: "Failed", Reason: "SecretConflict"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Namespace, test.want.SecretName, test.want.Format = "fleet", "prod-1-kubeconfig", "Kubeconfig"
			if diff := cmp.Diff([]v1alpha1.OutputStatus{test.want}, after(test.facts).Outputs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReleasedSecretStandsUntilItsCertificateExpires(t *testing.T) {
	former := v1alpha1.OutputStatus{Namespace: "fleet", SecretName: "former", Format: "Kubeconfig", Revision: 3, NotAfter: stampOf(time.Hour), State: v1alpha1.OutputReleased}
	released := rest(func(f *Facts) { f.Released = []v1alpha1.OutputStatus{former} })
	names := func(s v1alpha1.ClusterCredentialStatus) (names []string) {
		for _, o := range s.Outputs {
			names = append(names, o.SecretName+" "+string(o.State))
		}
		return names
	}
	later := func(d time.Duration) Facts { return rest(func(f *Facts) { f.Now = at(d) }) }
	for name, test := range map[string]struct {
		passes []Facts
		want   []string
	}{
		"at once":                         {[]Facts{released}, []string{"prod-1-kubeconfig Current", "former Released"}},
		"told once":                       {[]Facts{released, released}, []string{"prod-1-kubeconfig Current", "former Released"}},
		"also in later passes":            {[]Facts{released, later(time.Hour - time.Second)}, []string{"prod-1-kubeconfig Current", "former Released"}},
		"not once it expired":             {[]Facts{released, later(time.Hour)}, []string{"prod-1-kubeconfig Current"}},
		"not once it is the output again": {[]Facts{released, rest(func(f *Facts) { f.Output.SecretName = "former" })}, []string{"former Current"}},
		"not without an expiry": {[]Facts{rest(func(f *Facts) {
			f.Released = []v1alpha1.OutputStatus{{Namespace: "fleet", SecretName: "x", State: v1alpha1.OutputReleased}}
		})}, []string{"prod-1-kubeconfig Current"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, names(after(test.passes...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
