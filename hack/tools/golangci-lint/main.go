// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command golangci-lint is golangci-lint with two linters compiled in that it does not have itself: kube-api-linter (the
// Kubernetes API conventions, for api/) and logcheck (structured and contextual logging). golangci-lint's own way to do
// this, "golangci-lint custom", clones a repository at build time; this takes pinned Go modules only.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"
	_ "sigs.k8s.io/kube-api-linter"
	_ "sigs.k8s.io/logtools/logcheck/gclplugin"
)

func main() {
	if err := commands.Execute(buildInfo()); err != nil {
		fmt.Fprintln(os.Stderr, "The command is terminated due to an error:", err)
		os.Exit(exitcodes.Failure)
	}
}

// buildInfo gives the version of the golangci-lint inside.
func buildInfo() commands.BuildInfo {
	info := commands.BuildInfo{Version: "unknown", Commit: "none", Date: "unknown"}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	info.GoVersion = build.GoVersion
	for _, dep := range build.Deps {
		if dep.Path == "github.com/golangci/golangci-lint/v2" {
			info.Version = dep.Version
		}
	}
	return info
}
