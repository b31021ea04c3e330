// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package stack

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// What is known about a process here is known once it has ended.
var errLinuxOnly = errors.New("usage of a running process is read on Linux only")

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func dieWithParent() *syscall.SysProcAttr { return ownGroup() }

func cpuOf(int) (time.Duration, error) { return 0, errLinuxOnly }

// CPUByProgram is read on Linux only.
func CPUByProgram() (map[string]time.Duration, error) { return nil, errLinuxOnly }

func peakOf(int) (int64, error) { return 0, errLinuxOnly }

// peakOfEnded is in bytes on macOS.
func peakOfEnded(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss
	}
	return 0
}
