// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// accept judges the answer. What is not fit to be published is discarded, and said so.
func (r *CredentialReconciler) accept(ctx context.Context, p *pass, cloud issuer.Cloud, issued issuer.Issued) {
	answer, err := kubeconfig.Parse(issued.Kubeconfig, p.now)
	if err != nil {
		r.discard(p, nil, err.Error())
		return
	}
	if p.exceeds(answer.Identity.NotAfter) {
		r.discard(p, &answer.Identity, "")
		p.attempt.Failure.Reason, p.attempt.Failure.RetryAt = v1alpha1.ReasonRejected, time.Time{} // until something changes
		p.attempt.Failure.Message = fmt.Sprintf("the cloud granted a certificate until %s, longer than %s allows (spec.grants[].maxValidity); it was not published",
			answer.Identity.NotAfter.UTC().Format(time.RFC3339), p.account.object)
		return
	}
	choice, access, err := kubeconfig.Choose(answer.Contexts, p.wish())
	if err != nil {
		p.attempt.Contexts = offeredOf(answer.Contexts)
		r.discard(p, &answer.Identity, "")
		p.attempt.Failure = choiceFailure(err, p.now.Add(time.Hour))
		return
	}
	ca := authorityOf(answer)
	chains := ca != nil && kubeconfig.ChainsTo(answer.Identity, ca)
	if !chains && p.shouldChain(answer, ca) {
		r.discard(p, &answer.Identity, "the client certificate is not signed by the cluster's CA")
		return
	}
	address, known := p.acceptAddress(ctx, cloud, answer, choice, access)
	if !known {
		r.discard(p, &answer.Identity, "it names an API server that the cloud does not confirm to be the cluster's")
		return
	}
	endpoint := kubeconfig.Endpoint{CAPEM: choice.CAPEM}
	address.way.dress(&endpoint)
	if why := p.adoptsAnother(address.way.server); why != "" {
		r.discard(p, &answer.Identity, "")
		p.attempt.Failure.Reason, p.attempt.Failure.Message = v1alpha1.ReasonSecretConflict, why
		return
	}
	p.fresh = &held{
		issuance: *p.attempt.Issuance, credential: kubeconfig.Credential{Endpoint: endpoint, Identity: answer.Identity},
		chains: chains && bytes.Equal(ca, endpoint.CAPEM),
		marks:  p.freshMarks(issued, address.offer), began: p.facts.marks.IssuanceID,
	}
	if stored := p.stored(); stored != nil {
		p.fresh.beganWith = stored.certificate.FingerprintSHA256
	}
}

// address is what a new certificate is published with: the way to the server, and what the cloud is known to offer.
type address struct {
	way   way
	offer []v1alpha1.OfferedContext
}

// acceptAddress takes the address of the answer, if the cluster is known to have it or the cloud confirms it. A cloud that
// cannot be asked is no reason to throw a good certificate away, while its CA is the one that is published: where the key may
// never ask, the address is taken, and where it cannot be asked now, the published one stays.
func (p *pass) acceptAddress(
	ctx context.Context, cloud issuer.Cloud, answer kubeconfig.Answer, choice kubeconfig.Context, access kubeconfig.Access,
) (address, bool) {
	taken := address{
		way:   p.ownWords(way{server: choice.Server, insecure: !choice.Verified, access: v1alpha1.Access(access)}),
		offer: offeredOf(answer.Contexts),
	}
	if !p.isNewAddress(choice, access) {
		return taken, true
	}
	confirmed, err := p.confirms(ctx, cloud, choice.Server)
	if confirmed {
		return taken, true
	}
	if err == nil || !p.sameCA(choice.CAPEM) {
		return address{}, false
	}
	if issuer.As(err).Kind == issuer.Forbidden {
		return taken, true
	}
	kept, err := p.way()
	return address{way: kept, offer: p.contexts()}, err == nil
}

// authorityOf is the CA that comes with a certificate; nil: there is none.
func authorityOf(answer kubeconfig.Answer) (ca []byte) {
	for _, c := range answer.Contexts {
		if c.Verified {
			ca = c.CAPEM
		}
	}
	return ca
}

// shouldChain says whether a certificate should be signed by the CA that comes with it. Without any CA there is only what the
// administrator has let be published without.
func (p *pass) shouldChain(answer kubeconfig.Answer, ca []byte) bool {
	stored := p.stored()
	return ca != nil && (kubeconfig.CABearsIssuerOf(answer.Identity, ca) || stored != nil && stored.chained)
}

// isNewAddress says whether the cluster was not known to have the address of a context. A custom name is one that the
// user asked for, and the cloud's addresses do not list it: there the CA decides, and of another cluster the answer alone.
func (p *pass) isNewAddress(c kubeconfig.Context, access kubeconfig.Access) bool {
	stored, other := p.stored(), p.isOtherCluster()
	switch {
	case stored == nil, !other && stored.way.server == c.Server, access == kubeconfig.Custom && (other || p.sameCA(c.CAPEM)):
		return false
	case other:
		return true
	}
	return !slices.ContainsFunc(p.contexts(), func(o v1alpha1.OfferedContext) bool { return o.Server == c.Server })
}

// isOtherCluster says whether the certificate is for another cluster than the published one: one that spec names now, or one
// that was made anew under the same name.
func (p *pass) isOtherCluster() bool {
	return p.decision.OtherCluster || p.found.Record != nil && p.found.Record.ClusterID != "" && p.found.Record.ClusterID != p.clusterID
}

// confirms says whether an address that was not known before is the cluster's, as the cloud said in this pass or says now.
func (p *pass) confirms(ctx context.Context, cloud issuer.Cloud, server string) (bool, error) {
	cluster := p.cluster
	if cluster.ID != p.clusterID {
		var err error
		if cluster, err = cloud.ClusterByID(ctx, issuer.ClusterType(p.wanted.Record.ClusterType), p.clusterID); err != nil {
			return false, err
		}
	}
	host := hostsOf([]v1alpha1.OfferedContext{{Name: "internal", Server: server}})
	return len(cluster.Endpoints) == 0 || len(host) == 1 && slices.Contains(hostsOf(offerOf(cluster)), host[0]), nil
}

// sameCA says whether a CA is that of the stored credential.
func (p *pass) sameCA(ca []byte) bool {
	for _, view := range []*secretView{p.fill, p.view} {
		if view != nil && view.credential != nil {
			return kubeconfig.SameCA(view.credential.CAPEM, ca)
		}
	}
	return false
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
func (p *pass) freshMarks(issued issuer.Issued, offer []v1alpha1.OfferedContext) target.Marks {
	record, issuance := p.wanted.Record, p.attempt.Issuance
	record.ClusterID = p.clusterID
	handled, previous := p.handledNow()
	return target.Marks{
		Revision:     max(p.marks().Revision, p.cc.Status.Revision) + 1,
		IssuanceID:   issuance.ID,
		RenewRequest: &handled,
		Request:      record.String(),
		Source: target.Source{
			KeyID:       p.account.access.Key.Name(),
			ClusterName: p.clusterName, Trigger: issuance.Trigger, IssuedAt: &issuance.StartedAt,
			RequestID: issued.RequestID, PreviousRequest: previous, Contexts: offer,
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
