// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// preflightName begins the name of the Secret that is tried and never stored.
const preflightName = "clustercredential-preflight-"

// preflightSuffix finds the name that the API server made of it. It differs each time,
// and a message in status must not.
var preflightSuffix = regexp.MustCompile(preflightName + "[a-z0-9]+")

// maxDetail bounds what is shown of an API server's text, in bytes.
const maxDetail = 300

// Preflight tries, without storing anything, whether a Secret with our marks and an
// output's labels and annotations can be created in the namespace: quota, admission and roles say so before a certificate
// is asked for. A nil error means yes, or that an admission webhook does not take dry-runs. Errors:
// *Refused when somebody has to act, anything else when trying again can help.
func (s Store) Preflight(ctx context.Context, namespace, class string, labels, annotations map[string]string) error {
	dummy := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:    namespace,
			GenerateName: preflightName,
			Labels:       labelsWith(labels, Marks{Class: class}),
			Annotations:  merged(annotations, map[string]string{v1alpha1.AnnotationCredentialNamespace: namespace}),
		},
		Type: corev1.SecretTypeOpaque,
	}
	err := s.Writer.Create(ctx, dummy, client.DryRunAll, client.FieldOwner(v1alpha1.FieldOwner))
	if err == nil || dryRunUnsupported(err) {
		return nil
	}
	sorted := writeError(types.NamespacedName{Namespace: namespace, Name: preflightName}, err)
	if refused, ok := errors.AsType[*Refused](sorted); ok {
		// The dummy holds no secret, so the API server's own words may be shown.
		detail := preflightSuffix.ReplaceAllString(err.Error(), preflightName)
		refused.Detail = strings.ToValidUTF8(detail[:min(len(detail), maxDetail)], "")
		return refused
	}
	return fmt.Errorf("try a Secret in namespace %s: %w", namespace, sorted)
}

// PreflightChange tries, without storing anything, whether the Secret can be changed.
// Errors as for Preflight; their text carries nothing of the Secret.
func (s Store) PreflightChange(ctx context.Context, live *corev1.Secret) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"true"}}}`, preflightAnnotation)
	err := s.Writer.Patch(ctx, handle(live), client.RawPatch(types.MergePatchType, patch), client.DryRunAll, client.FieldOwner(v1alpha1.FieldOwner))
	if err == nil || dryRunUnsupported(err) {
		return nil
	}
	return writeError(client.ObjectKeyFromObject(live), err)
}

// preflightAnnotation is tried and never stored.
const preflightAnnotation = "clustercredential.dev/preflight"

func dryRunUnsupported(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}
