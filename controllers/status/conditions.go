// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

// verdict is a condition before it is stored.
type verdict struct {
	ok      bool
	reason  v1alpha1.Reason
	message string
}

// maxMessage bounds the message of a condition, in bytes; the API allows 32768.
const maxMessage = 1024

// conditions sets every condition from the facts, and from what next has become.
func conditions(next *v1alpha1.ClusterCredentialStatus, facts Facts) {
	issued := issuedOf(*next, facts)
	published := publishedOf(facts, issued)
	verify(next, facts)
	ready := readyOf(*next, facts, issued, published)
	set(next, facts, v1alpha1.ConditionReady, ready)
	set(next, facts, v1alpha1.ConditionIssued, issued)
	set(next, facts, v1alpha1.ConditionPublished, published)
	if output := &next.Outputs[0]; output.State != v1alpha1.OutputCurrent && !published.ok {
		output.Reason = published.reason
	}
	final := facts.Attempt != nil && facts.Attempt.Failure != nil && facts.Attempt.Failure.Final ||
		facts.Waiting && meta.IsStatusConditionTrue(next.Conditions, v1alpha1.ConditionStalled)
	stalled := stalledOf(final || next.Failures >= 2, ready, issued, published)
	setWhileTrue(next, facts, v1alpha1.ConditionStalled, stalled)
	setWhileTrue(next, facts, v1alpha1.ConditionReconciling, reconcilingOf(facts, stalled, issued, published))
}

// issuedOf says how the last attempt went; what still waits after a failure keeps its
// words.
func issuedOf(next v1alpha1.ClusterCredentialStatus, facts Facts) verdict {
	previous := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionIssued)
	serves := routine(facts.Decision.Trigger) && facts.Stored != nil
	switch {
	case facts.Suspended:
		return verdict{true, v1alpha1.ReasonSuspended, "spec.suspend is true: nothing is issued, published or repaired; set it to false to go on"}
	case facts.Attempt != nil && facts.Attempt.Failure != nil:
		failure := facts.Attempt.Failure
		return verdict{serves && failure.Reason == v1alpha1.ReasonRateLimited, failure.Reason, failure.Message}
	case facts.Waiting && previous != nil && stillHolds(*previous, next, facts, serves):
		return repeated(*previous)
	case facts.Held:
		return verdict{true, v1alpha1.ReasonIssued, "a certificate was issued and waits to be stored; Published says why"}
	case facts.Attempt != nil || facts.Decision.Trigger == "":
		return verdict{true, v1alpha1.ReasonIssued, issuedMessage(facts)}
	case facts.Lost != nil:
		return verdict{false, v1alpha1.ReasonUnknownOutcome, lostMessage(*facts.Lost)}
	case next.Failures > 0 && previous != nil && previous.Status == metav1.ConditionFalse:
		return repeated(*previous)
	default:
		return wantedVerdict(facts.Decision, serves)
	}
}

// stillHolds says whether the last words of Issued are true while an attempt waits in
// line: what stood in the way of asking may have gone, and what served may be lost.
func stillHolds(said metav1.Condition, next v1alpha1.ClusterCredentialStatus, facts Facts, serves bool) bool {
	switch v1alpha1.Reason(said.Reason) {
	case v1alpha1.ReasonSuspended:
		return false
	case v1alpha1.ReasonFleetHeld:
		return facts.FleetHeld
	case v1alpha1.ReasonWriteRefused, v1alpha1.ReasonSecretConflict:
		return next.Failures > 0 || facts.Output.Reason != "" // what a further output lacks is no reason not to ask
	default:
		return serves || said.Status == metav1.ConditionFalse
	}
}

func repeated(c metav1.Condition) verdict {
	return verdict{c.Status == metav1.ConditionTrue, v1alpha1.Reason(c.Reason), c.Message}
}

// wantedVerdict says what a certificate that is wanted waits for. Where what is
// published serves on, a wait is no failure; but one for a window may take weeks, in which
// the renewal is due and not made.
func wantedVerdict(d rotation.Decision, serves bool) verdict {
	switch {
	case !d.Due && d.Reason == v1alpha1.ReasonRateLimited:
		return verdict{serves, d.Reason, d.Message + "; the next one may be asked for at " + stamp(d.At)}
	case !d.Due && d.Reason == v1alpha1.ReasonWaitingForWindow:
		return verdict{false, d.Reason, strings.TrimSuffix(d.Message+"; "+d.Note, "; ")}
	case serves:
		return verdict{true, v1alpha1.ReasonRenewing, d.Message}
	case d.Reason == v1alpha1.ReasonClusterReplaced:
		return verdict{false, d.Reason, d.Message}
	default:
		return verdict{false, v1alpha1.ReasonIssuing, d.Message}
	}
}

// routine triggers leave what is published as good as it was.
func routine(trigger v1alpha1.Trigger) bool {
	return trigger == v1alpha1.TriggerExpiry || trigger == v1alpha1.TriggerRequest
}

func issuedMessage(facts Facts) string {
	if facts.Stored == nil {
		return "no certificate is due"
	}
	c, renewal := facts.Stored.Certificate, facts.Decision.RenewalTime
	text := fmt.Sprintf("certificate %s is valid until %s", c.SerialNumber, stamp(c.NotAfter.Time))
	switch {
	case facts.Manual && !renewal.After(facts.Now):
		text += fmt.Sprintf("; a manual renewal is due since %s: annotate with %s", stamp(renewal), v1alpha1.AnnotationRenewRequestedAt)
	case facts.Manual:
		text += "; spec.renewal.policy is Manual: a renewal is advised from " + stamp(renewal)
	default:
		text += strings.TrimSuffix("; the next one is asked for at "+stamp(renewal)+", "+facts.Decision.Moved, ", ")
	}
	for _, note := range []string{facts.Decision.Note, facts.Stored.Note} {
		text = strings.TrimSuffix(text+"; "+note, "; ")
	}
	return text
}

func lostMessage(lost Lost) string {
	return fmt.Sprintf("the outcome of attempt %s of %s is not known: a certificate may exist that is not stored (see status.history); asked for again after %s",
		lost.Issuance.ID, stamp(lost.Issuance.StartedAt.Time), stamp(lost.RetryAt))
}

func publishedOf(facts Facts, issued verdict) verdict {
	name := facts.Output.Namespace + "/" + facts.Output.SecretName
	switch {
	case facts.Output.Reason != "":
		return verdict{false, facts.Output.Reason, facts.Output.Message}
	case facts.Stored == nil:
		return verdict{false, pending(issued), "Secret " + name + " holds no credential: " + issued.message}
	case !facts.Output.Current && facts.Suspended:
		return verdict{false, v1alpha1.ReasonSuspended, "Secret " + name + " is not brought up to date while spec.suspend is true"}
	case !facts.Output.Current:
		return verdict{false, pending(issued), "Secret " + name + " does not carry what spec asks for yet"}
	}
	if failing := copiesOf(facts, issued); failing != nil {
		return *failing
	}
	text := fmt.Sprintf("Secret %s carries certificate %s", name, facts.Stored.Certificate.SerialNumber)
	if n := len(facts.Copies); n > 0 {
		text = fmt.Sprintf("Secret %s and %d more carry certificate %s", name, n, facts.Stored.Certificate.SerialNumber)
	}
	return verdict{true, v1alpha1.ReasonPublished, strings.TrimSuffix(text+"; "+facts.Output.Note, "; ")}
}

// copiesOf says which further outputs are not as they should be, the first in full; nil: none.
func copiesOf(facts Facts, issued verdict) *verdict {
	var failing []Copy
	for _, c := range facts.Copies {
		if !c.Current || c.Reason != "" {
			failing = append(failing, c)
		}
	}
	if len(failing) == 0 {
		return nil
	}
	first := failing[0]
	said := verdict{false, first.Reason, first.Message}
	switch name := first.Namespace + "/" + first.SecretName; {
	case first.Reason != "":
	case facts.Suspended:
		said = verdict{false, v1alpha1.ReasonSuspended, "Secret " + name + " is not brought up to date while spec.suspend is true"}
	default:
		said = verdict{false, pending(issued), "Secret " + name + " does not carry what spec asks for yet"}
	}
	if more := len(failing) - 1; more > 0 {
		said.message += fmt.Sprintf("; %d more not current, see status.outputs", more)
	}
	return &said
}

// pending is the reason of Issued where that is what one waits for, else Issuing.
func pending(issued verdict) v1alpha1.Reason {
	if issued.ok && issued.reason != v1alpha1.ReasonSuspended {
		return v1alpha1.ReasonIssuing
	}
	return issued.reason
}

func readyOf(next v1alpha1.ClusterCredentialStatus, facts Facts, issued, published verdict) verdict {
	stored := facts.Stored
	switch {
	case stored == nil && facts.Output.Reason != "":
		return verdict{false, facts.Output.Reason, published.message}
	case stored == nil:
		return verdict{false, pending(issued), "no credential is stored: " + issued.message}
	case !stored.Certificate.NotAfter.After(facts.Now):
		return verdict{false, v1alpha1.ReasonExpired, fmt.Sprintf("certificate %s expired at %s; Issued says why there is no newer one",
			stored.Certificate.SerialNumber, stamp(stored.Certificate.NotAfter.Time))}
	case facts.Decision.OtherCluster:
		return verdict{false, pending(issued), "the Secret still holds the credential of cluster " + stored.ClusterID +
			", which spec does not name any more: " + issued.message}
	case facts.WrongAccess:
		return verdict{false, pending(issued), "the Secret does not hold the address that spec.endpoint asks for: " + issued.message}
	case meta.IsStatusConditionFalse(next.Conditions, v1alpha1.ConditionVerified):
		verified := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionVerified)
		return verdict{false, v1alpha1.Reason(verified.Reason), verified.Message}
	case slices.ContainsFunc(facts.Copies, Copy.isMissing):
		return verdict{false, published.reason, "not every output holds a credential that works: " + published.message}
	default:
		return verdict{true, v1alpha1.ReasonValid, "the published credential is valid until " + stamp(stored.Certificate.NotAfter.Time)}
	}
}

// verify sets Verified; where there is nothing new to say of it, what was said stands.
func verify(next *v1alpha1.ClusterCredentialStatus, facts Facts) {
	v := facts.Verified
	if v == nil {
		return
	}
	said := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionVerified)
	switch {
	case v.Disabled || facts.Stored == nil:
		meta.RemoveStatusCondition(&next.Conditions, v1alpha1.ConditionVerified)
		return
	case v.Reason == "" && (said == nil || said.Status == metav1.ConditionUnknown && said.Reason == string(v1alpha1.ReasonUnreachable)):
		return
	case v.Reason == "":
		v = &Verified{Reason: v1alpha1.Reason(said.Reason), Message: said.Message}
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionVerified, Status: metav1.ConditionUnknown, Reason: string(v.Reason), Message: cut(v.Message),
		ObservedGeneration: facts.Generation, LastTransitionTime: metav1.NewTime(facts.Now),
	}
	switch v.Reason {
	case v1alpha1.ReasonAccepted:
		condition.Status = metav1.ConditionTrue
	case v1alpha1.ReasonNotAccepted:
		condition.Status = metav1.ConditionFalse
	default: // it could not be asked
	}
	meta.SetStatusCondition(&next.Conditions, condition)
}

// isMissing says whether the Secret holds no credential that works.
func (c Copy) isMissing() bool { return !c.Current && !c.Works }

// stalledOf says whether nothing will change until the user acts (kstatus); nil: no. A
// key is refused or missing for good once it was tried twice.
func stalledOf(forGood bool, ready, issued, published verdict) *verdict {
	if ready.ok {
		return nil
	}
	for _, v := range []verdict{published, issued} {
		switch v.reason {
		case v1alpha1.ReasonRejected, v1alpha1.ReasonInsecureEndpoint, v1alpha1.ReasonContextNotFound, v1alpha1.ReasonSecretConflict,
			v1alpha1.ReasonAccountNotAllowed:
			return &verdict{true, v.reason, v.message}
		case v1alpha1.ReasonUnauthorized, v1alpha1.ReasonCredentialsMissing:
			if forGood {
				return &verdict{true, v.reason, v.message}
			}
		default: // everything else passes by itself, or once the cloud is mended
		}
	}
	return nil
}

// reconcilingOf says whether a spec is not carried out yet (kstatus); nil: it is. A
// routine renewal does not count.
func reconcilingOf(facts Facts, stalled *verdict, issued, published verdict) *verdict {
	switch {
	case stalled != nil:
		return nil
	case facts.Held:
		return &verdict{true, published.reason, published.message}
	case facts.Stored == nil, facts.Decision.Changed, facts.Decision.OtherCluster, facts.WrongAccess:
		return &verdict{true, pending(issued), issued.message}
	case !published.ok:
		return &verdict{true, published.reason, published.message}
	default:
		return nil
	}
}

func set(next *v1alpha1.ClusterCredentialStatus, facts Facts, conditionType string, v verdict) {
	value := metav1.ConditionFalse
	if v.ok {
		value = metav1.ConditionTrue
	}
	meta.SetStatusCondition(&next.Conditions, metav1.Condition{
		Type: conditionType, Status: value, Reason: string(v.reason), Message: cut(v.message),
		ObservedGeneration: facts.Generation, LastTransitionTime: metav1.NewTime(facts.Now),
	})
}

func setWhileTrue(next *v1alpha1.ClusterCredentialStatus, facts Facts, conditionType string, v *verdict) {
	if v == nil {
		if meta.FindStatusCondition(next.Conditions, conditionType) != nil { // removing one that is not there copies all others
			meta.RemoveStatusCondition(&next.Conditions, conditionType)
		}
		return
	}
	set(next, facts, conditionType, *v)
}

// cut never cuts a character in two: the API server would store another text than the
// one compared with, and the status would be written in every pass.
func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxMessage)], "") }

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
