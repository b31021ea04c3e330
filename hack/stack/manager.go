// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// ManagerOptions say how a manager runs. The zero value is a good start.
type ManagerOptions struct {
	// Program is the file to run. Unset: the manager of the stack.
	Program string
	// Args are more flags; they come last, so that they win.
	Args []string
	// Env are more variables of the environment, as NAME=value.
	Env []string
	// User is who it is for the API server. Unset: the administrator.
	User *rest.Config
	// Profiles has it serve profiles, for Manager.Profile.
	Profiles bool
	// Name names its log file. Unset: manager-1, manager-2, …
	Name string
}

// Manager is a running manager, or one that has ended.
type Manager struct {
	// Name is that of its log file, Dir/Name.log.
	Name string

	process   *process
	metrics   string
	profiles  string // empty: it serves none
	signalled atomic.Bool
}

// StartManager starts a manager and returns once it answers /readyz. It lives until it is told to end or Stop is called.
func (s *Stack) StartManager(ctx context.Context, o ManagerOptions) (*Manager, error) {
	user := o.User
	if user == nil {
		user = s.Kube.Config()
	}
	if o.Name == "" {
		o.Name = fmt.Sprintf("manager-%d", s.unnamed.Add(1))
	}
	kubeconfig, err := s.writeKubeconfig(o.Name, user)
	if err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--kubeconfig=" + kubeconfig, "--cce-endpoint=" + s.Sim.URL, "--iam-endpoint=" + s.Sim.URL,
		"--metrics-bind-address=" + addresses[0], "--metrics-secure=false", "--health-probe-bind-address=" + addresses[1],
	}, o.Args...)
	profiles := ""
	if o.Profiles {
		args = append(args, "--pprof-bind-address="+addresses[2])
		profiles = "http://" + addresses[2] + "/debug/pprof/"
	}
	if o.Program == "" {
		o.Program = filepath.Join(s.binDir, "manager")
	}
	cmd := exec.Command(o.Program, args...) //nolint:noctx // it lives until it is told to end
	cmd.Env = append(os.Environ(), o.Env...)
	p, err := startProcess(o.Name, filepath.Join(s.Dir, o.Name+".log"), cmd)
	if err != nil {
		return nil, err
	}
	m := &Manager{Name: o.Name, process: p, metrics: "http://" + addresses[0] + "/metrics", profiles: profiles}
	s.mu.Lock()
	s.managers = append(s.managers, m)
	s.mu.Unlock()
	// Whoever answers there is ours only if ours lives: its port may have been taken meanwhile.
	ready := func() bool { return answersOK(ctx, "http://"+addresses[1]+"/readyz") && p.running() }
	if err := p.waitUntil(ctx, ready); err != nil {
		_ = m.Kill()
		return nil, err
	}
	return m, nil
}

// Ports for managers lie below those that systems give to whoever asks for any, so that nobody takes one between the look and
// the start. Processes that look at the same time begin at different places.
const firstPort, lastPort = 20000, 30000

var nextPort atomic.Int64

func init() { nextPort.Store(rand.Int64N(lastPort - firstPort)) } //nolint:gosec // no secret

// freeAddresses finds ports that are free, and hands none out twice.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range lastPort - firstPort {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+nextPort.Add(1)%(lastPort-firstPort))
		listener, err := net.Listen("tcp", address) //nolint:noctx // it is closed at once
		if err != nil {
			continue // taken
		}
		_ = listener.Close()
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, firstPort, lastPort)
}

func answersOK(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Kill ends it as "kill -9" does, and returns once it has ended.
func (m *Manager) Kill() error {
	m.signalled.Store(true)
	return m.process.kill()
}

// Signal sends a signal, and does not wait.
func (m *Manager) Signal(sig os.Signal) error {
	m.signalled.Store(true)
	return m.process.signal(sig)
}

// EndedByItself says whether it has ended though nobody told it to.
func (m *Manager) EndedByItself() bool { return !m.signalled.Load() && !m.process.running() }

// Exited is closed once it has ended.
func (m *Manager) Exited() <-chan struct{} { return m.process.exited }

// ExitCode is -1 while it runs, and if a signal ended it.
func (m *Manager) ExitCode() int { return m.process.exitCode() }

// PID is its process id.
func (m *Manager) PID() int { return m.process.cmd.Process.Pid }

// Log is what it has printed so far.
func (m *Manager) Log() string { return m.process.log() }

// LogLines returns the lines of the log that hold text.
func (m *Manager) LogLines(text string) []string {
	var found []string
	for line := range strings.Lines(m.Log()) {
		if strings.Contains(line, text) {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	return found
}

// Usage is what it has cost so far, or in all if it has ended.
func (m *Manager) Usage() (Usage, error) { return m.process.usage() }

// Terminate asks it to end, as Kubernetes does, and waits. It returns the exit code and how long it took; if ctx ends first
// the manager goes on.
func (m *Manager) Terminate(ctx context.Context) (int, time.Duration, error) {
	begin := time.Now()
	if err := m.terminate(); err != nil {
		return -1, 0, err
	}
	select {
	case <-m.Exited():
		return m.ExitCode(), time.Since(begin), nil
	case <-ctx.Done():
		return -1, time.Since(begin), fmt.Errorf("waiting for %s to end: %w%s", m.Name, ctx.Err(), m.process.lastLines())
	}
}
