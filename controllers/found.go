// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// foundOf puts what is there into plain values.
func foundOf(p *pass, record *rotation.Record) rotation.Found {
	previous := p.cc.Status
	found := rotation.Found{
		Published:  previous.Certificate != nil || previous.Revision > 0 || p.facts.marks.Revision > 0 && p.facts.standing == target.Ours,
		Record:     record,
		Handled:    handledOf(p),
		Attempts:   attemptsOf(p),
		Failures:   previous.Failures,
		CAChanged:  p.stored() != nil && p.trial.otherCA && p.isAboutStored(),
		Refused:    p.stored() != nil && p.trial.asksForOne() && p.isAboutStored(),
		FailedWith: previous.AttemptedWith,
	}
	if previous.NextAttemptTime != nil {
		found.RetryAt = previous.NextAttemptTime.Time
	}
	if p.lost != nil { // counts as a failure from now on
		found.Failures, found.FailedWith, found.RetryAt = max(1, found.Failures), p.lost.With, p.lost.RetryAt
	}
	stored := p.stored()
	if c := previous.Certificate; stored == nil && c != nil {
		found.Last = &rotation.Validity{NotBefore: c.NotBefore.Time, NotAfter: c.NotAfter.Time, Serial: c.SerialNumber}
	}
	if stored != nil {
		c := stored.certificate
		found.Stored = &rotation.Stored{
			Validity:   rotation.Validity{NotBefore: c.NotBefore.Time, NotAfter: c.NotAfter.Time, Serial: c.SerialNumber},
			IssuanceID: p.marks().IssuanceID,
		}
	}
	return found
}

// handledOf are the last handled requests; nil: no record of any. The Secret wins over
// an empty status.
func handledOf(p *pass) []string {
	var handled []string
	marks := p.marks()
	if marks.RenewRequest != nil {
		handled = append(handled, *marks.RenewRequest, marks.Source.PreviousRequest)
	}
	if p.cc.Status.Certificate != nil {
		handled = append(handled, p.cc.Status.LastHandledRenewRequest)
	}
	return handled
}

// attemptsOf are the certificates asked for, newest first.
func attemptsOf(p *pass) []rotation.Attempt {
	var attempts []rotation.Attempt
	stored, source := p.stored(), p.marks().Source
	known := false
	for _, entry := range p.cc.Status.History {
		known = known || stored != nil && entry.FingerprintSHA256 == stored.certificate.FingerprintSHA256
		attempts = append(attempts, rotation.Attempt{
			ID: entry.IssuanceID, Trigger: entry.Trigger, At: entry.IssuedAt.Time,
			Lost: entry.State == v1alpha1.CertificateUnknown, Discarded: entry.State == v1alpha1.CertificateDiscarded,
		})
	}
	if stored != nil && !known {
		at := stored.certificate.NotBefore.Time
		if source.IssuedAt != nil {
			at = source.IssuedAt.Time
		}
		attempts = append(attempts, rotation.Attempt{ID: p.marks().IssuanceID, Trigger: source.Trigger, At: at})
	}
	if open := p.open(); open != nil {
		attempts = append(attempts, rotation.Attempt{ID: open.ID, Trigger: open.Trigger, At: open.StartedAt.Time, Lost: true})
	}
	slices.SortStableFunc(attempts, func(a, b rotation.Attempt) int { return b.At.Compare(a.At) })
	return attempts
}

// open is an attempt in status whose outcome nobody knows: not stored, not held, not
// waiting to be reported.
func (p *pass) open() *v1alpha1.Issuance {
	open := p.cc.Status.Issuance
	switch {
	case open == nil, open.ID == p.remembered.unposted, open.ID == p.marks().IssuanceID && p.stored() != nil:
		return nil
	case p.remembered.held != nil && p.remembered.held.issuance.ID == open.ID:
		return nil
	case p.remembered.unreported != nil && p.remembered.unreported.Issuance != nil && p.remembered.unreported.Issuance.ID == open.ID:
		return nil
	default:
		return open
	}
}

// noteLost turns an open attempt into what status is told.
func (p *pass) noteLost() {
	open := p.open()
	if open == nil {
		return
	}
	failures := status.FailuresAfter(p.cc.Status, p.wanted.With)
	retry := p.now.Add(rotation.Backoff(failures, rotation.CapSoon, p.left(), string(p.cc.UID)))
	if held := open.StartedAt.Add(rotation.HoldOff); held.After(retry) {
		retry = held
	}
	p.lost = &status.Lost{
		Issuance: *open, ClusterID: open.ClusterID, With: p.wanted.With, RetryAt: retry,
		NotAfter: p.latestExpiry(open.StartedAt.Time),
	}
}

// left is how long the stored certificate is still valid; zero: it is not, or there is none.
func (p *pass) left() time.Duration {
	stored := p.stored()
	if stored == nil {
		return 0
	}
	return max(0, stored.certificate.NotAfter.Sub(p.now))
}

// longestValidity is what the cloud grants at the most for -1: five years.
const longestValidity = 1827 * 24 * time.Hour

// latestExpiry is the latest that a certificate asked for at that time can be valid.
func (p *pass) latestExpiry(asked time.Time) time.Time {
	latest := latestExpiry(p.cc.Spec.Validity, asked)
	if most := firstOf(p.longestAgreed(), p.publishedTerms().MaxValidity); most > 0 && latest.After(asked.Add(most)) {
		return asked.Add(most)
	}
	return latest
}

func latestExpiry(v *v1alpha1.Validity, asked time.Time) time.Time {
	switch {
	case v == nil || v.Days == nil && v.Duration == nil:
		return asked.Add(v1alpha1.DefaultValidityDays * 24 * time.Hour)
	case v.Duration != nil:
		return asked.Add(v.Duration.Duration)
	case *v.Days < 0:
		return asked.Add(longestValidity)
	default:
		return asked.Add(time.Duration(*v.Days) * 24 * time.Hour)
	}
}
