// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
)

// run holds the figures of one number of ClusterCredentials.
type run struct {
	N int `json:"n"`
	// BinaryMiB is the size of the manager's file.
	BinaryMiB float64 `json:"binaryMiB"`
	// Bytes are of one ClusterCredential after its first certificate.
	Bytes storedBytes `json:"storedBytes"`
	// Floors are the seconds of the bare client, before and after the operator.
	Floors []float64 `json:"floorSeconds"`
	// BareFloors are with three writes for each object in place of the operator's five.
	BareFloors []float64 `json:"bareFloorSeconds"`
	// RenewalFloors are those of renewals.
	RenewalFloors []float64 `json:"renewalFloorSeconds"`
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

	// Alone and Beside are two more restarts, without and beside Secrets of others.
	Alone  cost `json:"withoutForeignSecrets"`
	Beside cost `json:"besideForeignSecrets"`
	// Tries is a time in which published credentials are tried against their clusters, and nothing else is due.
	Tries tries `json:"tries"`
	// Sustained are renewals by time.
	Sustained sustained `json:"sustained"`
}

// storedBytes are sizes in etcd, of one version.
type storedBytes struct {
	Object int `json:"clusterCredential"`
	Secret int `json:"secret"`
	Event  int `json:"event"`
}

// tries is what a time has cost in which so many credentials were tried.
type tries struct {
	cost
	Tries int `json:"tries"`
}

// sustained is what a time has cost in which certificates are always due.
type sustained struct {
	cost
	// LifeSeconds is how long each certificate lives.
	LifeSeconds float64 `json:"lifeSeconds"`
	// NotReady is how many were not Ready at the end.
	NotReady int `json:"notReady"`
}

// cost is what a phase took. Requests are those of the manager at the API server; POSTs and calls are at the cloud.
type cost struct {
	Seconds    float64            `json:"seconds"`
	CPUSeconds float64            `json:"cpuSeconds"`
	PeakRSSMiB float64            `json:"peakRSSMiB"` // since the manager started
	AliveMiB   float64            `json:"aliveMiB"`   // of the heap at the end, without garbage; where it was looked at
	Writes     float64            `json:"writes"`
	Reads      float64            `json:"reads"`
	POSTs      int                `json:"posts"`
	Calls      int                `json:"calls"` // POSTs among them
	Requests   map[string]float64 `json:"requests"`
	// Programs are the CPU seconds of all that ran beside the manager, from the first change until all was as wanted.
	Programs map[string]float64 `json:"programs"`
}

// ratio is how much longer something took than the mean of its floors.
func ratio(seconds float64, floors []float64) float64 {
	var sum float64
	for _, floor := range floors {
		sum += floor
	}
	if sum == 0 {
		return 0
	}
	return seconds * float64(len(floors)) / sum
}

// What a first certificate may cost the API server.
const (
	writesEach = 4 // intent, Secret, status, event
	readsEach  = 1 // is there a Secret of that name?
)

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
	want("restart without others' Secrets", r.Alone.POSTs, 0)
	want("restart beside others' Secrets", r.Beside.POSTs, 0)
	if r.Sustained.NotReady > 0 {
		found = append(found, fmt.Errorf("sustained: %d are not Ready with n = %d", r.Sustained.NotReady, r.N))
	}
	want("tries", r.Tries.POSTs, 0)
	want("mass change", r.MassChange.POSTs, min(r.N, max(5, r.N/50)))
	atMost := func(phase, what string, got, most float64) {
		if got > most {
			found = append(found, fmt.Errorf("%s: %.0f %s with n = %d, want at most %.0f", phase, got, what, r.N, most))
		}
	}
	n := float64(r.N)
	forAll := 5 + r.First.Seconds/5 // the status of the account meanwhile, and the look whether the API server was put back
	atMost("first", "writes", r.First.Writes, writesEach*n+forAll)
	atMost("first", "reads", r.First.Reads, readsEach*n+forAll)
	for phase, c := range map[string]cost{
		"nothing due": r.Idle, "restart": r.Restart,
		"restart without others' Secrets": r.Alone, "restart beside others' Secrets": r.Beside,
	} {
		atMost(phase, "writes", c.Writes, 0)
		atMost(phase, "calls to the cloud", float64(c.Calls), 0)
	}
	atMost("tries", "writes", r.Tries.Writes, 0)
	if r.Tries.Tries == 0 {
		found = append(found, fmt.Errorf("tries: none was accepted with n = %d", r.N))
	}
	return errors.Join(found...)
}
