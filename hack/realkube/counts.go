// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
)

// Request is a kind of request, as the API server counts them.
type Request struct {
	Verb        string // GET, LIST, WATCH, POST, PUT, PATCH, APPLY, DELETE, DELETECOLLECTION
	Group       string // "" is the core group
	Resource    string
	Subresource string
	Code        string
}

// IsWrite says whether such a request is meant to change something.
func (r Request) IsWrite() bool {
	return slices.Contains([]string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"}, r.Verb)
}

// Counts says how many requests of each kind there were.
type Counts map[Request]float64

// Since returns what was added after earlier.
func (c Counts) Since(earlier Counts) Counts {
	added := Counts{}
	for request, count := range c {
		if more := count - earlier[request]; more > 0 {
			added[request] = more
		}
	}
	return added
}

// Sum adds up the kinds of requests that keep picks.
func (c Counts) Sum(keep func(Request) bool) float64 {
	var sum float64
	for request, count := range c {
		if keep(request) {
			sum += count
		}
	}
	return sum
}

// RequestCounts returns how many requests the API server has answered since it started, by its own count. Its own
// requests to itself are among them (leases, roles, priority levels, CRDs), so look at the resources that matter.
// A watch counts when it ends.
func (c *Cluster) RequestCounts(ctx context.Context) (Counts, error) {
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return nil, err
	}
	raw, err := client.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing the API server's metrics: %w", err)
	}
	const name = "apiserver_request_total"
	family, ok := families[name]
	if !ok {
		return nil, fmt.Errorf("the API server has no metric %s", name)
	}
	counts := Counts{}
	for _, metric := range family.GetMetric() {
		counts[requestOf(metric.GetLabel())] += metric.GetCounter().GetValue()
	}
	return counts, nil
}

func requestOf(labels []*dto.LabelPair) Request {
	var request Request
	for _, label := range labels {
		switch label.GetName() {
		case "verb":
			request.Verb = label.GetValue()
		case "group":
			request.Group = label.GetValue()
		case "resource":
			request.Resource = label.GetValue()
		case "subresource":
			request.Subresource = label.GetValue()
		case "code":
			request.Code = label.GetValue()
		}
	}
	return request
}
