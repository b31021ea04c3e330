// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// writeIntent notes in status that a certificate is about to be asked for. With the
// object's resourceVersion it also fences a stale cache and a second leader, and
// proves that the API server takes writes.
func (r *CredentialReconciler) writeIntent(ctx context.Context, p *pass, issuance v1alpha1.Issuance) (again time.Duration, written bool) {
	facts := r.factsOf(p)
	intended := p.cc.DeepCopy()
	intended.Status = status.Begin(p.cc.Status, facts, issuance)
	err := r.Client.Status().Update(ctx, intended)
	switch {
	case err == nil:
		r.memory.update(p.cc, func(m *remembered) { m.written = intended.ResourceVersion })
		p.cc = intended
		return 0, true
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return staleLook, false // somebody was faster: look at what they did
	default:
		return 5 * time.Second, false // nothing was asked for: nothing is lost
	}
}

// backoff is when the next attempt is made if this one fails.
func (r *CredentialReconciler) backoff(p *pass, most time.Duration) time.Time {
	failures := status.FailuresAfter(p.cc.Status, p.wanted.With)
	return p.now.Add(rotation.Backoff(failures, most, p.left(), string(p.cc.UID)))
}

// outcomeOf is what the budget learns from an error of the cloud.
func outcomeOf(e *issuer.Error, posted bool) budget.Outcome {
	return budget.Outcome{
		Posted:     posted,
		Throttled:  e.Kind == issuer.Throttled,
		RetryAfter: e.RetryAfter,
		Refused:    e.Kind == issuer.Unauthorized,
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
	issued, err := cloud.Issue(ctx, request)
	r.Metrics.issued(p.account, r.Clock.Now().Sub(began), err)
	p.attempt = &status.Attempt{
		Issuance: &issuance, With: p.wanted.With, ClusterID: p.clusterID, RequestID: issued.RequestID,
		NotAfter: latestExpiry(p.cc.Spec.Validity, issuance.StartedAt.Time),
	}
	if err != nil {
		e := issuer.As(err)
		*outcome = outcomeOf(e, true)
		p.attempt.RequestID, p.attempt.Unknown = e.RequestID, e.MayHaveIssued
		failure := r.cloudFailure(p, e)
		p.attempt.Failure = &failure
		return
	}
	*outcome = budget.Outcome{Posted: true, Answered: true}
	r.accept(ctx, p, cloud, issued)
}

// requestOf is what is asked for. An absolute expiry counts from now: the pass may
// have begun a while ago.
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
	return request
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

// accept judges the answer. What is not fit to be published is discarded, and said so.
func (r *CredentialReconciler) accept(ctx context.Context, p *pass, cloud issuer.Cloud, issued issuer.Issued) {
	answer, err := kubeconfig.Parse(issued.Kubeconfig, p.now)
	if err != nil {
		r.discard(p, nil, err.Error())
		return
	}
	choice, _, err := kubeconfig.Choose(answer.Contexts, p.wish())
	if err != nil {
		p.attempt.Contexts = offeredOf(answer.Contexts)
		r.discard(p, &answer.Identity, "")
		p.attempt.Failure = choiceFailure(err, p.now.Add(time.Hour))
		return
	}
	credential := kubeconfig.Credential{Server: choice.Server, CAPEM: choice.CAPEM, Identity: answer.Identity}
	if why := p.unfit(ctx, cloud, credential); why != "" {
		r.discard(p, &answer.Identity, why)
		return
	}
	p.fresh = &held{issuance: *p.attempt.Issuance, credential: credential, marks: p.freshMarks(issued, answer)}
	p.offer = offeredOf(answer.Contexts)
}

// unfit says why a credential that is sound by itself must not replace what is there;
// empty: it may.
func (p *pass) unfit(ctx context.Context, cloud issuer.Cloud, c kubeconfig.Credential) string {
	stored := p.stored()
	chains := kubeconfig.ChainsTo(c.Identity, c.CAPEM)
	if !chains && (kubeconfig.CABearsIssuerOf(c.Identity, c.CAPEM) || stored != nil && stored.chained) {
		return "the client certificate is not signed by the cluster's CA"
	}
	sameCluster := stored != nil && !p.decision.OtherCluster
	known := slices.ContainsFunc(p.contexts(), func(o v1alpha1.OfferedContext) bool { return o.Server == c.Server })
	if sameCluster && !known && stored.server != c.Server && !p.confirmed(ctx, cloud, c.Server) {
		return "it names an API server that the cloud does not confirm to be the cluster's"
	}
	return ""
}

// confirmed asks the cloud whether an address that was not known before is the cluster's.
func (p *pass) confirmed(ctx context.Context, cloud issuer.Cloud, server string) bool {
	cluster, err := cloud.ClusterByID(ctx, issuer.ClusterType(p.wanted.Record.ClusterType), p.clusterID)
	if err != nil {
		return false
	}
	host := hostsOf([]v1alpha1.OfferedContext{{Name: "internal", Server: server}})
	return len(cluster.Endpoints) == 0 || len(host) == 1 && slices.Contains(hostsOf(offerOf(cluster)), host[0])
}

// discard notes a certificate that was issued and is not published.
func (r *CredentialReconciler) discard(p *pass, id *kubeconfig.Identity, why string) {
	p.attempt.Failure = &status.Failure{
		Reason: v1alpha1.ReasonInvalidResponse, Message: "the cloud's answer is unusable and was not published: " + why,
		Counts: true, RetryAt: r.backoff(p, rotation.CapLate),
	}
	p.attempt.Discarded = &v1alpha1.Certificate{}
	if id != nil {
		certificate := describeCertificate(*id)
		p.attempt.Discarded = &certificate
	}
}

// freshMarks are the marks of a new certificate. It handles the renewal request that
// is there, whatever it was asked for.
func (p *pass) freshMarks(issued issuer.Issued, answer kubeconfig.Answer) target.Marks {
	record, issuance := p.wanted.Record, p.attempt.Issuance
	record.ClusterID = p.clusterID
	handled, previous := p.handledNow()
	return target.Marks{
		Revision:     max(p.marks().Revision, p.cc.Status.Revision) + 1,
		IssuanceID:   issuance.ID,
		RenewRequest: &handled,
		Request:      record.String(),
		Source: target.Source{
			ClusterName: p.clusterName, Trigger: issuance.Trigger, IssuedAt: &issuance.StartedAt,
			RequestID: issued.RequestID, PreviousRequest: previous, Contexts: offeredOf(answer.Contexts),
		},
	}
}

// handledNow are the last two requests once the one that is there is handled.
func (p *pass) handledNow() (last, previous string) {
	last, previous = p.cc.Status.LastHandledRenewRequest, p.marks().Source.PreviousRequest
	if marked := p.marks().RenewRequest; marked != nil {
		last = *marked
	}
	if requested := rotation.CutRequest(p.wanted.RenewRequest); requested != "" && requested != last {
		return requested, last
	}
	return last, previous
}
