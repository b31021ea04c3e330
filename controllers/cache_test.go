// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
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
		"the metadata of a Secret": {
			&metav1.PartialObjectMetadata{ObjectMeta: meta(map[string]string{v1alpha1.AnnotationRevision: "3"}, metav1.ManagedFieldsEntry{})},
			&metav1.PartialObjectMetadata{ObjectMeta: meta(map[string]string{v1alpha1.AnnotationRevision: "3"})},
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
