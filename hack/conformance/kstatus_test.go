// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
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

// Flux, Helm 4 and kpt wait by these verdicts.
func TestKstatusIsNotMisled(t *testing.T) {
	for name, test := range map[string]struct {
		facts ours.Facts
		want  status.Status
	}{
		"at rest":           {settled(), status.CurrentStatus},
		"a routine renewal": {settled(due(v1alpha1.TriggerExpiry)), status.CurrentStatus},
		"a renewal waits for its window": {settled(due(v1alpha1.TriggerExpiry), func(f *ours.Facts) {
			f.Decision.Due, f.Decision.At, f.Decision.Reason = false, f.Now.Add(time.Minute), v1alpha1.ReasonWaitingForWindow
		}), status.CurrentStatus},
		"a failed renewal":              {settled(due(v1alpha1.TriggerExpiry), failed(v1alpha1.ReasonUnavailable)), status.CurrentStatus},
		"suspended":                     {settled(func(f *ours.Facts) { f.Suspended = true }), status.CurrentStatus},
		"a refused renewal":             {settled(due(v1alpha1.TriggerExpiry), failed(v1alpha1.ReasonRejected)), status.CurrentStatus},
		"a first certificate":           {settled(empty, due(v1alpha1.TriggerFirst)), status.InProgressStatus},
		"another validity is under way": {settled(due(v1alpha1.TriggerSpec), func(f *ours.Facts) { f.Decision.Changed = true }), status.InProgressStatus},
		"a label is under way":          {settled(func(f *ours.Facts) { f.Output.Current = false }), status.InProgressStatus},
		"the cloud is down":             {settled(empty, due(v1alpha1.TriggerFirst), failed(v1alpha1.ReasonUnavailable)), status.InProgressStatus},
		"only the user can help":        {settled(empty, due(v1alpha1.TriggerFirst), failed(v1alpha1.ReasonRejected)), status.FailedStatus},
		"the Secret is somebody else's": {settled(empty, func(f *ours.Facts) { f.Output.Reason = v1alpha1.ReasonSecretConflict }), status.FailedStatus},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, ours.Next(v1alpha1.ClusterCredentialStatus{}, test.facts), test.facts.Generation, test.want)
		})
	}
	t.Run("before the first pass", func(t *testing.T) {
		want(t, v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}, 1, status.InProgressStatus)
	})
	t.Run("with a newer spec", func(t *testing.T) {
		want(t, ours.Next(v1alpha1.ClusterCredentialStatus{}, settled()), 4, status.InProgressStatus)
	})
}

// An account whose key is refused is not ready, and says so to who waits.
func TestKstatusReadsAccounts(t *testing.T) {
	account := &v1alpha1.CloudAccount{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
	account.Status.ObservedGeneration = 1
	for value, want := range map[metav1.ConditionStatus]status.Status{
		metav1.ConditionTrue: status.CurrentStatus, metav1.ConditionFalse: status.InProgressStatus,
	} {
		meta.SetStatusCondition(&account.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: value, Reason: "Valid"})
		if got := verdict(t, "CloudAccount", account); got != want {
			t.Errorf("Ready %s: %s, want %s", value, got, want)
		}
	}
}

func want(t *testing.T, s v1alpha1.ClusterCredentialStatus, generation int64, want status.Status) {
	t.Helper()
	cc := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Generation: generation}, Status: s}
	if got := verdict(t, "ClusterCredential", cc); got != want {
		t.Errorf("kstatus says %s, want %s", got, want)
	}
}

func verdict(t *testing.T, kind string, object any) status.Status {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	result, err := status.Compute(u)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}
