// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clustercredential/operator/hack/rendered"
)

// The chart installs what config installs: the same objects, with the same rules, Pods, ports and definitions.
func TestTheChartInstallsWhatKustomizeDoes(t *testing.T) {
	for name, test := range map[string]struct {
		config []string
		args   []string
	}{
		"in the whole cluster":     {config: []string{"default"}},
		"in one namespace":         {config: []string{"namespaced"}, args: []string{"--set=namespaces={fleet}"}},
		"with the network limited": {config: []string{"default", "network-policy"}, args: []string{"--set=networkPolicy.enabled=true"}},
	} {
		t.Run(name, func(t *testing.T) {
			var built []*unstructured.Unstructured
			for _, directory := range test.config {
				text, err := rendered.Kustomize(t.Context(), directory)
				built = append(built, objects(t, text, err)...)
			}
			text, err := rendered.Chart(t.Context(), test.args...)
			want, got := plain(t, built), plain(t, objects(t, text, err))
			delete(want, "Namespace "+rendered.Namespace) // Helm makes it, or it is there
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("config (-) and the chart (+) differ:\n%s", diff)
			}
		})
	}
}

func objects(t *testing.T, text []byte, err error) []*unstructured.Unstructured {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	all, err := rendered.Objects(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// plain are objects by kind and name without what has to differ: labels, what finds Pods by them, and where the image is.
func plain(t *testing.T, all []*unstructured.Unstructured) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, o := range all {
		key := strings.TrimSpace(fmt.Sprintf("%s %s %s", o.GetKind(), o.GetNamespace(), o.GetName()))
		if o.GetNamespace() == "" {
			key = o.GetKind() + " " + o.GetName()
		}
		if _, twice := found[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		o.SetLabels(only(o.GetLabels(), "rbac.authorization.k8s.io/"))
		o.SetAnnotations(only(o.GetAnnotations(), "controller-gen.kubebuilder.io/"))
		switch o.GetKind() {
		case "Deployment":
			plainDeployment(t, o)
		case "Service":
			unstructured.RemoveNestedField(o.Object, "spec", "selector")
		case "NetworkPolicy":
			unstructured.RemoveNestedField(o.Object, "spec", "podSelector")
		}
		found[key] = o.Object
	}
	return found
}

func only(marks map[string]string, prefix string) map[string]string {
	maps.DeleteFunc(marks, func(key, _ string) bool { return !strings.HasPrefix(key, prefix) })
	if len(marks) == 0 {
		return nil
	}
	return marks
}

func plainDeployment(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	unstructured.RemoveNestedField(o.Object, "spec", "selector")
	unstructured.RemoveNestedField(o.Object, "spec", "template", "metadata", "labels")
	// The chart writes out what Kubernetes' default is, for the sake of upgrades.
	strategy, found, err := unstructured.NestedMap(o.Object, "spec", "strategy")
	byDefault := map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": "25%", "maxUnavailable": "25%"}}
	if err == nil && found && cmp.Equal(strategy, byDefault) {
		unstructured.RemoveNestedField(o.Object, "spec", "strategy")
	}
	for _, constraint := range list(t, o, "spec", "template", "spec", "topologySpreadConstraints") {
		delete(constraint, "labelSelector")
	}
	for _, container := range list(t, o, "spec", "template", "spec", "containers") {
		delete(container, "image")
		delete(container, "imagePullPolicy")
	}
}

// list are the objects of a list, to be changed in place.
func list(t *testing.T, o *unstructured.Unstructured, path ...string) []map[string]any {
	t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	items, isList := value.([]any)
	if err != nil || !isList {
		t.Fatalf("%s %s has no list %s: %v", o.GetKind(), o.GetName(), strings.Join(path, "."), err)
	}
	all := make([]map[string]any, len(items))
	for i, item := range items {
		all[i] = item.(map[string]any)
	}
	return all
}

// Whatever finds Pods by labels finds those of this release, and of no other.
func TestWhatTheChartSelectsAreItsPods(t *testing.T) {
	const everything = "--values=../../config/helm/ci/everything-values.yaml"
	text, err := rendered.Chart(t.Context(), everything)
	all := objects(t, text, err)
	pod := labelsOf(t, all, "Deployment", "spec", "template", "metadata", "labels")
	service := labelsOf(t, all, "Service", "metadata", "labels")
	for _, selector := range []struct {
		kind string
		path []string
		of   map[string]string
	}{
		{"Deployment", []string{"spec", "selector", "matchLabels"}, pod},
		{"Service", []string{"spec", "selector"}, pod},
		{"NetworkPolicy", []string{"spec", "podSelector", "matchLabels"}, pod},
		{"PodDisruptionBudget", []string{"spec", "selector", "matchLabels"}, pod},
		{"ServiceMonitor", []string{"spec", "selector", "matchLabels"}, service},
	} {
		got := labelsOf(t, all, selector.kind, selector.path...)
		for key, value := range got {
			if selector.of[key] != value {
				t.Errorf("%s selects %s=%s, and there is %q", selector.kind, key, value, selector.of[key])
			}
		}
		if got["app.kubernetes.io/instance"] != rendered.Name {
			t.Errorf("%s selects what belongs to other releases, too: %v", selector.kind, got)
		}
	}
	version := slices.Sorted(maps.Keys(pod))
	if slices.Contains(version, "helm.sh/chart") {
		t.Errorf("a new version of the chart restarts the Pods, whatever it changes: %v", version)
	}
}

func labelsOf(t *testing.T, all []*unstructured.Unstructured, kind string, path ...string) map[string]string {
	t.Helper()
	for _, o := range all {
		if o.GetKind() != kind {
			continue
		}
		labels, found, err := unstructured.NestedStringMap(o.Object, path...)
		if err != nil || !found {
			t.Fatalf("%s has no %s: %v", kind, strings.Join(path, "."), err)
		}
		return labels
	}
	t.Fatalf("the chart has no %s", kind)
	return nil
}
