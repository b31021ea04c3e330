// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

// BenchmarkIssue asks for certificates of 10,000 clusters over HTTP, client and
// signing included.
func BenchmarkIssue(b *testing.B) {
	cfg := ccesim.Config{
		Keys: []ccesim.AccessKey{key}, Projects: []ccesim.Project{{ID: project, Name: "r"}}, KeyAlgorithm: ccesim.EC,
	}
	for i := range 10_000 {
		cfg.Clusters = append(cfg.Clusters, ccesim.Cluster{
			ID: fmt.Sprintf("11111111-2222-3333-4444-%012d", i), Name: fmt.Sprintf("c%d", i), ProjectID: project,
		})
	}
	server, err := ccesim.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	listener := httptest.NewServer(server)
	defer listener.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			path := fmt.Sprintf("%s/api/v3/projects/%s/clusters/11111111-2222-3333-4444-%012d/clustercert", listener.URL, project, next.Add(1)%10_000)
			if status := post(client, path); status != http.StatusOK {
				b.Errorf("status %d", status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "POST/s")
}

func post(client *http.Client, url string) int {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewBufferString(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	sign(r, body, key, time.Now())
	answer, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}
