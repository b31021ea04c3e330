// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/target"
)

// CacheOptions says what the manager's cache holds: of our kinds and of Secrets of ours only those of one class, of
// everything no managed fields and nothing of "kubectl apply", and of Secrets nothing but the marks that tell whose they are and what
// they carry. The API server selects them, so that what is of other classes costs neither memory nor events.
// Namespaces and CredentialGrants are only read, and hold for all classes. class empty: what carries no class; namespaces
// empty: all.
func CacheOptions(class string, namespaces []string) cache.Options {
	served := cache.ByObject{Label: selectorOf(class, labels.Set{})}
	options := cache.Options{
		DefaultTransform: strip,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}:                {Label: selectorOf(class, labels.Set{v1alpha1.LabelManaged: "true"}), Transform: trim(class)},
			&v1alpha1.ClusterCredential{}:   served,
			&v1alpha1.CloudAccount{}:        served,
			&v1alpha1.ClusterCloudAccount{}: served,
		},
		// A forgotten watch shall fail, and not quietly cache every object of its kind.
		ReaderFailOnMissingInformer: true,
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// strip takes away what nobody here reads and what often is half of an object: who manages which field, and what "kubectl apply" last
// applied. Objects are written by their status or by patches, so that neither is missed there. What is left shares its words.
func strip(o any) (any, error) {
	object, err := meta.Accessor(o)
	if err != nil {
		return o, nil //nolint:nilerr // a tombstone, which has neither
	}
	object.SetManagedFields(nil)
	if annotations := object.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		object.SetAnnotations(annotations)
	}
	shared.settle(o)
	return o, nil
}

// trim takes away of the metadata of a Secret what only the Secret itself is read for. All that are shown carry the same labels of
// ours, and share them.
func trim(class string) toolscache.TransformFunc {
	ours := target.Marks{Class: class}.Labels()
	return func(o any) (any, error) {
		secret, ok := o.(*metav1.PartialObjectMetadata)
		if !ok {
			return strip(o)
		}
		secret.Annotations = target.Told(secret.Annotations)
		_, err := strip(secret)
		secret.Labels = ours
		return secret, err
	}
}

// selectorOf selects what is of a class, and carries some labels besides.
func selectorOf(class string, besides labels.Set) labels.Selector {
	operator, values := selection.Equals, []string{class}
	if class == "" {
		operator, values = selection.DoesNotExist, nil
	}
	ofClass, err := labels.NewRequirement(v1alpha1.LabelClass, operator, values)
	if err != nil {
		return labels.Nothing() // no label can have that value
	}
	return labels.SelectorFromSet(besides).Add(*ofClass)
}
