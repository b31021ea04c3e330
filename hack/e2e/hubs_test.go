// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/hack/stack"
)

// Five consumers, one certificate; an address that moves reaches all of them within one look, without a certificate, and after the
// real API server has accepted the credential there.
func TestFiveOutputsCostOneCertificateAndFollowAMovedAddress(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"prod"}})
	w.startManager("--cluster-interval=2s", "--verify-interval=2s")
	w.apply(accountYAML(), credentialYAML("prod", "prod", `  verification: Required
  outputs:
  - {secretName: prod-kubeconfig}
  - {secretName: argo, format: ArgoCD}
  - {secretName: capi-kubeconfig, format: ClusterAPI}
  - {secretName: istio, format: Istio}
  - {secretName: vela, format: KubeVela}
`))
	w.waitReady("prod")
	w.wantServer(w.Kube.URL(), 1)

	moved := strings.Replace(w.Kube.URL(), "127.0.0.1", "localhost", 1)
	w.must(w.cloud.PatchCluster(stack.ClusterID("prod"), map[string]any{"externalURL": moved}))
	w.eventually(eventTime, func() error { return w.hasServer(moved) })
	w.wantServer(moved, 1)
	w.eventually(eventTime, func() error { return w.wantEvent("prod", "EndpointChanged", moved) })
	w.kubectl("annotate", "-n", w.namespace, "clustercredential/prod", v1alpha1.AnnotationRenewRequestedAt+"=1")
	w.eventually(eventTime, func() error {
		if revision := w.get("prod").Status.Revision; revision != 2 {
			return fmt.Errorf("the revision is %d, want 2", revision)
		}
		return nil
	})
	w.wantServer(moved, 2)
}

// hasServer says which output does not name a server; nil: all do, with the published certificate.
func (w *world) hasServer(server string) error {
	cc := w.get("prod")
	if !meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionVerified) {
		return fmt.Errorf("the API server has not accepted it")
	}
	for _, o := range cc.Spec.Outputs {
		c, err := output.Read(w.secret(o.SecretName).Data, o, output.Facts{Namespace: w.namespace, Name: "prod"})
		if err != nil {
			return fmt.Errorf("%s: %w", o.SecretName, err)
		}
		if c.Server != server || c.Fingerprint != cc.Status.Certificate.FingerprintSHA256 {
			return fmt.Errorf("%s names %s, want %s with the published certificate", o.SecretName, c.Server, server)
		}
	}
	return nil
}

func (w *world) wantServer(server string, posts int) {
	w.t.Helper()
	w.must(w.hasServer(server))
	if got := len(w.posts("prod")); got != posts {
		w.t.Errorf("%d certificates were asked for, want %d", got, posts)
	}
}
