// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bugsDir is where the bugs are, from the root of the repository.
const bugsDir = "hack/mutants/bugs"

// bug is one way to be wrong.
type bug struct {
	name  string // of the file
	what  string // in one sentence
	tests []test // each of which has to notice
}

// test is what "go test" runs.
type test struct{ pkg, regexp string }

func (t test) isIncomplete() bool { return t.pkg == "" || t.regexp == "" }

func (b bug) file() string { return filepath.Join(bugsDir, b.name+".patch") }

// readBugs reads the bugs of the repository at root whose name contains part.
func readBugs(root, part string) ([]bug, error) {
	files, err := filepath.Glob(filepath.Join(root, bugsDir, "*"+part+"*.patch"))
	if err != nil {
		return nil, err
	}
	bugs := make([]bug, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		b := bug{name: strings.TrimSuffix(filepath.Base(file), ".patch")}
		head, _, _ := strings.Cut(string(text), "\n--- ")
		lines := strings.Split(head, "\n")
		b.what = lines[0]
		for _, line := range lines[1:] {
			if rest, found := strings.CutPrefix(line, "Test: "); found {
				pkg, regexp, _ := strings.Cut(rest, " ")
				b.tests = append(b.tests, test{pkg, regexp})
			}
		}
		if b.what == "" || len(b.tests) == 0 || slices.ContainsFunc(b.tests, test.isIncomplete) {
			return nil, fmt.Errorf("%s: it must begin with a line that says what is wrong, and have lines \"Test: PACKAGE REGEXP\" before the patch", file)
		}
		bugs = append(bugs, b)
	}
	if len(bugs) == 0 {
		return nil, fmt.Errorf("no bug in %s has %q in its name", bugsDir, part)
	}
	return bugs, nil
}
