// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds what a busy machine takes its time for.
const patience = 2 * time.Minute

// programs are built once for all tests.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "stand-test-")
	if err != nil {
		panic(err)
	}
	programs.dir = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// build builds stand and what it starts, and returns the directory with them.
func build() (string, error) {
	programs.once.Do(func() {
		for name, source := range map[string]string{"manager": "../../cmd", "ccesim": "../../cmd/ccesim", "stand": "."} {
			out, err := exec.Command("go", "build", "-o", filepath.Join(programs.dir, name), source).CombinedOutput()
			if err != nil {
				programs.err = fmt.Errorf("%w\n%s", err, out)
			}
		}
	})
	return programs.dir, programs.err
}

// started is a running stand.
type started struct {
	*exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stderr *bytes.Buffer
	dir    string // where everything of it lies
}

func startStand(t *testing.T, args ...string) *started {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal(`no Kubernetes binaries: run "make test"`)
	}
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	t.Parallel()
	args = append([]string{"--bin-dir=" + bin}, args...)
	s := &started{Cmd: exec.Command(filepath.Join(bin, "stand"), args...), stderr: &bytes.Buffer{}, dir: t.TempDir()}
	s.Env = append(os.Environ(), "TMPDIR="+s.dir)
	s.Stderr = s.stderr
	stdin, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stdin, s.stdout = stdin, bufio.NewReader(stdout)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	// Whatever the test says: without its input it ends by itself.
	timer := time.AfterFunc(patience, func() { _ = stdin.Close() })
	t.Cleanup(func() { timer.Stop() })
	return s
}

func (s *started) place(t *testing.T) Place {
	t.Helper()
	line, err := s.stdout.ReadBytes('\n')
	if err != nil {
		_ = s.Wait()
		t.Fatalf("it never said where it is: %v\n%s", err, s.stderr)
	}
	var place Place
	if err := json.Unmarshal(line, &place); err != nil {
		t.Fatal(err)
	}
	return place
}

// wantEnd waits until it has ended, which must be in order and leave nothing.
func (s *started) wantEnd(t *testing.T) {
	t.Helper()
	rest, err := io.ReadAll(s.stdout)
	if err != nil || len(rest) > 0 {
		t.Errorf("after its line it wrote %q to standard output, %v", rest, err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.stderr)
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		if data, err := os.ReadFile(line); err == nil && strings.Contains(string(data), s.dir+"/") {
			t.Errorf("still running: %s", strings.ReplaceAll(string(data), "\x00", " "))
		}
	}
	left, err := os.ReadDir(s.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
}

func kubectl(t *testing.T, place Place, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+place.Kubeconfig)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// What it says when it is up is what its user does.
func TestAStandServesTheDemosManifestsUntilItsInputCloses(t *testing.T) {
	s := startStand(t)
	place := s.place(t)
	if len(place.Clusters) != 3 || !strings.HasPrefix(place.Cloud, "http://127.0.0.1:") {
		t.Errorf("the place is %+v", place)
	}
	manifests := filepath.Join("..", "demo", "manifests", "credentials.yaml")
	kubectl(t, place, "apply", "-f", manifests)
	kubectl(t, place, "wait", "-n", place.Namespace, "--for=condition=Ready", "--timeout=30s", "-f", manifests)
	if ready := kubectl(t, place, "get", "-n", place.Namespace, "cloudaccount", place.Account); !strings.Contains(ready, "True") {
		t.Errorf("the account is not ready:\n%s", ready)
	}
	if err := s.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	s.wantEnd(t)
}

func TestAStandEndsOnASignal(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		serves bool // before the signal comes
	}{
		"SIGTERM":                      {syscall.SIGTERM, true},
		"Ctrl-C while it still starts": {syscall.SIGINT, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := startStand(t, "--clusters=one")
			if test.serves {
				if place := s.place(t); len(place.Clusters) != 1 || place.Clusters["one"] == "" {
					t.Errorf("the place is %+v", place)
				}
			} else {
				time.Sleep(time.Second) // somewhere amid the start of the servers
			}
			if err := s.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			s.wantEnd(t)
		})
	}
}

// A manager that cannot start is told about, and nothing stays behind.
func TestAStandThatCannotStartSaysWhy(t *testing.T) {
	s := startStand(t, "--", "--min-issue-interval=0s")
	if err := s.Wait(); err == nil || !strings.Contains(s.stderr.String(), "--min-issue-interval") {
		t.Errorf("it ended with %v\n%s", err, s.stderr)
	}
}
