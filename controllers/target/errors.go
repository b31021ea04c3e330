// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ErrTaken is returned where a Secret appeared, or changed, between reading and writing.
var ErrTaken = errors.New("the Secret has changed since it was read")

// Refused is a write that the API server refused and will refuse again until
// somebody acts. Its text carries nothing of the Secret.
type Refused struct {
	Key    types.NamespacedName
	Reason metav1.StatusReason
	// Detail says what to look at.
	Detail string
}

// Error says which Secret, why, and what to look at.
func (e *Refused) Error() string {
	return fmt.Sprintf("the API server refused Secret %s (%s): %s", e.Key, e.Reason, e.Detail)
}

// writeError sorts an error of the API server by what can be done. Its text is
// dropped: an admission webhook may quote the Secret in it.
func writeError(key types.NamespacedName, err error) error {
	reason := apierrors.ReasonForError(err)
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return fmt.Errorf("write Secret %s: %w", key, ErrTaken)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return &Refused{Key: key, Reason: reason, Detail: "the namespace is being deleted"}
	case apierrors.IsInvalid(err):
		return &Refused{Key: key, Reason: reason, Detail: "invalid " + fields(err)}
	case apierrors.IsForbidden(err), apierrors.IsBadRequest(err), apierrors.IsNotFound(err),
		apierrors.IsRequestEntityTooLargeError(err), apierrors.IsMethodNotSupported(err):
		return &Refused{Key: key, Reason: reason, Detail: "look at quota, admission webhooks and policies of the namespace, and at the operator's role"}
	case reason != metav1.StatusReasonUnknown:
		return fmt.Errorf("write Secret %s: the API server answered %s", key, reason)
	default:
		return fmt.Errorf("write Secret %s: the API server could not be reached", key)
	}
}

// fields names the fields that the API server finds invalid, without their values.
func fields(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return "object"
	}
	var names []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Field != "" {
			names = append(names, cause.Field)
		}
	}
	if names == nil { // an admission policy says what, but not where
		return "object, or refused by an admission policy of the namespace"
	}
	return strings.Join(names, ", ")
}
