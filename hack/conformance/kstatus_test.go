// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"reflect"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	ours "github.com/clustercredential/operator/controllers/status"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// settled are the facts of an object whose certificate is good.
func settled(changes ...func(*ours.Facts)) ours.Facts {
	facts := ours.Facts{
		Now: noon, Generation: 3, With: "with", Wanted: "prod-1",
		Stored: &ours.Stored{
			Certificate: v1alpha1.Certificate{
				SerialNumber: "0A", FingerprintSHA256: "aa",
				NotBefore: metav1.NewTime(noon.Add(-time.Hour)), NotAfter: metav1.NewTime(noon.Add(time.Hour)),
			},
			ClusterID: "c-1", Revision: 1,
		},
		Output: ours.Output{Namespace: "fleet", SecretName: "prod-1-kubeconfig", Format: v1alpha1.FormatKubeconfig, Current: true},
	}
	for _, change := range changes {
		change(&facts)
	}
	return facts
}

func empty(f *ours.Facts) { f.Stored, f.Output.Current = nil, false }

func expired(f *ours.Facts) {
	f.Stored.Certificate.NotAfter = metav1.NewTime(f.Now.Add(-time.Minute))
}

func foreign(f *ours.Facts) {
	f.Output.Reason, f.Output.Message = v1alpha1.ReasonSecretConflict, "write another secretName"
}

func changed(f *ours.Facts) { f.Decision.Changed = true }

func due(trigger v1alpha1.Trigger) func(*ours.Facts) {
	return func(f *ours.Facts) {
		f.Decision = rotation.Decision{Trigger: trigger, Due: true, At: f.Now, Reason: v1alpha1.ReasonIssuing, Message: "why"}
	}
}

func failed(reason v1alpha1.Reason) func(*ours.Facts) {
	return func(f *ours.Facts) {
		f.Attempt = &ours.Attempt{With: f.With, Failure: &ours.Failure{Reason: reason, Message: "what to do", Counts: true}}
	}
}

// situation is one of a ClusterCredential, and what those who wait for it take it for.
type situation struct {
	facts ours.Facts
	// kstatus is what Flux, Helm 4 and kpt say, argo what Argo CD says with our health check.
	kstatus status.Status
	argo    string
}

func situations() map[string]situation {
	return map[string]situation{
		"at rest":           {settled(), status.CurrentStatus, healthy},
		"a routine renewal": {settled(due(v1alpha1.TriggerExpiry)), status.CurrentStatus, healthy},
		"a renewal waits for its window": {settled(due(v1alpha1.TriggerExpiry), func(f *ours.Facts) {
			f.Decision.Due, f.Decision.At, f.Decision.Reason = false, f.Now.Add(time.Minute), v1alpha1.ReasonWaitingForWindow
		}), status.CurrentStatus, healthy},
		"a failed renewal":              {settled(due(v1alpha1.TriggerExpiry), failed(v1alpha1.ReasonUnavailable)), status.CurrentStatus, healthy},
		"suspended":                     {settled(func(f *ours.Facts) { f.Suspended = true }), status.CurrentStatus, suspended},
		"suspended, and without one":    {settled(empty, func(f *ours.Facts) { f.Suspended = true }), status.InProgressStatus, suspended},
		"a refused renewal":             {settled(due(v1alpha1.TriggerExpiry), failed(v1alpha1.ReasonRejected)), status.CurrentStatus, healthy},
		"a first certificate":           {settled(empty, due(v1alpha1.TriggerFirst)), status.InProgressStatus, progressing},
		"another validity is under way": {settled(due(v1alpha1.TriggerSpec), changed), status.InProgressStatus, progressing},
		"another validity is refused":   {settled(due(v1alpha1.TriggerSpec), changed, failed(v1alpha1.ReasonForbidden)), status.InProgressStatus, progressing},
		"a label is under way":          {settled(func(f *ours.Facts) { f.Output.Current = false }), status.InProgressStatus, progressing},
		"the cloud is down":             {settled(empty, due(v1alpha1.TriggerFirst), failed(v1alpha1.ReasonUnavailable)), status.InProgressStatus, progressing},
		"the key may not":               {settled(empty, due(v1alpha1.TriggerFirst), failed(v1alpha1.ReasonForbidden)), status.InProgressStatus, degraded},
		"a mass change is held":         {settled(empty, due(v1alpha1.TriggerMissing), failed(v1alpha1.ReasonFleetHeld)), status.InProgressStatus, degraded},
		"what is published has expired": {settled(expired, due(v1alpha1.TriggerExpiry), failed(v1alpha1.ReasonUnavailable)), status.InProgressStatus, degraded},
		"only the user can help":        {settled(empty, due(v1alpha1.TriggerFirst), failed(v1alpha1.ReasonRejected)), status.FailedStatus, degraded},
		"the Secret is somebody else's": {settled(empty, foreign), status.FailedStatus, degraded},
	}
}

// object is a ClusterCredential in this situation.
func (s situation) object() *v1alpha1.ClusterCredential {
	return &v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Generation: s.facts.Generation},
		Spec:       v1alpha1.ClusterCredentialSpec{Suspend: s.facts.Suspended},
		Status:     ours.Next(v1alpha1.ClusterCredentialStatus{}, s.facts),
	}
}

// Flux, Helm 4 and kpt wait by these verdicts.
func TestKstatusIsNotMisled(t *testing.T) {
	for name, s := range situations() {
		t.Run(name, func(t *testing.T) { want(t, s.object(), s.kstatus) })
	}
	t.Run("before the first pass", func(t *testing.T) { want(t, unseen(), status.InProgressStatus) })
	t.Run("with a newer spec", func(t *testing.T) {
		newer := situation{facts: settled()}.object()
		newer.Generation++
		want(t, newer, status.InProgressStatus)
	})
}

// unseen is as the API server makes one: its status is that of the schema.
func unseen() *v1alpha1.ClusterCredential {
	return &v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Generation: 1}, Status: v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1},
	}
}

// An account whose key is refused is not ready, and says so to who waits.
func TestKstatusReadsAccounts(t *testing.T) {
	for value, verdict := range map[metav1.ConditionStatus]status.Status{
		metav1.ConditionTrue: status.CurrentStatus, metav1.ConditionFalse: status.InProgressStatus,
	} {
		for _, account := range accounts(value, v1alpha1.ReasonUnauthorized) {
			want(t, account, verdict)
		}
	}
	want(t, &v1alpha1.ClusterCloudAccount{
		ObjectMeta: metav1.ObjectMeta{Generation: 1}, Status: v1alpha1.CloudAccountStatus{ObservedGeneration: -1},
	}, status.InProgressStatus)
}

// A grant has no status: it is as good as its spec, and nobody waits for it.
func TestKstatusWaitsForNoGrant(t *testing.T) {
	want(t, &v1alpha1.CredentialGrant{ObjectMeta: metav1.ObjectMeta{Generation: 2}}, status.CurrentStatus)
}

// accounts are one of each kind, with this Ready.
func accounts(value metav1.ConditionStatus, reason v1alpha1.Reason) []any {
	s := v1alpha1.CloudAccountStatus{ObservedGeneration: 1}
	if value == metav1.ConditionTrue {
		reason = v1alpha1.ReasonValid
	}
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: value, Reason: string(reason), Message: "what to do", ObservedGeneration: 1,
	})
	first := metav1.ObjectMeta{Generation: 1}
	return []any{&v1alpha1.CloudAccount{ObjectMeta: first, Status: s}, &v1alpha1.ClusterCloudAccount{ObjectMeta: first, Status: s}}
}

func want(t *testing.T, object any, want status.Status) {
	t.Helper()
	result, err := status.Compute(generic(t, object))
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != want {
		t.Errorf("kstatus says of %T %s, want %s", object, result.Status, want)
	}
}

// generic is an object as those see it who do not know its type.
func generic(t *testing.T, object any) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(reflect.TypeOf(object).Elem().Name()))
	return u
}
