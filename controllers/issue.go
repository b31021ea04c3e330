// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strings"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

// tellRefused has the account look at what its key was refused for by others than itself.
func (c *Config) tellRefused(a account) {
	if c.KeyRefused != nil {
		c.KeyRefused(a.object.key())
	}
}

// outcomeOf is what the budget learns from an error of the cloud.
func outcomeOf(e *issuer.Error, posted bool) budget.Outcome {
	return budget.Outcome{
		Posted:     posted,
		Throttled:  e.Kind == issuer.Throttled,
		RetryAfter: e.RetryAfter,
		Refused:    e.Kind == issuer.Unauthorized && !e.Obtained, // the hold waits for another key in the Secret
		Silent:     e.Status == 0 && e.Kind == issuer.Unavailable,
		Answered:   e.Status != 0 && e.Kind != issuer.Throttled && e.Kind != issuer.Unauthorized && e.Kind != issuer.Unavailable,
	}
}

// postDeadline bounds the one call. It runs on a context of its own: a lost leadership
// or a SIGTERM must not lose the key that is on its way.
const postDeadline = 10 * time.Second

// issue makes the one call and judges what comes back.
func (r *CredentialReconciler) issue(ctx context.Context, p *pass, cloud issuer.Cloud, issuance v1alpha1.Issuance, outcome *budget.Outcome) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), postDeadline)
	defer cancel()
	request := requestOf(p)
	began := r.Clock.Now()
	outcome.Posted = true
	issued, err := cloud.Issue(ctx, request)
	r.Metrics.issued(p.account, r.Clock.Now().Sub(began), err)
	p.attempt = &status.Attempt{
		Issuance: &issuance, With: p.wanted.With, At: p.now, ClusterID: p.clusterID, RequestID: issued.RequestID,
		NotAfter: p.latestExpiry(issuance.StartedAt.Time),
	}
	if err != nil {
		e := issuer.As(err)
		*outcome = outcomeOf(e, true)
		p.attempt.RequestID, p.attempt.Unknown = e.RequestID, e.MayHaveIssued
		failure := r.clusterError(p, e)
		p.attempt.Failure = &failure
		return
	}
	*outcome = budget.Outcome{Posted: true, Answered: true}
	r.accept(ctx, p, cloud, issued)
}

// requestOf is what is asked for. An absolute expiry counts from the way through the gate, just now.
func requestOf(p *pass) issuer.Request {
	request := issuer.Request{
		ClusterID:   p.clusterID,
		ClusterType: issuer.ClusterType(p.wanted.Record.ClusterType),
		Days:        v1alpha1.DefaultValidityDays,
	}
	if v := p.cc.Spec.Validity; v != nil {
		if v.Days != nil {
			request.Days = *v.Days
		}
		if v.Duration != nil {
			request.Days = 0
			request.ExpireAt = p.now.Add(v.Duration.Duration).UTC().Truncate(time.Second)
		}
	}
	return capped(request, p.longestAgreed(), p.now)
}

// cloudFailure says what to do about an error of the cloud.
func (r *CredentialReconciler) cloudFailure(p *pass, e *issuer.Error) status.Failure {
	failure := status.Failure{Reason: status.ReasonOf(e.Kind), Message: e.Error(), Counts: true}
	switch e.Kind {
	case issuer.Rejected:
		// parked: only another spec, account, key or request can help
	case issuer.Throttled:
		failure.RetryAt = p.now.Add(e.RetryAfter)
	case issuer.Unauthorized:
		failure.RetryAt = r.secondTryThenHourly(p)
		if e.Obtained {
			failure.RetryAt = r.backoff(p, rotation.CapSoon)
		}
	case issuer.Forbidden, issuer.NotFound, issuer.Ambiguous, issuer.InvalidResponse:
		failure.RetryAt = r.backoff(p, rotation.CapLate)
	default:
		failure.RetryAt = r.backoff(p, rotation.CapSoon)
	}
	if len(e.Candidates) > 0 {
		failure.Message += "; write one of these as spec.cluster.id: " + strings.Join(e.Candidates, ", ")
	}
	if e.MayHaveIssued {
		if e.Status == 0 {
			failure.Reason = v1alpha1.ReasonUnknownOutcome
		}
		failure.Message += "; a certificate may have been issued that did not arrive (see status.history)"
		if held := p.now.Add(rotation.HoldOff); held.After(failure.RetryAt) {
			failure.RetryAt = held
		}
	}
	return failure
}
