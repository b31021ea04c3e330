// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestAClusterIsFoundByItsName(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"by-name"}})
	w.startManager()
	w.apply(accountYAML(), credentialOf("named", theAccount, "{name: by-name}"))
	w.waitReady("named")
	if got := w.get("named").Status; got.ClusterID != w.ClusterID("by-name") || got.Cluster != "by-name" {
		t.Errorf("status tells of cluster %s (%s)", got.Cluster, got.ClusterID)
	}
	// Its id is the same cluster.
	w.apply(credentialOf("named", theAccount, "{name: null, id: "+w.ClusterID("by-name")+"}"))
	w.eventually(eventTime, func() error { return w.says("named", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid) })
	w.wantPosts(1)

	twin := w.NewCluster("by-name")
	twin.ID = w.ClusterID("twin")
	w.must(w.cloud.PutCluster(twin))
	w.apply(credentialOf("twins", theAccount, "{name: by-name}"))
	w.eventually(eventTime, func() error {
		return w.says("twins", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonClusterAmbiguous)
	})
	if message := condition(w.get("twins"), v1alpha1.ConditionIssued).Message; !strings.Contains(message, twin.ID) || !strings.Contains(message, w.ClusterID("by-name")) {
		t.Errorf("the message does not list both ids: %s", message)
	}
	w.apply(credentialOf("nobody", theAccount, "{name: nobody}"))
	w.eventually(eventTime, func() error {
		return w.says("nobody", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonClusterNotFound)
	})
	w.wantPosts(1)
}

func TestASuspendedCredentialIsLeftAlone(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"asleep"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("asleep", "asleep"))
	w.waitReady("asleep")
	before := w.serial("asleep")
	w.apply(credentialYAML("asleep", "asleep", "  suspend: true"))
	w.eventually(eventTime, func() error {
		return w.says("asleep", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonSuspended)
	})
	w.must(w.says("asleep", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid))

	// Neither a request, nor a change, nor a lost Secret is seen to.
	w.requestRenewal("while asleep", "asleep")
	w.apply(credentialYAML("asleep", "asleep", "  suspend: true\n  validity: {days: 7}"))
	w.kubectl("delete", "secret", "asleep-kubeconfig")
	w.throughout(5*time.Second, func() error {
		if w.secret("asleep-kubeconfig") != nil || len(w.posts()) > 1 {
			return fmt.Errorf("something was done while suspended")
		}
		return nil
	})
	w.eventually(eventTime, func() error {
		if ready := condition(w.get("asleep"), v1alpha1.ConditionReady); ready.Status != "False" {
			return fmt.Errorf("the Secret is gone and Ready is %s", ready.Status)
		}
		return nil
	})

	w.apply(credentialYAML("asleep", "asleep", "  suspend: false\n  validity: {days: 7}"))
	w.waitReady("asleep")
	w.wantPosts(2) // one for all three
	if after := w.serial("asleep"); after == before {
		t.Error("the certificate is still the old one")
	}
	if got := w.get("asleep").Status.LastHandledRenewRequest; got != "while asleep" {
		t.Errorf("the handled request is %q", got)
	}
}

func TestManualHoldsBackExpiryOnly(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"manual"}, lifetime: 30 * time.Second})
	w.startManager("--min-issue-interval=5s")
	w.apply(accountYAML(), credentialYAML("manual", "manual", "  renewal: {policy: Manual, before: 20s}"))
	w.waitReady("manual")
	w.eventually(25*time.Second, func() error {
		if message := condition(w.get("manual"), v1alpha1.ConditionIssued).Message; !strings.Contains(message, "manual renewal is due") {
			return fmt.Errorf("Issued does not say that a manual renewal is due: %s", message)
		}
		return nil
	})
	w.must(w.says("manual", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued))
	w.wantPosts(1)
}

// A request is one certificate, also while the object goes on carrying it and after a restart.
func TestARequestMakesOneRenewal(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"asked"}})
	w.startManager()
	asked := strings.Replace(credentialYAML("asked", "asked"), "name: asked\n", "name: asked\n  annotations: {clustercredential.dev/renew-requested-at: first}\n", 1)
	w.apply(accountYAML(), asked)
	w.waitReady("asked")
	if got := w.get("asked").Status.LastHandledRenewRequest; got != "first" {
		t.Errorf("a first certificate handles the request that is there; the handled one is %q", got)
	}
	before := w.secret("asked-kubeconfig")
	for _, value := range []string{"second", "third"} {
		w.requestRenewal(value, "asked")
		w.eventually(80*time.Second, func() error { // at most one a minute
			if got := w.secret("asked-kubeconfig").Annotations[v1alpha1.AnnotationRenewRequest]; got != value {
				return fmt.Errorf("the Secret says that %q was handled, want %q", got, value)
			}
			return nil
		})
	}
	if after := w.secret("asked-kubeconfig"); after.UID != before.UID || string(after.Data["value"]) == string(before.Data["value"]) {
		t.Error("the Secret is another one, or still the same")
	}
	w.wantPosts(3, "asked")
	if posts := w.posts("asked"); posts[2].Time.Sub(posts[1].Time) < 59*time.Second {
		t.Errorf("two requests were answered within %s", posts[2].Time.Sub(posts[1].Time))
	}
	w.requestRenewal("second", "asked") // what Git still says: the last two count as handled
	w.must(w.manager().Kill())
	w.startManager()
	w.stillness("with an old request", 3, "asked")
}

// Another cluster under the same Secret name: what is there stays until the new credential is there, and is not called Ready.
func TestAnotherClusterTurnsReadyFalseUntilItsCredentialIsThere(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"here", "there"}})
	w.must(w.cloud.PatchCluster(w.ClusterID("there"), map[string]any{"phase": "Hibernation"}))
	w.startManager()
	w.apply(accountYAML(), credentialYAML("switch", "here"))
	w.waitReady("switch")
	before := w.published("switch")

	w.apply(credentialYAML("switch", "there"))
	w.eventually(eventTime, func() error {
		return w.says("switch", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonClusterNotAvailable)
	})
	if ready := condition(w.get("switch"), v1alpha1.ConditionReady); ready.Status != "False" {
		t.Errorf("Ready is %s (%s) while the Secret holds another cluster's credential", ready.Status, ready.Message)
	}
	if string(w.published("switch")) != string(before) {
		t.Error("the Secret was changed before there was another credential")
	}
	w.must(w.cloud.PatchCluster(w.ClusterID("there"), map[string]any{"phase": "Available"}))
	w.eventually(40*time.Second, func() error { return w.says("switch", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid) })
	if got := w.get("switch").Status.ClusterID; got != w.ClusterID("there") {
		t.Errorf("the credential is of cluster %s", got)
	}
	w.wantPosts(1, "here")
	w.eventually(eventTime, func() error { return w.wantEvent("switch", "Issued", "whoever reads the Secret follows") })
	// And back, at once.
	w.apply(credentialYAML("switch", "here"))
	w.eventually(eventTime, func() error {
		if err := w.says("switch", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid); err != nil {
			return err
		}
		if got := w.get("switch").Status.ClusterID; got != w.ClusterID("here") {
			return fmt.Errorf("the credential is of cluster %s", got)
		}
		return nil
	})
}

func TestAnotherAddressAsksForNothing(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"address"}})
	w.must(w.cloud.PatchCluster(w.ClusterID("address"), map[string]any{"customSANs": []string{"api.example.com"}}))
	w.startManager()
	w.apply(accountYAML(), credentialYAML("address", "address"))
	w.waitReady("address")
	for _, c := range []struct{ endpoint, access, server string }{
		{"{access: Internal}", "Internal", internalURL},
		{"{context: customSAN-0}", "Custom", "https://api.example.com:5443"},
		{"{access: External}", "External", w.Kube.URL()},
		{"{access: Auto}", "External", w.Kube.URL()},
	} {
		w.apply(credentialYAML("address", "address", "  endpoint: "+c.endpoint))
		w.eventually(eventTime, func() error {
			if !strings.Contains(string(w.published("address")), "server: "+c.server+"\n") {
				return fmt.Errorf("with endpoint %s, the published server is not %s", c.endpoint, c.server)
			}
			if got := w.get("address").Status; string(got.Access) != c.access || got.Server != c.server {
				return fmt.Errorf("with endpoint %s, status tells of %s %s", c.endpoint, got.Access, got.Server)
			}
			return w.says("address", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
		})
	}
	w.wantPosts(1)
}
