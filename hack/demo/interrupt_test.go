// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Ctrl-C while it builds, while servers start, and while certificates rotate.
func TestAnInterruptAtAnyMomentLeavesNothing(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal(`no Kubernetes binaries: run "make test"`)
	}
	program := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, moment := range map[string]string{
		"at once":              "Starting a Kubernetes API server",
		"once the servers run": "Telling the operator",
		"amid the rotations":   "EXPIRES IN",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			seen := &transcript{}
			demo := exec.CommandContext(t.Context(), program)
			demo.Dir = filepath.Join("..", "..")
			demo.Env = append(os.Environ(), "TMPDIR="+dir)
			demo.Stdout, demo.Stderr = seen, seen
			if err := demo.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(seen.String(), moment); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					_ = demo.Process.Kill()
					t.Fatalf("it never said %q:\n%s", moment, seen)
				}
			}
			if err := demo.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			err := demo.Wait()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != interrupted {
				t.Errorf("it ended with %v, want exit code %d:\n%s", err, interrupted, seen)
			}
			wantNothingLeft(t, dir)
		})
	}
}

// transcript is what a program has printed so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// wantNothingLeft fails if a process that has dir in its command line still runs, or if
// a file is left there.
func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		if data, err := os.ReadFile(line); err == nil && strings.Contains(string(data), dir+"/") {
			t.Errorf("still running: %s", strings.ReplaceAll(string(data), "\x00", " "))
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
}
