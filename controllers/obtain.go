// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

// shortWait is the longest wait for a turn that is not worth a status write.
const shortWait = time.Minute

// obtain gets a certificate if one is due. Everything that can fail cheaply comes first:
//
//  1. the account and its key;
//  2. the Secret's name: nobody else holds it;
//  3. a turn under the account's limit;
//  4. with the turn: a place among the changes of the fleet, the Secret and its namespace, the cluster and its addresses,
//     the intent, and the one call (see useTurn).
//
// What came of it stands in p.attempt and p.fresh. A result above zero means that
// there is nothing to tell, and when to look again.
func (r *CredentialReconciler) obtain(ctx context.Context, p *pass) (again time.Duration, err error) {
	if !r.mayAsk(ctx, p) {
		r.leaveLine(p.now, p.cc.UID)
		p.tellGone()
		p.tellNotGranted()
		return p.again, nil
	}
	again, err = r.takeTurn(ctx, p)
	if p.fresh != nil && !p.fresh.adopted { // once the turn is given back: a cluster that hangs holds up nobody else's
		r.tryFresh(ctx, p)
	}
	return again, err
}

// tellGone tells that the cluster is gone where nothing is due, too.
func (p *pass) tellGone() {
	if p.attempt != nil || p.decision.Trigger != "" {
		return
	}
	if failure := p.clusterFailure(); failure != nil && p.unlisted {
		p.fail(*failure)
	} else if p.unseen && p.saidAlready(v1alpha1.ReasonClusterNotFound) { // after a restart, until the first list
		p.fail(goneFailure())
	}
}

// takeTurn waits in the account's line and uses the turn.
func (r *CredentialReconciler) takeTurn(ctx context.Context, p *pass) (again time.Duration, err error) {
	claim := p.claim()
	r.memory.update(p.cc, func(*remembered) {}) // its name is known from now on
	r.wake.knows(p.cc.UID, types.NamespacedName{Namespace: p.cc.Namespace, Name: p.cc.Name})
	turn := r.Budget.Ask(p.now, p.account.budget, claim)
	if turn.Hold != budget.None {
		r.wake.wake(p.now, turn.Wake)
		return r.waitForTurn(p, turn), nil
	}
	r.wake.forget(p.cc.UID)
	r.Metrics.waited(p.account, turn.Waited)
	outcome := budget.Outcome{}
	// After the turn is given back: who is let in next asks the line whether to go on.
	defer p.leaveGate()
	defer func() { // after a panic, too: a turn that is not given back holds up the account
		now := r.Clock.Now()
		r.changes.end(now, p)
		r.wake.wake(now, r.Budget.Return(now, p.account.budget, claim.ID, outcome))
		if outcome.Refused {
			r.tellRefused(p.account)
		}
		if outcome.Throttled {
			p.attempt.Failure.RetryAt = r.Budget.Probe(p.now, p.account.budget).At
		}
	}()
	if !r.beginsChange(ctx, p) {
		return 0, nil
	}
	return r.useTurn(ctx, p, &outcome)
}

const (
	// phaseLook is how soon a cluster is looked at again that issues no certificates now, where the next list wakes whoever waits.
	phaseLook = 5 * time.Minute
	// wantedPhaseLook is how soon one is asked for again that was asked for by itself.
	wantedPhaseLook = 30 * time.Second
)

// unreadLook is how soon a key is looked for again that the API server did not show.
const unreadLook = 30 * time.Second

// claim is the object's place in the line of its account.
func (p *pass) claim() budget.Claim {
	claim := budget.Claim{ID: string(p.cc.UID), Namespace: p.cc.Namespace, Class: budget.Wished, Change: p.decision.Unprompted}
	if stored := p.stored(); stored != nil {
		claim.Expiry = stored.certificate.NotAfter.Time
	}
	switch trigger := p.decision.Trigger; {
	case trigger == v1alpha1.TriggerFirst, trigger == v1alpha1.TriggerMissing, trigger == v1alpha1.TriggerNotAccepted,
		trigger == v1alpha1.TriggerCAChanged, p.decision.OtherCluster:
		claim.Class = budget.Urgent
	case trigger == v1alpha1.TriggerExpiry && p.stored() != nil && !p.now.Before(rotation.LateFrom(p.stored().validity())):
		claim.Class, claim.Late = budget.Urgent, true
	case trigger == v1alpha1.TriggerExpiry:
		claim.Class = budget.ByExpiry
	}
	return claim
}

// leaveLine gives up an object's place, and calls whoever is next.
func (r *CredentialReconciler) leaveLine(now time.Time, uid types.UID) {
	r.wake.forget(uid)
	r.wake.wake(now, r.Budget.Forget(now, string(uid)))
}

// mayAsk makes the checks that need no turn. Nothing is asked for while an earlier
// attempt waits to be stored or told, or while the process is ending.
func (r *CredentialReconciler) mayAsk(ctx context.Context, p *pass) bool {
	if !p.decision.Due || p.remembered.held != nil || p.remembered.unreported != nil || ctx.Err() != nil {
		return false
	}
	if p.account.reason != "" {
		p.fail(r.accountFailure(p))
		return false
	}
	if conflict := r.nameConflict(ctx, p, p.slot, p.facts.marks.Owner(p.key.Namespace)); conflict != nil {
		p.again = conflict.wait
		if conflict.wait == 0 {
			p.problem = &conflict.publishProblem
			p.fail(status.Failure{Reason: conflict.reason, Message: conflict.message})
		}
		return false
	}
	if failure := p.clusterFailure(); failure != nil && !p.decision.OtherCluster {
		p.fail(*failure)
		p.lookAt = p.now.Add(phaseLook)
		return false
	}
	if p.untold && p.asleepBefore() { // after a restart, until the first list
		p.lookAt = p.now.Add(phaseLook)
		p.waiting = true
		return false
	}
	return !r.holdsBack(ctx, p)
}

// accountFailure counts a missing key as a failed attempt, and an account that is not
// there, or asleep, as a wait for somebody else.
func (r *CredentialReconciler) accountFailure(p *pass) status.Failure {
	failure := status.Failure{Reason: p.account.reason, Message: p.account.message}
	switch {
	case p.account.unread:
		p.lookAt = p.now.Add(unreadLook) // not told: it would be another time in every pass
	case p.account.reason == v1alpha1.ReasonCredentialsMissing:
		failure.Counts = true
		failure.RetryAt = r.secondTryThenHourly(p)
	}
	return failure
}

// secondTryThenHourly is for what only somebody's action can cure: one more try soon,
// since objects of one apply arrive in any order, then one an hour.
func (r *CredentialReconciler) secondTryThenHourly(p *pass) time.Time {
	failures := status.FailuresAfter(p.cc.Status, p.wanted.With)
	if failures < 2 {
		return p.now.Add(rotation.Backoff(failures, rotation.CapSoon, 0, string(p.cc.UID)))
	}
	return p.now.Add(time.Hour)
}

// waitForTurn says in status what is waited for, once, where the wait is a long one.
func (r *CredentialReconciler) waitForTurn(p *pass, turn budget.Turn) time.Duration {
	wait := max(turn.At.Sub(p.now), time.Millisecond)
	var failure status.Failure
	switch turn.Hold {
	case budget.Refused:
		failure = status.Failure{
			Reason: v1alpha1.ReasonUnauthorized, Final: true,
			Message: fmt.Sprintf("the cloud refused the key of %s; put a valid one into its Secret", p.account.object),
		}
	case budget.Throttled:
		failure = status.Failure{Reason: v1alpha1.ReasonThrottled, Message: "the cloud asked for fewer calls; the whole account waits"}
	default:
		failure = status.Failure{
			Reason: v1alpha1.ReasonRateLimited,
			Message: fmt.Sprintf("waiting for a turn under spec.limits.issuesPerMinute (%d) of %s, expected at about %s",
				p.account.budget.PerMinute, p.account.object, turn.At.UTC().Format(time.RFC3339)),
		}
	}
	p.lookAt = turn.At
	switch {
	case wait > shortWait && !p.saidAlready(failure.Reason):
		failure.RetryAt = turn.At
		p.fail(failure)
	case p.stored() != nil || p.cc.Status.ObservedGeneration == p.cc.Generation:
		p.waiting = true // the Secret may need repair meanwhile, or expire, or be of another cluster
	default:
		return min(wait, shortWait) // a first look: told with the intent
	}
	return 0
}

// saidAlready says whether status tells of this generation that it waits for reason.
func (p *pass) saidAlready(reason v1alpha1.Reason) bool {
	return slices.ContainsFunc(p.cc.Status.Conditions, func(c metav1.Condition) bool {
		return c.Type == v1alpha1.ConditionIssued && c.Reason == string(reason) && c.ObservedGeneration == p.cc.Generation
	})
}

// fail notes a failure before the call.
func (p *pass) fail(failure status.Failure) {
	p.attempt = &status.Attempt{With: p.wanted.With, At: p.now, Failure: &failure}
}

// useTurn makes the rest of the attempt, in which every step may end it.
func (r *CredentialReconciler) useTurn(ctx context.Context, p *pass, outcome *budget.Outcome) (again time.Duration, err error) {
	if again, ready := r.checkSecret(ctx, p); !ready {
		return again, nil
	}
	if !r.enterGate(ctx, p) {
		return time.Second, nil
	}
	cloud, err := r.Dialer.Dial(p.account.access)
	if err != nil {
		p.fail(r.cloudFailure(p, issuer.As(err)))
		return 0, nil
	}
	if p.wanted.Record.ProjectID == "" {
		if p.wanted.Record.ProjectID, err = cloud.Project(ctx); err != nil {
			e := issuer.As(err)
			*outcome = outcomeOf(e, false)
			p.fail(r.cloudFailure(p, e))
			return 0, nil
		}
	}
	if needed, failure := r.checkCluster(ctx, p, cloud, outcome); failure != nil || !needed {
		if failure != nil {
			p.fail(*failure)
		}
		return 0, nil
	}
	if failure := p.wantedClusterFailure(); failure != nil {
		p.fail(*failure)
		p.lookAt = p.now.Add(wantedPhaseLook)
		return 0, nil
	}
	if failure := p.tooLong(); failure != nil {
		p.fail(*failure)
		return 0, nil
	}
	if failure := r.checkTarget(ctx, p); failure != nil {
		p.fail(*failure)
		return 0, nil
	}
	if agreed, err := r.stillAgreed(ctx, p); err != nil || !agreed {
		return time.Millisecond, err
	}
	issuance := v1alpha1.Issuance{
		ID: uuid.NewString(), Trigger: p.decision.Trigger, ClusterID: p.clusterID,
		StartedAt: metav1.NewTime(p.now.UTC().Truncate(time.Second)),
	}
	if again, err := r.writeIntent(ctx, p, issuance); err != nil || again > 0 {
		return again, err
	}
	r.issue(ctx, p, cloud, issuance, outcome)
	return 0, nil
}

// enterGate waits until fewer passes ask the account's cloud than may at a time, for about as long as they take at most.
// Where the cloud has meanwhile given a reason not to ask it, the turn is given back: the line knows how to go on.
func (r *CredentialReconciler) enterGate(ctx context.Context, p *pass) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*postDeadline)
	defer cancel()
	leave, entered := r.gates.enter(ctx, p.account.budget.Key)
	if !entered {
		return false
	}
	p.leave, p.now = leave, r.Clock.Now() // what is asked for is counted from here on, and not from before the wait
	return ctx.Err() == nil && r.Budget.Stands(p.now, p.account.budget)
}

// leaveGate lets the next one in.
func (p *pass) leaveGate() {
	if p.leave != nil {
		p.leave()
		p.leave = nil
	}
}
