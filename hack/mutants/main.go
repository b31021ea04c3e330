// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: mutants [PART OF A NAME], in the root of the repository")
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, ".", flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

// run tries every bug whose name contains part, and fails if one was not caught.
func run(ctx context.Context, root, part string) (err error) {
	bugs, err := readBugs(root, part)
	if err != nil {
		return err
	}
	dir, err := copyOf(ctx, root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	caught, sound := 0, map[test]bool{}
	for i, b := range bugs {
		missed := false
		for _, t := range b.tests {
			begin := time.Now()
			verdict, err := try(ctx, dir, b, t, sound)
			if err != nil {
				return err
			}
			missed = missed || verdict != "caught"
			fmt.Printf("%2d of %d  %-6s by %s %s, %.0f s  %s: %s\n",
				i+1, len(bugs), verdict, t.pkg, t.regexp, time.Since(begin).Seconds(), b.name, b.what)
		}
		if !missed {
			caught++
		}
	}
	fmt.Printf("%d of %d caught\n", caught, len(bugs))
	if caught < len(bugs) {
		return errors.New("a bug that a test does not notice is one that may be there")
	}
	return nil
}

// try says what one test makes of a bug. sound has the tests that are known to pass without one.
func try(ctx context.Context, dir string, b bug, t test, sound map[test]bool) (verdict string, err error) {
	if !sound[t] {
		if failed, out := t.fails(ctx, dir); failed || out != "" {
			return "", fmt.Errorf("%s: %s in %s fails without it:\n%s", b.name, t.regexp, t.pkg, out)
		}
		sound[t] = true
	}
	if err := b.apply(ctx, dir); err != nil {
		return "", err
	}
	failed, out := t.fails(ctx, dir)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := b.revert(ctx, dir); err != nil {
		return "", err
	}
	switch {
	case failed:
		return "caught", nil
	case out != "":
		return "", fmt.Errorf("%s proves nothing:\n%s", b.name, out)
	default:
		return "MISSED", nil
	}
}

// fails runs the test. What it printed is returned where it did not pass; failed says that it ran, and
// failed.
func (t test) fails(ctx context.Context, dir string) (failed bool, out string) {
	cmd := exec.CommandContext(ctx, "go", "test", "-trimpath", "-count=1", "-failfast", "-timeout=10m", "-run", t.regexp, t.pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that servers are stopped
	cmd.WaitDelay = time.Minute
	printed, err := cmd.CombinedOutput()
	switch {
	case err == nil && bytes.Contains(printed, []byte("no tests to run")):
		return false, "there is no such test: " + t.regexp
	case err == nil:
		return false, ""
	default:
		return bytes.Contains(printed, []byte("--- FAIL: ")) || bytes.Contains(printed, []byte("panic: ")), string(printed)
	}
}
