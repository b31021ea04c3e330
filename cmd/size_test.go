// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Pages of this file are in memory, so that a large file is a large process. Where a program runs templates of the standard
// library, or looks up methods by their names otherwise, the linker keeps every method of every type: ten megabytes more.
func TestTheFileHoldsWhatIsNeeded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "manager")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	built, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	const most = 40_000_000
	if built.Size() > most {
		t.Errorf("the file has %d bytes, more than %d", built.Size(), most)
	}
	program, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it is not static: %v, %v", libraries, err)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	list.Env = build.Env
	packages, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(packages)) {
		if name = strings.TrimSpace(name); name == "text/template" || name == "html/template" {
			t.Errorf("%s is imported", name)
		}
	}
}
