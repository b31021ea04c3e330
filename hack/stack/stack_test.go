// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

const namespace = "fleet"

func TestAStackIssuesACredentialThatLogsInAndLeavesNothing(t *testing.T) {
	s := start(t)
	m, err := s.StartManager(t.Context(), stack.ManagerOptions{Profiles: true})
	if err != nil {
		t.Fatal(err)
	}
	issueOne(t, s)
	if heap, err := m.Profile(t.Context(), "heap"); err != nil || len(heap) == 0 {
		t.Errorf("a profile of %d bytes, %v", len(heap), err)
	}

	prober, err := s.Prober(stack.ProbeOptions{Namespace: namespace, Secret: "one-kubeconfig", Interval: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "five logins", func() bool { return prober.Seen().Attempts >= 5 })
	seen := prober.Stop()
	ledger, err := s.Sim.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Failures) > 0 || len(ledger) != 1 || len(seen.Serials) != 1 || seen.Serials[0] != ledger[0].Serial {
		t.Errorf("seen %+v, ledger %+v", seen, ledger)
	}
	wantUsage(t, m)
	if code, _, err := m.Terminate(t.Context()); code != 0 || err != nil {
		t.Errorf("exit code %d, %v\n%s", code, err, m.Log())
	}
	wantUsage(t, m)

	dir := s.Dir
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	wantNothingLeft(t, dir)
}

func TestAProberTellsWhyItFailed(t *testing.T) {
	s := start(t)
	secret := stack.Account(namespace, stack.NoLimit)
	create(t, s, secret...)
	for key, want := range map[string]string{v1alpha1.KeyAccessKey: "reading the kubeconfig", "none": "reading the kubeconfig"} {
		prober, err := s.Prober(stack.ProbeOptions{Namespace: namespace, Secret: stack.KeySecretName, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "an attempt", func() bool { return prober.Seen().Attempts > 0 })
		if f := prober.Stop().Failures; len(f) == 0 || !strings.Contains(f[0].Reason, want) {
			t.Errorf("key %s: %+v", key, f)
		}
	}
	prober, err := s.Prober(stack.ProbeOptions{Namespace: namespace, Secret: "none"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a look", func() bool { return prober.Seen().Absent > 0 })
	if seen := prober.Stop(); seen.Attempts > 0 {
		t.Errorf("a Secret that is not there counts: %+v", seen)
	}
}

func TestAManagerThatDoesNotStartSaysWhy(t *testing.T) {
	s := start(t)
	m, err := s.StartManager(t.Context(), stack.ManagerOptions{Args: []string{"--no-such-flag"}})
	if m != nil || err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestTheCloudIsDrivenFromOutside(t *testing.T) {
	s := start(t)
	id := s.ClusterID("one")
	if err := s.Sim.Script(stack.Fault{Name: "throttled", Times: 2, RetryAfter: 1.5}); err != nil {
		t.Fatal(err)
	}
	if faults, err := s.Sim.Scripted(); err != nil || len(faults) != 1 || faults[0].RetryAfter != 1.5 {
		t.Errorf("scripted %+v, %v", faults, err)
	}
	if names, err := s.Sim.FaultNames(); err != nil || len(names) < 20 {
		t.Errorf("faults %v, %v", names, err)
	}
	if _, err := s.Sim.Requests(); err != nil {
		t.Error(err)
	}
	err := errors.Join(
		s.Sim.ClearScript(), s.Sim.SetGrantedLifetime(time.Minute), s.Sim.SetLatency(time.Millisecond),
		s.Sim.SetWritesPerMinute(10), s.Sim.SetSecretKey("another"),
		s.Sim.PatchCluster(id, map[string]any{"phase": "Hibernation"}), s.Sim.PutCluster(s.NewCluster("two")),
	)
	if err != nil {
		t.Error(err)
	}
	if c, err := s.Sim.Cluster(id); err != nil || c.Phase != "Hibernation" || c.Name != "one" {
		t.Errorf("cluster %+v, %v", c, err)
	}
	if err := s.Sim.DeleteCluster(id); err != nil {
		t.Error(err)
	}
	if _, err := s.Sim.Cluster(id); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a deleted cluster: %v", err)
	}
}

// start starts a stack of its own: the binaries come from go's cache after the first.
func start(t *testing.T) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Options{Clusters: []string{"one"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func create(t *testing.T, s *stack.Stack, objects ...client.Object) client.Client {
	t.Helper()
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func issueOne(t *testing.T, s *stack.Stack) {
	t.Helper()
	cc := stack.Credential(namespace, "one", "one")
	c := create(t, s, append(stack.Account(namespace, stack.NoLimit), cc)...)
	eventually(t, "Ready", func() bool {
		return c.Get(context.Background(), client.ObjectKeyFromObject(cc), cc) == nil &&
			meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady)
	})
	if out, err := s.Kubectl("get", "ccred", "--namespace="+namespace, "one"); err != nil || !strings.Contains(out, "True") {
		t.Errorf("kubectl: %s, %v", out, err)
	}
}

func wantUsage(t *testing.T, m *stack.Manager) {
	t.Helper()
	if u, err := m.Usage(); err != nil || u.CPU <= 0 || u.PeakRSS < 10<<20 || u.PeakRSS > 1<<30 {
		t.Errorf("usage %+v, %v", u, err)
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s", what)
		}
	}
}

// wantNothingLeft fails if a process that has dir in its command line still runs, or if dir is still there.
func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		if data, err := os.ReadFile(line); err == nil && strings.Contains(string(data), dir+"/") {
			t.Errorf("still running: %s", strings.ReplaceAll(string(data), "\x00", " "))
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}
