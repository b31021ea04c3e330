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

// The ServiceMonitor of config finds the Service of either way to install, and that of the chart its own.
func TestTheServiceMonitorFindsTheMetrics(t *testing.T) {
	fromConfig, err := rendered.Kustomize(t.Context(), "default")
	services := map[string]map[string]string{"config": metricsLabels(t, objects(t, fromConfig, err))}
	fromChart, err := rendered.Chart(t.Context(), "--set=metrics.serviceMonitor.enabled=true")
	chart := objects(t, fromChart, err)
	services["the chart"] = metricsLabels(t, chart)
	monitors, err := rendered.Kustomize(t.Context(), "prometheus")
	for from, labels := range services {
		wantFound(t, objects(t, monitors, err), from, labels)
	}
	wantFound(t, chart, "the chart", services["the chart"])
}

// metricsLabels are the labels of the Service with the metrics.
func metricsLabels(t *testing.T, all []*unstructured.Unstructured) map[string]string {
	t.Helper()
	for _, o := range all {
		if o.GetKind() == "Service" {
			return o.GetLabels()
		}
	}
	t.Fatal("there is no Service")
	return nil
}

// wantFound holds the selector of the ServiceMonitor against labels of a Service.
func wantFound(t *testing.T, all []*unstructured.Unstructured, from string, labels map[string]string) {
	t.Helper()
	found := false
	for _, o := range all {
		if o.GetKind() != "ServiceMonitor" {
			continue
		}
		found = true
		selector, _, err := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
		if err != nil || len(selector) == 0 {
			t.Fatalf("it selects by nothing: %v", err)
		}
		for name, value := range selector {
			if labels[name] != value {
				t.Errorf("the Service of %s has %s=%q, want %q", from, name, labels[name], value)
			}
		}
	}
	if !found {
		t.Error("there is no ServiceMonitor")
	}
}
