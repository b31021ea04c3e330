// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/rendered"
)

// A release is installed, changed, removed and installed again, by the commands of docs/operating.md. What users have made
// outlives it, and costs no certificate.
func TestCredentialsOutliveTheRelease(t *testing.T) {
	for _, version := range []string{"helm3", "helm4"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, options{suite: ownServers(t), clusters: []string{"kept"}})
			h := w.newHelm(version)
			w.deleteCRDs() // nothing is there
			h.run(h.page.install)
			w.startAsInstalled()
			w.apply(accountYAML(), credentialYAML("kept", "kept"))
			w.waitReady("kept")
			secret := w.secret("kept-kubeconfig")
			w.endManager()

			h.run("helm install second config/helm --namespace second --create-namespace --set crds.install=false,namespaces={default}")
			h.run("helm uninstall second --namespace second")
			h.upgrade("--set=leaderElection.enabled=false")
			w.wantDeployment("1 Recreate")
			h.upgrade("--set=namespaces={" + w.namespace + "}")
			w.wantDeployment("2 RollingUpdate")
			w.wantSecretsWithinReach(false, "default")
			h.run(h.page.upgrade)

			h.uninstall()
			w.must(w.holdsTheSame(secret))
			h.run(h.page.fromRegistry)
			w.wantGoesOn()
			h.uninstall()

			t.Log("under another name")
			other := strings.Replace(h.page.install, "install "+rendered.Name, "install credentials", 1) + "--set=fullnameOverride=" + rendered.Name
			if out := h.run("if " + other + "; then exit 1; fi 2>&1"); !strings.Contains(out, "invalid ownership metadata") {
				t.Errorf("it does not say why it does not take over what belongs to another release: %s", out)
			}
			h.run(other + " --take-ownership")
			w.wantGoesOn()
			h.run("helm uninstall credentials --namespace " + systemNamespace)

			t.Log("after make deploy")
			w.mustInstall(t, wholeCluster)
			h.run(h.page.takeOver)
			w.wantGoesOn()
			w.must(w.holdsTheSame(secret))
		})
	}
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

// helm is one version of Helm in the hands of the administrator, who stands in a checkout and reads the page.
type helm struct {
	w    *world
	dir  string
	page helmPage
}

// helmPage are the commands of the section on Helm in docs/operating.md, in their order there.
type helmPage struct{ install, fromRegistry, upgrade, uninstall, takeOver string }

func (w *world) newHelm(version string) *helm {
	w.t.Helper()
	program, err := rendered.Tool(w.t.Context(), version)
	w.must(err)
	chart, err := rendered.Folder()
	w.must(err)
	dir := w.t.TempDir()
	w.must(os.Symlink(filepath.Dir(chart), filepath.Join(dir, "config")))
	w.must(os.Symlink(program, filepath.Join(dir, "helm")))
	page, values := readHelmPage(w.t)
	w.must(os.WriteFile(filepath.Join(dir, "my-values.yaml"), []byte(values), 0o600))
	if version == "helm3" {
		page.takeOver = strings.Replace(page.takeOver, " --force-conflicts ", " ", 1) // as the page says
	}
	// The only address that is not here.
	page.fromRegistry = strings.Replace(page.fromRegistry, "oci://registry.example.com/charts/clustercredential-operator", "config/helm", 1)
	return &helm{w: w, dir: dir, page: page}
}

func readHelmPage(t *testing.T) (helmPage, string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Install with Helm\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var shell, values []string
	for _, block := range pageBlock.FindAllStringSubmatch(section, -1) {
		if block[1] == "sh" {
			shell = append(shell, strings.TrimSuffix(block[2], "\n")+" ")
		} else {
			values = append(values, block[2])
		}
	}
	if !found || len(shell) != 5 || len(values) != 1 {
		t.Fatalf("the page has %d commands on Helm, and %d files", len(shell), len(values))
	}
	return helmPage{install: shell[0], fromRegistry: shell[1], upgrade: shell[2], uninstall: shell[3], takeOver: shell[4]}, values[0]
}

// run runs commands in a shell; they must succeed. Nothing of the user's own Helm counts.
func (h *helm) run(commands string) string {
	h.w.t.Helper()
	own := "export HELM_CACHE_HOME=$PWD/h HELM_CONFIG_HOME=$PWD/h HELM_DATA_HOME=$PWD/h PATH=$PWD:$PATH\n"
	return h.w.asUser(h.dir, own+commands)
}

func (h *helm) upgrade(values string) {
	h.w.t.Helper()
	h.run("helm upgrade " + rendered.Name + " config/helm --namespace " + systemNamespace + " " + values)
}

// uninstall removes the release, and looks that nothing is left but what has to be.
func (h *helm) uninstall() {
	h.w.t.Helper()
	h.run(h.page.uninstall)
	left := h.w.kubectl("get", "clusterroles,clusterrolebindings,deployments,services,serviceaccounts,roles,rolebindings", "-A", "-o", "name",
		"-l", "app.kubernetes.io/name="+rendered.Name)
	if strings.TrimSpace(left) != "" {
		h.w.t.Errorf("the release has left %s", left)
	}
	if h.w.get("kept").Status.Revision != 1 {
		h.w.t.Error("the ClusterCredential is not what it was")
	}
}
