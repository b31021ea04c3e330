// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What the cloud has from the start. The secret key is no real one: the simulator accepts what it is told to.
const (
	Region    = "ap-southeast-3"
	ProjectID = "0123456789abcdef0123456789abcdef"
	UserID    = "0c97ac3cb280f4d91fa7c0096739e1f8"
	AccessKey = "AKSTACK0000000000000"
	SecretKey = "not-a-real-secret-key-of-any-cloud-00000"
)

// startTime bounds how long a process may take until it serves.
const startTime = 60 * time.Second

// SimOptions say how the cloud behaves. The zero value issues what is asked for, at once.
type SimOptions struct {
	// GrantedLifetime is the longest life of a certificate. 0: as asked.
	GrantedLifetime time.Duration
	// WritesPerMinute is how many POSTs an access key may send in any 60 s. 0: no limit.
	WritesPerMinute int
	// Latency is waited between a call's effect and its answer.
	Latency time.Duration
	// KeyAlgorithm is rsa2048, ec or ed25519. Unset: ec, which takes next to no time.
	KeyAlgorithm string
	// KeyPool is how many keys are made beforehand and used again and again. 0: a fresh key for each certificate.
	KeyPool int
}

// ClusterID is the id of the cluster with this name: a UUID, the same in every run.
func ClusterID(name string) string {
	sum := sha256.Sum256([]byte(name))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // a UUID of version 4 says so
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// ClusterID is the id of the cluster with this name.
func (s *Stack) ClusterID(name string) string { return ClusterID(name) }

// Sim is the cloud: a running ccesim, and its admin API.
type Sim struct {
	// URL serves CCE and IAM.
	URL string

	life    context.Context // that of the stack
	process *process
}

// startSim starts ccesim and waits for its first line, the URL.
func (s *Stack) startSim(ctx context.Context, o Options) (*Sim, error) {
	config, err := s.writeSimConfig(o.Clusters)
	if err != nil {
		return nil, err
	}
	algorithm := o.Sim.KeyAlgorithm
	if algorithm == "" {
		algorithm = "ec"
	}
	cmd := exec.Command(filepath.Join(s.binDir, "ccesim"), //nolint:noctx // it lives until Stop, not until a context ends
		"--listen=127.0.0.1:0", "--config="+config.file, "--ca-cert="+config.caCert, "--ca-key="+config.caKey,
		"--granted-lifetime="+o.Sim.GrantedLifetime.String(), "--latency="+o.Sim.Latency.String(),
		"--writes-per-minute="+strconv.Itoa(o.Sim.WritesPerMinute),
		"--key-algorithm="+algorithm, "--key-pool="+strconv.Itoa(o.Sim.KeyPool))
	p, err := startProcess("ccesim", filepath.Join(s.Dir, "ccesim.log"), cmd)
	if err != nil {
		return nil, err
	}
	sim := &Sim{life: s.life, process: p}
	err = p.waitUntil(ctx, func() bool {
		line, _, whole := strings.Cut(p.log(), "\n")
		sim.URL = line
		return whole && strings.HasPrefix(line, "http://")
	})
	if err != nil {
		_ = p.kill()
		return nil, err
	}
	return sim, nil
}

// waitUntil returns once ready says so, and an error if the process ends, ctx ends or it takes too long.
func (p *process) waitUntil(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		if ready() {
			return nil
		}
		select {
		case <-poll.C:
		case <-p.exited:
			return fmt.Errorf("%s ended: %s%s", p.name, p.cmd.ProcessState, p.lastLines())
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w%s", p.name, ctx.Err(), p.lastLines())
		}
	}
}
