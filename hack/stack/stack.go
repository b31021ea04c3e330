// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"

	"github.com/clustercredential/operator/hack/realkube"
)

// Options say what to start. The zero value is a stack without a cluster in the cloud.
type Options struct {
	// Dir takes binaries, kubeconfigs, logs and the data of the servers. Unset: a temporary directory that Stop removes.
	Dir string
	// Out takes a line for each step, as it begins. Unset: nothing is said.
	Out io.Writer
	// Clusters are the names of the clusters that the cloud has from the start; ClusterID tells their ids.
	Clusters []string
	// Sim says how the cloud behaves.
	Sim SimOptions
	// Kube says how the API server runs. The CRDs of this repository are installed if it names none; Dir, if unset, lies in
	// that of the stack, and OneCA is always set.
	Kube realkube.Options
	// BinDir holds "manager" and "ccesim". Unset: both are built from the sources around the working directory.
	BinDir string
}

// Stack is a running API server and cloud.
type Stack struct {
	// Kube is the API server.
	Kube *realkube.Cluster
	// Sim is the cloud.
	Sim *Sim
	// Kubeconfig is a file with which kubectl is the administrator.
	Kubeconfig string
	// Dir holds the logs: ccesim.log, and one for each manager.
	Dir string

	life      context.Context // of what is asked of the stack: until Stop
	end       context.CancelFunc
	dirIsOurs bool
	binDir    string
	kubectl   string
	unnamed   atomic.Int32 // managers without a name so far

	mu       sync.Mutex
	managers []*Manager
	stopOnce sync.Once
	stopErr  error
}

// Start starts a stack and returns once it serves:
//
//  1. build the binaries, unless they are given, while
//  2. etcd and kube-apiserver start and get the CRDs,
//  3. start the cloud, signing with the API server's authority,
//  4. write the administrator's kubeconfig.
//
// What was started is stopped again if a step fails or ctx ends. Once Start has returned, ctx does nothing: call Stop.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	say := func(format string, args ...any) {
		if o.Out != nil {
			fmt.Fprintf(o.Out, format+"\n", args...)
		}
	}
	s, err := prepare(&o)
	if err != nil {
		return nil, err
	}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var built sync.WaitGroup
	var buildErr error
	built.Go(func() {
		if s.binDir == "" {
			say("building manager and ccesim")
			s.binDir, buildErr = build(ctx, s.Dir)
		}
		if buildErr != nil {
			cancel()
		}
	})
	say("starting etcd and kube-apiserver")
	s.Kube, err = realkube.Start(ctx, o.Kube)
	if err != nil {
		cancel()
	}
	built.Wait()
	if err := errors.Join(buildErr, err); err != nil {
		return nil, err
	}
	say("starting the cloud: ccesim with %d clusters", len(o.Clusters))
	if s.Sim, err = s.startSim(ctx, o); err != nil {
		return nil, err
	}
	s.Kubeconfig, err = s.writeKubeconfig("admin", s.Kube.Config())
	return s, err
}

// prepare makes the directory and fills in what o leaves open.
func prepare(o *Options) (*Stack, error) {
	s := &Stack{Dir: o.Dir, dirIsOurs: o.Dir == "", binDir: o.BinDir}
	if len(o.Kube.CRDDirs) == 0 {
		root, err := sources()
		if err != nil {
			return nil, err
		}
		o.Kube.CRDDirs = []string{filepath.Join(root, "config", "crd", "bases")}
	}
	var err error
	if s.kubectl, err = findKubectl(o.Kube.AssetsDir); err != nil {
		return nil, err
	}
	if s.dirIsOurs {
		if s.Dir, err = os.MkdirTemp("", "stack-"); err != nil {
			return nil, err
		}
	}
	o.Kube.OneCA = true
	if o.Kube.Dir == "" {
		o.Kube.Dir = filepath.Join(s.Dir, "kube")
	}
	return s, os.MkdirAll(o.Kube.Dir, 0o700)
}

// BinDir holds the programs, for Options.BinDir of another stack.
func (s *Stack) BinDir() string { return s.binDir }

// writeKubeconfig writes cfg as a file for kubectl and the manager.
func (s *Stack) writeKubeconfig(name string, cfg *rest.Config) (string, error) {
	data, err := s.Kube.Kubeconfig(cfg)
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, name+".kubeconfig")
	return file, os.WriteFile(file, data, 0o600)
}

// Stop kills the managers and the cloud, stops the API server, and removes the directory unless it was given. It may be
// called more than once and from any goroutine: everyone gets the result of the first call, once it is there.
func (s *Stack) Stop() error {
	s.stopOnce.Do(func() {
		s.end()
		s.mu.Lock()
		managers := s.managers
		s.managers = nil
		s.mu.Unlock()
		for _, m := range managers {
			s.stopErr = errors.Join(s.stopErr, m.Kill())
		}
		if s.Sim != nil {
			s.stopErr = errors.Join(s.stopErr, s.Sim.process.kill())
		}
		if s.Kube != nil {
			s.stopErr = errors.Join(s.stopErr, s.Kube.Stop())
		}
		if s.dirIsOurs {
			s.stopErr = errors.Join(s.stopErr, os.RemoveAll(s.Dir))
		}
	})
	return s.stopErr
}
