// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/fleet"
	"github.com/clustercredential/operator/controllers/status"
)

// changes is what is known of the fleet's changes (see fleet.Hold). What a former process
// let pass is read from the histories, once.
type changes struct {
	hold fleet.Hold

	mu      sync.Mutex
	size    int
	sizedAt time.Time // zero: never, and no history was read
}

const (
	// sizeLasts is how long the number of ClusterCredentials is taken for what it was.
	sizeLasts = time.Minute
	// changeLook is how soon one that is held is looked at again at the latest: a place may
	// become free before its time.
	changeLook = 5 * time.Minute
)

// holdsBack says whether a certificate that nobody asked for has to wait, since too many
// others follow from a change within an hour.
func (r *CredentialReconciler) holdsBack(ctx context.Context, p *pass) bool {
	if !r.FleetHold || !p.decision.Unprompted {
		return false
	}
	size := r.fleetSize(ctx, p.now)
	// Who would come after them in line is told at once, and does not wait for a turn before.
	before := r.Budget.Changes(p.now, p.account.budget.Key, p.claim())
	held, until := r.changes.hold.Holds(p.now, string(p.cc.UID), fleet.Most(size), before...)
	if held {
		p.holdBack(size, until)
	}
	return held
}

// beginsChange takes a place among the changes; false: others were faster.
func (r *CredentialReconciler) beginsChange(ctx context.Context, p *pass) bool {
	if !r.FleetHold || !p.decision.Unprompted {
		return true
	}
	size := r.fleetSize(ctx, p.now)
	begins := r.changes.hold.Begin(p.now, string(p.cc.UID), fleet.Most(size))
	if !begins {
		p.holdBack(size, time.Time{})
	}
	return begins
}

// end gives the place back, or keeps it for an hour where a certificate may have been issued.
func (c *changes) end(now time.Time, p *pass) {
	a := p.attempt
	issued := a != nil && a.Issuance != nil && (a.Failure == nil || a.Unknown || a.Discarded != nil)
	c.hold.End(now, string(p.cc.UID), issued && p.decision.Unprompted)
}

// holdBack says in status what is waited for, once.
func (p *pass) holdBack(size int, until time.Time) {
	p.lookAt = p.now.Add(changeLook)
	if !until.IsZero() && until.Before(p.lookAt) {
		p.lookAt = until
	}
	if p.saidAlready(v1alpha1.ReasonFleetHeld) {
		p.waiting, p.fleetHeld = true, true
		return
	}
	p.fail(status.Failure{Reason: v1alpha1.ReasonFleetHeld, Message: fmt.Sprintf(
		"held (%s): of %d ClusterCredentials more than %d would get a new certificate within an hour that is neither due nor requested; "+
			"see whether a change of specs, accounts or Secrets was meant; annotate those with %s that are to go on; without that %d an hour go on",
		p.decision.Message, size, fleet.Most(size), v1alpha1.AnnotationRenewRequestedAt, fleet.Most(size))})
}

// fleetSize is how many ClusterCredentials there are.
func (r *CredentialReconciler) fleetSize(ctx context.Context, now time.Time) int {
	c := r.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.sizedAt); !c.sizedAt.IsZero() && age >= 0 && age < sizeLasts {
		return c.size
	}
	var all v1alpha1.ClusterCredentialList
	if err := r.Client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Counted no ClusterCredentials: as many count as before")
		return c.size
	}
	if c.sizedAt.IsZero() {
		for i := range all.Items {
			c.noteHistory(&all.Items[i])
		}
	}
	c.size, c.sizedAt = len(all.Items), now
	return c.size
}

// noteHistory counts the changes that history tells of. What it cannot tell is whether one was
// requested: those count, too.
func (c *changes) noteHistory(cc *v1alpha1.ClusterCredential) {
	for _, entry := range cc.Status.History {
		if isChange(entry.Trigger) || entry.Trigger == v1alpha1.TriggerMissing && replacedAValidOne(cc, entry) {
			c.hold.Note(string(cc.UID), entry.IssuedAt.Time)
		}
	}
	if open := cc.Status.Issuance; open != nil && (isChange(open.Trigger) || open.Trigger == v1alpha1.TriggerMissing) {
		c.hold.Note(string(cc.UID), open.StartedAt.Time)
	}
}

// isChange says whether a trigger is about something that has changed, whatever time says.
func isChange(t v1alpha1.Trigger) bool {
	return t == v1alpha1.TriggerSpec || t == v1alpha1.TriggerNotAccepted || t == v1alpha1.TriggerCAChanged
}

// replacedAValidOne says whether an entry was asked for while another certificate was valid
// that had been asked for before it: it was lost then, and had not expired.
func replacedAValidOne(cc *v1alpha1.ClusterCredential, entry v1alpha1.HistoryEntry) bool {
	for _, other := range cc.Status.History {
		if other.IssuedAt.Before(&entry.IssuedAt) && other.NotAfter != nil && entry.IssuedAt.Before(other.NotAfter) {
			return true
		}
	}
	return false
}
