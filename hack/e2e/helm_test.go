// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/rendered"
)

// helmTime bounds one command of Helm: there are no Pods to wait for.
const helmTime = time.Minute

// A release is installed, changed, removed and installed again. What users have made outlives it, and costs no certificate.
func TestCredentialsOutliveTheRelease(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t), clusters: []string{"kept"}})
	chart, err := rendered.Folder()
	w.must(err)
	w.deleteCRDs() // nothing is there
	w.helm("install", rendered.Name, chart, "--create-namespace")
	w.startAsInstalled()
	w.apply(accountYAML(), credentialYAML("kept", "kept"))
	w.waitReady("kept")
	secret := w.secret("kept-kubeconfig")
	w.endManager()

	w.helm("upgrade", rendered.Name, chart, "--set=leaderElection.enabled=false")
	w.wantDeployment("1 Recreate")
	w.helm("upgrade", rendered.Name, chart, "--set=namespaces={"+w.namespace+"}")
	w.wantDeployment("2 RollingUpdate")
	w.startAsInstalled()
	w.wantSecretsWithinReach(false, "default")
	w.endManager()

	w.helm("uninstall", rendered.Name)
	if left := w.kubectl("get", "clusterroles,clusterrolebindings,deployments,services,roles", "-A", "-o", "name",
		"-l", "app.kubernetes.io/instance="+rendered.Name); strings.TrimSpace(left) != "" {
		t.Errorf("the release has left %s", left)
	}
	w.must(w.holdsTheSame(secret))
	if w.get("kept").Status.Revision != 1 {
		t.Error("the ClusterCredential is not what it was")
	}

	w.helm("install", rendered.Name, chart)
	w.wantGoesOn()
	w.helm("uninstall", rendered.Name)

	t.Log("under another name")
	if out, err := w.tryHelm("install", "credentials", chart, "--set=fullnameOverride="+rendered.Name); err == nil {
		t.Errorf("it takes over by itself what belongs to another release: %s", out)
	}
	w.helm("install", "credentials", chart, "--set=fullnameOverride="+rendered.Name, "--take-ownership")
	w.wantGoesOn()
	w.helm("uninstall", "credentials")

	t.Log("after make deploy")
	w.mustInstall(t, wholeCluster)
	w.wantGoesOn()
	w.kubectl("delete", "deployment", "-n", systemNamespace, rendered.Name)
	w.helm("install", rendered.Name, chart, "--take-ownership", "--force-conflicts")
	w.wantGoesOn()
	w.must(w.holdsTheSame(secret))
}

// wantGoesOn starts a manager, and waits until it has looked at what is there.
func (w *world) wantGoesOn() {
	w.t.Helper()
	begin := w.requestsSoFar()
	w.startAsInstalled()
	w.eventually(takeover, func() error {
		if !slices.ContainsFunc(w.requestsSince(begin), func(r request) bool {
			return r.Verb == "get" && r.Object.Resource == "secrets" && r.Object.Name == "kept-kubeconfig"
		}) {
			return errors.New("the operator has not looked at the Secret")
		}
		return w.says("kept", v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonValid)
	})
	w.wantPosts(1)
	w.endManager()
}

// helm runs Helm 4 as the administrator, in the operator's namespace; it must succeed.
func (w *world) helm(args ...string) string {
	w.t.Helper()
	out, err := w.tryHelm(args...)
	if err != nil {
		w.t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) tryHelm(args ...string) (string, error) {
	w.t.Helper()
	helm, err := rendered.Tool(w.t.Context(), "helm4")
	w.must(err)
	ctx, cancel := context.WithTimeout(w.t.Context(), helmTime)
	defer cancel()
	home := w.t.TempDir() // nothing of the user's counts
	cmd := exec.CommandContext(ctx, helm, append(args, "--namespace="+systemNamespace, "--kubeconfig="+w.Kubeconfig)...)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
