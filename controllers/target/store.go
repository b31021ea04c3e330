// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Store reads and writes Secrets at the API server, never from a cache.
type Store struct {
	// Live reads from the API server.
	Live client.Reader
	// Writer writes to it.
	Writer client.Writer
}

// Read returns the Secret; nil: there is none.
func (s Store) Read(ctx context.Context, key types.NamespacedName) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := s.Live.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	return secret, nil
}

// Put makes the Secret carry what is desired and returns its UID and resourceVersion.
// live is the Secret as it was read; nil: there was none, and it is created. Errors:
// ErrTaken when that is not true any more, *Refused when trying again cannot help,
// anything else when it can.
func (s Store) Put(ctx context.Context, live *corev1.Secret, want Desired) (types.UID, string, error) {
	if live == nil {
		return s.create(ctx, want)
	}
	return s.apply(ctx, live, want)
}

func (s Store) create(ctx context.Context, want Desired) (types.UID, string, error) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   want.Key.Namespace,
			Name:        want.Key.Name,
			Labels:      want.labels(),
			Annotations: want.annotations(),
		},
		Type: want.Rendered.Type,
		Data: want.data(),
	}
	if want.Owner != nil {
		secret.OwnerReferences = []metav1.OwnerReference{*want.Owner}
	}
	if err := s.Writer.Create(ctx, secret, client.FieldOwner(v1alpha1.FieldOwner)); err != nil {
		return "", "", writeError(want.Key, err)
	}
	return secret.UID, secret.ResourceVersion, nil
}

func (s Store) apply(ctx context.Context, live *corev1.Secret, want Desired) (types.UID, string, error) {
	if slices.Contains(want.leftovers(live), metav1.ManagedFieldsOperationUpdate) {
		if err := s.handOver(ctx, live); err != nil {
			return "", "", err
		}
	}
	secret := corev1ac.Secret(want.Key.Name, want.Key.Namespace).
		WithUID(live.UID).
		WithResourceVersion(live.ResourceVersion).
		WithLabels(want.labels()).
		WithAnnotations(want.annotations()).
		WithType(live.Type). // what is owned and not said would be removed, and the type may not change
		WithData(want.data())
	if want.Owner != nil {
		secret.WithOwnerReferences(metav1ac.OwnerReference().
			WithAPIVersion(want.Owner.APIVersion).WithKind(want.Owner.Kind).
			WithName(want.Owner.Name).WithUID(want.Owner.UID))
	}
	if err := s.Writer.Apply(ctx, secret, client.FieldOwner(v1alpha1.FieldOwner), client.ForceOwnership); err != nil {
		return "", "", writeError(want.Key, err)
	}
	// Only now, when the Secret carries the credential as it should, does the rest go.
	applied := &corev1.Secret{Data: secret.Data}
	applied.Namespace, applied.Name = want.Key.Namespace, want.Key.Name
	applied.Labels, applied.Annotations, applied.ResourceVersion = secret.Labels, secret.Annotations, *secret.ResourceVersion
	if strays := want.strays(applied); strays != nil {
		if err := s.sweep(ctx, applied, strays); err != nil {
			return "", "", err
		}
	}
	return *secret.UID, applied.ResourceVersion, nil
}

// handOver turns what we own through the POST that created the Secret into what we
// own through apply, without which apply could not remove a key of ours.
func (s Store) handOver(ctx context.Context, live *corev1.Secret) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(v1alpha1.FieldOwner), v1alpha1.FieldOwner)
	if err != nil || patch == nil {
		return err
	}
	if err := s.Writer.Patch(ctx, live, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(v1alpha1.FieldOwner)); err != nil {
		return writeError(client.ObjectKeyFromObject(live), err)
	}
	return nil
}

// sweep removes what apply cannot, since another manager (a restore) owns it.
func (s Store) sweep(ctx context.Context, live *corev1.Secret, strays map[string]any) error {
	patch, err := json.Marshal(strays)
	if err != nil {
		return fmt.Errorf("write the patch that sweeps Secret %s: %w", client.ObjectKeyFromObject(live), err)
	}
	if err := s.Writer.Patch(ctx, live, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.FieldOwner)); err != nil {
		return writeError(client.ObjectKeyFromObject(live), err)
	}
	return nil
}

func (d Desired) data() map[string][]byte {
	data := make(map[string][]byte, len(d.Rendered.Data))
	for key, value := range d.Rendered.Data {
		data[key] = value.Reveal()
	}
	return data
}
