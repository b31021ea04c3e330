// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

// conflictLook is how often a Secret of somebody else is looked at: no watch shows it.
const conflictLook = time.Minute

// leftoverLook is how soon a pass follows one that had to tell of an earlier attempt.
const leftoverLook = time.Second

// heldLook is how soon a certificate is tried to be stored again that could not be.
const heldLook = 10 * time.Second

// reportDeadline bounds the status write after an attempt.
const reportDeadline = 5 * time.Second

// report writes the status if it differs, tells of transitions, and says when to look
// again: at the soonest of what the decision, the attempt and a problem ask for.
func (r *CredentialReconciler) report(ctx context.Context, p *pass) (reconcile.Result, error) {
	if p.attempt == nil && p.remembered.unreported != nil {
		p.attempt, p.leftover = p.remembered.unreported, true
	}
	if p.attempt != nil && p.attempt.Issuance != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), reportDeadline)
		defer cancel()
	}
	p.decision = rotation.Decide(p.now, r.afterwards(p), p.foundNow())
	p.note = r.nameNote(ctx, p)
	facts := r.factsOf(p)
	previous, next, err := r.writeStatus(ctx, p, facts)
	if err != nil {
		attempt := p.attempt
		r.memory.update(p.cc, func(m *remembered) { m.unreported = attempt })
		if errors.Is(err, errOvertaken) {
			return reconcile.Result{RequeueAfter: leftoverLook}, nil
		}
		return r.failed(ctx, p.cc, fmt.Errorf("write the status: %w", err))
	}
	r.memory.update(p.cc, func(m *remembered) { m.unreported = nil })
	offered := confirmedOf(next.Contexts)
	if said := p.marks().Source.Contexts; slices.Equal(said, offered) {
		offered = said // remembered already, and others may be reading it
	} else {
		shared.settle(&offered)
	}
	r.memory.offers(next.ClusterID, offered)
	r.speak(ctx, p, previous, next)
	return reconcile.Result{RequeueAfter: r.nextLook(p, next)}, nil
}

// afterwards is what is wanted once the pass is over: what it published counts.
func (r *CredentialReconciler) afterwards(p *pass) rotation.Wanted {
	want := p.wanted
	if p.fresh != nil && p.current {
		want.OtherName = false
		want.Record.ClusterID = p.clusterID
		if p.clusterID == "" && p.found.Record != nil {
			want.Record.ClusterID = p.found.Record.ClusterID
		}
	}
	_, err := p.way()
	want.Unreachable = p.stored() != nil && err != nil
	return want
}

// foundNow is what is there once the pass is over.
func (p *pass) foundNow() rotation.Found {
	return foundOf(p, p.found.Record)
}

// factsOf is what status is told.
func (r *CredentialReconciler) factsOf(p *pass) status.Facts {
	facts := status.Facts{
		Now: p.now, Generation: p.cc.Generation, Suspended: p.cc.Spec.Suspend,
		Manual: p.wanted.Schedule.Manual, Wanted: firstOf(p.cc.Spec.Cluster.Name, p.clusterName, p.cc.Spec.Cluster.ID),
		With: p.wanted.With, Opened: p.opened(), Stored: p.storedStatus(), Decision: p.decision, Attempt: p.attempt, Lost: p.lost,
		Output: status.Output{
			Namespace: p.key.Namespace, SecretName: p.key.Name, Format: p.output.Format, Current: p.current,
			Note: p.note,
		},
		Released: p.released, Held: p.waits != nil || p.fresh != nil && !p.current, Waiting: p.waiting, FleetHeld: p.fleetHeld,
	}
	facts.Verified, facts.Replaced = r.verified(p), p.replaced()
	if p.listed.ID != "" {
		facts.Offered = p.offer
	}
	if p.problem != nil {
		facts.Output.Reason, facts.Output.Message = p.problem.reason, p.problem.message
	}
	for i := range p.copies {
		facts.Copies = append(facts.Copies, p.copyFacts(&p.copies[i]))
	}
	if stored := p.stored(); stored != nil {
		way, err := p.way()
		facts.WrongAccess = err != nil || way.text() != stored.way.text()
	}
	return facts
}

// copyFacts is what status is told of a further output.
func (p *pass) copyFacts(c *secretCopy) status.Copy {
	told := status.Copy{
		Output:   status.Output{Namespace: c.key.Namespace, SecretName: c.key.Name, Format: c.output.Format, Current: c.current},
		Works:    p.works(c.known.holds),
		Revision: c.known.holds.revision, NotAfter: metaTime(c.known.holds.notAfter),
	}
	if c.problem != nil {
		told.Reason, told.Message = c.problem.reason, c.problem.message
	}
	if said := p.said(c.key); said != nil && c.known.version == "" && !c.gone { // not looked at in this process
		told.Revision, told.NotAfter = said.Revision, said.NotAfter
		stillWorks := said.State != v1alpha1.OutputFailed && told.NotAfter != nil && p.now.Before(told.NotAfter.Time)
		told.Works = told.Works || stillWorks && !p.decision.OtherCluster
	}
	return told
}

// opened is the attempt that was open at the end of the pass.
func (p *pass) opened() string {
	if p.attempt != nil && p.attempt.Issuance != nil {
		return p.attempt.Issuance.ID
	}
	if p.cc.Status.Issuance != nil {
		return p.cc.Status.Issuance.ID
	}
	return ""
}

// storedStatus describes the stored credential for status.
func (p *pass) storedStatus() *status.Stored {
	stored := p.stored()
	if stored == nil {
		return nil
	}
	marks := p.marks()
	described := &status.Stored{
		Certificate: stored.certificate, IssuanceID: marks.IssuanceID,
		Trigger: marks.Source.Trigger, Server: stored.way.server, Contexts: p.contexts(),
		ClusterName: p.storedName(), Revision: marks.Revision,
	}
	described.Certificate.RequestID, described.Certificate.AccessKeyID = marks.Source.RequestID, marks.Source.KeyID
	if p.found.Record != nil {
		described.Certificate.Request = p.found.Record.String()
		described.ClusterID = p.found.Record.ClusterID
	}
	if marks.Source.IssuedAt != nil {
		described.IssuedAt = marks.Source.IssuedAt.Time
	}
	if marks.RenewRequest != nil {
		described.Handled = *marks.RenewRequest
	}
	described.Access = p.storedAccess(stored)
	if !stored.chained && !stored.way.insecure {
		described.Note = "the client certificate is not signed by the CA that the cloud shows; whether the cluster accepts it is not known"
	}
	described.Note = strings.TrimPrefix(described.Note+"; "+p.capNote(), "; ")
	described.Note = strings.TrimSuffix(described.Note, "; ")
	return described
}

// storedAccess says through which access the stored server is reached.
func (p *pass) storedAccess(stored *storedFacts) v1alpha1.Access {
	if way, err := p.way(); err == nil && way.text() == stored.way.text() {
		return way.access
	}
	return p.cc.Status.Access
}

// errOvertaken says that the object is not the one that the pass began with: its status is of another leader, of a restored etcd, wiped, or
// of a cache that lags. What the pass found belongs to the former one; the next pass finds it anew.
var errOvertaken = errors.New("the object has changed since the pass began")

// writeStatus writes the next status if it differs. Where the rest of the object has changed meanwhile, it is written
// all the same; where the status has, it fails with errOvertaken.
func (r *CredentialReconciler) writeStatus(
	ctx context.Context, p *pass, facts status.Facts,
) (previous, next v1alpha1.ClusterCredentialStatus, err error) {
	cc := p.cc
	for range 5 {
		previous = cc.Status
		next = status.Next(previous, facts)
		if status.Equal(previous, next) {
			return previous, next, nil
		}
		written := cc.DeepCopy()
		written.Status = next
		err = r.Client.Status().Update(ctx, written)
		if err == nil {
			r.memory.wrote(p.cc, written.ResourceVersion, r.Clock.Now())
			return previous, next, nil
		}
		if !apierrors.IsConflict(err) {
			return previous, next, client404(err)
		}
		fresh := &v1alpha1.ClusterCredential{}
		if err := r.Live.Get(ctx, types.NamespacedName{Namespace: cc.Namespace, Name: cc.Name}, fresh); err != nil {
			return previous, next, client404(err)
		}
		if fresh.UID != cc.UID {
			return previous, next, nil // another object of the same name: its own event wakes it
		}
		if !status.Equal(fresh.Status, previous) || classOf(fresh) != classOf(cc) && (p.attempt == nil || p.attempt.Issuance == nil) {
			return previous, next, errOvertaken // the latter: only what a call came to is told of an object of another class
		}
		cc = fresh
	}
	return previous, next, err
}

// client404 forgives that the object is gone: there is nothing left to report on.
func client404(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// speak logs the decision, and tells of transitions in events and metrics.
func (r *CredentialReconciler) speak(ctx context.Context, p *pass, previous, next v1alpha1.ClusterCredentialStatus) {
	log := ctrl.LoggerFrom(ctx)
	r.Metrics.observe(p.cc, next, p.isAsleep())
	if p.lost != nil || p.attempt != nil && p.attempt.Unknown {
		r.Metrics.unknownOutcome(p.cc)
	}
	for _, event := range status.EventsOf(previous, next, status.News{Published: p.isPublishing(previous), Overrode: p.overrides}) {
		log.Info(event.Message, append([]any{"reason", event.Reason}, certificateFields(event, next)...)...)
		r.tell(ctx, credentialReference(p.cc), event)
	}
	if p.decision.Trigger != "" {
		log.V(1).Info("Decided", "trigger", p.decision.Trigger, "due", p.decision.Due, "reason", p.decision.Reason, "at", p.decision.At)
	}
}

// certificateFields are what an auditor joins with the cloud's own trail.
func certificateFields(event status.Event, next v1alpha1.ClusterCredentialStatus) []any {
	if event.Reason != string(v1alpha1.ReasonIssued) || next.Certificate == nil {
		return nil
	}
	c := next.Certificate
	return []any{
		"serialNumber", c.SerialNumber, "notAfter", c.NotAfter.UTC().Format(time.RFC3339),
		"requestID", c.RequestID, "commonName", c.CommonName, "revision", next.Revision,
	}
}

// isPublishing says whether the certificate that is stored now was published by this
// pass, or by an attempt that could not say so: a status that was wiped tells no news.
func (p *pass) isPublishing(previous v1alpha1.ClusterCredentialStatus) bool {
	begun := previous.Issuance != nil && previous.Issuance.ID == p.marks().IssuanceID
	return begun || p.fresh != nil && p.current && !p.fresh.adopted
}

// lookSooner has the object looked at again by then.
func (p *pass) lookSooner(at time.Time) {
	if p.lookAt.IsZero() || at.Before(p.lookAt) {
		p.lookAt = at
	}
}

// nextLook is when to look again: never later than an hour from now.
func (r *CredentialReconciler) nextLook(p *pass, next v1alpha1.ClusterCredentialStatus) time.Duration {
	at := p.decision.NextLook
	sooner := func(other time.Time) {
		if other.After(p.began) && other.Before(at) { // what fell into a wait at the gate is overdue, and not past
			at = other
		}
	}
	if next.NextAttemptTime != nil {
		sooner(next.NextAttemptTime.Time)
	}
	sooner(p.lookAt)
	sooner(p.tryAt)
	sooner(p.listAt)
	if p.leftover {
		sooner(p.now.Add(leftoverLook))
	}
	if p.problem != nil || slices.ContainsFunc(p.copies, func(c secretCopy) bool { return c.problem != nil }) {
		sooner(p.now.Add(conflictLook))
	}
	if p.fresh != nil && !p.current && !p.fresh.untried {
		sooner(r.Clock.Now().Add(heldLook))
	}
	return max(at.Sub(r.Clock.Now()), time.Millisecond)
}
