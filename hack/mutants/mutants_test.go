// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// "make mutants" takes long; that its bugs fit the code is looked at with every change.
func TestEveryBugStillFitsTheCode(t *testing.T) {
	bugs, err := readBugs(root, "")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := copyOf(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, b := range bugs {
		if err := b.apply(t.Context(), dir); err != nil {
			t.Error(err)
			continue
		}
		if err := b.revert(t.Context(), dir); err != nil {
			t.Error(err)
		}
		for _, want := range b.tests {
			if !isTestIn(t, dir, want) {
				t.Errorf("%s: no test in %s matches %s", b.name, want.pkg, want.regexp)
			}
		}
	}
	if len(bugs) < 20 {
		t.Errorf("%d bugs, want 20 at least", len(bugs))
	}
}

// isTestIn says whether a test function of that name stands in the package.
func isTestIn(t *testing.T, dir string, want test) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, want.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(strings.Trim(want.regexp, "^$"), "/")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "\nfunc "+strings.TrimSuffix(name, "$")) {
			return true
		}
	}
	return false
}

// The judge itself: of a bug that is caught, one that is missed, one that does not compile, and a test that is not there.
func TestABugIsCaughtOnlyWhereATestFails(t *testing.T) {
	const patch = "--- a/sum.go\n+++ b/sum.go\n@@ -1,3 +1,3 @@\n package sum\n \n-func Sum(a, b int) int { return a + b }\n+func Sum(a, b int) int { return %s }\n"
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module sum\n\ngo 1.26\n")
	write("sum.go", "package sum\n\nfunc Sum(a, b int) int { return a + b }\n")
	write("sum_test.go", "package sum\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(2, 2) != 4 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n"+
		"\nfunc TestZero(t *testing.T) {\n\tif Sum(0, 0) != 0 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n")
	init := exec.CommandContext(t.Context(), "git", "init", "-q", dir)
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]struct{ code, test, err string }{
		"caught":   {"a - b", "TestSum", ""},
		"missed":   {"a * b", "TestSum", "a bug that a test does not notice"},
		"broken":   {"a +", "TestSum", "broken proves nothing"},
		"untested": {"a - b", "TestNobody", "there is no such test"},
		"half":     {"a - b", "TestSum\nTest: . TestZero", "a bug that a test does not notice"},
	} {
		write(filepath.Join(bugsDir, name+".patch"), "It is wrong.\nTest: . "+want.test+"\n\n"+strings.Replace(patch, "%s", want.code, 1))
		err := run(t.Context(), dir, name)
		if want.err == "" && err != nil || want.err != "" && (err == nil || !strings.Contains(err.Error(), want.err)) {
			t.Errorf("%s: got %v, want %q", name, err, want.err)
		}
	}
}
