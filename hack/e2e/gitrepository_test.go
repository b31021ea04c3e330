// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// repository is what stands in Git.
type repository []*unstructured.Unstructured

// fleet is one of every kind and field: the samples, but for their keys, and a ClusterCredential whose Secrets go with it, here and
// in another namespace.
func (w *world) fleet(tool gitTool) repository {
	w.t.Helper()
	files, err := filepath.Glob("../../config/samples/*.yaml")
	w.must(err)
	texts := []string{credentialOf("goes", "huawei-prod", "{name: goes}", awayYAML(w.away(), "own-cluster"), "  deletionPolicy: Delete")}
	for _, file := range files {
		text, err := os.ReadFile(file)
		w.must(err)
		texts = append(texts, strings.Split(string(text), "\n---\n")...)
	}
	var git repository
	kinds := map[string]int{}
	for _, text := range texts {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		w.must(utilyaml.Unmarshal([]byte(text), &object.Object))
		if object.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
			continue
		}
		kinds[object.GetKind()]++
		w.settle(object)
		object.SetLabels(tool.labels)
		for key, value := range tool.annotations {
			annotate(object, key, value)
		}
		git = append(git, object)
	}
	want := map[string]int{"ClusterCredential": 3, "CloudAccount": 1, "ClusterCloudAccount": 1, "CredentialGrant": 1}
	if diff := cmp.Diff(want, kinds); diff != "" {
		w.t.Fatal("the samples have changed:", diff)
	}
	return git
}

// settle puts a sample into this world: its namespace, its cluster, and an account without limits.
func (w *world) settle(object *unstructured.Unstructured) {
	w.t.Helper()
	set := func(value any, path ...string) { w.must(unstructured.SetNestedField(object.Object, value, path...)) }
	object.SetNamespace(w.namespace)
	switch object.GetKind() {
	case "ClusterCloudAccount":
		object.SetNamespace("")
		object.SetName(w.namespace)
		set(w.namespace, "spec", "auth", "accessKey", "secretRef", "namespace")
		set(int64(1000000), "spec", "limits", "issuesPerMinute")
	case "CloudAccount":
		set(int64(1000000), "spec", "limits", "issuesPerMinute")
	case "ClusterCredential":
		if _, byID, _ := unstructured.NestedString(object.Object, "spec", "cluster", "id"); byID {
			set(stack.ClusterID(object.GetName()), "spec", "cluster", "id")
		}
	}
}

func (git repository) annotate(name, key, value string) {
	for _, object := range git {
		if object.GetKind() == "ClusterCredential" && object.GetName() == name {
			annotate(object, key, value)
		}
	}
}

func annotate(object *unstructured.Unstructured, key, value string) {
	annotations := object.GetAnnotations() // a copy, or nil
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	object.SetAnnotations(annotations)
}

// sync brings the cluster to what is in Git. It takes nothing from anybody: no field of it is the operator's.
func (w *world) sync(tool gitTool, git repository, args ...string) string {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": git})
	w.must(err)
	all := append([]string{"apply", "--server-side", "--field-manager=" + tool.manager, "-f", "-"}, args...)
	out, err := w.KubectlInput(string(text), all...)
	w.must(err)
	return out
}

func (w *world) wantInSync(tool gitTool, git repository, when string) {
	w.t.Helper()
	for _, drift := range append(w.driftOf(tool, git), w.differences(git)...) {
		w.t.Errorf("%s: %s", when, drift)
	}
}

// driftOf looks as Flux does, and Argo CD with server-side diff: would another sync change anything but the status?
func (w *world) driftOf(tool gitTool, git repository) (drift []string) {
	w.t.Helper()
	var would struct {
		Items []unstructured.Unstructured `json:"items"`
	}
	w.must(json.Unmarshal([]byte(w.sync(tool, git, "--dry-run=server", "--force-conflicts", "-o", "json")), &would))
	for i, object := range git {
		live, after := w.live(object), &would.Items[i]
		for _, either := range []*unstructured.Unstructured{live, after} {
			either.SetManagedFields(nil)
			either.SetResourceVersion("")
			either.SetGeneration(0)
			delete(either.Object, "status")
		}
		if diff := cmp.Diff(live.Object, after.Object); diff != "" {
			drift = append(drift, fmt.Sprintf("%s %s would be changed:\n%s", object.GetKind(), object.GetName(), diff))
		}
	}
	return drift
}

// differences looks as Argo CD does by itself: what is in Git has to be in the cluster, as it is there. It would compare with
// what was applied last, too, but for server-side apply, which leaves no note of that.
func (w *world) differences(git repository) (differences []string) {
	w.t.Helper()
	for _, object := range git {
		live := w.live(object)
		if path := differs(object.Object, live.Object); path != "" {
			differences = append(differences, fmt.Sprintf("%s %s is not as in Git at %s", object.GetKind(), object.GetName(), path))
		}
		if _, noted := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]; noted {
			differences = append(differences, fmt.Sprintf("%s %s notes what was applied last", object.GetKind(), object.GetName()))
		}
	}
	return differences
}

// differs is the first path at which have is not what is wanted; "": it has all of it.
func differs(want, have any) string {
	wanted, isMap := want.(map[string]any)
	has, both := have.(map[string]any)
	if !isMap || !both {
		if cmp.Equal(want, have) {
			return ""
		}
		return ": " + cmp.Diff(want, have)
	}
	for key, value := range wanted {
		if path := differs(value, has[key]); path != "" {
			return "." + key + path
		}
	}
	return ""
}

func (w *world) live(object *unstructured.Unstructured) *unstructured.Unstructured {
	w.t.Helper()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(object.GroupVersionKind())
	w.must(w.client.Get(w.t.Context(), client.ObjectKeyFromObject(object), live))
	return live
}
