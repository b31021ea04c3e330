// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Fields of a later release are refused rather than accepted and ignored.
func TestUnknownFieldsAreRefused(t *testing.T) {
	tests := map[string]struct{ kind, snippet, field string }{
		"a window with a beginning":  {credential, "spec: {renewal: {windows: [{schedule: 0 2 * * *, duration: 4h, start: '02:00'}]}}", "spec.renewal.windows[0].start"},
		"a verification with a time": {credential, "spec: {verification: Required, verifyInterval: 1m}", "spec.verifyInterval"},
		"an account elsewhere":       {credential, "spec: {accountRef: {name: a, namespace: b}}", "spec.accountRef.namespace"},
		"a misspelled field":         {credential, "spec: {validty: {days: 30}}", "spec.validty"},
		"endpoints":                  {account, "spec: {endpoints: {cce: 'https://cce'}}", "spec.endpoints"},
		"grants":                     {account, "spec: {grants: []}", "spec.grants"},
		"keyless identity":           {account, auth("podIdentity: {}"), "spec.auth.podIdentity"},
		"a key elsewhere":            {account, auth("accessKey: {secretRef: {name: a, namespace: b}}"), "spec.auth.accessKey.secretRef.namespace"},
		"a key in the open":          {account, auth("accessKey: {secretKey: a}"), "spec.auth.accessKey.secretKey"},
		"a grant to read":            {consent, toAny("read: true"), "spec.to.read"},
	}
	namespace := newNamespace(t, "unknown-fields")
	k := newKubectl(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := k.in(t)
			manifest := toYAML(t, object(t, test.kind, namespace, test.snippet).Object)
			out, err := k.try(manifest, "apply", "-f", "-")
			if want := `unknown field "` + test.field + `"`; err == nil || !strings.Contains(out, want) {
				t.Errorf("kubectl apply: %v, want %s\n%s", err, want, out)
			}
			o := object(t, test.kind, namespace, test.snippet)
			_, err = objects(t, test.kind, namespace).Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "test"})
			want := test.field[strings.LastIndex(test.field, "."):] + ": field not declared in schema"
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("server-side apply: %v, want %s", err, want)
			}
		})
	}
	list, err := objects(t, credential, namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("stored: %d objects, %v", len(list.Items), err)
	}
}

// Members of a union give way to each other, and what leaves the manifest leaves the object.
func TestApplyMakesTheSpecWhatTheManifestSays(t *testing.T) {
	tests := map[string]struct{ kind, before, after string }{
		"days become a duration":  {credential, "spec: {validity: {days: 30}}", "spec: {validity: {duration: 6h}}"},
		"a duration becomes days": {credential, "spec: {validity: {duration: 6h}}", "spec: {validity: {days: 30}}"},
		"an id becomes a name":    {credential, "", "spec: {cluster: {name: prod-1}}"},
		"a name becomes an id":    {credential, "spec: {cluster: {name: prod-1}}", ""},
		"before becomes a percentage": {credential,
			"spec: {renewal: {policy: Manual, before: 240h}}", "spec: {renewal: {policy: Manual, beforePercent: 33}}"},
		"access becomes a context": {credential, "spec: {endpoint: {access: Internal}}", "spec: {endpoint: {context: customSAN-0}}"},
		"a duration goes as the cluster becomes Autopilot": {credential,
			"spec: {validity: {duration: 6h}}", "spec: {cluster: {name: prod-1, type: Autopilot}}"},
		"everything goes": {credential,
			"spec: {validity: {days: 1}, renewal: {policy: Manual}, endpoint: {access: Auto}, deletionPolicy: Delete, suspend: true, " +
				"outputs: [{secretName: a, labels: {a: b}}]}", ""},
		"everything comes": {credential, "",
			"spec: {validity: {days: 1}, renewal: {policy: Manual}, endpoint: {access: Auto}, deletionPolicy: Delete, suspend: true, " +
				"outputs: [{secretName: a, labels: {a: b}}]}"},
		"an output loses its labels and gets a key": {credential, named("labels: {a: b, c: d}"), named("key: kubeconfig")},
		"an access key becomes a token":             {account, "", auth("token: {secretRef: {name: a}}")},
		"a token becomes an access key":             {account, auth("token: {secretRef: {name: a}}"), ""},
		"limits, project and suspend go":            {account, "spec: {limits: {issuesPerMinute: 1}, projectID: 0f2b4d6e8a0c1e3f5a7b9d1c3e5f7a9b, suspend: true}", ""},
	}
	namespace := newNamespace(t, "changes")
	k := newKubectl(t)
	for name, test := range tests {
		all := objects(t, test.kind, namespace)
		modes := map[string]func(*testing.T, *unstructured.Unstructured){
			"kubectl apply": func(t *testing.T, o *unstructured.Unstructured) {
				k := k.in(t)
				k.run(toYAML(t, o.Object), "apply", "-f", "-")
			},
			"server-side apply": func(t *testing.T, o *unstructured.Unstructured) {
				if _, err := all.Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
					t.Fatal(err)
				}
			},
		}
		for mode, apply := range modes {
			t.Run(name+", "+mode, func(t *testing.T) {
				before, after := object(t, test.kind, namespace, test.before), object(t, test.kind, namespace, test.after)
				apply(t, before)
				apply(t, after)
				got, err := all.Get(t.Context(), after.GetName(), metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(after.Object["spec"], got.Object["spec"]); diff != "" {
					t.Errorf("the stored spec differs from the manifest (-manifest +stored):\n%s", diff)
				}
				if err := all.Delete(t.Context(), after.GetName(), metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// Without it, kstatus, Flux and Helm take an object for ready that nobody has looked at.
func TestANewObjectHasNotBeenLookedAt(t *testing.T) {
	namespace := newNamespace(t, "new-objects")
	want := map[string]any{"observedGeneration": int64(-1)}
	for _, kind := range []string{credential, account} {
		t.Run(kind, func(t *testing.T) {
			all := objects(t, kind, namespace)
			o := object(t, kind, namespace, "status: {observedGeneration: 7}") // nobody but the operator writes status
			created, err := all.Create(t.Context(), o, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			read, err := all.Get(t.Context(), o.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for when, o := range map[string]*unstructured.Unstructured{"created": created, "read back": read} {
				if diff := cmp.Diff(want, o.Object["status"]); diff != "" {
					t.Errorf("status as %s (-want +got):\n%s", when, diff)
				}
			}

			o = object(t, kind, namespace, "metadata: {name: applied}")
			applied, err := all.Apply(t.Context(), "applied", o, metav1.ApplyOptions{FieldManager: "test"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, applied.Object["status"]); diff != "" {
				t.Errorf("status as applied (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATypedClientKeepsTheDefaultOfStatus(t *testing.T) {
	namespace := newNamespace(t, "typed")
	c := typed(t)
	cc := &v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prod-1"},
		Spec: v1alpha1.ClusterCredentialSpec{
			AccountRef: v1alpha1.AccountReference{Name: "huawei-prod"},
			Cluster:    v1alpha1.ClusterReference{Name: "prod-1"},
		},
	}
	check := func(when string, want int64) {
		t.Helper()
		read := &v1alpha1.ClusterCredential{}
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(cc), read); err != nil {
			t.Fatal(err)
		}
		if cc.Status.ObservedGeneration != want || read.Status.ObservedGeneration != want {
			t.Errorf("%s: observedGeneration %d, read back %d, want %d", when, cc.Status.ObservedGeneration, read.Status.ObservedGeneration, want)
		}
	}
	if err := c.Create(t.Context(), cc); err != nil {
		t.Fatal(err)
	}
	check("created", -1)

	cc.Status = v1alpha1.ClusterCredentialStatus{ObservedGeneration: 1, Access: v1alpha1.AccessCustom}
	if err := c.Status().Update(t.Context(), cc); err != nil {
		t.Fatal(err)
	}
	check("looked at", 1)

	cc.Spec.Suspend = true
	if err := c.Update(t.Context(), cc); err != nil {
		t.Fatal(err)
	}
	check("changed", 1)

	cc.Status = v1alpha1.ClusterCredentialStatus{}
	if err := c.Status().Update(t.Context(), cc); err != nil {
		t.Fatal(err)
	}
	check("wiped", -1)
}

func TestNamesOfObjectsAreChecked(t *testing.T) {
	namespace := newNamespace(t, "names")
	all := objects(t, credential, namespace)
	for _, name := range []string{"Prod", "prod_1", long(254)} {
		o := object(t, credential, namespace, "metadata: {name: "+name+"}")
		if _, err := all.Create(t.Context(), o, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); !apierrors.IsInvalid(err) {
			t.Errorf("%.20s: %v, want it refused as invalid", name, err)
		}
	}
	// An update must not get around it: a name cannot change, but its outputs can go.
	stored := store(t, object(t, credential, namespace, "{metadata: {name: "+long(243)+"}, spec: {outputs: [{secretName: a}]}}"))
	unstructured.RemoveNestedField(stored.Object, "spec", "outputs")
	if _, err := all.Update(t.Context(), stored, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) ||
		!strings.Contains(err.Error(), "set spec.outputs[0].secretName") {
		t.Errorf("taking the outputs from an object with a long name: %v", err)
	}
}
