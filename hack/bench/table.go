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
	{"floor (bare client, 20 connections; before, after), s", func(r run) string {
		all := make([]string, 0, len(r.Floors))
		for _, seconds := range r.Floors {
			all = append(all, number(seconds))
		}
		return strings.Join(all, ", ")
	}},
	{"ratio to the floor", func(r run) string { return number(r.ratio()) }},
	{"API writes a credential", func(r run) string { return number(r.each(r.First.Writes)) }},
	{"API reads a credential", func(r run) string { return number(r.each(r.First.Reads)) }},
	{"certificates asked for a credential", func(r run) string { return number(r.each(float64(r.First.POSTs))) }},
	{"cloud calls a credential", func(r run) string { return number(r.each(float64(r.First.Calls))) }},
	{"CPU of the manager, s", func(r run) string { return number(r.First.CPUSeconds) }},
	{"peak memory of the manager, MiB", func(r run) string { return number(r.First.PeakRSSMiB) }},
	{"nothing due for " + idleTime.String() + ": writes, reads, cloud calls", func(r run) string {
		return fmt.Sprintf("%.0f, %.0f, %d", r.Idle.Writes, r.Idle.Reads, r.Idle.Calls)
	}},
	{"nothing due: CPU of the manager, s", func(r run) string { return number(r.Idle.CPUSeconds) }},
	{"kill -9 and start, to settled, s", func(r run) string { return number(r.Restart.Seconds) }},
	{"restart: writes, reads, cloud calls, certificates asked for", func(r run) string {
		return fmt.Sprintf("%.0f, %.0f, %d, %d", r.Restart.Writes, r.Restart.Reads, r.Restart.Calls, r.Restart.POSTs)
	}},
	{"restart: CPU, s; peak memory, MiB", func(r run) string {
		return number(r.Restart.CPUSeconds) + "; " + number(r.Restart.PeakRSSMiB)
	}},
	{"renewals on request, a second", func(r run) string { return number(float64(r.N) / max(r.Renewal.Seconds, 1e-9)) }},
	{"renewal: API writes, reads a credential", func(r run) string {
		return number(r.each(r.Renewal.Writes)) + ", " + number(r.each(r.Renewal.Reads))
	}},
	{"renewal: CPU, s; peak memory since the restart, MiB", func(r run) string {
		return number(r.Renewal.CPUSeconds) + "; " + number(r.Renewal.PeakRSSMiB)
	}},
	{"all specs changed: certificates asked for; the others held after, s", func(r run) string {
		return fmt.Sprintf("%d; %s", r.MassChange.POSTs, number(r.MassChange.Seconds))
	}},
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
	names := map[string]bool{}
	for _, run := range r.Runs {
		for name := range run.First.Requests {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		line("  a first credential: "+name, func(r run) string { return number(r.each(r.First.Requests[name])) })
	}
	_ = w.Flush() // into memory
	return text.String()
}
