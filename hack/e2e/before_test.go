// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// firstUpgraded is the version before for as long as there is no release.
const firstUpgraded = "8ccfaf05eefd0a364955427b61c12c7ee554bf66"

// checkout is the root of this repository, seen from here.
const checkout = "../.."

// version is the operator as its users have it.
type version struct {
	name string
	// program is the manager's; empty: that of the stack.
	program string
	// config is the root of its manifests.
	config string
}

// thisVersion is what the work tree holds.
func thisVersion() version {
	return version{name: "this version", config: filepath.Join(checkout, "config")}
}

// versionBefore takes the newest release before this version out of git, and builds it.
func versionBefore(t *testing.T) version {
	t.Helper()
	commit := firstUpgraded
	// With a tag on HEAD that is this version, and not the one before.
	if tag, err := git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD^"); err == nil {
		commit = tag
	}
	if _, err := git("cat-file", "-e", commit+"^{commit}"); err != nil {
		t.Skipf("git does not have %s, the version to upgrade from, as in an archive or a shallow clone", commit)
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "before.tar")
	mustRun(t, checkout, "git", "archive", "--output="+archive, commit)
	mustRun(t, dir, "tar", "-xf", archive)
	program := filepath.Join(dir, "manager")
	mustRun(t, dir, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X main.version="+commit, "-o", program, "./cmd")
	return version{name: "the version before (" + commit + ")", program: program, config: filepath.Join(dir, "config")}
}

func git(args ...string) (string, error) {
	out, err := exec.CommandContext(context.Background(), "git", append([]string{"-C", checkout}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// mustRun runs a command, which must succeed.
func mustRun(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
