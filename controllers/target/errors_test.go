// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkNoCanary looks for what Secrets hold here, plain and in base64.
func checkNoCanary(t *testing.T, printed any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(verb, printed)
		for _, secret := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))[:12]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s prints %s", verb, secret)
			}
		}
	}
}

func TestAnErrorSaysWhetherTryingAgainHelps(t *testing.T) {
	secrets := schema.GroupResource{Resource: "secrets"}
	quoting := errors.New("your Secret says " + canary)
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, "x", field.ErrorList{
		field.Invalid(field.NewPath("data").Key("value"), canary, "field is immutable when `immutable` is set"),
		field.Invalid(field.NewPath("metadata", "labels"), canary, "too long"),
	})
	terminating := apierrors.NewForbidden(secrets, "x", quoting)
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause, Message: canary}}
	policy := &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonInvalid, Code: 422, Message: canary, Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Message: canary}}}}}
	for name, test := range map[string]struct {
		err     error
		taken   bool
		refused metav1.StatusReason // empty: trying again can help
		text    string
	}{
		"another wrote it":              {apierrors.NewConflict(secrets, "x", quoting), true, "", "has changed since it was read"},
		"another created it":            {apierrors.NewAlreadyExists(secrets, "x"), true, "", "has changed since it was read"},
		"the namespace goes":            {terminating, false, "Forbidden", "the namespace is being deleted"},
		"fields are invalid":            {invalid, false, "Invalid", "invalid data[value], metadata.labels"},
		"a policy refuses it":           {policy, false, "Invalid", "refused by an admission policy of the namespace"},
		"it is forbidden":               {apierrors.NewForbidden(secrets, "x", quoting), false, "Forbidden", "look at quota, admission webhooks and policies"},
		"a webhook says bad request":    {apierrors.NewBadRequest(canary), false, "BadRequest", "look at quota"},
		"there is no namespace":         {apierrors.NewNotFound(secrets, "x"), false, "NotFound", "look at quota"},
		"it is too large":               {apierrors.NewRequestEntityTooLargeError(canary), false, "RequestEntityTooLarge", "look at quota"},
		"the API server is busy":        {apierrors.NewTooManyRequests(canary, 1), false, "", "the API server answered TooManyRequests"},
		"a webhook does not answer":     {apierrors.NewInternalError(quoting), false, "", "the API server answered InternalError"},
		"the API server is not there":   {quoting, false, "", "the API server could not be reached"},
		"the time is over":              {context.DeadlineExceeded, false, "", "the API server could not be reached"},
		"somebody else's words for 500": {&apierrors.StatusError{ErrStatus: metav1.Status{Code: 500, Message: canary}}, false, "", "the API server could not be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err)} {
				got := writeError(types.NamespacedName{Namespace: "fleet", Name: "x"}, err)
				if errors.Is(got, ErrTaken) != test.taken {
					t.Errorf("taken: %v", got)
				}
				refused, ok := errors.AsType[*Refused](got)
				if ok != (test.refused != "") || ok && refused.Reason != test.refused {
					t.Errorf("refused: %#v", got)
				}
				if !strings.Contains(got.Error(), test.text) || !strings.Contains(got.Error(), "fleet/x") {
					t.Errorf("got %q, want the Secret's name and %q in it", got, test.text)
				}
				checkNoCanary(t, got)
			}
		})
	}
}
