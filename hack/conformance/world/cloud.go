// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
)

// Spoil has the cloud do something wrong with the next certificates of a cluster; docs/ccesim.md lists the faults.
func (w *World) Spoil(t testing.TB, cluster, fault string, times int) {
	t.Helper()
	script, err := json.Marshal(map[string]any{"faults": []map[string]any{{
		"name": fault, "op": "clustercert", "cluster": w.Clusters[cluster], "times": times,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Cloud+"/_sim/script", bytes.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("the simulator takes no fault %s: %s", fault, response.Status)
	}
}
