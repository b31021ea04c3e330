// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// programs are what is built, and from which package.
var programs = [][2]string{{"manager", "./cmd"}, {"ccesim", "./cmd/ccesim"}}

// buildEnd is how long an interrupted build may take to end.
const buildEnd = 10 * time.Second

const module = "module github.com/clustercredential/operator\n"

// sources finds the root of this repository, from the working directory upwards.
func sources() (string, error) {
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

// build builds the programs into dir/bin as they are shipped, and returns that directory.
func build(ctx context.Context, dir string) (string, error) {
	root, err := sources()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bin")
	for _, program := range programs {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
			"-o", filepath.Join(bin, program[0]), program[1])
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTMPDIR="+dir)
		cmd.SysProcAttr = ownGroup()
		// Its compilers too, and it removes what it left in dir: killed, it could not.
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
		cmd.WaitDelay = buildEnd
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", program[0], err, out)
		}
	}
	return bin, nil
}
