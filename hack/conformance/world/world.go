// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// World is a running stand: what hack/stand tells of it.
type World struct {
	// Kubeconfig is a file with which one is the administrator.
	Kubeconfig string `json:"kubeconfig"`
	// Namespace holds the account; everything happens there.
	Namespace string `json:"namespace"`
	// Account is the name of the CloudAccount.
	Account string `json:"account"`
	// Clusters are the ids of the cloud's clusters, by name.
	Clusters map[string]string `json:"clusters"`
	// User is the name with which the certificates log in.
	User string `json:"user"`
	// Cloud is the URL of the simulator.
	Cloud string `json:"cloud"`
	// Dir is a directory for files of the tests. It ends with the world.
	Dir string `json:"-"`

	kubectl string
	stand   *exec.Cmd
	input   io.Closer // the stand ends when this closes, also with this process
}

// shared is the world of a package's tests, started by the first test that asks for it.
var shared struct {
	once  sync.Once
	world *World
	err   error
}

// Main runs the tests of a package, and ends the world after them:
//
//	func TestMain(m *testing.M) { os.Exit(world.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if shared.world == nil {
		return code
	}
	if err := shared.world.end(); err != nil {
		fmt.Fprintln(os.Stderr, "world:", err)
		return max(code, 1)
	}
	return code
}

// Shared returns the world of this package's tests. They keep apart by the names of their objects.
func Shared(t testing.TB) *World {
	t.Helper()
	shared.once.Do(func() { shared.world, shared.err = start() })
	if shared.err != nil {
		t.Fatal("world:", shared.err)
	}
	return shared.world
}

const module = "module github.com/clustercredential/operator\n"

// root finds the root of the repository, from the working directory upwards.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), module) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this inside the repository: its sources are needed")
		}
		dir = parent
	}
}

// start builds hack/stand, starts it and returns once it serves.
func start() (*World, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return nil, errors.New(`no Kubernetes binaries: run "make test-conformance"`)
	}
	sources, err := root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "world-")
	if err != nil {
		return nil, err
	}
	program := filepath.Join(dir, "stand")
	// As the Makefile builds everything, so that it is compiled once; what the caller has set is for the caller's module.
	env := append(os.Environ(), "GOFLAGS=-trimpath", "CGO_ENABLED=0", "GOWORK=off")
	build := exec.CommandContext(context.Background(), "go", "build", "-C", sources, "-buildvcs=false", "-ldflags=-s -w",
		"-o", program, "./hack/stand")
	build.Env = env
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building hack/stand: %w\n%s", errors.Join(err, os.RemoveAll(dir)), out)
	}
	w := &World{Dir: dir, kubectl: filepath.Join(assets, "kubectl")}
	w.stand = exec.Command(program) //nolint:noctx // it lives until its input closes
	w.stand.Dir, w.stand.Env = sources, env
	if err := w.serve(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return w, nil
}

// serve starts the stand and reads where everything is.
func (w *World) serve() error {
	said := &bytes.Buffer{}
	w.stand.Stderr = said
	input, err := w.stand.StdinPipe()
	if err != nil {
		return err
	}
	output, err := w.stand.StdoutPipe()
	if err != nil {
		return err
	}
	w.input = input
	if err := w.stand.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, w)
	}
	if err != nil {
		return fmt.Errorf("hack/stand does not serve: %w\n%s", errors.Join(err, w.end()), said)
	}
	return nil
}

// end ends the stand and everything that it started.
func (w *World) end() error {
	return errors.Join(w.input.Close(), w.stand.Wait(), os.RemoveAll(w.Dir))
}

// Kubectl runs kubectl as the administrator in the world's namespace, with input on standard input; it must succeed.
func (w *World) Kubectl(t testing.TB, input string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), w.kubectl, append([]string{"--namespace", w.Namespace}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.Kubeconfig, "KUBECTL_KUBERC=false")
	cmd.Stdin = strings.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, &complaints)
	}
	return string(out)
}
