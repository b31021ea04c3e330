// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/target"
)

// publishProblem is why the Secret does not carry what it should.
type publishProblem struct {
	reason  v1alpha1.Reason
	message string
}

// publish brings the Secret in step with the credential that there is: the fresh one,
// one that could not be stored yet, or the stored one. Nothing is written where
// nothing differs, and nothing while spec.suspend is true, but a certificate that was
// asked for before.
func (r *CredentialReconciler) publish(ctx context.Context, p *pass) {
	if p.fresh == nil {
		p.fresh = r.heldFor(p)
	}
	if p.fresh != nil {
		r.tryHeld(ctx, p)
	}
	switch {
	case p.fresh != nil:
		r.store(ctx, p)
		r.tellAdopted(ctx, p)
	case p.problem != nil || p.stored() == nil:
	case p.fill == nil && p.facts.carriedFor == p.purpose():
		p.current = true
	default:
		r.bringUpToDate(ctx, p)
	}
	if p.current && p.problem == nil {
		p.problem = p.typeProblem()
	}
	r.publishCopies(ctx, p)
	if p.current && !p.cc.Spec.Suspend {
		r.releaseFormer(ctx, p)
	}
	if p.waits != nil {
		p.current, p.problem = false, p.waits
	}
}

// purpose names everything that decides what the Secret should carry, beside the
// credential in it.
func (p *pass) purpose() string {
	way, _ := p.way()
	return digest(string(p.cc.UID), fmt.Sprint(p.cc.Generation), way.text(), p.requestRecord(), p.storedName(), strings.Join(p.writtenOnce(), " "))
}

// storedName is the name of the cluster that the stored certificate is for; empty: not known. The cluster
// that was looked up in this pass may be another one, for which no certificate came.
func (p *pass) storedName() string {
	if p.found.Record != nil && p.found.Record.ClusterID == p.clusterID {
		return firstOf(p.clusterName, p.knownName())
	}
	return p.knownName()
}

// bringUpToDate looks what the stored credential should look like today, and writes it.
func (r *CredentialReconciler) bringUpToDate(ctx context.Context, p *pass) {
	if p.view == nil {
		if !r.lookAgain(ctx, p) {
			p.problem = &publishProblem{v1alpha1.ReasonWriteRefused, errUnread.Error()}
			return
		}
	}
	source := p.view
	if p.fill != nil {
		source = p.fill
	}
	if p.problem = r.nameProblem(ctx, p, p.slot); p.problem != nil || source.credential == nil {
		return
	}
	if why := p.invalidMetadata(); why != "" {
		p.problem = &publishProblem{v1alpha1.ReasonWriteRefused, why}
		return
	}
	credential := *source.credential
	if way, err := p.way(); err == nil {
		way.dress(&credential.Endpoint)
	}
	if err := r.put(ctx, p, credential, p.marksOf(source.facts.marks)); err != nil {
		r.memory.failPreflight(p.preflightKey())
		p.problem = &publishProblem{v1alpha1.ReasonWriteRefused, err.Error()}
	}
}

// marksOf are the marks of a stored certificate, with what is missing taken from status.
func (p *pass) marksOf(marks target.Marks) target.Marks {
	previous := p.cc.Status
	marks.Revision = max(marks.Revision, previous.Revision, 1)
	marks.Request = p.requestRecord()
	if marks.RenewRequest == nil {
		marks.RenewRequest = new(p.handledBefore())
	}
	for _, entry := range previous.History {
		if stored := p.stored(); stored == nil || entry.FingerprintSHA256 != stored.certificate.FingerprintSHA256 {
			continue
		}
		marks.IssuanceID = firstOf(marks.IssuanceID, entry.IssuanceID)
		marks.Source.Trigger = firstOf(marks.Source.Trigger, entry.Trigger)
		marks.Source.RequestID = firstOf(marks.Source.RequestID, entry.RequestID)
		if marks.Source.IssuedAt == nil {
			marks.Source.IssuedAt = &entry.IssuedAt
		}
	}
	marks.Source.KeyID = p.askedBy()
	marks.Source.ClusterName = firstOf(p.storedName(), p.cc.Spec.Cluster.Name)
	marks.Source.Contexts = p.contexts()
	return marks
}

// handledBefore is the last handled request where the Secret has no record of it: what
// status says, or, without any record, the request that is there.
func (p *pass) handledBefore() string {
	if p.found.Handled == nil {
		return rotation.CutRequest(p.wanted.RenewRequest)
	}
	return p.cc.Status.LastHandledRenewRequest
}

// requestRecord is what the stored certificate was asked for, as far as it is known:
// where nothing is, what would be asked for now.
func (p *pass) requestRecord() string {
	if p.found.Record == nil {
		return p.wanted.Record.String()
	}
	if p.decision.Changed {
		return p.found.Record.String()
	}
	return p.wanted.Record.Filled(*p.found.Record).String()
}

// outputFacts are what the outputs say besides the credential.
func (p *pass) outputFacts() output.Facts {
	facts := output.Facts{
		ClusterID: p.cc.Status.ClusterID, Region: p.account.access.Region, Name: p.cc.Name, Namespace: p.cc.Namespace,
	}
	if p.found.Record != nil {
		facts.ClusterID, facts.ProjectID = p.found.Record.ClusterID, p.found.Record.ProjectID
	}
	if way, err := p.way(); err == nil {
		facts.Access = string(way.access)
	}
	return facts
}

// put makes the Secret carry a credential, if it does not yet.
func (r *CredentialReconciler) put(ctx context.Context, p *pass, credential kubeconfig.Credential, marks target.Marks) error {
	rendered, err := output.Render(credential, p.output, p.outputFacts())
	if err != nil {
		return &target.Refused{Key: p.key, Reason: metav1.StatusReasonInvalid, Detail: err.Error()}
	}
	if p.view.live != nil && p.facts.standing != target.Ours && p.facts.standing != target.Stripped && !p.adopts() {
		return &target.Refused{Key: p.key, Reason: metav1.StatusReasonConflict, Detail: "it is not ours"}
	}
	marks.Managed, marks.ReleasedAt, marks.Source.Wish, marks.Source.Once = true, "", p.wishText(), p.writtenOnce()
	marks.Credential, marks.Namespace, marks.UID = p.cc.Name, p.cc.Namespace, string(p.cc.UID)
	marks.Fingerprint, marks.NotAfter = credential.Fingerprint, credential.NotAfter
	live := p.view.live
	if marks.Class, err = r.classFor(ctx, p, live); err != nil {
		return err
	}
	want := target.Desired{Key: p.key, Rendered: rendered, Marks: marks, Owner: ownerOf(p.cc, &p.slot)}
	version := p.facts.version
	if live == nil || !want.Carries(live) {
		if p.cc.Spec.Suspend && p.fresh == nil {
			return nil // not brought up to date, and status says so
		}
		if _, version, err = r.secrets.Put(ctx, live, want); err != nil {
			return err
		}
	}
	p.fill = nil
	p.facts = secretFacts{version: version, kind: rendered.Type, standing: target.Ours, marks: marks, stored: p.factsFor(credential)}
	if live != nil {
		p.facts.kind = live.Type
	}
	p.found.Record = recordIn(marks)
	p.current = true
	p.facts.carriedFor = p.purpose()
	p.view = &secretView{credential: &credential, facts: p.facts}
	r.remember(p)
	return nil
}

func recordIn(marks target.Marks) *rotation.Record {
	record, known := rotation.ParseRecord(marks.Request)
	if !known {
		return nil
	}
	return &record
}

// ownerOf is set where the Secret of an output goes with the object. No owner reference reaches into another namespace.
func ownerOf(cc *v1alpha1.ClusterCredential, s *slot) *metav1.OwnerReference {
	if s.isAway() || !goesWith(cc, s) {
		return nil
	}
	return &metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ClusterCredential", Name: cc.Name, UID: cc.UID,
	}
}

func firstOf[T comparable](values ...T) T {
	var zero T
	for _, value := range values {
		if value != zero {
			return value
		}
	}
	return zero
}
