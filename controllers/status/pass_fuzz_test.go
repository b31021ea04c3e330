// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/rotation"
)

// answerKind says what becomes of a call, by its number in the schedule.
type answerKind byte

const (
	good      answerKind = iota // from here on: granted for lifetimes of choice
	discarded answerKind = 16 + iota
	killed
	unstored   // granted, and the API server refuses the Secret
	turnedDown // from here on: refusals
)

func (w *world) nextAnswer() byte {
	if len(w.next) == 0 {
		return byte(good)
	}
	answer := w.next[0]
	w.next = w.next[1:]
	return answer % (byte(turnedDown) + byte(len(refusals)))
}

// pass is one pass: observe, decide, act, report.
func (w *world) pass() {
	lost, held := w.lost(), w.held
	facts := Facts{Now: w.now, Generation: w.generation, With: w.with(), Suspended: w.suspended, Manual: w.manual, Wanted: "c-1", Lost: lost}
	d := rotation.Decide(w.now, w.want(), w.found(lost))
	if held == nil && d.Due {
		facts.Decision = d
		if !w.attempt(d, &facts) {
			return // killed
		}
	}
	w.store()
	w.report(facts)
}

// store writes what waits to be stored, unless the API server refuses.
func (w *world) store() {
	if w.held != nil && !w.refusesWrites && !w.suspended {
		w.secret, w.held = w.held, nil
		w.log.stored(w.secret)
		w.record0, _ = rotation.ParseRecord(w.secret.Certificate.Request)
	}
}

// attempt asks for a turn, notes the intent, and makes the call. It is false when the
// process is killed in between.
func (w *world) attempt(d rotation.Decision, facts *Facts) bool {
	turn := w.budget.Ask(w.now, w.account(), budget.Claim{ID: "uid-1"})
	if turn.Hold != budget.None {
		w.waitForTurn(turn, facts)
		return true
	}
	issuance := v1alpha1.Issuance{
		ID: fmt.Sprintf("i-%d", len(w.log.posts)), Trigger: d.Trigger, ClusterID: w.record.ClusterID,
		StartedAt: metav1.NewTime(w.now.Truncate(time.Second)),
	}
	begun := *facts
	w.fill(&begun)
	w.status = Begin(w.status, begun, issuance)
	w.checkStatus(begun)
	w.log.post(w, d)
	attempt := &Attempt{Issuance: &issuance, With: facts.With, ClusterID: issuance.ClusterID, NotAfter: w.now.Add(30 * day)}
	facts.Attempt, facts.Opened = attempt, issuance.ID
	answer := w.nextAnswer()
	outcome := budget.Outcome{Posted: true, Answered: true}
	switch kind := answerKind(answer); {
	case kind < discarded:
		w.held = w.granted(answer, issuance)
	case kind == discarded:
		w.log.discards = append(w.log.discards, w.now)
		attempt.Discarded = &w.granted(0, issuance).Certificate
		attempt.Failure = &Failure{Reason: v1alpha1.ReasonInvalidResponse, Message: "it is not fit", Counts: true, RetryAt: w.backoff(rotation.CapLate)}
	case kind == killed:
		w.restart()
		return false
	case kind == unstored:
		w.held, w.refusesWrites = w.granted(0, issuance), true
	default:
		outcome = w.refuse(refusals[kind-turnedDown], attempt)
	}
	w.budget.Return(w.now, w.account(), "uid-1", outcome)
	if outcome.Throttled {
		attempt.Failure.RetryAt = w.budget.Probe(w.now, w.account()).At
		w.log.throttled(w.now, outcome.RetryAfter)
	}
	return true
}

func (w *world) refuse(e issuer.Error, attempt *Attempt) budget.Outcome {
	failure := &Failure{Reason: ReasonOf(e.Kind), Message: "it is refused", Counts: true, RetryAt: w.backoff(rotation.CapSoon)}
	switch e.Kind {
	case issuer.Rejected:
		failure.RetryAt = time.Time{}
	case issuer.Unauthorized:
		if FailuresAfter(w.status, w.with()) >= 2 {
			failure.RetryAt = w.now.Add(time.Hour)
		}
	case issuer.Forbidden, issuer.NotFound, issuer.InvalidResponse:
		failure.RetryAt = w.backoff(rotation.CapLate)
	default:
	}
	if hold := w.now.Add(rotation.HoldOff); e.MayHaveIssued && hold.After(failure.RetryAt) {
		failure.RetryAt = hold
	}
	if e.MayHaveIssued && e.Status == 0 {
		failure.Reason = v1alpha1.ReasonUnknownOutcome
	}
	attempt.Failure, attempt.Unknown = failure, e.MayHaveIssued
	return budget.Outcome{
		Posted: true, Throttled: e.Kind == issuer.Throttled, RetryAfter: e.RetryAfter, Refused: e.Kind == issuer.Unauthorized,
		Answered: e.Status != 0 && e.Kind != issuer.Throttled && e.Kind != issuer.Unauthorized && e.Kind != issuer.Unavailable,
	}
}

func (w *world) waitForTurn(turn budget.Turn, facts *Facts) {
	reason := map[budget.Hold]v1alpha1.Reason{
		budget.Line: v1alpha1.ReasonRateLimited, budget.Throttled: v1alpha1.ReasonThrottled, budget.Refused: v1alpha1.ReasonUnauthorized,
	}[turn.Hold]
	facts.Attempt = &Attempt{With: facts.With, Failure: &Failure{
		Reason: reason, Message: "it waits for a turn", RetryAt: turn.At, Final: turn.Hold == budget.Refused,
	}}
}

// fill puts what is there at the end of the pass into the facts.
func (w *world) fill(facts *Facts) {
	facts.Stored, facts.Held = w.secret, w.held != nil
	facts.Output = Output{Namespace: "fleet", SecretName: "s", Format: v1alpha1.FormatKubeconfig, Current: w.secret != nil && w.held == nil}
	if w.refusesWrites {
		facts.Output.Current, facts.Output.Reason, facts.Output.Message = false, v1alpha1.ReasonWriteRefused, "it is refused"
	}
	facts.Decision = rotation.Decide(w.now, w.want(), w.found(facts.Lost))
}

// report writes the status, and looks again when that is due.
func (w *world) report(facts Facts) {
	w.fill(&facts)
	previous, before := w.status, w.status.DeepCopy()
	w.status = Next(previous, facts)
	w.checkPure(previous, *before, facts)
	w.checkStatus(facts)
	if !Equal(previous, w.status) {
		w.checkStored()
	}
	w.look = facts.Decision.NextLook
	if a := facts.Attempt; a != nil && a.Failure != nil && a.Failure.RetryAt.After(w.now) && a.Failure.RetryAt.Before(w.look) {
		w.look = a.Failure.RetryAt
	}
	w.checkLook(facts.Decision)
	w.checkStill(facts)
}
