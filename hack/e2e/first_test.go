// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// eventTime bounds what happens at once.
const eventTime = 30 * time.Second

// The main job, as the README tells it: with a cloud that is a process of its own, and everything unset that can be.
func TestAFirstCredentialLogsIn(t *testing.T) {
	w := newWorld(t, options{})
	w.cloud.Sim = w.Sim // that of the suite
	w.startManager()
	w.apply(
		keyYAML(theKeys, stack.AccessKey, stack.SecretKey),
		fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: CloudAccount
metadata:
  name: %s
spec:
  region: %s
  auth:
    accessKey:
      secretRef:
        name: %s
`, theAccount, stack.Region, theKeys),
		credentialYAML("prod-1", "prod-1"),
	)
	w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "clustercredential/prod-1", "cloudaccount/"+theAccount)

	file := filepath.Join(t.TempDir(), "kubeconfig")
	w.must(os.WriteFile(file, w.published("prod-1"), 0o600))
	who, err := w.Kubectl("--kubeconfig", file, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	w.must(err)
	if who != stack.UserID {
		t.Errorf("the kubeconfig logs in as %q, want the IAM user %q", who, stack.UserID)
	}
	if project := w.kubectl("get", "cloudaccount", theAccount, "-o", "jsonpath={.status.projectID}"); project != stack.ProjectID {
		t.Errorf("the project that was looked up is %q, want %q", project, stack.ProjectID)
	}

	table := w.kubectl("get", "ccred")
	for _, column := range []string{"NAME", "READY", "ISSUED", "CLUSTER", "EXPIRES", "RENEWS", "AGE"} {
		if !strings.Contains(table, column) {
			t.Errorf("kubectl get shows no column %s:\n%s", column, table)
		}
	}
	cc := w.get("prod-1")
	for _, want := range []string{"True", "Issued", "prod-1", cc.Status.Certificate.NotAfter.UTC().Format(time.RFC3339)} {
		if !strings.Contains(table, want) {
			t.Errorf("kubectl get does not show %q:\n%s", want, table)
		}
	}
	w.eventually(eventTime, func() error { return w.wantEvent("prod-1", "Issued", cc.Status.Certificate.SerialNumber) })
	w.eventually(eventTime, func() error { return w.wantEvent("prod-1", "Issued", cc.Status.Certificate.RequestID) })
	if got := cc.Status.Outputs[0].State; got != v1alpha1.OutputCurrent {
		t.Errorf("the output is %s", got)
	}
	// The operator's cache has lost it, and its writes must not.
	account := &v1alpha1.CloudAccount{}
	w.must(w.client.Get(t.Context(), w.key(theAccount), account))
	for _, o := range []client.Object{cc, account} {
		if o.GetAnnotations()[corev1.LastAppliedConfigAnnotation] == "" || len(o.GetManagedFields()) < 2 {
			t.Errorf("%T does not tell any more what kubectl applied", o)
		}
	}
}

// From Kubernetes 1.35 on, caches are filled by a watch. Older API servers are asked for lists.
func TestAnAPIServerThatCannotStreamListsWillDo(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"listed"}})
	w.env = []string{"KUBE_FEATURE_WatchListClient=false"}
	w.startManager()
	w.apply(accountYAML(), credentialYAML("listed", "listed"))
	w.waitReady("listed")
	w.must(w.manager().Kill())
	w.startManager()
	w.kubectl("delete", "secret", "listed-kubeconfig")
	w.eventually(eventTime, func() error {
		if w.serial("listed") == "" {
			return fmt.Errorf("a lost Secret is not noticed")
		}
		return nil
	})
	w.wantPosts(2)
}
