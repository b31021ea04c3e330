// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/clustercredential/operator/hack/stack"
)

const images = "docs/images"

func main() {
	log.SetLogger(zap.New(zap.WriteTo(io.Discard))) // or controller-runtime complains
	plugin := flag.String("plugin-dir", "bin", "the directory with kubectl-clustercredential")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: make recordings, or bin/recordings [SCENE...]\n\nMakes the pictures in "+images+".")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer end()
	if err := record(ctx, *plugin, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "recordings:", err)
		os.Exit(1)
	}
}

// record makes the pictures of these scenes; without names: of all.
func record(ctx context.Context, plugin string, names []string) (err error) {
	if plugin, err = filepath.Abs(plugin); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(plugin, "kubectl-clustercredential")); err != nil {
		return fmt.Errorf(`%w: run "make recordings" at the root of the repository`, err)
	}
	s, err := newStage(ctx, plugin)
	defer func() { err = errors.Join(err, s.stop()) }()
	if err != nil {
		return err
	}
	for _, scene := range scenes {
		if len(names) > 0 && !slices.Contains(names, scene.file) {
			continue
		}
		fmt.Fprintln(os.Stderr, "recording", scene.file)
		if err := s.record(ctx, scene); err != nil {
			return err
		}
	}
	return nil
}

// record plays a scene and writes its picture.
func (s *stage) record(ctx context.Context, scene scene) error {
	var lines []line
	for _, command := range scene.commands {
		dir := s.dir
		if strings.HasPrefix(command, "make ") {
			dir = "." // at the root of the repository
		}
		out, err := s.run(ctx, command, dir)
		if err != nil {
			return err
		}
		if len(lines) > 0 {
			lines = append(lines, line{})
		}
		lines = append(append(lines, prompt(command)), cut(parse(out), scene.from)...)
	}
	if err := s.check(lines); err != nil {
		return fmt.Errorf("%s: %w", scene.file, err)
	}
	if err := os.MkdirAll(images, 0o755); err != nil { //nolint:gosec // they are for everybody
		return err
	}
	return os.WriteFile(filepath.Join(images, scene.file+".svg"), []byte(draw(scene.title, lines)), 0o644)
}

// check refuses what has no place in a picture that everybody sees: what is secret, and paths of this machine.
func (s *stage) check(lines []line) error {
	home, _ := os.UserHomeDir() // nobody's home is nowhere
	for _, l := range lines {
		text := textOf(l)
		for _, secret := range []string{"PRIVATE KEY", "LS0tLS1CRUdJTi", stack.SecretKey, s.stack.Dir, home + "/"} {
			if secret != "/" && strings.Contains(text, secret) {
				return errors.New("a line holds a secret, or a path of this machine")
			}
		}
	}
	return nil
}
