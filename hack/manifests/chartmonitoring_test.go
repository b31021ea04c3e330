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

// What is shown of monitoring is that of config, to the letter: it has templates of its own, which are not Helm's.
func TestTheChartHasTheAlertsAndDashboardsOfConfig(t *testing.T) {
	text, err := rendered.Chart(t.Context(), "--set=metrics.prometheusRule.enabled=true,metrics.dashboards.enabled=true")
	all := objects(t, text, err)
	want := valuesOf(t, filepath.Join(config, "prometheus/rules.yaml"))["spec"]
	dashboards, err := filepath.Glob(filepath.Join(config, "grafana/*.json"))
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
	if len(dashboards) == 0 || len(shown) != len(dashboards) {
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
