// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The metrics server is asked as a Prometheus asks it: over TLS, with a token.
func TestMetricsAreForThoseWhoMaySeeThem(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"counted"}})
	address := w.freeAddress()
	w.startManager("--metrics-secure=true", "--metrics-bind-address="+address)
	w.apply(accountYAML(), credentialYAML("counted", "counted"))
	w.waitReady("counted")

	w.kubectl("create", "serviceaccount", "prometheus")
	w.kubectl("create", "serviceaccount", "stranger")
	w.kubectl("create", "clusterrolebinding", w.namespace+"-prometheus",
		"--clusterrole=clustercredential-operator-metrics-reader", "--serviceaccount="+w.namespace+":prometheus")
	scrape := func(token string) (int, string) { return w.scrape(address, token) }
	if code, _ := scrape(""); code != http.StatusUnauthorized {
		t.Errorf("somebody without a token gets %d", code)
	}
	if code, _ := scrape(w.kubectl("create", "token", "stranger")); code != http.StatusForbidden {
		t.Errorf("somebody who may not see metrics gets %d", code)
	}
	code, text := scrape(w.kubectl("create", "token", "prometheus"))
	if code != http.StatusOK {
		t.Fatalf("somebody who may see metrics gets %d", code)
	}
	account := fmt.Sprintf(`account=%q,account_kind="CloudAccount",account_namespace=%q`, theAccount, w.namespace)
	object := fmt.Sprintf(`name="counted",namespace=%q`, w.namespace)
	for _, want := range []string{
		"clustercredential_certificate_not_after_timestamp_seconds{" + object + "}",
		"clustercredential_renewal_timestamp_seconds{" + object + "}",
		fmt.Sprintf(`clustercredential_condition{name="counted",namespace=%q,reason="Valid",status="True",type="Ready"} 1`, w.namespace),
		"clustercredential_info{" + account + "," + object + "} 1",
		"clustercredential_live_certificates{" + object + "} 1",
		"clustercredential_account_ready{" + account + "} 1",
		"clustercredential_issuances_total{" + account + `,reason="Issued",result="success"} 1`,
		"clustercredential_issue_duration_seconds_count{" + account + "} 1",
		`clustercredential_publish_total{format="Kubeconfig",result="success"} 1`,
		"clustercredential_cluster_asleep{" + object + "} 0",
		"clustercredential_account_suspended{" + account + "} 0",
		"clustercredential_account_rate_needed{" + account + ",key=",
		"clustercredential_account_rate_limit{" + account + ",key=",
		// What alerts and dashboards ask of the libraries below (hack/observability).
		`controller_runtime_max_concurrent_reconciles{controller="clustercredential"} `,
		`controller_runtime_reconcile_total{controller="clustercredential",result="requeue_after"} `,
		`workqueue_depth{controller="clustercredential",name="clustercredential",`,
		"process_resident_memory_bytes ",
		`rest_client_requests_total{code="200",host=`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics do not have %s", want)
		}
	}
	w.kubectl("delete", "clustercredential", "counted")
	w.eventually(eventTime, func() error {
		if _, text := scrape(w.kubectl("create", "token", "prometheus")); strings.Contains(text, `name="counted"`) {
			return fmt.Errorf("the gauges of an object that is gone are still there")
		}
		return nil
	})
}

// freeAddress is a port that is free now.
func (w *world) freeAddress() string {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.must(listener.Close())
	return listener.Addr().String()
}

// scrape asks for the metrics as a Prometheus does, and returns the status and what was served.
func (w *world) scrape(address, token string) (int, string) {
	w.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // it is its own certificate, as in a fresh installation
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
	w.must(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	w.must(err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	w.must(err)
	return answer.StatusCode, string(text)
}
