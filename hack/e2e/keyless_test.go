// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/ccesim"
	"github.com/clustercredential/operator/hack/stack"
)

// The operator obtains its keys itself, as the agency of its Pod and by a login, and gets over a key that the cloud does not take any
// more.
func TestTheOperatorObtainsItsKeysItself(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"by-pod", "by-login"}})
	pod := httptest.NewServer(w.cloud.sim.PodIdentityHandler())
	t.Cleanup(pod.Close)
	podToken, idToken := filepath.Join(t.TempDir(), "token"), filepath.Join(w.projected(), "token")
	w.must(os.WriteFile(podToken, []byte(canaryPodToken), 0o600))
	w.must(os.WriteFile(idToken, []byte(canaryIDToken), 0o600))
	w.env = []string{
		"HC_CONTAINER_CREDENTIALS_FULL_URI=" + pod.URL + ccesim.PodIdentityPath, "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + podToken,
	}
	manager := w.startManager("--zap-log-level=10")

	w.lend("by-pod", "{podIdentity: {}}")
	w.lend("by-login", fmt.Sprintf("{oidc: {idpID: %s, tokenFile: %s}}", identityProvider, idToken))
	w.waitReady("by-pod", "by-login")
	w.wantPosts(2)
	if got := w.get("by-pod").Status.Certificate.CommonName; got != agencyID {
		t.Errorf("the certificate is for %s, want the agency %s", got, agencyID)
	}
	if got := w.get("by-login").Status.Certificate.CommonName; got == agencyID || got == stack.UserID || got == "" {
		t.Errorf("the certificate is for %q, want a user that the login has made", got)
	}
	for _, name := range []string{"by-pod", "by-login"} {
		w.eventually(eventTime, func() error { return w.says(name, v1alpha1.ConditionVerified, "True", v1alpha1.ReasonAccepted) })
	}
	w.scanProcess(manager)

	// As if the agency had been made anew. A key in a Secret would be held for an hour.
	w.cloud.sim.RevokeTemporaryKeys()
	w.requestRenewal("after-that", "by-pod")
	w.eventually(eventTime, func() error { return w.says("by-pod", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnauthorized) })
	w.eventually(2*noticed, func() error {
		if got := w.get("by-pod").Status.Revision; got != 2 {
			return fmt.Errorf("revision %d: no other key was obtained", got)
		}
		return nil
	})
}

// Every fault strikes both steps of a login. None of it shows the token of the Pod, that of IAM, or the key.
func TestNothingSecretIsSaidAmidFaultsOfLogins(t *testing.T) {
	docs, err := theSuite(t).Sim.FaultNames()
	if err != nil {
		t.Fatal(err)
	}
	docs = slices.DeleteFunc(docs, func(d stack.FaultDoc) bool { return !d.AnyOp })
	steps := []ccesim.Op{ccesim.OpIDToken, ccesim.OpSecurityToken}
	var o options
	for _, step := range steps {
		for i := range docs {
			o.clusters = append(o.clusters, fmt.Sprint(step, "-", i))
		}
	}
	w := newWorld(t, o)
	dir := w.projected()
	manager := w.startManager("--zap-log-level=10")
	for _, step := range steps {
		for i, fault := range docs {
			w.must(w.cloud.Script(stack.Fault{Name: fault.Name, Op: string(step)}))
			name := fmt.Sprint(step, "-", i)
			token := filepath.Join(dir, name) // one file each, so that each logs in for itself
			w.must(os.WriteFile(token, []byte(canaryIDToken), 0o600))
			w.lend(name, fmt.Sprintf("{oidc: {idpID: %s, tokenFile: %s}}", identityProvider, token))
		}
		w.eventually(time.Minute, func() error {
			if left := w.cloud.sim.Scripted(); len(left) > 0 {
				return fmt.Errorf("%d faults have hit no login, the first is %s", len(left), left[0].Name)
			}
			return nil
		})
	}
	// Some of them work by now: what counts is that it was told.
	told := 0
	w.eventually(time.Minute, func() error {
		told = 0
		for _, name := range o.clusters {
			if slices.ContainsFunc(w.events(name), func(e eventsv1.Event) bool { return e.Type == corev1.EventTypeWarning }) {
				told++
			}
		}
		if told < len(docs) {
			return fmt.Errorf("of %d faults only %d were told", len(steps)*len(docs), told)
		}
		return nil
	})
	t.Logf("%d logins, of which %d are told to have failed, %d tokens and %d keys were given out, looking for %d pieces",
		len(o.clusters), told, len(w.cloud.sim.LoginTokens()), len(w.cloud.sim.TemporaryKeys()), len(w.needles()))
	w.scanProcess(manager)
}

// projected is a directory where the tokens of a Pod may be.
func (w *world) projected() string {
	w.t.Helper()
	const below = "/var/run/secrets"
	if err := os.MkdirAll(below, 0o755); err != nil {
		w.t.Skipf("spec.auth.oidc.tokenFile lies below %s, where this user may not write: %v", below, err)
	}
	dir, err := os.MkdirTemp(below, "e2e-")
	if err != nil {
		w.t.Skipf("spec.auth.oidc.tokenFile lies below %s, where this user may not write: %v", below, err)
	}
	w.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// lend makes a ClusterCloudAccount, and a ClusterCredential that borrows it, for the cluster of the same name.
func (w *world) lend(name, auth string) {
	w.t.Helper()
	account := w.namespace + "-" + name
	w.t.Cleanup(func() { _, _ = w.Kubectl("delete", "clustercloudaccount", account, "--wait=false") })
	w.kubectlInput(fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCloudAccount
metadata: {name: %s}
spec:
  region: %s
  projectID: %s
  auth: %s
  limits: {issuesPerMinute: 1000000}
  grants:
  - namespaces: {names: [%s]}
`, account, stack.Region, stack.ProjectID, auth, w.namespace))
	w.apply(fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCredential
metadata: {name: %[1]s}
spec:
  accountRef: {kind: ClusterCloudAccount, name: %[2]s}
  cluster: {id: %[3]s}
`, name, account, w.ClusterID(name)))
}
