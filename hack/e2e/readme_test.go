// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/clustercredential/operator/hack/rendered"
	"github.com/clustercredential/operator/hack/stack"
)

// Why commands of the pages are left out.
const (
	noEngine = "there is no engine for containers here"
	noPods   = "no Pod runs here: the manager is a process, with the arguments of the Deployment"
)

// A stranger follows the README, from nothing to a kubeconfig that logs in, and back.
func TestTheReadmeLeadsToACredential(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t), clusters: []string{"prod-1"}})
	w.deleteCRDs()                             // nothing is there
	w.kubectl("create", "namespace", "argocd") // Argo CD is
	r := newReader(t, w, "helm4")
	r.follow(route{
		page:    "README.md",
		replace: theKey(),
		skip: map[string]string{
			"## See it in two commands": "CI runs both",
			"make docker-build":         noEngine,
			"docker push":               noEngine,
			"kubectl rollout status":    noPods,
		},
		after: map[string]func(*reader){
			"helm install": func(r *reader) {
				if image := w.kubectl("get", "deployment", "-n", systemNamespace, rendered.Name, "-o",
					"jsonpath={.spec.template.spec.containers[0].image}"); image != "registry.example.com/clustercredential-operator:dev" {
					t.Errorf("the image is %q", image)
				}
				w.startAsInstalled()
			},
			"helm uninstall": func(*reader) {
				w.kubectl("--kubeconfig", filepath.Join(r.dir, "prod-1.kubeconfig"), "auth", "whoami")
				w.kubectl("get", "-n", "fleet", "clustercredential/prod-1", "secret/prod-1-kubeconfig")
			},
		},
		before: map[string]func(*reader){"helm uninstall": func(*reader) { w.endManager() }},
		prints: map[string]string{
			"kubectl --kubeconfig prod-1.kubeconfig auth whoami": stack.UserID,
			"kubectl describe": "Issued",
		},
	})
	w.wantPosts(1)
}
