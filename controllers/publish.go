// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// storeDeadline bounds how long a fresh certificate is tried to be stored in one pass.
// Together with postDeadline it stays below the shutdown grace.
const storeDeadline = 15 * time.Second

// publishProblem is why the Secret does not carry what it should.
type publishProblem struct {
	reason  v1alpha1.Reason
	message string
}

// publish brings the Secret in step with the credential that there is: the fresh one,
// one that could not be stored yet, or the stored one. Nothing is written where
// nothing differs, and nothing while spec.suspend is true, but a fresh certificate.
func (r *CredentialReconciler) publish(ctx context.Context, p *pass) {
	if p.fresh == nil {
		p.fresh = r.heldFor(p)
	}
	switch {
	case p.fresh != nil:
		r.store(ctx, p)
	case p.problem != nil || p.stored() == nil:
	case p.fill == nil && p.facts.carriedFor == p.purpose():
		p.current = true
	case !p.cc.Spec.Suspend:
		r.bringUpToDate(ctx, p)
	}
	if p.current {
		r.releaseFormer(ctx, p)
	}
}

// purpose names everything that decides what the Secret should carry, beside the
// credential in it.
func (p *pass) purpose() string {
	server, _, _ := p.address()
	return digest(string(p.cc.UID), fmt.Sprint(p.cc.Generation), server, p.requestRecord(), firstOf(p.clusterName, p.knownName()))
}

// heldFor returns a certificate that an earlier pass could not store, if it still is
// what the spec asks for and valid; one that is not is discarded.
func (r *CredentialReconciler) heldFor(p *pass) *held {
	kept := p.remembered.held
	if kept == nil || p.cc.Spec.Suspend {
		return nil
	}
	record, _ := rotation.ParseRecord(kept.marks.Request)
	if p.now.Before(kept.credential.NotAfter) && !p.wanted.Record.Differs(record) {
		return kept
	}
	r.memory.update(p.cc, func(m *remembered) { m.held = nil })
	certificate := describeCertificate(kept.credential.Identity)
	p.attempt = &status.Attempt{
		Issuance: &kept.issuance, With: p.wanted.With, Discarded: &certificate,
		Failure: &status.Failure{Reason: v1alpha1.ReasonIssuing, Message: "a certificate could not be stored before spec asked for another one"},
	}
	return nil
}

// store writes a fresh certificate, on a context of its own: until it is stored, the
// key exists only here.
func (r *CredentialReconciler) store(ctx context.Context, p *pass) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeDeadline)
	defer cancel()
	fresh := p.fresh
	if p.view == nil && !r.lookAgain(ctx, p) {
		r.hold(p, nil, errUnread)
		return
	}
	began := p.facts.marks.IssuanceID
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := r.put(ctx, p, fresh.credential, fresh.marks)
		if err == nil {
			r.memory.update(p.cc, func(m *remembered) { m.held = nil })
			r.Metrics.published(p.output.Format, true)
			return
		}
		refused, final := errors.AsType[*target.Refused](err)
		if final || !sleep(ctx, pause) {
			r.hold(p, refused, err)
			return
		}
		if r.lookAgain(ctx, p) && r.overtaken(p, began) {
			return
		}
	}
}

// errUnread carries nothing of the API server's answer.
var errUnread = errors.New("the Secret could not be read from the API server")

// lookAgain reads the primary Secret anew.
func (r *CredentialReconciler) lookAgain(ctx context.Context, p *pass) bool {
	view, err := r.look(ctx, p)
	if err == nil {
		p.see(view)
	}
	return err == nil
}

// overtaken says whether somebody else has stored another certificate, or taken the
// name, since the pass began: then ours comes too late, and is discarded.
func (r *CredentialReconciler) overtaken(p *pass, began string) bool {
	other := p.facts.stored != nil && p.facts.marks.IssuanceID != began && p.facts.marks.IssuanceID != p.fresh.issuance.ID
	taken := p.view.live != nil && (p.facts.standing == target.Foreign || p.facts.standing == target.Others)
	if !other && !taken {
		return false
	}
	certificate := describeCertificate(p.fresh.credential.Identity)
	p.attempt = &status.Attempt{
		Issuance: &p.fresh.issuance, With: p.wanted.With, Discarded: &certificate,
		Failure: &status.Failure{Reason: v1alpha1.ReasonSecretConflict, Message: fmt.Sprintf("Secret %s was written by somebody else while the certificate was asked for", p.key)},
	}
	p.fresh = nil
	return true
}

// hold keeps a certificate that could not be stored, and says so.
func (r *CredentialReconciler) hold(p *pass, refused *target.Refused, err error) {
	fresh := p.fresh
	r.memory.update(p.cc, func(m *remembered) { m.held = fresh })
	r.memory.failPreflight(p.preflightKey())
	r.Metrics.published(p.output.Format, false)
	if refused != nil {
		err = refused
	}
	p.problem = &publishProblem{v1alpha1.ReasonWriteRefused, "the new certificate is kept in memory and tried again: " + err.Error()}
}

// bringUpToDate writes what the stored credential should look like today.
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
	if source.credential == nil || p.facts.standing == target.Foreign && p.view.live != nil {
		return
	}
	credential := *source.credential
	if server, _, err := p.address(); err == nil {
		credential.Server = server
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
	marks.Source.ClusterName = firstOf(p.clusterName, p.knownName(), p.cc.Spec.Cluster.Name)
	if contexts := p.contexts(); len(marks.Source.Contexts) == 0 || len(p.offer) > 0 {
		marks.Source.Contexts = contexts
	}
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

// put makes the Secret carry a credential, if it does not yet.
func (r *CredentialReconciler) put(ctx context.Context, p *pass, credential kubeconfig.Credential, marks target.Marks) error {
	rendered, err := output.Render(credential, p.output, p.defaultName())
	if err != nil {
		return &target.Refused{Key: p.key, Reason: metav1.StatusReasonInvalid, Detail: err.Error()}
	}
	marks.Managed, marks.ReleasedAt = true, ""
	marks.Credential, marks.Namespace, marks.UID = p.cc.Name, p.cc.Namespace, string(p.cc.UID)
	marks.Fingerprint, marks.NotAfter = credential.Fingerprint, credential.NotAfter
	want := target.Desired{Key: p.key, Rendered: rendered, Marks: marks, Owner: ownerOf(p.cc)}
	live := p.view.live
	version := p.facts.version
	if live == nil || !want.Carries(live) {
		if _, version, err = r.secrets.Put(ctx, live, want); err != nil {
			return err
		}
	}
	p.fill = nil
	p.facts = secretFacts{version: version, standing: target.Ours, marks: marks, stored: factsOf(credential)}
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

// ownerOf is set where the Secret goes with the object.
func ownerOf(cc *v1alpha1.ClusterCredential) *metav1.OwnerReference {
	if cc.Spec.DeletionPolicy != v1alpha1.DeletionDelete {
		return nil
	}
	return &metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ClusterCredential", Name: cc.Name, UID: cc.UID,
	}
}

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
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
