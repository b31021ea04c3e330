// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

// maxHistory bounds status.history.
const maxHistory = 10

// history notes what the pass learned of certificates, newest first.
func history(previous []v1alpha1.HistoryEntry, facts Facts) []v1alpha1.HistoryEntry {
	entries := slices.Clone(previous)
	if lost := facts.Lost; lost != nil {
		entries = note(entries, v1alpha1.HistoryEntry{
			IssuanceID: lost.Issuance.ID, Trigger: lost.Issuance.Trigger, IssuedAt: lost.Issuance.StartedAt,
			ClusterID: lost.ClusterID, NotAfter: timeOrNil(lost.NotAfter), State: v1alpha1.CertificateUnknown,
		})
	}
	if a := facts.Attempt; a != nil && a.Issuance != nil && a.Failure != nil && (a.Unknown || a.Discarded != nil) {
		entries = note(entries, failedEntry(a))
	}
	if c := facts.Replaced; c != nil {
		entries = note(entries, v1alpha1.HistoryEntry{
			SerialNumber: c.SerialNumber, FingerprintSHA256: c.FingerprintSHA256, CommonName: c.CommonName, IssuedAt: c.NotBefore,
			NotAfter: &c.NotAfter, Trigger: v1alpha1.TriggerFirst, State: v1alpha1.CertificateSuperseded,
		})
	}
	if facts.Stored != nil {
		for i := range entries {
			if entries[i].State == v1alpha1.CertificateActive {
				entries[i].State = v1alpha1.CertificateSuperseded
			}
		}
		entries = note(entries, activeEntry(facts))
	}
	return trim(entries, facts.Now)
}

func failedEntry(a *Attempt) v1alpha1.HistoryEntry {
	entry := v1alpha1.HistoryEntry{
		IssuanceID: a.Issuance.ID, Trigger: a.Issuance.Trigger, IssuedAt: a.Issuance.StartedAt,
		ClusterID: a.ClusterID, RequestID: a.RequestID, NotAfter: timeOrNil(a.NotAfter), State: v1alpha1.CertificateUnknown,
	}
	if c := a.Discarded; c != nil {
		entry.State = v1alpha1.CertificateDiscarded
		entry.SerialNumber, entry.FingerprintSHA256, entry.CommonName = c.SerialNumber, c.FingerprintSHA256, c.CommonName
		if !c.NotAfter.IsZero() {
			entry.NotAfter = &c.NotAfter
		}
	}
	return entry
}

func activeEntry(facts Facts) v1alpha1.HistoryEntry {
	stored := facts.Stored
	c := stored.Certificate
	issuedAt := stored.IssuedAt
	if issuedAt.IsZero() {
		issuedAt = c.NotBefore.Time
	}
	return v1alpha1.HistoryEntry{
		IssuanceID: stored.IssuanceID, SerialNumber: c.SerialNumber, FingerprintSHA256: c.FingerprintSHA256,
		CommonName: c.CommonName, ClusterID: stored.ClusterID, IssuedAt: metav1.NewTime(issuedAt.UTC().Truncate(time.Second)),
		NotAfter: &c.NotAfter, RequestID: c.RequestID,
		Trigger: firstOf(stored.Trigger, v1alpha1.TriggerFirst), State: v1alpha1.CertificateActive,
	}
}

// note puts an entry where the one about the same certificate stands, or by its time. What the
// earlier entry knew and the new one does not is kept.
func note(entries []v1alpha1.HistoryEntry, entry v1alpha1.HistoryEntry) []v1alpha1.HistoryEntry {
	for i, old := range entries {
		same := old.FingerprintSHA256 != "" && old.FingerprintSHA256 == entry.FingerprintSHA256 ||
			old.IssuanceID != "" && old.IssuanceID == entry.IssuanceID
		if !same {
			continue
		}
		entry.IssuanceID = firstOf(entry.IssuanceID, old.IssuanceID)
		entry.RequestID = firstOf(entry.RequestID, old.RequestID)
		entry.ClusterID = firstOf(entry.ClusterID, old.ClusterID)
		entry.IssuedAt, entry.Trigger = old.IssuedAt, old.Trigger
		entries[i] = entry
		return entries
	}
	at := slices.IndexFunc(entries, func(old v1alpha1.HistoryEntry) bool {
		return !old.IssuedAt.After(entry.IssuedAt.Time)
	})
	if at < 0 {
		at = len(entries)
	}
	return slices.Insert(entries, at, entry)
}

// trim keeps at most maxHistory entries. Those leave last that a bound on the object
// depends on; of the others the expired ones leave first, then the oldest. The active one stays.
func trim(entries []v1alpha1.HistoryEntry, now time.Time) []v1alpha1.HistoryEntry {
	for len(entries) > maxHistory {
		at := leaver(entries, now)
		entries = slices.Delete(entries, at, at+1)
	}
	return entries
}

func leaver(entries []v1alpha1.HistoryEntry, now time.Time) int {
	leaver, last := 0, -1
	for i, entry := range slices.Backward(entries) { // the oldest first
		if entry.State == v1alpha1.CertificateActive {
			continue
		}
		reluctance := 0
		if entry.NotAfter == nil || entry.NotAfter.After(now) {
			reluctance = 1
		}
		if attemptOf(entry).StillCounts(now) {
			reluctance += 2
		}
		if last < 0 || reluctance < last {
			leaver, last = i, reluctance
		}
	}
	return leaver
}

func attemptOf(entry v1alpha1.HistoryEntry) rotation.Attempt {
	return rotation.Attempt{
		ID: entry.IssuanceID, Trigger: entry.Trigger, At: entry.IssuedAt.Time,
		Lost: entry.State == v1alpha1.CertificateUnknown, Discarded: entry.State == v1alpha1.CertificateDiscarded,
	}
}

// maxReleased bounds how many released outputs status tells of: the last ones.
const maxReleased = 32

// outputs tells of the outputs, of former ones until they are released, and of released ones until their certificate expires.
func outputs(previous []v1alpha1.OutputStatus, facts Facts) []v1alpha1.OutputStatus {
	entry := v1alpha1.OutputStatus{
		Namespace: facts.Output.Namespace, SecretName: facts.Output.SecretName, Format: facts.Output.Format,
		State: v1alpha1.OutputFailed, Reason: facts.Output.Reason,
	}
	if stored := facts.Stored; stored != nil {
		entry.Revision, entry.NotAfter = stored.Revision, &stored.Certificate.NotAfter
		switch {
		case facts.Output.Current:
			entry.State, entry.Reason = v1alpha1.OutputCurrent, ""
		case stored.Certificate.NotAfter.After(facts.Now):
			entry.State = v1alpha1.OutputStale
		}
	}
	if entry.State != v1alpha1.OutputCurrent {
		entry.Reason = firstOf(entry.Reason, v1alpha1.ReasonIssuing)
	}
	all := []v1alpha1.OutputStatus{entry}
	for _, c := range facts.Copies {
		all = append(all, copyStatus(c))
	}
	add := func(released v1alpha1.OutputStatus) {
		known := slices.ContainsFunc(all, func(o v1alpha1.OutputStatus) bool { return o.NamespacedName() == released.NamespacedName() })
		isKept := released.State != v1alpha1.OutputReleased // yet, and it has to be
		isValid := released.NotAfter != nil && released.NotAfter.After(facts.Now)
		if !known && len(all) <= len(facts.Copies)+maxReleased && (isKept || isValid) {
			all = append(all, released)
		}
	}
	for _, released := range facts.Released {
		add(released)
	}
	for _, old := range previous {
		if old.State == v1alpha1.OutputReleased {
			add(old)
		}
	}
	return all
}

func copyStatus(c Copy) v1alpha1.OutputStatus {
	entry := v1alpha1.OutputStatus{
		Namespace: c.Namespace, SecretName: c.SecretName, Format: c.Format, Revision: c.Revision, NotAfter: c.NotAfter,
		State: v1alpha1.OutputFailed, Reason: c.Reason,
	}
	switch {
	case c.Current:
		entry.State, entry.Reason = v1alpha1.OutputCurrent, ""
	case c.Works:
		entry.State = v1alpha1.OutputStale
	}
	if !c.Current {
		entry.Reason = firstOf(entry.Reason, v1alpha1.ReasonIssuing)
	}
	return entry
}
