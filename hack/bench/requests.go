// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
)

// request is a kind of request that the API server counts.
type request struct {
	verb, resource, subresource string
	dryRun                      bool
}

func (r request) String() string {
	name := r.verb + " " + r.resource
	if r.subresource != "" {
		name += "/" + r.subresource
	}
	if r.dryRun {
		name += " (dry run)"
	}
	return name
}

// isWrite leaves out dry runs: they change nothing.
func (r request) isWrite() bool {
	return !r.dryRun && slices.Contains([]string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"}, r.verb)
}

// isRead leaves out watches, which are counted when they end.
func (r request) isRead() bool { return r.verb == "GET" || r.verb == "LIST" }

// counts are numbers of requests. Only resources that the operator uses are in there: the API server asks itself for others, and for
// namespaces.
type counts map[request]float64

var resources = []string{"clustercredentials", "cloudaccounts", "clustercloudaccounts", "credentialgrants", "secrets", "events"}

// requests reads how many requests the API server has answered since it started.
func (b *bed) requests(ctx context.Context) (counts, error) {
	c, err := kubernetes.NewForConfig(b.stack.Kube.Config())
	if err != nil {
		return nil, err
	}
	raw, err := c.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing the API server's metrics: %w", err)
	}
	all := counts{}
	for _, metric := range families["apiserver_request_total"].GetMetric() {
		r := requestOf(metric.GetLabel())
		if slices.Contains(resources, r.resource) {
			all[r] += metric.GetCounter().GetValue()
		}
	}
	return all, nil
}

func requestOf(labels []*dto.LabelPair) request {
	var r request
	for _, label := range labels {
		switch value := label.GetValue(); label.GetName() {
		case "verb":
			r.verb = value
		case "resource":
			r.resource = value
		case "subresource":
			r.subresource = value
		case "dry_run":
			r.dryRun = value != ""
		}
	}
	return r
}

// since returns what was added after earlier.
func (c counts) since(earlier counts) counts {
	added := counts{}
	for r, count := range c {
		if count > earlier[r] {
			added[r] = count - earlier[r]
		}
	}
	return added
}

func (c counts) sum(keep func(request) bool) float64 {
	var sum float64
	for r, count := range c {
		if keep(r) {
			sum += count
		}
	}
	return sum
}

// quiet waits until the operator makes no more requests. Only reads go on where credentials are tried without end.
func (b *bed) quiet(ctx context.Context) error {
	const still, patient, most = 2 * time.Second, 30 * time.Second, 2 * time.Minute
	begin := time.Now()
	var last counts
	for {
		now, err := b.requests(ctx)
		if err != nil {
			return err
		}
		added := now.since(last)
		switch waited := time.Since(begin); {
		case last == nil:
		case added.sum(request.isWrite) == 0 && (len(added) == 0 || waited > patient):
			return nil
		case waited > most:
			return fmt.Errorf("the operator still writes after %s: %v", most, added)
		}
		last = now
		if err := pause(ctx, still); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
