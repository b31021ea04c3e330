// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Event is a transition that is worth telling.
type Event struct {
	// Type is Normal or Warning.
	Type string
	// Reason is the reason of the condition.
	Reason string
	// Message is text, not a format.
	Message string
}

// ReasonIdentityChanged is the reason of the event that tells that a certificate
// carries another identity than the one before.
const ReasonIdentityChanged = "IdentityChanged"

// News is what a pass did and no status tells.
type News struct {
	// Published is true when it published a certificate: a status that was wiped tells no news.
	Published bool
	// Overrode is true when that was asked for outside of the renewal windows, since expiry
	// left no time to wait.
	Overrode bool
}

// EventsOf names the transitions from one status to the next: a new certificate, or
// else the most important condition that changed; and a changed identity.
func EventsOf(previous, next v1alpha1.ClusterCredentialStatus, news News) []Event {
	if news.Published && isNewCertificate(previous.Certificate, next.Certificate) {
		return append(identity(previous.Certificate, next.Certificate), issuedEvent(previous, next, news.Overrode))
	}
	if moved := moved(previous, next); moved != nil {
		return []Event{*moved}
	}
	for _, conditionType := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionIssued, v1alpha1.ConditionPublished, v1alpha1.ConditionVerified} {
		before, after := meta.FindStatusCondition(previous.Conditions, conditionType), meta.FindStatusCondition(next.Conditions, conditionType)
		if after != nil && worthTelling(before, *after) {
			return []Event{conditionEvent(before, *after)}
		}
	}
	return nil
}

// ReasonEndpointChanged is the reason of the event that tells that the cluster has another address.
const ReasonEndpointChanged = "EndpointChanged"

// moved tells that the same certificate is published with another address, though nobody has changed the spec; nil: it is not.
func moved(previous, next v1alpha1.ClusterCredentialStatus) *Event {
	if previous.Server == "" || previous.Server == next.Server || previous.ObservedGeneration != next.ObservedGeneration {
		return nil
	}
	return &Event{
		Type: corev1.EventTypeNormal, Reason: ReasonEndpointChanged,
		Message: fmt.Sprintf("the API server of the cluster is at %s now, and was at %s: it is published without a new certificate", next.Server, previous.Server),
	}
}

func isNewCertificate(previous, next *v1alpha1.Certificate) bool {
	return next != nil && previous != nil && previous.FingerprintSHA256 != next.FingerprintSHA256 ||
		next != nil && previous == nil
}

// issuedEvent tells of a new certificate; it warns where whoever reads the Secret now
// reaches another cluster than before.
func issuedEvent(previous, next v1alpha1.ClusterCredentialStatus, overrode bool) Event {
	c := next.Certificate
	event := Event{
		Type: corev1.EventTypeNormal, Reason: string(v1alpha1.ReasonIssued),
		Message: fmt.Sprintf("certificate %s is published, valid until %s", c.SerialNumber, stamp(c.NotAfter.Time)),
	}
	if c.RequestID != "" {
		event.Message += ", request " + c.RequestID
	}
	if overrode {
		event.Message += "; expiry overrode spec.renewal.windows, none of which opened in time"
	}
	if previous.ClusterID != "" && previous.ClusterID != next.ClusterID {
		event.Type = corev1.EventTypeWarning
		event.Message += fmt.Sprintf("; it is for cluster %s, the one before was for %s: whoever reads the Secret follows", next.ClusterID, previous.ClusterID)
	}
	return event
}

func identity(previous, next *v1alpha1.Certificate) []Event {
	if previous == nil || previous.CommonName == next.CommonName {
		return nil
	}
	return []Event{{
		Type: corev1.EventTypeWarning, Reason: ReasonIdentityChanged,
		Message: fmt.Sprintf("the new certificate carries the identity %q, the one before carried %q: check that the new one has the same permissions in the cluster", next.CommonName, previous.CommonName),
	}}
}

// worthTelling says whether a condition changed in a way that people want to hear of:
// another value or reason, but not the first words of a healthy one.
func worthTelling(before *metav1.Condition, after metav1.Condition) bool {
	if before == nil {
		return after.Status == metav1.ConditionFalse && after.Reason != string(v1alpha1.ReasonIssuing)
	}
	return before.Status != after.Status || before.Reason != after.Reason
}

func conditionEvent(before *metav1.Condition, c metav1.Condition) Event {
	event := Event{Type: corev1.EventTypeNormal, Reason: c.Reason, Message: c.Message}
	waits := []v1alpha1.Reason{v1alpha1.ReasonIssuing, v1alpha1.ReasonRateLimited, v1alpha1.ReasonWaitingForWindow, v1alpha1.ReasonClusterNotAvailable}
	waiting := slices.Contains(waits, v1alpha1.Reason(c.Reason))
	lost := c.Type == v1alpha1.ConditionReady && before != nil && before.Status == metav1.ConditionTrue
	if c.Status == metav1.ConditionFalse && (lost || !waiting) {
		event.Type = corev1.EventTypeWarning
	}
	return event
}
