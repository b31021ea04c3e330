// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/keyring"
	"github.com/clustercredential/operator/controllers/target"
)

// explainView shows what the cache of the operator would show that serves the object's class, read at the API server: of Secrets only
// those of ours, of everything only what is of that class, and found by the cache's indexes. It looks only into
// namespaces that the object has to do with, since whoever asks may not see all of them.
type explainView struct {
	client.Client // writes are dry runs
	class         string
	namespaces    []string
	// unseen says what could not be looked at.
	unseen []string
}

func newExplainView(reader client.Client, cc *v1alpha1.ClusterCredential) *explainView {
	v := &explainView{Client: client.NewDryRunClient(reader), class: classOf(cc), namespaces: []string{cc.Namespace}}
	for _, s := range slotsOf(cc) {
		v.namespaces = append(v.namespaces, s.key.Namespace)
	}
	for _, o := range cc.Status.Outputs {
		v.namespaces = append(v.namespaces, o.Namespace)
	}
	slices.Sort(v.namespaces)
	v.namespaces = slices.Compact(v.namespaces)
	return v
}

// Get hides what the operator's cache does not hold: the metadata of Secrets without its label, and what is of another class.
func (v *explainView) Get(ctx context.Context, key types.NamespacedName, into client.Object, options ...client.GetOption) error {
	if err := v.Client.Get(ctx, key, into, options...); err != nil {
		return err
	}
	if !v.shows(into) {
		return apierrors.NewNotFound(schema.GroupResource{Resource: into.GetObjectKind().GroupVersionKind().Kind}, key.Name)
	}
	if secret, ok := into.(*metav1.PartialObjectMetadata); ok && secret.GroupVersionKind() == secretKind {
		v.trim(secret)
	}
	return nil
}

// trim takes away of a Secret's metadata what the operator's cache does not hold.
func (v *explainView) trim(secret *metav1.PartialObjectMetadata) {
	_, _ = trim(v.class)(secret) // it fails for nothing that has metadata
}

// shows says whether the operator's cache holds an object.
func (v *explainView) shows(object client.Object) bool {
	switch o := object.(type) {
	case *v1alpha1.ClusterCredential, *v1alpha1.CloudAccount, *v1alpha1.ClusterCloudAccount:
		return target.OfClass(object, v.class)
	case *metav1.PartialObjectMetadata: // of a Secret, or of a namespace
		return o.GroupVersionKind() != secretKind || target.MarksOf(o).Managed && target.OfClass(o, v.class)
	default:
		return true
	}
}

// List looks things up by the indexes of the cache, which the API server does not have.
func (v *explainView) List(ctx context.Context, into client.ObjectList, options ...client.ListOption) error {
	asked := client.ListOptions{}
	asked.ApplyOptions(options)
	if asked.FieldSelector == nil || asked.FieldSelector.Empty() {
		return v.Client.List(ctx, into, options...)
	}
	for _, wanted := range asked.FieldSelector.Requirements() {
		switch list := into.(type) {
		case *metav1.PartialObjectMetadataList:
			list.Items = v.secretsOf(ctx, wanted.Value)
		case *v1alpha1.ClusterCredentialList:
			if wanted.Field != indexSecretName {
				return fmt.Errorf("%T is not looked up by %s", into, wanted.Field)
			}
			list.Items = v.credentialsWith(ctx, wanted.Value)
		default:
			return fmt.Errorf("%T is not looked up by %s", into, wanted.Field)
		}
	}
	return nil
}

// secretsOf are the Secrets of ours in a bucket of their index.
func (v *explainView) secretsOf(ctx context.Context, bucket string) []metav1.PartialObjectMetadata {
	var found []metav1.PartialObjectMetadata
	for _, namespace := range v.namespaces {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
		err := v.Client.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelManaged: "true"})
		if err != nil {
			v.miss("the Secrets of namespace %s could not be listed (%s): one that was an output before is not seen", namespace, apierrors.ReasonForError(err))
		}
		for i := range list.Items {
			if target.OfClass(&list.Items[i], v.class) && slices.Contains(credentialIndex(&list.Items[i]), bucket) {
				v.trim(&list.Items[i])
				found = append(found, list.Items[i])
			}
		}
	}
	return found
}

// credentialsWith are the ClusterCredentials in a bucket of the index by the names of their Secrets.
func (v *explainView) credentialsWith(ctx context.Context, bucket string) []v1alpha1.ClusterCredential {
	var found []v1alpha1.ClusterCredential
	for _, namespace := range v.namespaces {
		var list v1alpha1.ClusterCredentialList
		if err := v.Client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			v.miss("the ClusterCredentials of namespace %s could not be listed (%s): one that names the same Secret is not seen", namespace, apierrors.ReasonForError(err))
		}
		for i := range list.Items {
			if v.shows(&list.Items[i]) && slices.Contains(secretNameIndex(&list.Items[i]), bucket) {
				found = append(found, list.Items[i])
			}
		}
	}
	return found
}

func (v *explainView) miss(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(v.unseen, text) {
		v.unseen = append(v.unseen, text)
	}
}

// liveKeys reads the Secret that an account names at the API server, for one look. A key that may not be read is unread, as one that the
// operator's watch does not show yet.
type liveKeys struct{ live client.Reader }

// Get reads it.
func (k liveKeys) Get(ctx context.Context, _, name types.NamespacedName) (keyring.Secret, error) {
	found := &corev1.Secret{}
	switch err := k.live.Get(ctx, name, found); {
	case apierrors.IsNotFound(err):
		return keyring.Secret{}, fmt.Errorf("%s: %w", name, keyring.ErrMissing)
	case apierrors.IsForbidden(err):
		return keyring.Secret{}, fmt.Errorf("read Secret %s: %w", name, &keyring.Unread{Why: "it may not be read from here"})
	case err != nil:
		return keyring.Secret{}, errors.Join(fmt.Errorf("read Secret %s", name), err)
	}
	return keyring.Secret{Data: found.Data, Version: string(found.UID) + "/" + found.ResourceVersion}, nil
}

// Drop has nothing to end.
func (k liveKeys) Drop(types.NamespacedName) {}
