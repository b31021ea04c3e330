// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// copyOf copies the repository at root, as it is now and without what git ignores, to a new directory.
func copyOf(ctx context.Context, root string) (dir string, err error) {
	list := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	if dir, err = os.MkdirTemp("", "mutants-"); err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		err := copyFile(filepath.Join(root, name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // deleted, and not committed
			return "", errors.Join(err, os.RemoveAll(dir))
		}
	}
	return dir, nil
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return nil // no test needs it
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// apply puts the bug into the repository at dir.
func (b bug) apply(ctx context.Context, dir string) error { return b.git(ctx, dir) }

// revert takes it out again.
func (b bug) revert(ctx context.Context, dir string) error { return b.git(ctx, dir, "--reverse") }

func (b bug) git(ctx context.Context, dir string, options ...string) error {
	cmd := exec.CommandContext(ctx, "git", append(append([]string{"apply"}, options...), b.file())...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir)) // a copy is no repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: git apply: %w\n%s", b.file(), err, out)
	}
	return nil
}
