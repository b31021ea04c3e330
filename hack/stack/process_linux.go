// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownGroup keeps a terminal's Ctrl-C from the process: whoever started it decides.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// dieWithParent also has the kernel kill the process when the one that started it ends, however it ends.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// tick is the unit of times in /proc: Linux shows 100 a second on every architecture that Go knows.
const tick = 10 * time.Millisecond

// stat is what /proc/PID/stat tells.
type stat struct {
	name   string // of the program, at most 15 bytes
	parent int
	cpu    time.Duration // user and system
}

func statOf(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The second field is the name in parentheses, which may hold anything; the third is the first after it.
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	const ppid, utime, stime = 4 - 3, 14 - 3, 15 - 3
	if begin < 0 || len(fields) <= stime {
		return stat{}, fmt.Errorf("/proc/%d/stat has too few fields", pid)
	}
	parent, errParent := strconv.Atoi(fields[ppid])
	user, errUser := strconv.ParseInt(fields[utime], 10, 64)
	system, errSystem := strconv.ParseInt(fields[stime], 10, 64)
	if err := errors.Join(errParent, errUser, errSystem); err != nil {
		return stat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return stat{name: string(text[begin+1 : end]), parent: parent, cpu: time.Duration(user+system) * tick}, nil
}

func cpuOf(pid int) (time.Duration, error) {
	s, err := statOf(pid)
	return s.cpu, err
}

// CPUByProgram is what this process and those that it has started and that are running have used so far, by the names of their programs.
func CPUByProgram() (map[string]time.Duration, error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	used := map[string]time.Duration{}
	for _, dir := range all {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		s, err := statOf(pid)
		if err == nil && (pid == os.Getpid() || s.parent == os.Getpid()) { // others may have ended meanwhile
			used[s.name] += s.cpu
		}
	}
	return used, nil
}

// peakOf reads VmHWM of /proc/PID/status.
func peakOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmHWM: the process has ended", pid)
}

func peakOfEnded(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10
	}
	return 0
}
