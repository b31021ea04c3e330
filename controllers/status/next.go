// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Next is the status after a pass:
//
//  1. what is stored: certificate, cluster, address, revision, handled request;
//  2. what was tried: failures, next attempt, history;
//  3. what follows: conditions.
//
// It shares no memory with previous.
func Next(previous v1alpha1.ClusterCredentialStatus, facts Facts) v1alpha1.ClusterCredentialStatus {
	facts.Now = facts.Now.UTC().Truncate(time.Second)
	next := *previous.DeepCopy()
	if next.Certificate == nil && next.ObservedGeneration != facts.Generation {
		next.Cluster = "" // nothing is published: what another spec named does not count
	}
	next.ObservedGeneration = facts.Generation
	next.Issuance = issuanceAfter(previous, facts)
	describe(&next, facts)
	account(&next, facts)
	next.History = history(next.History, facts)
	next.Outputs = outputs(next.Outputs, facts)
	if was, is := previous.Certificate, next.Certificate; facts.Verified != nil && was != nil && was.FingerprintSHA256 != is.FingerprintSHA256 {
		meta.RemoveStatusCondition(&next.Conditions, v1alpha1.ConditionVerified) // what was said of it says nothing of another
	}
	conditions(&next, facts)
	return next
}

// issuanceAfter is the intent that stays open: that of a certificate that waits to be
// stored, so that it is not forgotten where the process ends before it is.
func issuanceAfter(previous v1alpha1.ClusterCredentialStatus, facts Facts) *v1alpha1.Issuance {
	if facts.Held && facts.Attempt != nil && facts.Attempt.Issuance != nil {
		return facts.Attempt.Issuance.DeepCopy()
	}
	if facts.Held || previous.Issuance != nil && facts.Opened != "" && previous.Issuance.ID != facts.Opened {
		return previous.Issuance.DeepCopy() // the second: another leader has begun since
	}
	return nil
}

// Begin is the status that is written before the call: the intent, and on a first
// visit the conditions.
func Begin(previous v1alpha1.ClusterCredentialStatus, facts Facts, issuance v1alpha1.Issuance) v1alpha1.ClusterCredentialStatus {
	next := Next(previous, asTold(previous, facts))
	next.Issuance = &issuance
	return next
}

// asTold takes the outputs for what status says of them. A pass looks at them after the call, so before it they seem not to be
// current: Published would turn False for a moment with each routine renewal.
func asTold(previous v1alpha1.ClusterCredentialStatus, facts Facts) Facts {
	published := meta.FindStatusCondition(previous.Conditions, v1alpha1.ConditionPublished)
	if !routine(facts.Decision.Trigger) || facts.Stored == nil || published == nil ||
		published.Status != metav1.ConditionTrue || published.ObservedGeneration != facts.Generation {
		return facts
	}
	facts.Output.Current = facts.Output.Reason == ""
	facts.Copies = slices.Clone(facts.Copies)
	for i := range facts.Copies {
		facts.Copies[i].Current = facts.Copies[i].Reason == ""
	}
	return facts
}

// Equal says whether writing b over a would change nothing.
func Equal(a, b v1alpha1.ClusterCredentialStatus) bool {
	return equality.Semantic.DeepEqual(a, b)
}

// describe copies what is stored. Without a credential the last known certificate
// stays: it tells which one was lost.
func describe(next *v1alpha1.ClusterCredentialStatus, facts Facts) {
	next.RenewalTime = timeOrNil(facts.Decision.RenewalTime)
	stored := facts.Stored
	if stored == nil {
		next.Cluster = firstOf(next.Cluster, facts.Wanted)
		return
	}
	certificate := stored.Certificate
	isNew := next.Certificate == nil || next.Certificate.FingerprintSHA256 != certificate.FingerprintSHA256
	if previous := next.Certificate; previous != nil && previous.FingerprintSHA256 == certificate.FingerprintSHA256 {
		certificate.RequestID = firstOf(certificate.RequestID, previous.RequestID)
		certificate.Request = firstOf(certificate.Request, previous.Request)
		certificate.AccessKeyID = firstOf(certificate.AccessKeyID, previous.AccessKeyID)
	}
	next.Certificate = &certificate
	next.Cluster = firstOf(stored.ClusterName, stored.ClusterID, facts.Wanted)
	next.ClusterID = firstOf(stored.ClusterID, next.ClusterID)
	next.Access, next.Server = stored.Access, stored.Server
	if isNew || len(next.Contexts) == 0 { // later answers may have offered others
		next.Contexts = stored.Contexts
	} else if len(facts.Offered) > 0 {
		next.Contexts = facts.Offered
	}
	next.Revision = max(next.Revision, stored.Revision)
	next.LastHandledRenewRequest = firstOf(stored.Handled, next.LastHandledRenewRequest)
}

// account counts failures and says when the next attempt is made.
func account(next *v1alpha1.ClusterCredentialStatus, facts Facts) {
	attempt := facts.Attempt
	if facts.With != "" && next.AttemptedWith != "" && next.AttemptedWith != facts.With {
		succeed(next)
	}
	switch {
	case facts.Waiting: // nothing new to say
	case facts.Held:
		succeed(next)
	case attempt != nil:
		accountFor(next, *attempt, facts.Now)
	case facts.Lost != nil:
		fail(next, facts.Lost.With, facts.Now, facts.Lost.RetryAt)
	case facts.Decision.Trigger == "":
		succeed(next)
	case !facts.Decision.Due && (next.Failures == 0 || facts.Decision.Reason == v1alpha1.ReasonWaitingForWindow):
		next.NextAttemptTime = laterOrNil(facts.Decision.At)
	}
}

// accountFor counts what the pass tried.
func accountFor(next *v1alpha1.ClusterCredentialStatus, attempt Attempt, now time.Time) {
	switch {
	case attempt.Failure == nil:
		succeed(next)
	case attempt.Failure.Counts && isTold(*next, attempt): // and counted
	case attempt.Failure.Counts:
		fail(next, attempt.With, firstOf(attempt.At, now), attempt.Failure.RetryAt)
	case next.Failures == 0:
		next.NextAttemptTime = laterOrNil(attempt.Failure.RetryAt)
	}
	if attempt.Discarded != nil && len(attempt.Contexts) > 0 {
		next.Contexts = attempt.Contexts
	}
}

// succeed starts the count of failures afresh.
func succeed(next *v1alpha1.ClusterCredentialStatus) {
	next.Failures, next.NextAttemptTime, next.LastFailureTime, next.AttemptedWith = 0, nil, nil, ""
}

func fail(next *v1alpha1.ClusterCredentialStatus, with string, at, retryAt time.Time) {
	next.Failures = FailuresAfter(*next, with)
	next.AttemptedWith = with
	next.LastFailureTime = timeOrNil(at)
	next.NextAttemptTime = laterOrNil(retryAt)
}

// isTold says whether status tells of the very attempt already: the answer to the write was
// lost, and it is told a second time.
func isTold(next v1alpha1.ClusterCredentialStatus, attempt Attempt) bool {
	return !attempt.At.IsZero() && next.AttemptedWith == attempt.With && timeOrNil(attempt.At).Equal(next.LastFailureTime)
}

// FailuresAfter is the number of failures in a row once another attempt made with
// with has failed.
func FailuresAfter(previous v1alpha1.ClusterCredentialStatus, with string) int32 {
	if previous.AttemptedWith != with {
		return 1
	}
	return previous.Failures + 1
}

// laterOrNil rounds up: an attempt made earlier than told would find that it is not its time.
func laterOrNil(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	return timeOrNil(at.Add(time.Second - time.Nanosecond))
}

func timeOrNil(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	return &metav1.Time{Time: at.UTC().Truncate(time.Second)}
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
