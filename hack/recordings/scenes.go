// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// scene is one picture.
type scene struct {
	// file is its name below docs/images, without ".svg"; title says what it shows.
	file, title string
	commands    []string
	// from is text of the first line to show of a long output; empty: all is shown. From the last line on that has it.
	from string
}

var scenes = []scene{
	{
		file:  "list",
		title: "A fleet: kubectl get clustercredentials, and kubectl clustercredential list",
		commands: []string{
			"kubectl get -n fleet clustercredentials",
			"kubectl clustercredential list -n fleet",
		},
	},
	{
		file:     "why",
		title:    "kubectl clustercredential why: what the operator would do now, and what feeds that decision",
		commands: []string{"kubectl clustercredential why -n fleet media"},
	},
	{
		file:  "use",
		title: "Renewing a credential, and logging in with its kubeconfig",
		commands: []string{
			"kubectl clustercredential renew -n fleet shop --wait",
			"kubectl clustercredential verify -n fleet shop",
			"kubectl clustercredential kubeconfig -n fleet shop > shop.kubeconfig",
			"kubectl --kubeconfig shop.kubeconfig auth whoami",
		},
	},
	{
		file:     "demo",
		title:    "The end of make demo: certificates that were rotated while clients logged in",
		commands: []string{"make demo"},
		from:     "CREDENTIAL ",
	},
}

// prompt stands before a command, and the command is bold.
func prompt(command string) line {
	return line{{style{faint: true}, "$ "}, {style{bold: true}, command}}
}

// cut leaves out what comes before the last line with the text from, and says so.
func cut(lines []line, from string) []line {
	if from == "" {
		return lines
	}
	last := -1
	for i, l := range lines {
		if strings.Contains(textOf(l), from) {
			last = i
		}
	}
	if last <= 0 {
		return lines
	}
	return slices.Concat([]line{{{style{faint: true}, "…"}}, {}}, lines[last:])
}

func textOf(l line) string {
	var text strings.Builder
	for _, r := range l {
		text.WriteString(r.text)
	}
	return text.String()
}
