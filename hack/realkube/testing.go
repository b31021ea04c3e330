// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// running are the clusters of this process, so that a signal can stop them all.
var running registry

type registry struct {
	mu       sync.Mutex
	clusters map[*Cluster]struct{}
}

func (r *registry) add(c *Cluster) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.clusters == nil {
		r.clusters = map[*Cluster]struct{}{}
	}
	r.clusters[c] = struct{}{}
}

func (r *registry) remove(c *Cluster) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.clusters, c)
}

// stopAll stops the clusters side by side.
func (r *registry) stopAll() error {
	r.mu.Lock()
	all := slices.Collect(maps.Keys(r.clusters))
	r.mu.Unlock()

	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, c := range all {
		group.Go(func() { errs[i] = c.Stop() })
	}
	group.Wait()
	return errors.Join(errs...)
}

// shared is the cluster of a package's tests, started by the first test that asks for it.
var shared struct {
	once    sync.Once
	opts    *Options
	cluster *Cluster
	err     error
}

// Main runs the tests of a package that share one cluster, and stops it at the end:
//
//	func TestMain(m *testing.M) {
//		os.Exit(realkube.Main(m, realkube.Options{CRDDirs: []string{"../config/crd/bases"}}))
//	}
//
//	func TestSomething(t *testing.T) {
//		cluster := realkube.Shared(t)
//
// The cluster starts with the first call of Shared, so a run of tests that need none starts none.
func Main(m *testing.M, opts Options) int {
	shared.opts = &opts
	inTime()
	code := m.Run()
	if err := running.stopAll(); err != nil {
		fmt.Fprintln(os.Stderr, "realkube: stopping:", err)
		return max(code, 1)
	}
	return code
}

// Shared returns the cluster of this package's tests. Tests that share it keep apart by using namespaces of their own.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	if shared.opts == nil {
		t.Fatal("realkube.Shared needs a TestMain that calls realkube.Main")
	}
	shared.once.Do(func() { shared.cluster, shared.err = Start(inTime(), *shared.opts) })
	if shared.err != nil {
		t.Fatal("realkube:", shared.err)
	}
	return shared.cluster
}

// ForTest starts a cluster for one test, and stops it after the test.
func ForTest(t testing.TB, opts Options) *Cluster {
	t.Helper()
	cluster, err := Start(inTime(), opts)
	if err != nil {
		t.Fatal("realkube:", err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error("realkube: stopping:", err)
		}
	})
	return cluster
}

// inTime returns the context in which clusters of tests start, and from the first call on stops them all on a signal, and
// shortly before `go test -timeout` ends the process: in neither case do deferred calls and clean-ups run, and the servers
// would stay behind.
var inTime = sync.OnceValue(func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		fmt.Fprintln(os.Stderr, "realkube: stopping because of signal:", <-signals)
		signal.Stop(signals) // a second one ends the process as usual
		cancel()
		_ = running.stopAll()
		os.Exit(130)
	}()
	if limit := testTimeout(); limit > 0 {
		time.AfterFunc(limit-min(5*time.Second, limit/4), func() {
			fmt.Fprintln(os.Stderr, "realkube: stopping because the tests are out of time")
			cancel()
			_ = running.stopAll()
		})
	}
	return ctx
})

func testTimeout() time.Duration {
	if !flag.Parsed() {
		flag.Parse()
	}
	timeout := flag.Lookup("test.timeout")
	if timeout == nil {
		return 0
	}
	limit, err := time.ParseDuration(timeout.Value.String())
	if err != nil {
		return 0
	}
	return limit
}
