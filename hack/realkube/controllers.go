// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Controllers of kube-controller-manager that an operator's promises depend on.
const (
	GarbageCollector    = "garbage-collector-controller"
	NamespaceController = "namespace-controller"
)

// controllerManager is a running kube-controller-manager. The nil one is not running.
type controllerManager struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

func (c *Cluster) startControllers(assets string, opts Options) (*controllerManager, error) {
	kubeconfig, err := c.Kubeconfig(c.Config())
	if err != nil {
		return nil, err
	}
	file := filepath.Join(c.certDir(), "controller-manager.kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	out := newTail(opts.Out)
	cmd := exec.Command(filepath.Join(assets, "kube-controller-manager"), //nolint:noctx // it lives until Stop, not until a context ends
		"--kubeconfig="+file,
		"--controllers="+strings.Join(opts.Controllers, ","),
		"--leader-elect=false",
		"--secure-port=0",
		"--concurrent-gc-syncs=5",
	)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting kube-controller-manager: %w", err)
	}
	m := &controllerManager{cmd: cmd, exited: make(chan struct{})}
	go func() {
		defer close(m.exited)
		_ = cmd.Wait()
	}()
	// It has nothing to ask for readiness here; but a wrong flag or name ends it at once, and that should be said.
	select {
	case <-m.exited:
		return nil, fmt.Errorf("kube-controller-manager ended at once%s", out.lastLines())
	case <-time.After(time.Second):
		return m, nil
	}
}

func (m *controllerManager) stop() error {
	if m == nil {
		return nil
	}
	if err := m.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("interrupting kube-controller-manager: %w", err)
	}
	select {
	case <-m.exited:
		return nil
	case <-time.After(stopTimeout):
	}
	if err := m.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing kube-controller-manager: %w", err)
	}
	<-m.exited
	return nil
}
