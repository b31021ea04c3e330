// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// metricsPage is what is shown as /metrics: parts that are gathered and written one after the other. A gatherer holds all that it
// gathers until it is written, which for 10,000 ClusterCredentials would be 25 MiB.
type metricsPage []http.Handler

// pageOf shows first, and then each of the others.
func pageOf(first prometheus.Gatherer, others []prometheus.Collector) metricsPage {
	options := promhttp.HandlerOpts{DisableCompression: true}
	page := make(metricsPage, 0, 1+len(others))
	page = append(page, promhttp.HandlerFor(wholly(first), options))
	for _, collector := range others {
		part := prometheus.NewRegistry()
		part.MustRegister(collector)
		page = append(page, promhttp.HandlerFor(wholly(part), options))
	}
	return page
}

// wholly breaks the connection off where something cannot be gathered: the page may have begun, and must not be taken for a whole one.
func wholly(gatherer prometheus.Gatherer) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		gathered, err := gatherer.Gather()
		if err != nil {
			ctrl.Log.Error(err, "Could not gather all metrics")
			panic(http.ErrAbortHandler)
		}
		return gathered, nil
	})
}

var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// ServeHTTP implements http.Handler.
func (p metricsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		compressed, _ := compressors.Get().(*gzip.Writer)
		defer func() {
			compressed.Reset(io.Discard) // or it would keep the connection alive
			compressors.Put(compressed)
		}()
		compressed.Reset(w)
		p.parts(writer{w, compressed}, r)
		_ = compressed.Close() // whoever asked may have gone
		return
	}
	p.parts(w, r)
}

func (p metricsPage) parts(w http.ResponseWriter, r *http.Request) {
	for _, part := range p {
		if r.Context().Err() != nil {
			return // whoever asked has gone
		}
		part.ServeHTTP(w, r)
	}
}

// writer writes elsewhere what is answered.
type writer struct {
	http.ResponseWriter
	to io.Writer
}

func (w writer) Write(p []byte) (int, error) { return w.to.Write(p) }

type filterProvider = func(*rest.Config, *http.Client) (metricsserver.Filter, error)

// filtered puts the page in the place of controller-runtime's, the only one that is served there, behind the same filter.
func (p metricsPage) filtered(by filterProvider) filterProvider {
	return func(config *rest.Config, client *http.Client) (metricsserver.Filter, error) {
		filter, err := by(config, client)
		return func(log logr.Logger, _ http.Handler) (http.Handler, error) { return filter(log, p) }, err
	}
}

// askNobody shows metrics to all who reach them.
func askNobody(*rest.Config, *http.Client) (metricsserver.Filter, error) {
	return func(_ logr.Logger, page http.Handler) (http.Handler, error) { return page, nil }, nil
}
