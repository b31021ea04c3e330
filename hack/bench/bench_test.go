// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
)

func TestDryRunsAreNoWrites(t *testing.T) {
	labels := func(pairs ...string) []*dto.LabelPair {
		var all []*dto.LabelPair
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, &dto.LabelPair{Name: &pairs[i], Value: &pairs[i+1]})
		}
		return all
	}
	tests := map[string]struct {
		labels      []*dto.LabelPair
		write, read bool
	}{
		"POST secrets":                   {labels("verb", "POST", "resource", "secrets", "dry_run", ""), true, false},
		"POST secrets (dry run)":         {labels("verb", "POST", "resource", "secrets", "dry_run", "All"), false, false},
		"APPLY secrets":                  {labels("verb", "APPLY", "resource", "secrets"), true, false},
		"GET secrets":                    {labels("verb", "GET", "resource", "secrets"), false, true},
		"WATCH secrets":                  {labels("verb", "WATCH", "resource", "secrets"), false, false},
		"POST clustercredentials":        {labels("verb", "POST", "resource", "clustercredentials"), true, false},
		"PATCH clustercredentials":       {labels("verb", "PATCH", "resource", "clustercredentials"), true, false},
		"PUT clustercredentials/status":  {labels("verb", "PUT", "resource", "clustercredentials", "subresource", "status"), true, false},
		"LIST clustercredentials/status": {labels("verb", "LIST", "resource", "clustercredentials", "subresource", "status"), false, true},
	}
	for name, want := range tests {
		r := requestOf(want.labels)
		if r.String() != name || r.isWrite() != want.write || r.isRead() != want.read {
			t.Errorf("%s: read as %s: write %v, read %v", name, r, r.isWrite(), r.isRead())
		}
	}
}

func TestWhatIsAskedForHereIsNotTheOperators(t *testing.T) {
	after := tally{requests: counts{
		{verb: "POST", resource: "clustercredentials"}: 5, {verb: "PATCH", resource: "clustercredentials"}: 3,
		{verb: "PUT", resource: "clustercredentials", subresource: "status"}: 7,
	}}
	for here, want := range map[string]float64{nothing: 15, creates: 10, patches: 12} {
		if got := after.since(tally{}, here, busy{}).Writes; got != want {
			t.Errorf("%q is done here: %v writes, want %v", here, got, want)
		}
	}
}

func TestOnlyWhatWasAddedCounts(t *testing.T) {
	post, get := request{verb: "POST", resource: "secrets"}, request{verb: "GET", resource: "secrets"}
	added := counts{post: 5, get: 3}.since(counts{post: 2, get: 3})
	if diff := cmp.Diff(3.0, added.sum(request.isWrite)); diff != "" || len(added) != 1 {
		t.Errorf("added %v", added)
	}
}

func TestACertificateTooManyIsAnError(t *testing.T) {
	good := run{
		N: 10, First: cost{POSTs: 10, Writes: 41, Reads: 10, Seconds: 1}, Renewal: cost{POSTs: 10}, MassChange: cost{POSTs: 5}, Tries: tries{Tries: 1},
	}
	if err := good.wrong(); err != nil {
		t.Error(err)
	}
	for phase, change := range map[string]func(*run){
		"first":                 func(r *run) { r.First.POSTs++ },
		"first: 50 writes":      func(r *run) { r.First.Writes = 50 },
		"first: 20 reads":       func(r *run) { r.First.Reads = 20 },
		"restart: 1 calls":      func(r *run) { r.Restart.Calls++ },
		"tries: 1 writes":       func(r *run) { r.Tries.Writes++ },
		"tries: none":           func(r *run) { r.Tries.Tries = 0 },
		"nothing due":           func(r *run) { r.Idle.POSTs++ },
		"restart":               func(r *run) { r.Restart.POSTs++ },
		"renewal":               func(r *run) { r.Renewal.POSTs-- },
		"mass change":           func(r *run) { r.MassChange.POSTs++ },
		"sustained":             func(r *run) { r.Sustained.NotReady++ },
		"tries":                 func(r *run) { r.Tries.POSTs++ },
		"restart beside":        func(r *run) { r.Beside.POSTs++ },
		"nothing due: 1 writes": func(r *run) { r.Idle.Writes++ },
		"nothing due: 1 calls":  func(r *run) { r.Idle.Calls++ },
		"restart: 1 writes":     func(r *run) { r.Restart.Writes++ },
		"restart without":       func(r *run) { r.Alone.Writes++ },
		"restart beside others' Secrets: 1 writes": func(r *run) { r.Beside.Writes++ },
	} {
		bad := good
		change(&bad)
		if err := bad.wrong(); err == nil || !strings.HasPrefix(err.Error(), phase) {
			t.Errorf("%s: %v", phase, err)
		}
	}
}

func TestNumbersAreChecked(t *testing.T) {
	if sizes, err := parseSizes("100, 1000"); err != nil || !cmp.Equal(sizes, []int{100, 1000}) {
		t.Errorf("got %v, %v", sizes, err)
	}
	for _, text := range []string{"", "0", "-1", "10,", "many"} {
		if _, err := parseSizes(text); err == nil || !strings.Contains(err.Error(), "-n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTheTableAndTheFileHaveEveryRun(t *testing.T) {
	r := report{Machine: thisMachine(), Runs: []run{
		{N: 100, Floors: []float64{1, 2}, BareFloors: []float64{1, 1}, First: cost{Seconds: 3, Writes: 400, Requests: map[string]float64{"POST secrets": 100}},
			Sustained: sustained{cost: cost{Seconds: 60, POSTs: 120}, LifeSeconds: 20}},
		{N: 1000, Floors: []float64{10, 10}, First: cost{Seconds: 25, Writes: 4000}},
	}}
	lines := map[string]string{}
	for line := range strings.Lines(r.table()) {
		name, figures, ok := strings.Cut(strings.TrimSpace(line), "   ")
		if _, known := lines[name]; ok && !known {
			lines[name] = strings.Join(strings.Fields(figures), " ")
		}
	}
	for name, want := range map[string]string{
		"ClusterCredentials":                               "100 1000",
		"ratio to the floor":                               "2.00 2.50",
		"ratio to that":                                    "3.00 0.00",
		"API writes, reads a credential":                   "4.00, 0.00 4.00, 0.00",
		"a first certificate: POST secrets":                "1.00 0.00",
		"certificates asked for, cloud calls a credential": "0.00, 0.00 0.00, 0.00",
		"renewals by time, a second, for 1m0s":             "2.00 0.00",
	} {
		if lines[name] != want {
			t.Errorf("%s: %q, want %q", name, lines[name], want)
		}
	}
	file := filepath.Join(t.TempDir(), "figures.json")
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(text, &back); err != nil || len(back.Runs) != 2 || back.Runs[1].First.Seconds != 25 || back.Runs[0].Sustained.POSTs != 120 {
		t.Errorf("read back %+v, %v", back, err)
	}
}
