// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"encoding/json"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/target"
)

func TestTheCacheHoldsNothingThatNobodyReads(t *testing.T) {
	t.Parallel()
	meta := func(annotations map[string]string, fields ...metav1.ManagedFieldsEntry) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: "prod-1", Annotations: annotations, ManagedFields: fields}
	}
	strip := controllers.CacheOptions("", nil).DefaultTransform
	for name, test := range map[string]struct{ given, want any }{
		"a ClusterCredential": {
			&v1alpha1.ClusterCredential{ObjectMeta: meta(map[string]string{
				corev1.LastAppliedConfigAnnotation: "{}", v1alpha1.AnnotationRenewRequestedAt: "now",
			}, metav1.ManagedFieldsEntry{Manager: "kubectl"})},
			&v1alpha1.ClusterCredential{ObjectMeta: meta(map[string]string{v1alpha1.AnnotationRenewRequestedAt: "now"})},
		},
		"what has neither": {&corev1.Namespace{ObjectMeta: meta(nil)}, &corev1.Namespace{ObjectMeta: meta(nil)}},
		"a tombstone":      {toolscache.DeletedFinalStateUnknown{Key: "a/b"}, toolscache.DeletedFinalStateUnknown{Key: "a/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := strip(test.given)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOfASecretTheCacheHoldsWhoseItIsAndWhatItCarries(t *testing.T) {
	t.Parallel()
	shown := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: "prod-1-kubeconfig", ManagedFields: []metav1.ManagedFieldsEntry{{}}, OwnerReferences: []metav1.OwnerReference{{Name: "prod-1"}},
		Labels: map[string]string{v1alpha1.LabelManaged: "true", v1alpha1.LabelClass: "blue", "team": "red"},
		Annotations: map[string]string{
			v1alpha1.AnnotationCredential: "prod-1", v1alpha1.AnnotationCredentialNamespace: "fleet", v1alpha1.AnnotationCredentialUID: "some-uid",
			v1alpha1.AnnotationRevision: "3", v1alpha1.AnnotationIssuanceID: "some-id", v1alpha1.AnnotationFingerprint: "abcd",
			v1alpha1.AnnotationNotAfter: "2026-03-01T00:00:00Z", v1alpha1.AnnotationRenewRequest: "now", v1alpha1.AnnotationRequest: "{}",
			v1alpha1.AnnotationSource: `{"clusterName":"prod"}`, v1alpha1.AnnotationDeletionPolicy: "Delete",
			v1alpha1.AnnotationReleasedAt: "2026-01-01T00:00:00Z", "team": "red",
		},
	}}
	want := target.MarksOf(shown)
	want.IssuanceID, want.RenewRequest, want.Request, want.Source = "", nil, "", target.Source{}
	transformSecret(t, "blue", shown)
	if diff := cmp.Diff(want, target.MarksOf(shown)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !target.OfClass(shown, "blue") || shown.Labels["team"]+shown.Annotations["team"] != "" || shown.ManagedFields != nil || len(shown.OwnerReferences) != 1 {
		t.Errorf("left are %+v", shown)
	}
	twin := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"team": "blue"}}}
	transformSecret(t, "", twin)
	if !target.OfClass(twin, "") || !target.MarksOf(twin).Managed || twin.Labels["team"] != "" {
		t.Errorf("without a class, left are %+v", twin)
	}
}

func transformSecret(t *testing.T, class string, secret *metav1.PartialObjectMetadata) {
	t.Helper()
	for kind, by := range controllers.CacheOptions(class, nil).ByObject {
		if _, ok := kind.(*corev1.Secret); ok {
			if _, err := by.Transform(secret); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("Secrets are held as they are")
}

func TestWhatTheCacheHoldsSharesItsWords(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(&v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Name: "prod-1", Labels: map[string]string{"team": "red"}},
		Status: v1alpha1.ClusterCredentialStatus{
			Certificate: &v1alpha1.Certificate{SerialNumber: "0A0B", NotAfter: metav1.NewTime(time.Unix(1_790_000_000, 0))},
			History:     []v1alpha1.HistoryEntry{{SerialNumber: "0A0B", State: v1alpha1.CertificateActive}},
			Conditions:  []metav1.Condition{{Type: "Ready", Message: "the published credential is valid"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	decoded := func() *v1alpha1.ClusterCredential {
		cc := &v1alpha1.ClusterCredential{}
		if err := json.Unmarshal(text, cc); err != nil {
			t.Fatal(err)
		}
		return cc
	}
	held := [2]*v1alpha1.ClusterCredential{decoded(), decoded()}
	for _, cc := range held {
		if _, err := controllers.CacheOptions("", nil).DefaultTransform(cc); err != nil {
			t.Fatal(err)
		}
		if !equality.Semantic.DeepEqual(cc, decoded()) {
			t.Errorf("it says something else: %+v", cc)
		}
		if h := cc.Status.History; len(h) != cap(h) {
			t.Errorf("a history of %d has room for %d", len(h), cap(h))
		}
	}
	isSame := func(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }
	one, other := held[0].Status, held[1].Status
	if !isSame(one.Certificate.SerialNumber, one.History[0].SerialNumber) {
		t.Error("one object has the serial number twice")
	}
	if !isSame(one.Conditions[0].Message, other.Conditions[0].Message) {
		t.Error("two objects have the same message twice")
	}
}
