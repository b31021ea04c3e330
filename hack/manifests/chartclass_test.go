// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clustercredential/operator/hack/rendered"
)

// Two releases of different classes have nothing of one name, even in one namespace, and the Services, policies and budgets of
// the one find no Pod of the other.
func TestReleasesOfTwoClassesShareACluster(t *testing.T) {
	everything := "--set=metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboards.enabled=true," +
		"podDisruptionBudget.enabled=true,networkPolicy.enabled=true,metrics.readers[0].name=prometheus,metrics.readers[0].namespace=monitoring"
	names, pods := map[string]string{}, map[string]string{}
	releases := map[string][]string{
		"team-a": {everything, "--set=class=a"}, "team-b": {everything, "--set=class=b,crds.install=false"}, "rest": {everything, "--set=crds.install=false"},
	}
	for release, args := range releases {
		text, err := rendered.Release(t.Context(), release, args...)
		for _, o := range objects(t, text, err) {
			name := o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
			if other, taken := names[name]; taken {
				t.Errorf("%s is of %s and of %s", name, other, release)
			}
			names[name] = release
			labels, found, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
			if found {
				pods[labels["app.kubernetes.io/instance"]] = release
			}
			wantOwnPods(t, o, release)
		}
		if class := args[1]; (release == "rest") == slices.ContainsFunc(argsOf(t, args...), isClass) {
			t.Errorf("%s with %s has not the arguments of its class", release, class)
		}
	}
	if len(pods) != len(releases) || len(names) < 3*10 {
		t.Errorf("%d releases have Pods, and %d objects are there", len(pods), len(names))
	}
}

func isClass(arg string) bool { return arg == "--class=a" || arg == "--class=b" }

// wantOwnPods holds that whatever selects Pods, or the Service with the metrics, selects those of its release.
func wantOwnPods(t *testing.T, o *unstructured.Unstructured, release string) {
	t.Helper()
	for _, path := range [][]string{{"spec", "selector"}, {"spec", "selector", "matchLabels"}, {"spec", "podSelector", "matchLabels"}} {
		selector, found, err := unstructured.NestedMap(o.Object, path...)
		if _, nested := selector["matchLabels"]; err != nil || !found || nested {
			continue
		}
		if selector["app.kubernetes.io/instance"] != release {
			t.Errorf("%s %s of %s selects %v", o.GetKind(), o.GetName(), release, selector)
		}
	}
}
