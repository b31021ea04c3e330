// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/clustercredential/operator/hack/ccesim"
)

const introduction = `ccesim simulates the HTTP API of Huawei Cloud CCE and IAM, as far as it takes to
issue and rotate client certificates of clusters. Its first line of output is
its URL, which serves both CCE and IAM; below /_sim/ it has an API of its own,
for callers on the same machine.

Usage:
  ccesim --access-key AK --secret-key SK --cluster id=UUID,name=NAME[,…] [flags]
  ccesim --config FILE [flags]

Flags:
`

// usage prints flags with two dashes, which package flag accepts and does not
// print.
func usage(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(out, introduction)
	flags.VisitAll(func(f *flag.Flag) {
		name, about := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  --%s\n        %s", strings.TrimSpace(f.Name+" "+name), about)
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "false" {
			fmt.Fprintf(out, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(out)
	})
	fmt.Fprint(out, "\nFaults for POST /_sim/script, for example\n  {\"faults\": [{\"name\": \"throttled\", \"times\": 3, \"retryAfter\": 56.818}]}\n\n")
	for _, f := range ccesim.Faults() {
		fmt.Fprintf(out, "  %-15s %s\n", f.Name, f.About)
	}
}
