// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/clustercredential/operator/hack/stack"
)

const (
	namespace = "fleet"
	fleet     = "hack/recordings/manifests/fleet.yaml"
	// commandTime bounds a command; the demo is the longest.
	commandTime = 10 * time.Minute
)

// stage is what the commands are run on.
type stage struct {
	stack *stack.Stack
	dir   string // where the commands are run, for the files that they write
	path  string // where programs are found
}

// newStage starts the servers and the manager, and brings about what the pictures show.
func newStage(ctx context.Context, plugin string) (_ *stage, err error) {
	s := &stage{}
	if s.stack, err = stack.Start(ctx, stack.Options{Out: os.Stderr, Clusters: []string{"shop", "search", "billing", "reports"}}); err != nil {
		return nil, err
	}
	s.dir = filepath.Join(s.stack.Dir, "here")
	s.path = strings.Join([]string{plugin, os.Getenv("KUBEBUILDER_ASSETS"), os.Getenv("PATH")}, string(os.PathListSeparator))
	if err := s.fill(ctx); err != nil {
		return s, err
	}
	return s, os.Mkdir(s.dir, 0o700)
}

// fill has the fleet in the state that is shown.
func (s *stage) fill(ctx context.Context) error {
	if _, err := s.stack.StartManager(ctx, stack.ManagerOptions{Args: []string{"--min-issue-interval=5s"}}); err != nil {
		return err
	}
	admin, err := s.stack.Client()
	if err != nil {
		return err
	}
	for _, object := range stack.Account(namespace, stack.NoLimit) {
		if err := admin.Create(ctx, object); err != nil {
			return fmt.Errorf("creating the account: %w", err)
		}
	}
	for _, args := range [][]string{
		{"apply", "-f", fleet},
		{"wait", "-n", namespace, "--for=condition=Ready", "--timeout=25s", "clustercredential/shop", "clustercredential/search",
			"clustercredential/billing", "clustercredential/reports"},
		{"wait", "-n", namespace, "--for=condition=Issued=False", "--timeout=25s", "clustercredential/media"},
		{"patch", "-n", namespace, "clustercredential", "reports", "--type=merge", "--patch", `{"spec":{"suspend":true}}`},
		{"wait", "-n", namespace, `--for=jsonpath={.status.observedGeneration}=2`, "--timeout=25s", "clustercredential/reports"},
	} {
		if _, err := s.stack.Kubectl(args...); err != nil {
			return err
		}
	}
	return nil
}

// run runs a command as a shell does, in a terminal's colours, and returns what it prints.
func (s *stage) run(ctx context.Context, command, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.stack.Kubeconfig, "KUBECTL_KUBERC=false", "PATH="+s.path,
		"CLICOLOR_FORCE=1", fmt.Sprintf("COLUMNS=%d", columns), "MAKEFLAGS=", "MAKELEVEL=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", command, err, &out)
	}
	return out.String(), err
}

func (s *stage) stop() error {
	if s == nil || s.stack == nil {
		return nil
	}
	return s.stack.Stop()
}
