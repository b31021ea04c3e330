// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// gitTool brings what is in Git to the cluster, by server-side apply.
type gitTool struct {
	// manager is its name as a field manager.
	manager string
	// labels and annotations are those by which it knows what it keeps, and so may prune.
	labels, annotations map[string]string
}

func gitTools() map[string]gitTool {
	return map[string]gitTool{
		"Argo CD": {
			manager:     "argocd-controller",
			labels:      map[string]string{"app.kubernetes.io/instance": "fleet", "argocd.argoproj.io/instance": "fleet"},
			annotations: map[string]string{"argocd.argoproj.io/tracking-id": "fleet:clustercredential.dev/ClusterCredential:fleet/it"},
		},
		"Flux": {
			manager: "kustomize-controller",
			labels:  map[string]string{"kustomize.toolkit.fluxcd.io/name": "fleet", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
		},
	}
}

// Neither sees a difference between Git and the cluster, whatever the operator does meanwhile, and neither takes our Secrets for
// something of its own, that is not in Git any more.
func TestNothingDiffersFromGitAndNothingIsPruned(t *testing.T) {
	for name, tool := range gitTools() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{clusters: []string{"prod-1", "prod-2", "goes"}})
			w.kubectl("create", "namespace", w.away())
			w.startManager("--cross-namespace-outputs", "--namespaces="+w.namespace+","+w.away())
			w.kubectlInput(grantYAML(w.away(), w.namespace))
			w.apply(keyYAML(theKeys, stack.AccessKey, canarySecretKey)) // no secret is in Git
			git := w.fleet(tool)
			w.sync(tool, git)
			w.waitReady("prod-1", "prod-2", "goes")
			w.wantInSync(tool, git, "after the first certificates")
			w.wantSecretsOfNobody()
			if held := w.get("goes").Finalizers; len(held) != 1 {
				t.Errorf("the object whose Secret in another namespace goes with it has the finalizers %v, so this shows less than it should", held)
			}

			git.annotate("prod-1", v1alpha1.AnnotationRenewRequestedAt, "in-git")
			w.sync(tool, git)
			w.kubectl("wait", "--for=jsonpath={.status.lastHandledRenewRequest}=in-git", "--timeout=28s", "clustercredential/prod-1")
			w.wantInSync(tool, git, "after a renewal")
			w.requestRenewal("by-hand", "goes") // not in Git: nobody's business there
			w.kubectl("wait", "--for=jsonpath={.status.lastHandledRenewRequest}=by-hand", "--timeout=28s", "clustercredential/goes")
			w.wantInSync(tool, git, "after a renewal that is not in Git")
			w.wantSecretsOfNobody()
			w.wantPosts(2, "prod-1")
			w.wantPosts(1, "prod-2")
			w.wantPosts(2, "goes")

			w.kubectl("patch", "clustercredential", "prod-2", "--type=merge", "-p", `{"spec":{"outputs":null}}`)
			if len(w.driftOf(tool, git)) != 1 || len(w.differences(git)) != 1 {
				t.Error("a change by hand is not noticed, so this test shows nothing")
			}
		})
	}
}

// away is another namespace, into which the world's ClusterCredentials may write.
func (w *world) away() string { return w.namespace + "-away" }

// wantSecretsOfNobody fails if a Secret of ours carries what tells Argo CD or Flux that it is theirs, or an owner who lets it go.
func (w *world) wantSecretsOfNobody() {
	w.t.Helper()
	var all []corev1.Secret
	for _, namespace := range []string{w.namespace, w.away()} {
		secrets := &corev1.SecretList{}
		w.must(w.client.List(w.t.Context(), secrets, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelManaged: "true"}))
		all = append(all, secrets.Items...)
	}
	if len(all) != 6 {
		w.t.Errorf("there are %d Secrets of ours, want 6", len(all))
	}
	for _, secret := range all {
		for _, tool := range gitTools() {
			for key := range tool.labels {
				_, labelled := secret.Labels[key]
				_, annotated := secret.Annotations[key]
				if labelled || annotated {
					w.t.Errorf("the Secret %s carries %s", secret.Name, key)
				}
			}
			for key := range tool.annotations {
				if _, annotated := secret.Annotations[key]; annotated {
					w.t.Errorf("the Secret %s carries %s", secret.Name, key)
				}
			}
		}
		if goes := secret.Name == "own-kubeconfig"; goes != (len(secret.OwnerReferences) == 1) {
			w.t.Errorf("the Secret %s has the owners %v", secret.Name, secret.OwnerReferences)
		}
	}
}
