// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metricsTime bounds one scrape.
const metricsTime = 10 * time.Second

// Metrics are families of metrics by name.
type Metrics map[string]*dto.MetricFamily

// Metrics returns what the manager counts and measures.
func (m *Manager) Metrics(ctx context.Context) (Metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, metricsTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.metrics, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics of %s: %w", m.Name, err)
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("parsing the metrics of %s: %w", m.Name, err)
	}
	return families, nil
}

// Sum adds up the series of a metric that have all of these labels, given as name, value, name, value, …: the values of
// counters and gauges, the counts of histograms. A metric that is not there counts 0.
func (m Metrics) Sum(name string, labels ...string) float64 {
	var sum float64
	for _, metric := range m[name].GetMetric() {
		if hasLabels(metric, labels) {
			sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + metric.GetUntyped().GetValue() +
				float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

func hasLabels(metric *dto.Metric, want []string) bool {
	has := map[string]string{}
	for _, pair := range metric.GetLabel() {
		has[pair.GetName()] = pair.GetValue()
	}
	for i := 0; i+1 < len(want); i += 2 {
		if value, ok := has[want[i]]; !ok || value != want[i+1] {
			return false
		}
	}
	return true
}

// terminate is what the kubelet sends first.
func (m *Manager) terminate() error { return m.Signal(syscall.SIGTERM) }
