// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	// lockTries and lockPause are how long another program that writes the file is waited for.
	lockTries = 50
	lockPause = 100 * time.Millisecond
	// mostLinks is how many symbolic links are followed.
	mostLinks = 40
)

// File merges an entry into a kubeconfig file, which need not exist. Symbolic links are followed. It is locked as client-go locks
// it, and written beside and renamed, so that nobody ever reads half of it.
func File(ctx context.Context, path string, entry Entry, o Options) error {
	real, err := followed(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(real), 0o700); err != nil {
		return err
	}
	unlock, err := locked(ctx, path, real)
	if err != nil {
		return err
	}
	defer unlock()
	config, err := clientcmd.LoadFromFile(real)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		config = api.NewConfig()
	case err != nil:
		return fmt.Errorf("read %s: %w", path, errUnreadable)
	}
	if err := Into(config, entry, o); err != nil {
		return err
	}
	text, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return replace(real, text)
}

// errUnreadable carries nothing of the file, whose lines may be keys.
var errUnreadable = errors.New("it is there, and is no kubeconfig that can be read; nothing was changed")

// Write writes a new file that only its owner can read. One that is there is left alone, unless it may be overwritten.
func Write(path string, text []byte, overwrite bool) error {
	if _, err := os.Lstat(path); err == nil && !overwrite {
		return fmt.Errorf("%s is there already: --overwrite replaces it, --merge adds to it", path)
	}
	real, err := followed(path)
	if err != nil {
		return err
	}
	return replace(real, text)
}

// replace writes beside the file and renames.
func replace(path string, text []byte) (err error) {
	beside, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = beside.Close()
			_ = os.Remove(beside.Name())
		}
	}()
	if _, err := beside.Write(text); err != nil {
		return err
	}
	if err := beside.Sync(); err != nil {
		return err
	}
	if err := beside.Close(); err != nil {
		return err
	}
	return os.Rename(beside.Name(), path)
}

// followed is the file that a path leads to, which need not exist.
func followed(path string) (string, error) {
	at := path
	for range mostLinks {
		to, err := os.Readlink(at)
		if err != nil { // no link, or nothing there
			return filepath.Abs(at)
		}
		if !filepath.IsAbs(to) {
			// "..", too, is that of where the link really lies.
			dir, err := filepath.EvalSymlinks(filepath.Dir(at))
			if err != nil {
				return "", err
			}
			to = filepath.Join(dir, to)
		}
		at = to
	}
	return "", fmt.Errorf("%s leads through too many symbolic links", path)
}

// locked takes client-go's lock of both names of a file: kubectl locks the name that it was given.
func locked(ctx context.Context, paths ...string) (unlock func(), err error) {
	var held []string
	unlock = func() {
		for _, name := range held {
			_ = os.Remove(name)
		}
	}
	for _, path := range paths {
		name, err := filepath.Abs(path)
		if err != nil {
			unlock()
			return nil, err
		}
		name += ".lock"
		if len(held) > 0 && held[0] == name {
			continue
		}
		if err := lock(ctx, name); err != nil {
			unlock()
			return nil, err
		}
		held = append(held, name)
	}
	return unlock, nil
}

func lock(ctx context.Context, name string) error {
	for range lockTries {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0)
		if err == nil {
			return file.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("another program has locked the file: wait for it, or remove %s if none is left", name)
}
