// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"
)

// run holds the figures of one number of ClusterCredentials.
type run struct {
	N int `json:"n"`
	// Floors are the seconds of the bare client, before and after the operator.
	Floors []float64 `json:"floorSeconds"`
	// First is from nothing to Ready.
	First cost `json:"first"`
	// Idle is a time in which nothing is due.
	Idle cost `json:"idle"`
	// Restart is from the start of another manager, after a kill, until it has looked at everything.
	Restart cost `json:"restart"`
	// Renewal is of all, on request.
	Renewal cost `json:"renewal"`
	// MassChange is a change of all specs, until each is carried out or held.
	MassChange cost `json:"massChange"`

	firstEnded time.Time
}

// cost is what a phase took. Requests are those of the manager at the API server; POSTs and calls are at the cloud.
type cost struct {
	Seconds    float64            `json:"seconds"`
	CPUSeconds float64            `json:"cpuSeconds"`
	PeakRSSMiB float64            `json:"peakRSSMiB"` // since the manager started
	Writes     float64            `json:"writes"`
	Reads      float64            `json:"reads"`
	POSTs      int                `json:"posts"`
	Calls      int                `json:"calls"` // POSTs among them
	Requests   map[string]float64 `json:"requests"`
}

// floor is the mean of both.
func (r run) floor() float64 {
	var sum float64
	for _, seconds := range r.Floors {
		sum += seconds
	}
	return sum / float64(max(1, len(r.Floors)))
}

func (r run) ratio() float64 {
	if r.floor() == 0 {
		return 0
	}
	return r.First.Seconds / r.floor()
}

// wrong is what must never be, on any machine.
func (r run) wrong() error {
	var found []error
	want := func(phase string, got, want int) {
		if got != want {
			found = append(found, fmt.Errorf("%s: %d certificates asked for with n = %d, want %d", phase, got, r.N, want))
		}
	}
	want("first", r.First.POSTs, r.N)
	want("nothing due", r.Idle.POSTs, 0)
	want("restart", r.Restart.POSTs, 0)
	want("renewal", r.Renewal.POSTs, r.N)
	want("mass change", r.MassChange.POSTs, min(r.N, max(5, r.N/50)))
	return errors.Join(found...)
}
