// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/realkube"
	"github.com/clustercredential/operator/hack/stack"
)

// connections of the bare client, and of the one that creates the objects.
const connections = 20

// Namespaces. The manager looks at all of them, as it is installed, so only one of them holds ClusterCredentials while it runs.
const (
	measured   = "bench"
	sustaining = "bench-sustained"
	warmUp     = "warm-up"
)

// quota is how large etcd's data may become: for 10,000 ClusterCredentials more than its default of 2 GiB.
const quota = "8589934592"

// warmUps are credentials that are made before anything is measured, by another manager, so that no first request of an API
// server that has just started is measured, and so that the floor knows what to write.
const warmUps = 20

// bed is what a run is made on.
type bed struct {
	n       int
	stack   *stack.Stack
	clients []client.WithWatch // one connection each
	// manager is the one that runs; nil: none does.
	manager atomic.Pointer[stack.Manager]
	// issued is when all had their first certificates.
	issued time.Time
	// profiles is a directory for profiles of the manager; empty: none are taken.
	profiles string
}

// measure makes one run:
//
//  1. start the servers, and warm them up,
//  2. the floor,
//  3. N ClusterCredentials until they are Ready,
//  4. a time in which nothing is due,
//  5. a kill, and a restart until everything was looked at,
//  6. a renewal of all on request,
//  7. a change of all specs, which is held,
//  8. more restarts, the last ones beside Secrets of others,
//  9. credentials that are tried against their clusters,
//  10. renewals by time, without end,
//  11. the floor again.
func measure(ctx context.Context, n int, profiles string) (_ *run, err error) {
	progress("N = %d: starting etcd, kube-apiserver and the cloud", n)
	b := &bed{n: n, profiles: profiles}
	b.stack, err = stack.Start(ctx, stack.Options{Clusters: clusterNames(n), Sim: stack.SimOptions{KeyPool: 100}, Kube: realkube.Options{
		EtcdArgs: map[string][]string{"quota-backend-bytes": {quota}},
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.stack.Stop()) }()
	if b.clients, err = b.connect(connections); err != nil {
		return nil, err
	}
	r := &run{N: n}
	sample, err := b.warmUp(ctx)
	if err != nil {
		return nil, err
	}
	r.Bytes = sample.bytes
	floor := func(ctx context.Context, r *run) error {
		return b.floor(ctx, r, fmt.Sprintf("floor-%d", len(r.Floors)+1), sample)
	}
	for _, phase := range []struct {
		name, what string
		do         func(context.Context, *run) error
	}{
		{"", "the floor: the same writes by a bare client", floor},
		{"first", fmt.Sprintf("creating %d ClusterCredentials", n), b.firstCertificates},
		{"idle", fmt.Sprintf("%s in which nothing is due", idleTime), b.idle},
		{"restart", "killing the manager, and starting another", b.restart},
		{"renewal", "renewing all on request (at most one a minute each, so waiting for that first)", b.renewAll},
		{"change", "changing all specs, until each is carried out or held", b.changeAll},
		{"beside", fmt.Sprintf("another start, and one beside %d Secrets of others", foreignEach*n), b.beside},
		{"tries", "trying credentials against their clusters", b.tries},
		{"sustained", fmt.Sprintf("renewing certificates that live for %s only", shortLife(n)), b.sustain},
		{"", "the floor again, without a manager", floor},
	} {
		progress("N = %d: %s", n, phase.what)
		do := func(ctx context.Context) error { return phase.do(ctx, r) }
		if phase.name != "" {
			do = func(ctx context.Context) error {
				return b.profiled(ctx, phase.name, func(ctx context.Context) error { return phase.do(ctx, r) })
			}
		}
		if err := do(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", phase.what, err)
		}
	}
	return r, b.sizeOf(r)
}

// sizeOf notes how large the manager's file is.
func (b *bed) sizeOf(r *run) error {
	file, err := os.Stat(filepath.Join(b.stack.BinDir(), "manager"))
	if err == nil {
		r.BinaryMiB = float64(file.Size()) / (1 << 20)
	}
	return err
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+"  "+format+"\n", args...)
}

func clusterNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("cluster-%05d", i)
	}
	return names
}

// newCredentials are n ClusterCredentials of a cluster each, which are otherwise as short as can be.
func newCredentials(namespace string, n int) []*v1alpha1.ClusterCredential {
	all := make([]*v1alpha1.ClusterCredential, n)
	for i, name := range clusterNames(n) {
		all[i] = stack.Credential(namespace, name, name)
	}
	return all
}

// makeAccount makes a namespace with an account whose limit is off.
func (b *bed) makeAccount(ctx context.Context, namespace string) error {
	for _, o := range stack.Account(namespace, stack.NoLimit) {
		if err := b.clients[0].Create(ctx, o); err != nil {
			return fmt.Errorf("making the account: %w", err)
		}
	}
	return nil
}

// warmUp makes some credentials, and returns one with its Secret and event.
func (b *bed) warmUp(ctx context.Context) (sample, error) {
	if err := b.makeAccount(ctx, warmUp); err != nil {
		return sample{}, err
	}
	manager, err := b.stack.StartManager(ctx, stack.ManagerOptions{})
	if err != nil {
		return sample{}, err
	}
	credentials := newCredentials(warmUp, min(b.n, warmUps))
	if _, err := b.createUntilReady(ctx, warmUp, credentials); err != nil {
		return sample{}, err
	}
	if err := b.quiet(ctx); err != nil {
		return sample{}, err
	}
	if err := manager.Kill(); err != nil {
		return sample{}, err
	}
	s, err := b.sampleOf(ctx, credentials[0])
	return s, errors.Join(err, b.clear(ctx, warmUp))
}

// clear removes what a manager would look at.
func (b *bed) clear(ctx context.Context, namespace string) error {
	c, in := b.clients[0], client.InNamespace(namespace)
	err := errors.Join(
		c.DeleteAllOf(ctx, &v1alpha1.ClusterCredential{}, in), c.DeleteAllOf(ctx, &v1alpha1.CloudAccount{}, in),
		c.DeleteAllOf(ctx, &corev1.Secret{}, in),
	)
	if err != nil {
		return fmt.Errorf("clearing namespace %s: %w", namespace, err)
	}
	return nil
}
