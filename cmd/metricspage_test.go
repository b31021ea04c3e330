// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

func counterOf(name string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "Help."})
}

func asked(t *testing.T, page http.Handler, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, request)
	return answer
}

func TestMetricsComeOneAfterTheOtherAsOnePage(t *testing.T) {
	first := prometheus.NewRegistry()
	first.MustRegister(counterOf("a"), counterOf("c"))
	empty := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "d_total", Help: "Help."}, []string{"x"})
	page := pageOf(first, []prometheus.Collector{counterOf("b"), empty, counterOf("f")})

	const want = "# HELP a Help.\n# TYPE a counter\na 0\n# HELP c Help.\n# TYPE c counter\nc 0\n" +
		"# HELP b Help.\n# TYPE b counter\nb 0\n# HELP f Help.\n# TYPE f counter\nf 0\n"
	answer := asked(t, page, map[string]string{})
	if diff := cmp.Diff(want, answer.Body.String()); diff != "" || answer.Code != http.StatusOK {
		t.Errorf("status %d (-want +got):\n%s", answer.Code, diff)
	}

	// As Prometheus asks: compressed, and for the format of Protocol Buffers if it is to have native histograms.
	accept := "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3"
	answer = asked(t, page, map[string]string{"Accept-Encoding": "gzip, zstd", "Accept": accept})
	if got := answer.Header().Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding %q", got)
	}
	plain, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain.Multistream(false) // one stream: not all read on
	decoder := expfmt.NewDecoder(plain, expfmt.ResponseFormat(answer.Header()))
	var names []string
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); err != nil {
			break
		}
		names = append(names, family.GetName())
	}
	if got := strings.Join(names, " "); got != "a c b f" {
		t.Errorf("read %s", got)
	}
}

// broken collects nothing but an error.
type broken struct{}

var brokenDesc = prometheus.NewDesc("e", "Help.", nil, nil)

func (broken) Describe(out chan<- *prometheus.Desc) { out <- brokenDesc }

func (broken) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.NewInvalidMetric(brokenDesc, errors.New("no such thing"))
}

// A page of which a part is missing would be taken for one that tells of nothing more: alerts would fall silent.
func TestMetricsThatCannotBeGatheredFailTheScrape(t *testing.T) {
	for name, header := range map[string]string{"plain": "identity", "compressed": "gzip"} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(pageOf(prometheus.NewRegistry(), []prometheus.Collector{counterOf("b"), broken{}, counterOf("f")}))
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept-Encoding", header)
			response, err := server.Client().Do(request)
			if err != nil {
				return // nothing had been sent
			}
			defer func() { _ = response.Body.Close() }()
			if _, err := io.ReadAll(response.Body); err == nil {
				t.Error("the page ends as if it were whole")
			}
		})
	}
}

func TestNothingIsGatheredForSomebodyWhoHasGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	answer := httptest.NewRecorder()
	pageOf(prometheus.NewRegistry(), []prometheus.Collector{counterOf("b")}).
		ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	if answer.Body.Len() > 0 {
		t.Errorf("got %s", answer.Body)
	}
}
