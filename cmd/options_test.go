// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlagsThatCannotBeMeantAreRefusedInWords(t *testing.T) {
	for argument, want := range map[string]string{
		"stray":                              `unexpected argument "stray"`,
		"--max-concurrent-reconciles=0":      "--max-concurrent-reconciles: write 1 or more, not 0",
		"--min-issue-interval=10ms":          "--min-issue-interval: write 1s or more, not 10ms",
		"--kube-api-qps=-0.5":                "--kube-api-qps: write 0 or more, not -0.5",
		"--kube-api-burst=-1":                "--kube-api-burst: write 0 or more, not -1",
		"--class=Team_A":                     `--class: write up to 63 lower-case letters, digits and '-' in between, such as team-a, not "Team_A"`,
		"--class=a.b":                        "--class: write",
		"--class=" + strings.Repeat("a", 64): "--class: write",
		"--pprof-bind-address=:6060":         "--pprof-bind-address: write an address that only this host itself reaches, such as 127.0.0.1:6060, not \":6060\"",
		"--pprof-bind-address=10.0.0.1:6060": "--pprof-bind-address: write",
		"--pprof-bind-address=localhost":     "--pprof-bind-address: write",
		"--no-such-flag":                     "no-such-flag",
		"--min-issue-interval=a fortnight":   "min-issue-interval",
	} {
		t.Run(argument, func(t *testing.T) {
			if _, err := parseQuietly(t, argument); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

func TestFlagsMeanWhatTheySay(t *testing.T) {
	unset, err := parseQuietly(t)
	if err != nil || unset.namespaces != nil || unset.kubeAPIQPS != -1 || unset.workers != 32 || unset.pprofAddress != "" {
		t.Errorf("unset: %+v, %v", unset, err)
	}
	o, err := parseQuietly(t, "--namespaces= team-a,team-b, ", "--kube-api-qps=30", "--zap-log-level=9", "--kubeconfig=hub", "--pprof-bind-address=[::1]:6060")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"team-a", "team-b"}, o.namespaces); diff != "" {
		t.Error(diff)
	}
	if o.kubeAPIQPS != 30 || o.kubeAPIBurst != 60 || o.pprofAddress != "[::1]:6060" {
		t.Errorf("QPS %v, burst %d, profiles at %s", o.kubeAPIQPS, o.kubeAPIBurst, o.pprofAddress)
	}
	if o.zap.Level.Enabled(-maxLogLevel-1) || !o.zap.Level.Enabled(-maxLogLevel) {
		t.Error("the log level is not the highest that shows no bodies")
	}
	if _, err := parseQuietly(t, "--help"); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
}

func TestOperatorsOfDifferentClassesElectALeaderEach(t *testing.T) {
	for class, want := range map[string]string{"": "clustercredential-operator", "team-a": "clustercredential-operator-team-a"} {
		o, err := parseQuietly(t, "--class="+class)
		if err != nil || leaseName(o.class) != want {
			t.Errorf("class %q: the Lease %q, %v", class, leaseName(o.class), err)
		}
	}
}

func TestABundleWithoutACertificateIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rootCAs(file); err == nil || !strings.Contains(err.Error(), "--ca-bundle") {
		t.Errorf("error %v", err)
	}
	if pool, err := rootCAs(""); pool != nil || err != nil {
		t.Errorf("without a file: %v, %v", pool, err)
	}
}

// parseQuietly keeps the usage text of package flag out of the test's output.
func parseQuietly(t *testing.T, args ...string) (options, error) {
	t.Helper()
	kept := os.Stderr
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = null
	defer func() { os.Stderr = kept; _ = null.Close() }()
	return parseOptions(args)
}
