// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// adoption is a Secret of somebody else that an output takes over.
type adoption struct {
	// refusal says why it must not; empty: it may.
	refusal string
	// found are the credentials in it, one for each way to a server; none where nothing is readable.
	found []kubeconfig.Credential
}

// adoptionOf looks whether the Secret of an output that asks for it may be taken over; nil: there is nothing to adopt.
func (p *pass) adoptionOf(s slot, view secretView) *adoption {
	if s.output.Existing != v1alpha1.ExistingAdopt || view.live == nil || view.facts.standing != target.Foreign {
		return nil
	}
	a := &adoption{}
	if s.index == 0 { // the others are made from it, whatever they hold
		a.found = credentialsIn(view.live, s, p)
	}
	a.refusal = firstOf(target.WhyNotAdopt(view.live), p.otherShape(s, view.live))
	return a
}

// otherShape says what of a Secret would change under its consumers though nobody has asked for that; empty: nothing.
func (p *pass) otherShape(s slot, live *corev1.Secret) string {
	if want := output.TypeOf(s.output); live.Type != want {
		return fmt.Sprintf("it has the type %q and the output asks for %q, which Kubernetes does not let change", live.Type, want)
	}
	switch s.output.Format {
	case v1alpha1.FormatArgoCD:
		server, named := strings.TrimRight(string(live.Data["server"]), "/"), string(live.Data["name"])
		if want := p.outputFacts().ClusterName(s.output); s.output.ClusterName == "" && named != "" && named != want {
			return fmt.Sprintf("Argo CD knows the cluster as %q, and would know it as %q: write %s", named, want, s.field("clusterName"))
		}
		if way, err := p.way(); err == nil {
			return p.otherServer(server, way.server)
		}
	case v1alpha1.FormatIstio:
		id := p.outputFacts().ClusterName(s.output)
		for key := range live.Data {
			if key != id {
				return fmt.Sprintf("it has the key %q besides, which istiod takes for a cluster: remove that key, or write it as %s", key, s.field("clusterName"))
			}
		}
	default: // any other key stays, and harms nobody
	}
	return ""
}

// otherServer says that Argo CD would know a cluster by another address than it does; empty: it would not, or that is asked for.
func (p *pass) otherServer(known, server string) string {
	if p.ownServer() != "" || known == "" || known == server {
		return ""
	}
	return fmt.Sprintf("Argo CD knows the cluster by %s, and would know it by %s: write spec.endpoint.server", known, server)
}

// adoptsAnother says that of the Secret that is taken over, once an answer has named the address.
func (p *pass) adoptsAnother(server string) string {
	if !p.adopts() || p.output.Format != v1alpha1.FormatArgoCD || p.view == nil || p.view.live == nil {
		return ""
	}
	return p.otherServer(strings.TrimRight(string(p.view.live.Data["server"]), "/"), server)
}

// credentialsIn reads what somebody has put into a Secret by hand: one of our formats, or a kubeconfig with one user.
func credentialsIn(live *corev1.Secret, s slot, p *pass) []kubeconfig.Credential {
	if c, err := output.Read(live.Data, s.output, p.outputFacts()); err == nil {
		return []kubeconfig.Credential{c}
	}
	if c, found := output.Recover(live.Data); found {
		return []kubeconfig.Credential{c}
	}
	var found []kubeconfig.Credential
	for _, data := range live.Data {
		answer, err := kubeconfig.Parse(data, p.now)
		if err != nil {
			continue
		}
		for _, c := range answer.Contexts {
			if c.Verified {
				found = append(found, kubeconfig.Credential{Endpoint: kubeconfig.Endpoint{Server: c.Server, CAPEM: c.CAPEM}, Identity: answer.Identity})
			}
		}
	}
	return found
}

// adopts says whether the Secret of somebody else is taken over.
func (s *slot) adopts() bool { return s.adoption != nil && s.adoption.refusal == "" }

// unfitAdoption looks, now that the cluster's addresses are known, whether the Secret may be taken over; nil: it may.
func (p *pass) unfitAdoption(cluster issuer.Cluster) *status.Failure {
	if !p.adopts() || p.view == nil || p.view.live == nil || len(cluster.Endpoints) == 0 {
		return nil
	}
	p.offer = offerOf(cluster)
	if p.adoption.refusal = p.otherShape(p.slot, p.view.live); p.adoption.refusal == "" {
		return nil
	}
	p.problem = p.standingProblem()
	return &status.Failure{Reason: p.problem.reason, Message: p.problem.message, Counts: true, RetryAt: p.now.Add(time.Hour)}
}

// adoptStored serves the certificate on that stands in an adopted Secret, if it is valid and of the very cluster: no certificate
// is asked for then. What it would be asked for now counts as what it was asked for.
func (p *pass) adoptStored(cluster issuer.Cluster) bool {
	if !p.adopts() || p.stored() != nil {
		return false
	}
	at := slices.IndexFunc(p.adoption.found, func(c kubeconfig.Credential) bool { return p.fits(c, cluster) })
	if at < 0 {
		return false
	}
	credential := p.adoption.found[at]
	p.offer = offerOf(cluster)
	if way, err := p.way(); err == nil {
		way.dress(&credential.Endpoint)
	}
	record := p.wanted.Record
	record.ClusterID = cluster.ID
	handled, previous := p.handledNow()
	p.fresh = &held{credential: credential, adopted: true, marks: target.Marks{
		Revision: max(p.cc.Status.Revision, 0) + 1, RenewRequest: &handled, Request: record.String(),
		Source: target.Source{
			ClusterName: cluster.Name, PreviousRequest: previous, Contexts: p.offer,
			Trigger: v1alpha1.TriggerFirst, IssuedAt: new(metav1.NewTime(credential.NotBefore)), // as the history has it
		},
	}}
	return true
}

// tellAdopted tells of a Secret that was taken over with its certificate.
func (r *CredentialReconciler) tellAdopted(ctx context.Context, p *pass) {
	if p.fresh == nil || !p.fresh.adopted || !p.current {
		return
	}
	c := p.fresh.credential
	r.tell(ctx, credentialReference(p.cc), status.Event{
		Type: corev1.EventTypeNormal, Reason: "Adopted",
		Message: fmt.Sprintf("Secret %s is taken over, and certificate %s in it served on until %s", p.key, c.SerialNumber, c.NotAfter.UTC().Format(time.RFC3339)),
	})
}

// fits says whether a credential is valid, and of the cluster: its server is one of the cluster's, or its CA is.
func (p *pass) fits(c kubeconfig.Credential, cluster issuer.Cluster) bool {
	if !p.now.Before(c.NotAfter) || p.now.Before(c.NotBefore) || c.Insecure {
		return false
	}
	if kubeconfig.SameCA(c.CAPEM, cluster.CAPEM) {
		return true
	}
	host := hostsOf([]v1alpha1.OfferedContext{{Name: "internal", Server: c.Server}})
	return len(cluster.CAPEM) == 0 && len(host) == 1 && slices.Contains(hostsOf(offerOf(cluster)), host[0])
}

// replaced is the certificate that an adopted Secret held and that is not served on, for the history; nil: none.
func (p *pass) replaced() *v1alpha1.Certificate {
	if p.fresh == nil || p.fresh.adopted || p.adoption == nil || len(p.adoption.found) == 0 {
		return nil
	}
	certificate := describeCertificate(p.adoption.found[0].Identity)
	return &certificate
}
