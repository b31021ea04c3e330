// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

// checkSecret reads the Secret and tries its namespace: it must be free or ours, hold
// what the decision was about, and be writable.
func (r *CredentialReconciler) checkSecret(ctx context.Context, p *pass) (again time.Duration, ready bool) {
	before := p.stored()
	if p.view == nil {
		view, err := r.look(ctx, p, p.slot)
		if err != nil {
			p.fail(status.Failure{
				Reason: v1alpha1.ReasonWriteRefused, Message: errUnread.Error(), Counts: true, RetryAt: r.backoff(p, rotation.CapSoon),
			})
			return 0, false
		}
		p.see(view)
		r.remember(p)
	}
	if problem := p.standingProblem(); problem != nil {
		p.problem = problem
		p.fail(status.Failure{Reason: problem.reason, Message: problem.message})
		return 0, false
	}
	if !sameCertificate(before, p.stored()) {
		return time.Millisecond, false // it is not what the decision was about: decide anew
	}
	if problem := r.preflight(ctx, p); problem != nil { // what is published serves on
		p.fail(status.Failure{Reason: problem.reason, Message: problem.message, Counts: true, RetryAt: r.backoff(p, rotation.CapSoon)})
		return 0, false
	}
	return 0, true
}

func sameCertificate(a, b *storedFacts) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.certificate.FingerprintSHA256 == b.certificate.FingerprintSHA256
}

// checkCluster finds the cluster and looks at its addresses, where the decision turns
// on them. A routine renewal asks for nothing but the certificate.
func (r *CredentialReconciler) checkCluster(
	ctx context.Context, p *pass, cloud issuer.Cloud, outcome *budget.Outcome,
) (needed bool, failure *status.Failure) {
	routine := p.decision.Trigger == v1alpha1.TriggerExpiry || p.decision.Trigger == v1alpha1.TriggerRequest
	if why := firstOf(invalidEndpoint(p.cc.Spec.Endpoint), r.untriable(p)); why != "" {
		return false, &status.Failure{Reason: v1alpha1.ReasonRejected, Message: why, Counts: true, RetryAt: p.now.Add(time.Hour)}
	}
	p.clusterID, p.clusterName = p.wanted.Record.ClusterID, p.knownName()
	if routine && p.clusterID != "" && p.cc.Status.Failures == 0 && r.agreesByID(p) {
		return true, nil
	}
	cluster, err := r.findCluster(ctx, p, cloud)
	if err != nil {
		e := issuer.As(err)
		*outcome = outcomeOf(e, false)
		f := r.clusterError(p, e)
		outcome.Spent = f.Reason == v1alpha1.ReasonAccountNotAllowed
		return false, &f
	}
	outcome.Answered = true
	if p.adopts() && len(cluster.CAPEM) == 0 { // lists do not show the CA
		if shown, err := cloud.ClusterByID(ctx, issuer.ClusterType(p.wanted.Record.ClusterType), cluster.ID); err == nil {
			cluster = shown
		}
	}
	if failure := r.agree(p, cluster); failure != nil { // before anything is known of it that could be told
		outcome.Spent = true
		return false, failure
	}
	p.cluster, p.clusterID, p.clusterName, p.phase = cluster, cluster.ID, cluster.Name, cluster.Phase
	if refusal := p.unfitAdoption(cluster); refusal != nil {
		return false, refusal
	}
	if p.alreadyPublished(cluster) || p.adoptStored(cluster) {
		return false, nil
	}
	return r.checkOffer(p, cluster)
}

func (r *CredentialReconciler) findCluster(ctx context.Context, p *pass, cloud issuer.Cloud) (issuer.Cluster, error) {
	clusterType := issuer.ClusterType(p.wanted.Record.ClusterType)
	if p.cc.Spec.Cluster.Name != "" && (p.wanted.OtherName || p.clusterID == "") {
		return p.clusterNamed(ctx, cloud)
	}
	cluster, err := cloud.ClusterByID(ctx, clusterType, p.clusterID)
	if name := p.cc.Spec.Cluster.Name; name != "" && err != nil && issuer.As(err).Kind == issuer.NotFound {
		return p.clusterNamed(ctx, cloud) // one of that name may have been made anew
	}
	return cluster, err
}

// clusterNamed finds the cluster that the spec names. Of several, the one counts that a grant is for, if it is one.
func (p *pass) clusterNamed(ctx context.Context, cloud issuer.Cloud) (issuer.Cluster, error) {
	clusterType := issuer.ClusterType(p.wanted.Record.ClusterType)
	cluster, err := cloud.ClusterByName(ctx, clusterType, p.cc.Spec.Cluster.Name)
	if err != nil && p.isLent() {
		if granted := p.grantedOf(issuer.As(err).Candidates); len(granted) == 1 {
			return cloud.ClusterByID(ctx, clusterType, granted[0])
		}
	}
	return cluster, err
}

// alreadyPublished says whether a name turned out to be that of the published cluster,
// and nothing else asks for a certificate.
func (p *pass) alreadyPublished(cluster issuer.Cluster) bool {
	if !p.wanted.OtherName || p.found.Record == nil || p.found.Record.ClusterID != cluster.ID {
		return false
	}
	p.wanted.OtherName, p.wanted.Replaced = false, ""
	p.wanted.Record.ClusterID = cluster.ID
	p.decision = rotation.Decide(p.now, p.wanted, p.found)
	return !p.decision.Due
}

// checkOffer looks whether the cluster has the address that the spec asks for. One that
// is known now, and fits the stored certificate, needs no other certificate.
func (r *CredentialReconciler) checkOffer(p *pass, cluster issuer.Cluster) (needed bool, failure *status.Failure) {
	if len(cluster.Endpoints) == 0 {
		return true, nil // the cloud does not say: its answer will
	}
	wish := p.wish()
	known := p.contexts()
	if p.decision.OtherCluster {
		known = nil
	}
	offer := mergedOffer(known, offerOf(cluster))
	_, _, err := kubeconfig.Choose(contextsOf(offer), kubeconfig.Wish{Access: wish.Access, Kept: wish.Kept, AllowInsecure: wish.AllowInsecure})
	if wish.Context == "" && err != nil {
		return false, choiceFailure(err, p.now.Add(time.Hour))
	}
	if failure := lacks(cluster, wish.Context); failure != nil {
		failure.RetryAt = p.now.Add(time.Hour)
		return false, failure
	}
	if p.wanted.Unreachable && wish.Context == "" && !p.decision.OtherCluster && !p.hasNoCA() {
		p.offer = offer
		p.wanted.Unreachable = false
		p.decision = rotation.Decide(p.now, p.wanted, p.found)
		return p.decision.Due, nil
	}
	if wish.Context != "" && sameHosts(offer, known) {
		_, _, err := kubeconfig.Choose(contextsOf(known), wish)
		if choice, ok := errors.AsType[*kubeconfig.ChoiceError](err); ok && choice.Kind == kubeconfig.InsecureEndpoint {
			return false, choiceFailure(err, p.now.Add(time.Hour)) // as it was when the cloud was last asked
		}
	}
	if kind := p.failedForAddress(); kind != "" && sameHosts(offer, p.cc.Status.Contexts) {
		return false, &status.Failure{Reason: kind, Message: p.issuedMessage(), Counts: true, RetryAt: p.now.Add(time.Hour)}
	}
	return true, nil
}

// lacks says that a cluster has no address for a context that is named after one; nil: it may have. What custom names there are
// only an answer tells.
func lacks(cluster issuer.Cluster, context string) *status.Failure {
	access := kubeconfig.AccessOf(context)
	if context == "" || access == kubeconfig.Custom {
		return nil
	}
	external := access == kubeconfig.External
	if slices.ContainsFunc(cluster.Endpoints, func(e issuer.Endpoint) bool { return e.External == external }) {
		return nil
	}
	return &status.Failure{
		Reason: v1alpha1.ReasonContextNotFound, Counts: true,
		Message: fmt.Sprintf("spec.endpoint.context is %q, and the cluster has no such address now", context),
	}
}

// offerOf names the addresses of a cluster as the contexts of an answer are named.
func offerOf(cluster issuer.Cluster) []v1alpha1.OfferedContext {
	offer := make([]v1alpha1.OfferedContext, 0, len(cluster.Endpoints))
	for _, endpoint := range cluster.Endpoints {
		name := "internal"
		if endpoint.External {
			name = "externalTLSVerify"
		}
		offer = append(offer, v1alpha1.OfferedContext{Name: name, Server: endpoint.URL, Verified: true})
	}
	return offer
}

// failedForAddress is the reason of the last failure, made with the very same spec and
// key, where it was about the address; empty: it was not.
func (p *pass) failedForAddress() v1alpha1.Reason {
	if p.cc.Status.Failures == 0 || p.cc.Status.AttemptedWith != p.wanted.With {
		return ""
	}
	for _, reason := range []v1alpha1.Reason{v1alpha1.ReasonInsecureEndpoint, v1alpha1.ReasonContextNotFound} {
		if p.saidAlready(reason) {
			return reason
		}
	}
	return ""
}

func (p *pass) issuedMessage() string {
	for _, c := range p.cc.Status.Conditions {
		if c.Type == v1alpha1.ConditionIssued {
			return c.Message
		}
	}
	return ""
}

// sameHosts says whether every address on offer was on offer before, and none is missing.
func sameHosts(a, b []v1alpha1.OfferedContext) bool {
	return slices.Equal(hostsOf(a), hostsOf(b))
}

func hostsOf(offered []v1alpha1.OfferedContext) []string {
	var hosts []string
	for _, o := range offered {
		if u, err := url.Parse(o.Server); err == nil && kubeconfig.AccessOf(o.Name) != kubeconfig.Custom {
			hosts = append(hosts, u.Host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// choiceFailure is for an address that is not on offer, or not with TLS verification.
func choiceFailure(err error, retryAt time.Time) *status.Failure {
	failure := &status.Failure{Reason: v1alpha1.ReasonContextNotFound, Message: err.Error(), Counts: true, RetryAt: retryAt}
	if choice, ok := errors.AsType[*kubeconfig.ChoiceError](err); ok {
		failure.Reason = v1alpha1.Reason(choice.Kind)
	}
	return failure
}
