// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// machine says what the figures were measured on.
type machine struct {
	System    string `json:"system"`
	Cores     int    `json:"cores"`
	MemoryGiB int    `json:"memoryGiB,omitempty"`
	CPU       string `json:"cpu,omitempty"`
	Go        string `json:"go"`
}

func (m machine) String() string {
	text := fmt.Sprintf("%s, %d cores", m.System, m.Cores)
	if m.CPU != "" {
		text += " (" + m.CPU + ")"
	}
	if m.MemoryGiB > 0 {
		text += fmt.Sprintf(", %d GiB", m.MemoryGiB)
	}
	return text + ", " + m.Go
}

// thisMachine reads what Linux tells; elsewhere the rest has to do.
func thisMachine() machine {
	m := machine{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.CPU = field("/proc/cpuinfo", "model name")
	if kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		m.MemoryGiB = (kib + 1<<19) >> 20
	}
	return m
}

// field returns the first value of a name in a file of "name: value" lines.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
