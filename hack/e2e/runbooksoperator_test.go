// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"strings"
	"testing"
)

const operatorDeployment = "deployment/clustercredential-operator"

func worldOfAnOperator(t *testing.T) *world {
	w := newWorld(t, options{clusters: []string{"prod-1"}})
	w.apply(pagesAccountYAML(), pagesCredential("prod-1", "prod-1"))
	return w
}

// Prometheus lacks the right to read the metrics.
func (w *world) notScraped() {
	r := w.follow("cluster-credential-not-scraped", "prometheus-clustercredential", w.namespace+"-prometheus",
		"namespace monitoring", "namespace "+w.namespace, "monitoring:prometheus", w.namespace+":prometheus")
	address := w.freeAddress()
	w.startManager("--metrics-secure=true", "--metrics-bind-address="+address)
	w.waitReady("prod-1")
	w.kubectl("create", "serviceaccount", "prometheus")
	token := w.kubectl("create", "token", "prometheus")
	if code, _ := w.scrape(address, token); code != http.StatusForbidden {
		w.t.Fatalf("Prometheus gets %d", code)
	}
	r.next("clustercredential-operator")
	if out := r.next("clustercredential-operator-metrics"); strings.Contains(out, w.namespace+"-prometheus") {
		w.t.Errorf("the right is there:\n%s", out)
	}
	r.next("created")
	r.next("labeled")
	r.next("yes")
	r.done()
	if code, text := w.scrape(address, token); code != http.StatusOK || !strings.Contains(text, "clustercredential_condition{") {
		w.t.Errorf("Prometheus gets %d still", code)
	}
}

// Somebody has scaled the operator to nothing. No Pod runs here, so the test takes the place of what starts them.
func (w *world) operatorDown() {
	r := w.follow("cluster-credential-operator-down")
	replicas := func() string {
		return w.kubectl("get", "-n", systemNamespace, operatorDeployment, "-o", "jsonpath={.spec.replicas}")
	}
	w.kubectl("scale", "-n", systemNamespace, operatorDeployment, "--replicas=0")
	w.must(w.manager().Kill())
	before := w.serial("prod-1")

	r.next("0/0", "HOLDER")
	r.next("prod-1")
	r.next("scaled")
	if got := replicas(); got != "2" {
		w.t.Fatalf("%s replicas are wanted", got)
	}
	w.startManager()
	w.kubectl("patch", "-n", systemNamespace, operatorDeployment, "--subresource=status",
		`--patch={"status": {"conditions": [{"type": "Available", "status": "True"}]}}`)
	r.next("prod-1 condition met")
	r.done()
	if w.serial("prod-1") == before {
		w.t.Error("the operator does nothing")
	}
	w.wantPosts(2)
}
