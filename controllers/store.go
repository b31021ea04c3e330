// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// storeDeadline bounds how long a fresh certificate is tried to be stored in one pass.
// Together with postDeadline and verifyDeadline it stays below the shutdown grace.
const storeDeadline = 10 * time.Second

// heldFor returns a certificate that an earlier pass could not store, if it still is
// what the spec asks for and valid; one that is not is discarded.
func (r *CredentialReconciler) heldFor(p *pass) *held {
	kept := p.remembered.held
	if kept == nil {
		return nil
	}
	record, _ := rotation.ParseRecord(kept.marks.Request)
	wanted := p.wanted.Record
	if name := p.cc.Spec.Cluster.Name; name != "" && name == kept.marks.Source.ClusterName {
		wanted.ClusterID = record.ClusterID // one of that name was made anew, and this is its certificate
	}
	name := kept.marks.Source.ClusterName
	other := p.cc.Spec.Cluster.Name != "" && name != "" && name != p.cc.Spec.Cluster.Name
	why := p.notGrantedNow(kept)
	if p.now.Before(kept.credential.NotAfter) && !other && !wanted.Differs(record) && why == "" {
		return kept
	}
	r.memory.update(p.cc, func(m *remembered) { m.held = nil })
	p.leftover = true
	certificate := describeCertificate(kept.credential.Identity)
	p.attempt = &status.Attempt{
		Issuance: &kept.issuance, With: p.wanted.With, Discarded: &certificate,
		Failure: &status.Failure{
			Reason:  v1alpha1.ReasonIssuing,
			Message: "a certificate was not published: " + firstOf(why, "it could not be stored before spec asked for another one"),
		},
	}
	return nil
}

// store writes a fresh certificate, on a context of its own: until it is stored, the
// key exists only here.
func (r *CredentialReconciler) store(ctx context.Context, p *pass) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeDeadline)
	defer cancel()
	fresh, first := p.fresh, p.remembered.held == nil
	before := p.offer
	p.offer = fresh.marks.Source.Contexts // what is published from now on
	defer func() {
		if !p.current {
			p.offer = before
		}
	}()
	if p.view == nil && !r.lookAgain(ctx, p) {
		r.hold(p, nil, errUnread)
		return
	}
	if r.overtaken(p) { // one that was held is older than what another leader has stored meanwhile
		return
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := r.put(ctx, p, fresh.credential, fresh.marks)
		if err == nil {
			r.memory.update(p.cc, func(m *remembered) { m.held = nil })
			r.Metrics.published(p.output.Format, true)
			return
		}
		refused, final := errors.AsType[*target.Refused](err)
		if final || !first || !sleep(ctx, pause) {
			r.hold(p, refused, err)
			return
		}
		if r.lookAgain(ctx, p) && r.overtaken(p) {
			return
		}
	}
}

// errUnread carries nothing of the API server's answer.
var errUnread = errors.New("the Secret could not be read from the API server")

// lookAgain reads the primary Secret anew.
func (r *CredentialReconciler) lookAgain(ctx context.Context, p *pass) bool {
	view, err := r.look(ctx, p, p.slot)
	if err == nil {
		p.see(view)
	}
	return err == nil
}

// overtaken says whether somebody else has stored another certificate, or taken the
// name, since the pass began: then ours comes too late, and is discarded.
func (r *CredentialReconciler) overtaken(p *pass) bool {
	id := p.facts.marks.IssuanceID
	other := p.facts.stored != nil && id != p.fresh.began && id != p.fresh.issuance.ID && // marks may come and go meanwhile
		p.facts.stored.certificate.FingerprintSHA256 != p.fresh.beganWith
	taken := p.view.live != nil && (p.facts.standing == target.Foreign && !p.adopts() || p.facts.standing == target.Others)
	if !other && !taken {
		return false
	}
	r.dropHeld(p, v1alpha1.ReasonSecretConflict, fmt.Sprintf("Secret %s was written by somebody else while the certificate was asked for", p.key))
	p.problem = p.standingProblem()
	return true
}

// dropHeld discards a certificate that was issued and will not be published.
func (r *CredentialReconciler) dropHeld(p *pass, reason v1alpha1.Reason, why string) {
	certificate := describeCertificate(p.fresh.credential.Identity)
	p.attempt = &status.Attempt{
		Issuance: &p.fresh.issuance, With: p.wanted.With, Discarded: &certificate,
		Failure: &status.Failure{Reason: reason, Message: why},
	}
	p.fresh = nil
	r.memory.update(p.cc, func(m *remembered) { m.held = nil })
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
