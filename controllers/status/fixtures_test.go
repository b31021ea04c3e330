// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

const day = 24 * time.Hour

// noon is now in these tests.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return noon.Add(d) }

func stampOf(d time.Duration) *metav1.Time { return &metav1.Time{Time: at(d)} }

// certificate is the n-th certificate, granted for 30 days ten days ago.
func certificate(serial string) v1alpha1.Certificate {
	return v1alpha1.Certificate{
		SerialNumber: serial, FingerprintSHA256: "fp-" + serial, CommonName: "user-1",
		NotBefore: *stampOf(-10 * day), NotAfter: *stampOf(20 * day), RequestID: "req-" + serial, Request: `{"v":1}`,
	}
}

func storedOf(serial string) *Stored {
	return &Stored{
		Certificate: certificate(serial), IssuanceID: "i-" + serial, Trigger: v1alpha1.TriggerExpiry, IssuedAt: at(-10 * day),
		ClusterID: "c-1", ClusterName: "prod-1", Access: v1alpha1.AccessExternal, Server: "https://203.0.113.1:5443",
		Contexts: []v1alpha1.OfferedContext{{Name: "externalTLSVerify", Server: "https://203.0.113.1:5443", Verified: true}},
		Revision: 4, Handled: "r-1",
	}
}

// rest are the facts of an object at rest. Tests change what they are about.
func rest(changes ...func(*Facts)) Facts {
	facts := Facts{
		Now: noon, Generation: 3, With: "with-1", Wanted: "prod-1",
		Stored:   storedOf("0A"),
		Decision: rotation.Decision{RenewalTime: at(10 * day), NextLook: at(time.Hour)},
		Output:   Output{Namespace: "fleet", SecretName: "prod-1-kubeconfig", Format: v1alpha1.FormatKubeconfig, Current: true},
	}
	for _, change := range changes {
		change(&facts)
	}
	return facts
}

func suspended(f *Facts) { f.Suspended = true }
func stale(f *Facts)     { f.Output.Current = false }
func expired(f *Facts) {
	f.Stored.Certificate.NotBefore, f.Stored.Certificate.NotAfter = *stampOf(-30 * day), *stampOf(0)
}

// empty is an object without a Secret.
func empty(f *Facts) {
	f.Stored, f.Output.Current = nil, false
	f.Decision.RenewalTime = time.Time{}
}

// wants is a decision for a certificate that is due.
func wants(trigger v1alpha1.Trigger, message string) func(*Facts) {
	return func(f *Facts) {
		f.Decision.Trigger, f.Decision.Message, f.Decision.Due, f.Decision.At = trigger, message, true, f.Now
		f.Decision.Reason = v1alpha1.ReasonIssuing
		if routine(trigger) {
			f.Decision.Reason = v1alpha1.ReasonRenewing
		}
	}
}

// waitsUntil makes the decision wait.
func waitsUntil(at time.Time, reason v1alpha1.Reason, message string) func(*Facts) {
	return func(f *Facts) {
		f.Decision.Due, f.Decision.At, f.Decision.Reason, f.Decision.Message = false, at, reason, message
	}
}

// failing is an attempt that failed and counts.
func failing(reason v1alpha1.Reason, message string, retryAt time.Time) func(*Facts) {
	return func(f *Facts) {
		f.Attempt = &Attempt{With: f.With, Failure: &Failure{Reason: reason, Message: message, Counts: true, RetryAt: retryAt}}
	}
}

// waiting is an attempt that waits for a turn, or for somebody else.
func waiting(reason v1alpha1.Reason, message string, retryAt time.Time) func(*Facts) {
	return func(f *Facts) {
		f.Attempt = &Attempt{With: f.With, Failure: &Failure{Reason: reason, Message: message, RetryAt: retryAt}}
	}
}

// begun is the intent of the n-th attempt.
func begun(id string, trigger v1alpha1.Trigger, ago time.Duration) *v1alpha1.Issuance {
	return &v1alpha1.Issuance{ID: id, Trigger: trigger, StartedAt: *stampOf(-ago)}
}

func refused(reason v1alpha1.Reason, message string) func(*Facts) {
	return func(f *Facts) { f.Output.Current, f.Output.Reason, f.Output.Message = false, reason, message }
}

func changed(f *Facts)      { f.Decision.Changed = true }
func otherCluster(f *Facts) { f.Decision.Changed, f.Decision.OtherCluster = true, true }
func wrongAccess(f *Facts)  { f.WrongAccess = true }

// settled is the status of an object at rest.
func settled() v1alpha1.ClusterCredentialStatus {
	return Next(v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}, rest())
}

// after is the status after several passes, from nothing.
func after(passes ...Facts) v1alpha1.ClusterCredentialStatus {
	s := v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}
	for _, facts := range passes {
		s = Next(s, facts)
	}
	return s
}

// words are the conditions of a status as short texts, and "" where there is none.
type words struct{ Ready, Issued, Published, Reconciling, Stalled string }

func wordsOf(s v1alpha1.ClusterCredentialStatus) words {
	word := func(conditionType string) string {
		c := meta.FindStatusCondition(s.Conditions, conditionType)
		if c == nil {
			return ""
		}
		return string(c.Status) + " " + c.Reason
	}
	return words{
		word(v1alpha1.ConditionReady), word(v1alpha1.ConditionIssued), word(v1alpha1.ConditionPublished),
		word(v1alpha1.ConditionReconciling), word(v1alpha1.ConditionStalled),
	}
}

func message(s v1alpha1.ClusterCredentialStatus, conditionType string) string {
	if c := meta.FindStatusCondition(s.Conditions, conditionType); c != nil {
		return c.Message
	}
	return ""
}
