// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Release lets go of a retained Secret: it notes when, unless it says so already. It stays of the class that its ClusterCredential
// is of, which may be another one by now. gone is true where there is no such Secret any more.
func (s Store) Release(ctx context.Context, secret metav1.Object, class string, now time.Time) (gone bool, err error) {
	metadata := map[string]any{"resourceVersion": secret.GetResourceVersion()}
	if MarksOf(secret).ReleasedAt == "" {
		metadata["annotations"] = map[string]any{v1alpha1.AnnotationReleasedAt: now.UTC().Format(time.RFC3339)}
	}
	if !OfClass(secret, class) {
		metadata["labels"] = map[string]any{v1alpha1.LabelClass: orNull(class)}
	}
	raw, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return false, fmt.Errorf("write the patch that releases a Secret: %w", err)
	}
	err = s.Writer.Patch(ctx, handle(secret), client.RawPatch(types.MergePatchType, raw), client.FieldOwner(v1alpha1.FieldOwner))
	return apierrors.IsNotFound(err), s.ignoreGone(secret, err)
}

// orNull is what a merge patch says of a label: null takes it away.
func orNull(value string) any {
	if value == "" {
		return nil
	}
	return value
}

// Delete removes a Secret of ours, if it is still the one that was read.
func (s Store) Delete(ctx context.Context, secret metav1.Object) error {
	uid, version := secret.GetUID(), secret.GetResourceVersion()
	return s.ignoreGone(secret, s.Writer.Delete(ctx, handle(secret), client.Preconditions{UID: &uid, ResourceVersion: &version}))
}

func handle(secret metav1.Object) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: secret.GetNamespace(), Name: secret.GetName()}}
}

func (s Store) ignoreGone(secret metav1.Object, err error) error {
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return writeError(types.NamespacedName{Namespace: secret.GetNamespace(), Name: secret.GetName()}, err)
}
