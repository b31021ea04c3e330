// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/hack/rendered"
)

// A field that the Prometheus operator does not know, or a duration that is none, would be refused there.
func TestWhatIsForThePrometheusOperatorHasItsFields(t *testing.T) {
	fromConfig, err := rendered.Kustomize(t.Context(), "prometheus")
	if err != nil {
		t.Fatal(err)
	}
	fromChart, err := rendered.Chart(t.Context(), "--values=../../config/helm/ci/everything-values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string][]byte{"config/prometheus": fromConfig, "the chart": fromChart} {
		objects, err := rendered.Objects(text)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, object := range objects {
			into := monitoringKind(object.GetKind())
			if into == nil {
				continue
			}
			found[object.GetKind()] = true
			text, err := yaml.Marshal(object.Object)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalStrict(text, into); err != nil {
				t.Errorf("%s: %s: %v", where, object.GetKind(), err)
			}
		}
		if len(found) != 2 {
			t.Errorf("%s has only %v", where, found)
		}
	}
	if err := yaml.UnmarshalStrict([]byte("spec: {groups: [{name: a, rule: []}]}"), &monitoring.PrometheusRule{}); err == nil {
		t.Error("a field that does not exist is not noticed")
	}
}

// monitoringKind is what an object of that kind is read into; nil: it is none of the Prometheus operator's.
func monitoringKind(kind string) any {
	switch kind {
	case "ServiceMonitor":
		return &monitoring.ServiceMonitor{}
	case "PrometheusRule":
		return &monitoring.PrometheusRule{}
	default:
		return nil
	}
}
