// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	target     = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
	targetName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	variable   = regexp.MustCompile(`(?m)^([A-Z_]+) \?=`)
)

func TestEveryTargetOfMakeExists(t *testing.T) {
	makefile := read(t, "Makefile")
	known := map[string]bool{}
	for _, match := range append(target.FindAllStringSubmatch(makefile, -1), variable.FindAllStringSubmatch(makefile, -1)...) {
		known[match[1]] = true
	}
	for _, p := range pages(t) {
		for _, line := range p.code() {
			rest, isMake := strings.CutPrefix(strings.TrimSpace(line), "make ")
			if !isMake {
				continue
			}
			for word := range strings.FieldsSeq(rest) {
				name, _, isVariable := strings.Cut(word, "=")
				if !isVariable && !targetName.MatchString(word) {
					break // the rest is for a shell
				}
				if !known[name] {
					t.Errorf("%s says %q, but the Makefile has no %s", p.path, strings.TrimSpace(line), name)
				}
				if isVariable {
					break // its value may have words
				}
			}
		}
	}
}

// repositoryPath is a word that can only be a path of this repository.
var repositoryPath = regexp.MustCompile(`(?:^|[\s=])(?:\./)?((?:api|cmd|config|controllers|docs|hack|\.ci)/[\w./-]*[\w])`)

func TestEveryFileThatAPageNamesExists(t *testing.T) {
	for _, p := range pages(t) {
		for _, line := range p.code() {
			for _, match := range repositoryPath.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
					t.Errorf("%s names %s, which does not exist", p.path, match[1])
				}
			}
		}
	}
}

var (
	run = regexp.MustCompile(`-run '?(Test\w+)`)
	// testName is a test that a page names as what shows something.
	testName = regexp.MustCompile(`^(?:Test|Fuzz)[A-Z]\w+$`)
)

func TestEveryTestThatAPageNamesExists(t *testing.T) {
	var sources strings.Builder
	for _, folder := range []string{"api", "cmd", "controllers", "hack"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			sources.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pages(t) {
		for _, line := range p.code() {
			if match := run.FindStringSubmatch(line); match != nil && !strings.Contains(sources.String(), "\nfunc "+match[1]) {
				t.Errorf("%s runs %s, which does not exist", p.path, match[1])
			}
		}
		for _, span := range spans(p.prose) {
			if testName.MatchString(span) && !strings.Contains(sources.String(), "\nfunc "+span+"(") {
				t.Errorf("%s names %s, which does not exist", p.path, span)
			}
		}
	}
}
