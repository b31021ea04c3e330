// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// window is how long one profile of the CPU is: a phase has as many as it takes, and "go tool pprof" adds them up.
const window = "profile?seconds=5"

var errNoManager = errors.New("no manager is there")

// profiled does a phase while the manager's CPU is profiled, if that is asked for, and takes a profile of its heap at the end. The
// manager may change meanwhile, and a window that it does not live to see the end of is lost.
func (b *bed) profiled(ctx context.Context, phase string, do func(context.Context) error) error {
	if b.profiles == "" {
		return do(ctx)
	}
	sampling, stop := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for i := 1; sampling.Err() == nil; i++ {
			if err := b.profile(ctx, window, fmt.Sprintf("%d-%s-cpu-%02d", b.n, phase, i)); err != nil {
				_ = pause(sampling, time.Second)
			}
		}
	})
	err := do(ctx)
	stop()
	sampler.Wait()
	if err == nil {
		err = b.profile(ctx, "heap", fmt.Sprintf("%d-%s-heap", b.n, phase))
	}
	return err
}

func (b *bed) profile(ctx context.Context, what, name string) error {
	manager := b.manager.Load()
	if manager == nil {
		return errNoManager
	}
	data, err := manager.Profile(ctx, what)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.profiles, name+".pprof"), data, 0o600)
}
