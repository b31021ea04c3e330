// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestPreflightStoresNothing(t *testing.T) {
	p := newPlace(t)
	if err := p.Preflight(t.Context(), p.namespace, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	var secrets corev1.SecretList
	if err := p.List(t.Context(), &secrets, client.InNamespace(p.namespace)); err != nil || len(secrets.Items) != 0 {
		t.Errorf("%d Secrets, %v", len(secrets.Items), err)
	}
}

func TestPreflightShowsWhatTheAPIServerSays(t *testing.T) {
	for name, test := range map[string]struct {
		arrange func(*testing.T, place) place
		reason  metav1.StatusReason
		text    string
	}{
		"a quota": {func(t *testing.T, p place) place { noSecrets(t, p); return p }, "Forbidden",
			`secrets "clustercredential-preflight-" is forbidden: exceeded quota: none, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0`},
		"no role": {func(t *testing.T, p place) place { return p.as(t, "nobody") }, "Forbidden",
			`User "nobody" cannot create resource "secrets"`},
		"an admission policy": {func(t *testing.T, p place) place { forbidByPolicy(t, p); return p }, "Invalid",
			"denied request: no such Secret here"},
		"no namespace": {func(_ *testing.T, p place) place { p.namespace = "nowhere"; return p }, "NotFound",
			`namespaces "nowhere" not found`},
	} {
		t.Run(name, func(t *testing.T) {
			p := test.arrange(t, newPlace(t))
			first, second := p.Preflight(t.Context(), p.namespace, "", nil, nil), p.Preflight(t.Context(), p.namespace, "", nil, nil)
			refused, ok := errors.AsType[*Refused](first)
			if !ok || refused.Reason != test.reason || !strings.Contains(refused.Detail, test.text) {
				t.Fatalf("got %v, want refused with %q", first, test.text)
			}
			// It goes into a condition: other words each time would be a write each time.
			if second == nil || second.Error() != first.Error() {
				t.Errorf("first %q\nthen  %q", first, second)
			}
		})
	}
}

// answering is a writer whose every answer is an error.
type answering struct {
	client.Writer
	err error
}

func (a answering) Create(context.Context, client.Object, ...client.CreateOption) error { return a.err }

func TestPreflightPassesWhereAWebhookTakesNoDryRun(t *testing.T) {
	err := apierrors.NewBadRequest(`admission webhook "x.example.com" does not support dry run`)
	if got := (Store{Writer: answering{err: err}}).Preflight(t.Context(), "fleet", "", nil, nil); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestPreflightTellsWhetherTryingAgainHelps(t *testing.T) {
	for name, test := range map[string]struct {
		err     error
		refused bool
	}{
		"another bad request":      {apierrors.NewBadRequest("no"), true},
		"busy":                     {apierrors.NewTooManyRequests("busy", 1), false},
		"not there":                {errors.New("connection refused"), false},
		"a webhook that is silent": {apierrors.NewInternalError(errors.New("failed calling webhook")), false},
	} {
		got := (Store{Writer: answering{err: test.err}}).Preflight(t.Context(), "fleet", "", nil, nil)
		if _, refused := errors.AsType[*Refused](got); got == nil || refused != test.refused {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestALongAnswerIsCutBetweenCharacters(t *testing.T) {
	for _, words := range []string{strings.Repeat("a", 900), strings.Repeat("世", 900), "a" + strings.Repeat("世", 900), "\xff" + strings.Repeat("é", 900)} {
		err := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "x", errors.New(words))
		got, ok := errors.AsType[*Refused]((Store{Writer: answering{err: err}}).Preflight(t.Context(), "fleet", "", nil, nil))
		if !ok || !utf8.ValidString(got.Detail) || len(got.Detail) > maxDetail || len(got.Detail) < maxDetail-4 {
			t.Errorf("got %q", got)
		}
	}
}
