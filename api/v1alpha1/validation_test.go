// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// example shows what one constraint lets pass and what it refuses: snippets for object.
type example struct {
	constraint
	accepted, rejected []string
}

func examples() []example {
	all := slices.Concat(specExamples(), endpointExamples(), outputExamples(), formatExamples())
	all = append(all, accountExamples()...)
	all = append(all, grantExamples()...)
	all = append(all, lentExamples()...)
	return append(all, statusExamples()...)
}

// long is a name of n characters.
func long(n int) string { return strings.Repeat("a", n) }

// entries is a map of n entries.
func entries(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("k" + strconv.Itoa(i) + ": v, ")
	}
	return "{" + strings.TrimSuffix(b.String(), ", ") + "}"
}

func TestTheAPIServerChecksWhatUsersWrite(t *testing.T) {
	namespace := newNamespace(t, "examples")
	all := constraints(t)
	servers := map[string]*server{}
	for _, kind := range []string{credential, account, lent, consent} {
		servers[kind] = &server{objects: objects(t, kind, namespace), stored: store(t, object(t, kind, namespace, ""))}
	}
	for _, e := range examples() {
		t.Run(e.String(), func(t *testing.T) {
			for _, snippet := range e.accepted {
				result, err := servers[e.kind].try(t, object(t, e.kind, namespace, snippet))
				if err != nil {
					t.Errorf("refused:\n%s\n%v", snippet, err)
					continue
				}
				wantDecodable(t, servers[e.kind], result)
			}
			for _, snippet := range e.rejected {
				_, err := servers[e.kind].try(t, object(t, e.kind, namespace, snippet))
				wantCause(t, err, e.path, all[e.constraint], snippet)
			}
		})
	}
}

// server tries objects of one kind without storing them.
type server struct {
	objects dynamic.ResourceInterface
	stored  *unstructured.Unstructured
}

func (s *server) try(t *testing.T, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t.Helper()
	dryRun := []string{metav1.DryRunAll}
	if o.Object["status"] != nil {
		changed := s.stored.DeepCopy()
		changed.Object["status"] = o.Object["status"]
		return s.objects.UpdateStatus(t.Context(), changed, metav1.UpdateOptions{DryRun: dryRun, FieldValidation: "Strict"})
	}
	if o.GetName() == s.stored.GetName() {
		o.SetName(o.GetName() + "-tried")
	}
	return s.objects.Create(t.Context(), o, metav1.CreateOptions{DryRun: dryRun, FieldValidation: "Strict"})
}

// isAt says whether a field is the one of path, where [*] is any entry of a map: a schema's keyword names it as .key, a rule as [key].
func isAt(field, path string) bool {
	of, inMap := strings.CutSuffix(path, "[*]")
	if !inMap {
		return field == path
	}
	entry, ok := strings.CutPrefix(field, of)
	return ok && (strings.HasPrefix(entry, ".") || strings.HasPrefix(entry, "["))
}

// wantCause checks that the API server names the field and says what is wrong with it.
func wantCause(t *testing.T, err error, path, says, snippet string) {
	t.Helper()
	if path == "" {
		path = "<nil>" // the object as a whole
	}
	var refused *apierrors.StatusError
	if !errors.As(err, &refused) || !apierrors.IsInvalid(err) {
		t.Errorf("not refused as invalid:\n%s\nerror: %v", snippet, err)
		return
	}
	for _, cause := range refused.ErrStatus.Details.Causes {
		if isAt(cause.Field, path) && strings.Contains(cause.Message, says) {
			return
		}
	}
	t.Errorf("nothing says, of %s: %s\n%s\nerror: %v", path, says, snippet, err)
}

// wantDecodable checks that what the API server takes can be read into the Go types, and that what the Go types make of it is
// taken again. One stored object that cannot be decoded would break the informer for all objects.
func wantDecodable(t *testing.T, s *server, taken *unstructured.Unstructured) {
	t.Helper()
	first, err := decode(taken)
	if err != nil {
		t.Errorf("accepted, but cannot be decoded: %v\n%s", err, toYAML(t, taken.Object))
		return
	}
	data, err := json.Marshal(first)
	if err != nil {
		t.Error(err)
		return
	}
	again := &unstructured.Unstructured{}
	if err := again.UnmarshalJSON(data); err != nil {
		t.Error(err)
		return
	}
	again.SetResourceVersion("")
	again.SetUID("")
	again.SetManagedFields(nil)
	if again.GetName() != s.stored.GetName() {
		delete(again.Object, "status")
	}
	took, err := s.try(t, again)
	if err != nil {
		t.Errorf("what a typed client writes is refused: %v\n%s", err, data)
		return
	}
	second, err := decode(took)
	if err != nil {
		t.Error(err)
		return
	}
	for _, part := range []string{"spec", "status"} {
		if diff := cmp.Diff(asMap(t, first)[part], asMap(t, second)[part]); diff != "" {
			t.Errorf("%s is another one after a typed client wrote it (-before +after):\n%s", part, diff)
		}
	}
}

// decode reads an object into its Go type. A field that the type lacks is an error.
func decode(o *unstructured.Unstructured) (any, error) {
	var into any = &v1alpha1.ClusterCredential{}
	switch o.GetKind() {
	case account:
		into = &v1alpha1.CloudAccount{}
	case lent:
		into = &v1alpha1.ClusterCloudAccount{}
	case consent:
		into = &v1alpha1.CredentialGrant{}
	}
	data, err := o.MarshalJSON()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return into, decoder.Decode(into)
}

func asMap(t *testing.T, value any) map[string]any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
