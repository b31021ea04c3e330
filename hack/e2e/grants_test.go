// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// The owner of another namespace consents, withdraws and consents again, and in the end the Secret there goes with its object.
func TestASecretInAnotherNamespaceNeedsConsentAndGoesWithItsObject(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"hub"}})
	away := w.namespace + "-argocd"
	w.kubectl("create", "namespace", away)
	w.env = []string{"KUBE_FEATURE_WatchListClient=false"} // one that streams its lists does not list, and no other test may
	w.startManager("--namespaces="+w.namespace+","+away, "--cross-namespace-outputs")
	w.apply(accountYAML(), credentialYAML("hub", "hub", fmt.Sprintf(`  outputs:
  - secretName: hub-kubeconfig
  - secretName: cluster-hub
    namespace: %s
    format: ArgoCD
    deletionPolicy: Delete`, away)))
	published := func(want v1alpha1.Reason) func() error {
		return func() error {
			for _, c := range w.get("hub").Status.Conditions {
				if c.Type == v1alpha1.ConditionPublished && c.Reason == string(want) {
					return nil
				}
			}
			return fmt.Errorf("published is not %s: %v", want, w.get("hub").Status.Conditions)
		}
	}
	secretAway := func() *corev1.Secret {
		secret := &corev1.Secret{}
		err := w.client.Get(t.Context(), client.ObjectKey{Namespace: away, Name: "cluster-hub"}, secret)
		if apierrors.IsNotFound(err) {
			return nil
		}
		w.must(err)
		return secret
	}
	w.eventually(eventTime, published(v1alpha1.ReasonNotGranted))
	if secretAway() != nil {
		t.Fatal("it was written without consent")
	}

	grant := fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: CredentialGrant
metadata: {name: hub, namespace: %s}
spec:
  from: [{namespace: %s}]
  to: {secretNames: ["cluster-*"], formats: [ArgoCD]}
`, away, w.namespace)
	consent := func() {
		if _, err := w.KubectlInput(grant, "apply", "-f", "-"); err != nil {
			t.Fatal(err)
		}
	}
	consent()
	w.waitReady("hub")
	w.eventually(eventTime, published(v1alpha1.ReasonPublished))
	if secretAway() == nil {
		t.Fatal("it is published, and not there")
	}
	w.kubectl("delete", "--namespace", away, "credentialgrant", "hub")
	withdrawn := time.Now()
	w.eventually(eventTime, published(v1alpha1.ReasonNotGranted))
	t.Logf("consent that was withdrawn counts after %s", time.Since(withdrawn).Round(time.Millisecond))
	before := secretAway()
	w.requestRenewal("1", "hub")
	w.eventually(eventTime, func() error {
		if got := w.get("hub").Status.Revision; got != 2 {
			return fmt.Errorf("revision %d", got)
		}
		return nil
	})
	if secretAway().ResourceVersion != before.ResourceVersion {
		t.Error("it was written after consent was withdrawn")
	}
	consent()
	w.eventually(eventTime, published(v1alpha1.ReasonPublished))

	w.kubectl("delete", "clustercredential", "hub", "--timeout=20s")
	if secretAway() != nil {
		t.Error("the Secret did not go with its object")
	}
	w.wantPosts(2, "hub")
}
