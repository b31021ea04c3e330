// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// benchPasses are what status was, and what the pass is about.
func benchPasses() []benchPass {
	var many []Facts
	for n := range maxHistory {
		many = append(many, issued(fmt.Sprintf("%02d", n), time.Duration(maxHistory-n)*time.Hour))
	}
	full := after(many...)
	return []benchPass{
		{"pass=unchanged/history=1", settled(), rest(), 1},
		{"pass=unchanged/history=full", full, many[maxHistory-1], maxHistory},
		{"pass=first/history=0", after(rest(empty, wants(v1alpha1.TriggerFirst, "first"))), issued("0A", 0), 1},
		{"pass=renewed/history=1", settled(), issued("0B", 0), 2},
		{"pass=renewed/history=full", full, issued("0B", 0), maxHistory},
	}
}

type benchPass struct {
	name     string
	previous v1alpha1.ClusterCredentialStatus
	facts    Facts
	history  int // of the next status
}

func BenchmarkNext(b *testing.B) {
	for _, pass := range benchPasses() {
		b.Run(pass.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := Next(pass.previous, pass.facts); len(got.History) != pass.history {
					b.Fatalf("the history has %d entries", len(got.History))
				}
			}
		})
	}
}

// BenchmarkEqual is for the passes that change nothing: they compare everything.
func BenchmarkEqual(b *testing.B) {
	for _, pass := range benchPasses() {
		next := Next(pass.previous, pass.facts)
		if !Equal(pass.previous, next) {
			continue
		}
		b.Run(pass.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !Equal(pass.previous, next) {
					b.Fatal("they differ")
				}
			}
		})
	}
}
