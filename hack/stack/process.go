// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// process is one of ours, with a log file.
type process struct {
	name    string
	cmd     *exec.Cmd
	logFile string
	exited  chan struct{} // closed once it has ended and cmd.ProcessState is set
	peak    atomic.Int64  // the most memory seen while it was alive
}

// startProcess starts a program whose output goes to logFile.
func startProcess(name, logFile string, cmd *exec.Cmd) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	p := &process{name: name, cmd: cmd, logFile: logFile, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel takes the end of this thread for that of the parent, so the thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in cmd.ProcessState
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// signal sends a signal; that the process has ended already is no error.
func (p *process) signal(sig os.Signal) error {
	p.notePeak()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signalling %s: %w", p.name, err)
	}
	return nil
}

// kill ends the process as "kill -9" does, and returns once it has ended.
func (p *process) kill() error {
	if err := p.signal(os.Kill); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// exitCode is -1 while it runs and if a signal ended it.
func (p *process) exitCode() int {
	if p.running() {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

// log is what it has printed so far.
func (p *process) log() string {
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// lastLines end an error message.
func (p *process) lastLines() string {
	const most = 2000
	text := strings.TrimSpace(p.log())
	if text == "" {
		return "; it printed nothing"
	}
	return "; it printed last:\n" + text[max(0, len(text)-most):]
}

// Usage is what a process has cost.
type Usage struct {
	CPU     time.Duration // user and system
	PeakRSS int64         // bytes; of a process that has ended: as last seen before it was signalled, where the system tells
}

func (p *process) usage() (Usage, error) {
	if p.running() {
		p.notePeak()
		cpu, err := cpuOf(p.cmd.Process.Pid)
		return Usage{CPU: cpu, PeakRSS: p.peak.Load()}, err
	}
	state := p.cmd.ProcessState
	u := Usage{CPU: state.UserTime() + state.SystemTime(), PeakRSS: p.peak.Load()}
	if u.PeakRSS == 0 {
		u.PeakRSS = peakOfEnded(state)
	}
	return u, nil
}

// notePeak reads the peak while there is something to read: what the system tells about an ended process may include
// memory of the one that started it.
func (p *process) notePeak() {
	if peak, err := peakOf(p.cmd.Process.Pid); err == nil {
		p.peak.Store(peak)
	}
}
