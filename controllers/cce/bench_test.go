// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

func BenchmarkDial(b *testing.B) {
	d, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	access := testAccess()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Dial(access); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	for name, call := range map[string]func(issuer.Cloud) error{
		"Issue": func(c issuer.Cloud) error { _, err := c.Issue(context.Background(), byDays); return err },
		"ClusterByID": func(c issuer.Cloud) error {
			_, err := c.ClusterByID(context.Background(), issuer.Standard, testCluster)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			body := kubeconfigAnswer
			if name != "Issue" {
				body = clusterJSON(testCluster, "hub", "", "Available", listedEndpoints)
			}
			server := httptest.NewServer(answer(200, body))
			defer server.Close()
			d, err := New(Options{CCEEndpoint: server.URL})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				cloud, err := d.Dial(testAccess())
				if err != nil {
					b.Fatal(err)
				}
				if err := call(cloud); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
