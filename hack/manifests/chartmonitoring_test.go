// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clustercredential/operator/hack/rendered"
)

// needed is what is shown of monitoring, where there is any.
var needed = map[string]string{"prometheusRule": "prometheus/rules.yaml", "dashboards": "grafana/*.json"}

func exists(t *testing.T, pattern string) bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(config, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}

// What is shown of monitoring is that of config, to the letter: it has templates of its own, which are not Helm's.
func TestTheChartHasTheAlertsAndDashboardsOfConfig(t *testing.T) {
	if !exists(t, needed["prometheusRule"]) || !exists(t, needed["dashboards"]) {
		t.Skip("there are none")
	}
	text, err := rendered.Chart(t.Context(), "--set=metrics.prometheusRule.enabled=true,metrics.dashboards.enabled=true")
	all := objects(t, text, err)
	want := valuesOf(t, filepath.Join(config, needed["prometheusRule"]))["spec"]
	dashboards, err := filepath.Glob(filepath.Join(config, needed["dashboards"]))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, o := range all {
		switch o.GetKind() {
		case "PrometheusRule":
			if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(o.Object["spec"])); diff != "" {
				t.Errorf("the rules of config (-) and of the chart (+):\n%s", diff)
			}
			want = nil
		case "ConfigMap":
			data, _, _ := unstructured.NestedStringMap(o.Object, "data")
			maps.Copy(shown, data)
		}
	}
	if want != nil {
		t.Error("the chart has no PrometheusRule")
	}
	if len(shown) != len(dashboards) {
		t.Errorf("the chart has %d dashboards, and config has %v", len(shown), dashboards)
	}
	for _, file := range dashboards {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if shown[filepath.Base(file)] != string(text) {
			t.Errorf("the chart has not what %s holds", file)
		}
	}
}
