// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestARetainedSecretStaysAndIsTakenBack(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"kept"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("kept", "kept"))
	w.waitReady("kept")
	before := w.secret("kept-kubeconfig")

	w.kubectl("delete", "clustercredential", "kept")
	w.eventually(eventTime, func() error {
		secret := w.secret("kept-kubeconfig")
		switch {
		case secret == nil:
			return fmt.Errorf("the Secret is gone")
		case secret.Annotations[v1alpha1.AnnotationReleasedAt] == "":
			return fmt.Errorf("the Secret does not say that it was released")
		case string(secret.Data["value"]) != string(before.Data["value"]):
			return fmt.Errorf("the Secret's bytes have changed")
		}
		if _, err := time.Parse(time.RFC3339, secret.Annotations[v1alpha1.AnnotationReleasedAt]); err != nil {
			return err
		}
		return w.wantEvent("kept-kubeconfig", "Released", before.Annotations[v1alpha1.AnnotationNotAfter])
	})

	w.apply(credentialYAML("kept", "kept"))
	w.waitReady("kept")
	w.wantPosts(1, "kept")
	after := w.secret("kept-kubeconfig")
	if after.UID != before.UID || string(after.Data["value"]) != string(before.Data["value"]) {
		t.Error("the Secret was not taken back as it was")
	}
	if at, still := after.Annotations[v1alpha1.AnnotationReleasedAt]; still {
		t.Errorf("the Secret still says that it was released at %s", at)
	}
	if got, want := after.Annotations[v1alpha1.AnnotationCredentialUID], string(w.get("kept").UID); got != want {
		t.Errorf("the Secret names the UID %s, want that of the new object, %s", got, want)
	}
	if got := w.get("kept").Status.Revision; got != 1 {
		t.Errorf("revision is %d, want 1", got)
	}
}

func TestARetainedSecretIsReleasedThoughTheManagerWasAway(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"away"}})
	manager := w.startManager()
	w.apply(accountYAML(), credentialYAML("away", "away"))
	w.waitReady("away")
	w.must(manager.Kill())
	w.kubectl("delete", "clustercredential", "away", "--timeout=20s")
	w.startManager()
	w.eventually(eventTime, func() error {
		if w.secret("away-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
			return fmt.Errorf("the Secret does not say that it was released")
		}
		return nil
	})
}

func TestDeleteTakesTheSecretAlong(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"gone", "turned"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("gone", "gone", "  deletionPolicy: Delete"), credentialYAML("turned", "turned"))
	w.waitReady("gone", "turned")
	// A policy that changes later counts as well.
	w.apply(credentialYAML("turned", "turned", "  deletionPolicy: Delete"))
	for _, name := range []string{"gone", "turned"} {
		w.eventually(eventTime, func() error {
			if owners := w.secret(name + "-kubeconfig").OwnerReferences; len(owners) != 1 || owners[0].UID != w.get(name).UID {
				return fmt.Errorf("the Secret of %s has the owners %+v", name, owners)
			}
			return nil
		})
	}
	w.kubectl("delete", "clustercredential", "gone", "turned", "--timeout=20s")
	w.eventually(30*time.Second, func() error {
		for _, name := range []string{"gone", "turned"} {
			if w.secret(name+"-kubeconfig") != nil {
				return fmt.Errorf("the garbage collector has left the Secret of %s", name)
			}
		}
		return nil
	})
}

func TestANamespaceGoesThoughTheCloudIsDown(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"down-1", "down-2", "down-3"}, alone: true})
	w.startManager()
	w.apply(accountYAML(),
		credentialYAML("down-1", "down-1"),
		credentialYAML("down-2", "down-2", "  deletionPolicy: Delete"))
	w.waitReady("down-1", "down-2")
	w.cloud.goesDown()
	w.apply(credentialYAML("down-3", "down-3")) // one that is being asked for
	w.eventually(eventTime, func() error {
		return w.says("down-3", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnavailable)
	})
	begin := time.Now()
	w.kubectl("delete", "namespace", w.namespace, "--timeout=29s")
	t.Logf("the namespace was gone after %s", time.Since(begin).Round(time.Second))
}
