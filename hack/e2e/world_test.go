// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// world is what one test has to itself: a namespace, a cloud, and managers that look at nothing else.
type world struct {
	*shared
	t         *testing.T
	namespace string
	cloud     *cloud
	gate      *gate // of managers that are started from now on; nil: they go straight to both servers
	gates     []*gate
	front     *front // nil: managers go straight to the API server, or to the gate
	cluster   *front // where a cluster can be cut off from everybody: what stands before its API server
	ownsLease bool
	secrets   []needle // more of what nobody may say, besides what every world looks for
	// client is how the test looks at things. What it does, it does with kubectl.
	client client.Client
	// args are more flags for managers, env more variables.
	args, env []string
	// managers are all that were started, the newest last.
	managers []*stack.Manager
}

// verbosity at which managers run where a test says nothing else: what they say is scanned for secrets.
const verbosity = "--zap-log-level=debug"

var (
	worlds atomic.Int64
	lease  sync.Mutex
)

// newWorld makes a world without a manager.
func newWorld(t *testing.T, o options) *world {
	t.Helper()
	if o.suite == nil {
		o.suite = theSuite(t)
	}
	if !o.alone {
		t.Parallel()
	}
	if o.elects {
		lease.Lock()
		t.Cleanup(lease.Unlock)
	}
	w := &world{shared: o.suite, front: o.front, t: t, namespace: fmt.Sprintf("e2e-%d", worlds.Add(1))}
	eyes, err := w.Client()
	w.must(err)
	w.client = eyes
	w.cloud = w.newCloud(t, o)
	w.ownsLease = o.ownLease
	t.Cleanup(w.leave)
	if o.gated {
		w.gate = w.newGate()
	}
	w.kubectl("create", "namespace", w.namespace)
	if w.ownsLease {
		w.apply(leaseRoleYAML)
	}
	return w
}

// leave looks for secrets in everything that was said, shows what there is to know of a failure, and stops the managers.
func (w *world) leave() {
	for _, m := range w.managers {
		if m.EndedByItself() {
			w.t.Errorf("%s has ended by itself, with code %d", m.Name, m.ExitCode())
		}
	}
	w.scanForSecrets()
	if w.t.Failed() {
		w.explain()
	}
	for _, m := range w.managers {
		if err := m.Kill(); err != nil {
			w.t.Error(err)
		}
	}
	for _, g := range w.gates {
		g.close()
	}
}

// startManager starts a manager that runs as the shipped ServiceAccount.
func (w *world) startManager(args ...string) *stack.Manager {
	w.t.Helper()
	return w.startProgram("", args...)
}

// startProgram is startManager with a program of its own; empty: that of the stack.
func (w *world) startProgram(program string, args ...string) *stack.Manager {
	w.t.Helper()
	user, cloud := w.roles.operator, w.cloud.URL
	if w.gate != nil {
		user, cloud = w.gate.asUser(), w.gate.cloud.URL
	}
	if w.front != nil {
		user = w.front.asUser(user)
	}
	all := []string{"--namespaces=" + w.namespace, "--cce-endpoint=" + cloud, "--iam-endpoint=" + cloud, verbosity}
	if w.gate != nil {
		all = append(all, "--verify-interval=5s") // a machine that is busy may miss the first time
	}
	all = append(append(all, w.args...), args...)
	m, err := w.StartManager(context.Background(), stack.ManagerOptions{
		Program: program, Args: all, Env: w.env, User: user, Name: fmt.Sprintf("%s-manager-%d", w.namespace, len(w.managers)+1),
	})
	w.must(err)
	w.managers = append(w.managers, m)
	return m
}

// manager is the newest one.
func (w *world) manager() *stack.Manager { return w.managers[len(w.managers)-1] }

// kubectl runs kubectl in the world's namespace; it must succeed.
func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	out, err := w.Kubectl(append([]string{"--namespace", w.namespace}, args...)...)
	w.must(err)
	return out
}

// apply runs "kubectl apply" on YAML; it must succeed.
func (w *world) apply(documents ...string) string {
	w.t.Helper()
	out, err := w.tryApply(documents...)
	w.must(err)
	return out
}

func (w *world) tryApply(documents ...string) (string, error) {
	return w.KubectlInput(strings.Join(documents, "\n---\n"), "--namespace", w.namespace, "apply", "-f", "-")
}

// waitReady waits as a user does.
func (w *world) waitReady(names ...string) {
	w.t.Helper()
	args := []string{"wait", "--for=condition=Ready", "--timeout=28s"}
	for _, name := range names {
		args = append(args, "clustercredential/"+name)
	}
	w.kubectl(args...)
}

// requestRenewal annotates as a user does.
func (w *world) requestRenewal(value string, names ...string) {
	w.t.Helper()
	args := append([]string{"annotate", "--overwrite", "clustercredential"}, names...)
	w.kubectl(append(args, v1alpha1.AnnotationRenewRequestedAt+"="+value)...)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// eventually looks until check has nothing to say, and fails with its last word when time is up.
func (w *world) eventually(within time.Duration, check func() error) {
	w.t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("after %s: %v", within, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// throughout looks for a while, and fails as soon as check has something to say.
func (w *world) throughout(period time.Duration, check func() error) {
	w.t.Helper()
	for end := time.Now().Add(period); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		if err := check(); err != nil {
			w.t.Fatal(err)
		}
	}
}
