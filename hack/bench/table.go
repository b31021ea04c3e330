// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// row is a line of the table.
type row struct {
	name   string
	figure func(run) string
}

// rows in the order of the phases.
var rows = []row{
	{"from nothing to Ready, s", func(r run) string { return number(r.First.Seconds) }},
	{"  certificates a second", func(r run) string { return number(r.rate(r.First)) }},
	{"  floor: a bare client with 20 connections, before and after, s", func(r run) string { return numbers(r.Floors) }},
	{"  ratio to the floor", func(r run) string { return number(ratio(r.First.Seconds, r.Floors)) }},
	{"  floor of three writes each, before and after, s", func(r run) string { return numbers(r.BareFloors) }},
	{"  ratio to that", func(r run) string { return number(ratio(r.First.Seconds, r.BareFloors)) }},
	{"  API writes, reads a credential", func(r run) string { return r.requestsEach(r.First) }},
	{"  certificates asked for, cloud calls a credential", func(r run) string {
		return number(r.each(float64(r.First.POSTs))) + ", " + number(r.each(float64(r.First.Calls)))
	}},
	{"  CPU of the manager, s", func(r run) string { return number(r.First.CPUSeconds) }},
	{"  meanwhile CPU of API server, etcd, cloud, bench, s", func(r run) string { return r.First.others() }},
	{"  peak memory of the manager, MiB", func(r run) string { return number(r.First.PeakRSSMiB) }},
	{"nothing due for " + idleTime.String() + ": API writes, reads; cloud calls", func(r run) string {
		return fmt.Sprintf("%.0f, %.0f; %d", r.Idle.Writes, r.Idle.Reads, r.Idle.Calls)
	}},
	{"  CPU of the manager, s", func(r run) string { return number(r.Idle.CPUSeconds) }},
	{"kill -9 and start, to settled, s", func(r run) string { return number(r.Restart.Seconds) }},
	{"  API writes, reads; certificates asked for, cloud calls", func(r run) string {
		return fmt.Sprintf("%.0f, %.0f; %d, %d", r.Restart.Writes, r.Restart.Reads, r.Restart.POSTs, r.Restart.Calls)
	}},
	{"  CPU, s; peak memory, MiB", func(r run) string { return r.Restart.usage() }},
	{"renewals on request, a second", func(r run) string { return number(r.rate(r.Renewal)) }},
	{"  ratio to the floor", func(r run) string { return number(ratio(r.Renewal.Seconds, r.RenewalFloors)) }},
	{"  API writes, reads a credential", func(r run) string { return r.requestsEach(r.Renewal) }},
	{"  CPU, s; peak memory since the restart, MiB", func(r run) string { return r.Renewal.usage() }},
	{"  meanwhile CPU of API server, etcd, cloud, bench, s", func(r run) string { return r.Renewal.others() }},
	{"all specs changed: certificates asked for; the others held after, s", func(r run) string {
		return fmt.Sprintf("%d; %s", r.MassChange.POSTs, number(r.MassChange.Seconds))
	}},
	{"  API writes, reads a credential", func(r run) string { return r.requestsEach(r.MassChange) }},
	{"a start, and one beside 3 Secrets of others for each, to settled, s", func(r run) string {
		return numbers([]float64{r.Alone.Seconds, r.Beside.Seconds})
	}},
	{"  peak memory, MiB", func(r run) string { return numbers([]float64{r.Alone.PeakRSSMiB, r.Beside.PeakRSSMiB}) }},
	{"  memory alive in the end, MiB", func(r run) string { return numbers([]float64{r.Alone.AliveMiB, r.Beside.AliveMiB}) }},
	{"credentials tried against their clusters, a second", func(r run) string {
		return number(float64(r.Tries.Tries) / max(r.Tries.Seconds, 1e-9))
	}},
	{"  API writes, reads a try; CPU a try, ms", func(r run) string {
		n := float64(max(r.Tries.Tries, 1))
		return number(r.Tries.Writes/n) + ", " + number(r.Tries.Reads/n) + "; " + number(1000*r.Tries.CPUSeconds/n)
	}},
	{"renewals by time, a second, for " + sustainedTime.String(), func(r run) string {
		return number(float64(r.Sustained.POSTs) / max(r.Sustained.Seconds, 1e-9))
	}},
	{"  life of a certificate, s; not Ready at the end", func(r run) string {
		return fmt.Sprintf("%.0f; %d", r.Sustained.LifeSeconds, r.Sustained.NotReady)
	}},
	{"  API writes, reads a certificate", func(r run) string {
		n := float64(max(r.Sustained.POSTs, 1))
		return number(r.Sustained.Writes/n) + ", " + number(r.Sustained.Reads/n)
	}},
	{"  CPU a certificate, ms; peak memory, MiB", func(r run) string {
		return number(1000*r.Sustained.CPUSeconds/float64(max(r.Sustained.POSTs, 1))) + "; " + number(r.Sustained.PeakRSSMiB)
	}},
	{"  CPU of API server, etcd, cloud, bench, s", func(r run) string { return r.Sustained.others() }},
	{"a ClusterCredential, its Secret, its event in etcd, bytes", func(r run) string {
		return fmt.Sprintf("%d, %d, %d", r.Bytes.Object, r.Bytes.Secret, r.Bytes.Event)
	}},
	{"the manager's file, MiB", func(r run) string { return number(r.BinaryMiB) }},
}

// rate is of a phase in which each ClusterCredential got a certificate.
func (r run) rate(c cost) float64 { return float64(r.N) / max(c.Seconds, 1e-9) }

func (r run) requestsEach(c cost) string {
	return number(r.each(c.Writes)) + ", " + number(r.each(c.Reads))
}

func (c cost) usage() string { return number(c.CPUSeconds) + "; " + number(c.PeakRSSMiB) }

// others are the programs beside the manager.
func (c cost) others() string {
	return numbers([]float64{c.Programs["kube-apiserver"], c.Programs["etcd"], c.Programs["ccesim"], c.Programs["bench"]})
}

func numbers(all []float64) string {
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = number(f)
	}
	return strings.Join(texts, ", ")
}

func (r run) each(total float64) float64 { return total / float64(r.N) }

// number is as precise as such figures are.
func number(f float64) string {
	switch {
	case f >= 100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	default:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
}

// table has a column for each run.
func (r report) table() string {
	var text bytes.Buffer
	fmt.Fprintln(&text, r.Machine)
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	line := func(name string, figure func(run) string) {
		fmt.Fprint(w, name)
		for _, run := range r.Runs {
			fmt.Fprint(w, "\t"+figure(run))
		}
		fmt.Fprintln(w)
	}
	line("ClusterCredentials", func(r run) string { return strconv.Itoa(r.N) })
	for _, row := range rows {
		line(row.name, row.figure)
	}
	for _, part := range []struct {
		of   string
		cost func(run) cost
	}{{"a first certificate", func(r run) cost { return r.First }}, {"a renewal", func(r run) cost { return r.Renewal }}} {
		names := map[string]bool{}
		for _, run := range r.Runs {
			for name := range part.cost(run).Requests {
				names[name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			line(part.of+": "+name, func(r run) string { return number(r.each(part.cost(r).Requests[name])) })
		}
	}
	_ = w.Flush() // into memory
	return text.String()
}
