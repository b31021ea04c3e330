// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/hack/rendered"
)

// chartValues are the files of values that the chart is tried with.
const chartValues = "../../config/helm/ci/*.yaml"

// What the chart renders is applied as GitOps tools do, and the operator works with the roles and arguments that it gives, in
// the one way to install and then in the other.
func TestTheOperatorWorksAsTheChartInstallsIt(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t), clusters: []string{"listed", "everywhere"}})
	foreign, other := w.namespace+"-foreign", w.namespace+"-other"
	for _, namespace := range []string{systemNamespace, foreign, other, "123"} {
		w.kubectl("create", "namespace", namespace)
	}

	t.Log("in listed namespaces")
	w.applyChart("--set-string=namespaces={" + w.namespace + ",123}")
	w.startAsInstalled()
	w.apply(accountYAML(), credentialYAML("listed", "listed"))
	w.waitReady("listed")
	w.wantSecretsWithinReach(false, foreign)
	w.endManager()

	t.Log("in the whole cluster")
	w.applyChart()
	w.startAsInstalled()
	w.kubectlInput(inNamespace(foreign, accountYAML(), credentialYAML("everywhere", "everywhere")))
	w.kubectl("wait", "-n", foreign, "--for=condition=Ready", "--timeout=28s", "clustercredential/everywhere")
	w.wantSecretsWithinReach(true, other)
	w.endManager()

	t.Log("as one Pod, and back")
	w.applyChart("--set=leaderElection.enabled=false,replicas=1")
	w.wantDeployment("1 Recreate")
	w.startAsInstalled()
	w.requestRenewal("1", "listed")
	w.eventually(eventTime, func() error {
		if revision := w.get("listed").Status.Revision; revision != 2 {
			return fmt.Errorf("the revision is %d, want 2", revision)
		}
		return nil
	})
	w.endManager()
	w.applyChart()
	w.wantDeployment("2 RollingUpdate")
	w.wantPosts(2, "listed")
	w.wantPosts(1, "everywhere")
}

// inNamespace writes documents for another namespace than the world's.
func inNamespace(namespace string, documents ...string) string {
	return strings.ReplaceAll("\n---\n"+strings.Join(documents, "\n---\n"), "\nmetadata:\n", "\nmetadata:\n  namespace: "+namespace+"\n")
}

// applyChart applies what Helm renders with more arguments.
func (w *world) applyChart(args ...string) {
	w.t.Helper()
	text, err := rendered.Chart(w.t.Context(), args...)
	w.must(err)
	_, err = w.KubectlInput(string(text), "apply", "--server-side", "-f", "-")
	w.must(err)
}

// startAsInstalled starts a manager with the arguments of the Deployment, as its ServiceAccount.
func (w *world) startAsInstalled() {
	w.t.Helper()
	var err error
	w.roles, err = logIn(w.t.Context(), w.Stack)
	w.must(err)
	out := w.kubectl("get", "-n", systemNamespace, "deployment", rendered.Name, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	var args []string
	w.must(yaml.Unmarshal([]byte(out), &args))
	if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--namespaces=") }) {
		args = append(args, "--namespaces=")
	}
	// Here, processes share their addresses with others.
	args = slices.DeleteFunc(args, func(arg string) bool { return strings.Contains(arg, "-bind-address=") })
	w.startManager(args...)
}

// endManager ends the newest manager as a node does that is drained: it releases its Lease.
func (w *world) endManager() {
	w.t.Helper()
	w.must(w.manager().Signal(syscall.SIGTERM))
	select {
	case <-w.manager().Exited():
	case <-time.After(grace):
		w.t.Fatal("the manager does not end")
	}
}

func (w *world) wantDeployment(want string) {
	w.t.Helper()
	got := w.kubectl("get", "-n", systemNamespace, "deployment", rendered.Name, "-o", "jsonpath={.spec.replicas} {.spec.strategy.type}")
	if got != want {
		w.t.Errorf("the Deployment is %q, want %q", got, want)
	}
}

// The API server takes all that the chart renders, to the last field.
func TestWhatTheChartRendersIsAccepted(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t)})
	for _, namespace := range []string{systemNamespace, "fleet", "123", "monitoring"} {
		w.kubectl("create", "namespace", namespace)
	}
	files, err := filepath.Glob(chartValues)
	w.must(err)
	if len(files) < 3 {
		t.Fatalf("found only %v", files)
	}
	for _, file := range files {
		text, err := rendered.Chart(t.Context(), "--values="+file)
		w.must(err)
		objects, err := rendered.Objects(text)
		w.must(err)
		var known []string
		for _, object := range objects {
			if object.GroupVersionKind().Group != "monitoring.coreos.com" { // nobody has told this API server of those kinds
				known = append(known, asYAML(t, object))
			}
		}
		out, err := w.KubectlInput(strings.Join(known, "\n---\n"), "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
		if err != nil {
			t.Errorf("%s: %v", file, err)
		} else if got := strings.Count(out, "serverside-applied"); got != len(known) {
			t.Errorf("%s: %d of %d objects were taken: %s", file, got, len(known), out)
		}
	}
}

func asYAML(t *testing.T, object *unstructured.Unstructured) string {
	t.Helper()
	text, err := yaml.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
