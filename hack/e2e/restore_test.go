// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/realkube"
	"github.com/clustercredential/operator/hack/stack"
)

// Before the snapshot there are four credentials. After it one of them is renewed, one gets another spec, one is deleted, and
// one more is made.
var (
	inSnapshot    = []string{"kept", "renewed", "changed", "deleted"}
	afterSnapshot = "made"
)

// postsBefore are what all this costs: one for each credential, one for the renewal and one for the spec.
const postsBefore = 7

// An etcd is put back to a snapshot, while one manager runs, and another is started only afterwards.
func TestARestoredEtcdAsksForNothing(t *testing.T) {
	own := ownSuite(t)
	front := newFront(t, own.Kube.URL())
	for _, test := range []struct {
		name string
		bump uint64
	}{
		{name: "with resourceVersions that go on", bump: 1_000_000},
		{name: "with resourceVersions that go back in time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			through := newRestoredWorld(t, own, front)
			later := newRestoredWorld(t, own, front)
			snapshot := filepath.Join(t.TempDir(), "snapshot.db")
			through.must(own.Kube.Snapshot(t.Context(), snapshot))
			through.changeAfterSnapshot()
			later.changeAfterSnapshot()
			later.must(later.manager().Kill())
			through.timePasses()

			front.shut()
			through.must(own.Kube.Restore(t.Context(), snapshot, realkube.RestoreOptions{BumpRevision: test.bump}))
			front.open()
			begin, asked := time.Now(), through.requestsSoFar()
			later.startManager()
			if test.bump == 0 {
				through.wantEndAndStartAgain(begin)
			}
			through.waitWatching(asked)
			for what, w := range map[string]*restoredWorld{"through the restore": through, "from after it on": later} {
				w.wantAsInSnapshot()
				w.wantStillAndAwake(what)
			}
		})
	}
}

// restoredWorld is a world of its own on servers that are put back.
type restoredWorld struct {
	*world
	// snapshot are the Secrets at that time, by the name of their credential.
	snapshot map[string]*corev1.Secret
}

func newRestoredWorld(t *testing.T, own *shared, front *front) *restoredWorld {
	t.Helper()
	w := newWorld(t, options{suite: own, front: front, clusters: append(slices.Clone(inSnapshot), afterSnapshot), alone: true})
	w.startManager()
	documents := []string{accountYAML()}
	for _, name := range inSnapshot {
		documents = append(documents, credentialYAML(name, name))
	}
	w.apply(documents...)
	w.waitReady(inSnapshot...)
	w.eventually(eventTime, func() error { // the last write for these four
		if n := w.kubectl("get", "cloudaccount", theAccount, "-o", "jsonpath={.status.credentials}"); n != fmt.Sprint(len(inSnapshot)) {
			return fmt.Errorf("the account counts %q credentials", n)
		}
		return nil
	})
	restored := &restoredWorld{world: w, snapshot: map[string]*corev1.Secret{}}
	for _, name := range inSnapshot {
		restored.snapshot[name] = w.secret(name + v1alpha1.DefaultSecretSuffix)
	}
	return restored
}

func (w *restoredWorld) changeAfterSnapshot() {
	w.t.Helper()
	w.requestRenewal("monday", "renewed")
	w.apply(credentialYAML("changed", "changed", "  validity: {days: 7}"), credentialYAML(afterSnapshot, afterSnapshot))
	w.kubectl("delete", "clustercredential", "deleted")
	w.waitReady(afterSnapshot)
	w.eventually(eventTime, func() error {
		switch {
		case w.get("renewed").Status.Revision != 2 || w.get("changed").Status.Revision != 2:
			return fmt.Errorf("what was asked for after the snapshot is not there yet")
		case w.secret("deleted-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "":
			return fmt.Errorf("the Secret of the deleted one is not released yet")
		}
		return nil
	})
	w.wantPosts(postsBefore)
}

// timePasses moves the API server's version on, as everything else in a cluster does, until the manager has looked how far it
// is: snapshots are older than the seconds of a test.
func (w *restoredWorld) timePasses() {
	w.t.Helper()
	for i := range 300 {
		w.must(w.client.Create(context.Background(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprintf("passing-%d", i)},
		}))
	}
	begin := w.requestsSoFar()
	w.eventually(noticed, func() error {
		if !slices.ContainsFunc(w.requestsSince(begin), func(r request) bool { return r.Verb == "list" && r.isAboutAccount() }) {
			return fmt.Errorf("the manager has not looked how far the API server is")
		}
		return nil
	})
}

// wantEndAndStartAgain is for the manager whose watches would wait for versions that are long in coming: it ends, and whoever
// started it (here the test, elsewhere the kubelet) starts it again.
func (w *restoredWorld) wantEndAndStartAgain(since time.Time) {
	w.t.Helper()
	manager := w.manager()
	select {
	case <-manager.Exited():
		w.t.Logf("the manager ended %s after the API server was back", time.Since(since).Round(time.Second))
	case <-time.After(noticed):
		w.t.Fatal("the manager goes on, though the API server was put back to an earlier state")
	}
	if code := manager.ExitCode(); code != 1 || len(manager.LogLines("earlier state")) == 0 {
		w.t.Errorf("the manager ended with code %d, and does not say why", code)
	}
	w.must(manager.Kill()) // that it has ended is in order
	w.startManager()
}

// waitWatching waits until a manager watches again: client-go tries in vain while nobody answers, and pauses longer each time.
func (w *restoredWorld) waitWatching(from int) {
	w.t.Helper()
	begin := time.Now()
	w.eventually(noticed, func() error {
		watched := map[string]bool{}
		for _, r := range w.requestsSince(from) {
			watched[r.Object.Resource] = watched[r.Object.Resource] || r.Verb == "watch" && r.Answer.Code == http.StatusOK
		}
		if !watched["clustercredentials"] || !watched["cloudaccounts"] || !watched["secrets"] {
			return fmt.Errorf("the manager does not watch: %v", watched)
		}
		return nil
	})
	w.t.Logf("the manager watched again after %s more", time.Since(begin).Round(time.Second))
}

// wantAsInSnapshot waits until everything tells of what was restored, and of nothing that came later.
func (w *restoredWorld) wantAsInSnapshot() {
	w.t.Helper()
	w.eventually(noticed, func() error {
		for _, name := range inSnapshot {
			if err := w.isAsInSnapshot(name); err != nil {
				return err
			}
		}
		return nil
	})
	cc := &v1alpha1.ClusterCredential{}
	if err := w.client.Get(context.Background(), w.key(afterSnapshot), cc); !apierrors.IsNotFound(err) {
		w.t.Errorf("the credential that was made after the snapshot: %v, want NotFound", err)
	}
	if w.secret(afterSnapshot+v1alpha1.DefaultSecretSuffix) != nil {
		w.t.Error("the Secret of the credential that was made after the snapshot is there")
	}
	w.wantPosts(postsBefore)
	for name, secret := range w.snapshot {
		w.wantLogins(name, secret)
	}
}

func (w *restoredWorld) isAsInSnapshot(name string) error {
	w.t.Helper()
	want, got := w.snapshot[name], w.secret(name+v1alpha1.DefaultSecretSuffix)
	switch cc := w.get(name); {
	case got == nil || got.UID != want.UID || !bytes.Equal(got.Data["value"], want.Data["value"]):
		return fmt.Errorf("the Secret of %s is not as it was restored", name)
	case got.Annotations[v1alpha1.AnnotationReleasedAt] != "":
		return fmt.Errorf("the Secret of %s says that it is released", name)
	case cc.Status.Certificate == nil || cc.Status.Certificate.SerialNumber != w.serial(name):
		return fmt.Errorf("status of %s tells of the certificate %+v, which is not the stored one", name, cc.Status.Certificate)
	case cc.Status.Issuance != nil:
		return fmt.Errorf("%s has an open attempt: %+v", name, cc.Status.Issuance)
	}
	if err := w.says(name, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued); err != nil {
		return err
	}
	return w.says(name, v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
}

// wantLogins logs in a few times with what a Secret holds.
func (w *world) wantLogins(name string, secret *corev1.Secret) {
	w.t.Helper()
	prober, err := w.Prober(stack.ProbeOptions{Namespace: w.namespace, Secret: secret.Name, Interval: 10 * time.Millisecond})
	w.must(err)
	defer prober.Stop()
	w.eventually(eventTime, func() error {
		if seen := prober.Seen(); seen.Attempts < 3 {
			return fmt.Errorf("%s: %d logins in all", name, seen.Attempts)
		}
		return nil
	})
	if failures := prober.Seen().Failures; len(failures) > 0 {
		w.t.Errorf("%s: logins failed: %+v", name, failures)
	}
}

// wantStillAndAwake sees that nothing is written while nothing is due, and that what the restore took back is done again if
// somebody wishes it again: the manager neither believes that it was done already, nor sleeps.
func (w *restoredWorld) wantStillAndAwake(what string) {
	w.t.Helper()
	begin := w.requestsSoFar()
	w.throughout(5*time.Second, func() error {
		if writes := aboutCredentials(w.changesSince(begin)); len(writes) > 0 {
			return fmt.Errorf("the manager that ran %s wrote, though nothing was due:\n%s", what, show(writes))
		}
		return nil
	})
	w.wantPosts(postsBefore)
	w.requestRenewal("monday", "renewed")
	w.eventually(noticed, func() error {
		if w.get("renewed").Status.LastHandledRenewRequest != "monday" || w.serial("renewed") == w.snapshotSerial("renewed") {
			return fmt.Errorf("the manager that ran %s does not carry out a request", what)
		}
		return nil
	})
	w.wantPosts(postsBefore + 1)
}

func (w *restoredWorld) snapshotSerial(name string) string {
	w.t.Helper()
	serial, err := stack.Serial(w.snapshot[name].Data[v1alpha1.DefaultSecretKey])
	w.must(err)
	return serial
}
