// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/testkit"
)

func foreign(w *testkit.World, name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name},
		StringData: map[string]string{"value": "somebody's own"},
	}
}

var conflicted = map[string]string{
	"Ready": "False/SecretConflict", "Issued": "False/SecretConflict", "Published": "False/SecretConflict", "Stalled": "True/SecretConflict",
}

func TestASecretOfSomebodyElseIsLeftAloneAndNothingIsAskedFor(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(foreign(w, "prod-1-kubeconfig"))
	w.Create(w.Credential("prod-1"))
	for range 5 {
		result := w.Pass("prod-1")
		if result.RequeueAfter > time.Minute {
			t.Fatalf("looked at again after %v only", result.RequeueAfter)
		}
		w.Advance(result.RequeueAfter)
	}
	wantPosts(t, w, 0)
	wantConditions(t, w.Get("prod-1"), conflicted)
	if got := string(w.Secret("prod-1-kubeconfig").Data["value"]); got != "somebody's own" {
		t.Errorf("the Secret holds %q now", got)
	}
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestASecretThatIsReplacedByAForeignOneIsNotTakenBack(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Create(foreign(w, "prod-1-kubeconfig"))
	for range 3 {
		w.Pass("prod-1")
		w.Advance(time.Minute)
	}
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), conflicted)
}

func TestTwoThatNameOneSecretAskForOneCertificate(t *testing.T) {
	t.Parallel()
	same := func(cc *v1alpha1.ClusterCredential) { cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "shared"}} }
	orders := map[string][]string{"the first by name first": {"a", "b"}, "the last by name first": {"b", "a"}}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			w := testkit.New(t)
			for _, n := range order {
				w.Create(w.Credential(n, same))
			}
			// The clock of the world starts before the objects are made.
			for range 6 {
				for _, n := range order {
					w.Pass(n)
				}
				w.Advance(3 * time.Second)
			}
			wantPosts(t, w, 1)
			holder := w.Secret("shared").Annotations[v1alpha1.AnnotationCredential]
			loser := map[string]string{"a": "b", "b": "a"}[holder]
			wantConditions(t, w.Get(holder), healthy)
			wantConditions(t, w.Get(loser), conflicted)
			published := conditionMessage(w.Get(loser), v1alpha1.ConditionPublished)
			if !strings.Contains(published, `"`+holder+`"`) {
				t.Errorf("the message does not name the holder: %s", published)
			}

			w.Must(w.Client.Delete(t.Context(), w.Get(holder)))
			w.Pass(holder)
			for range 4 {
				w.Pass(loser)
				w.Advance(time.Minute)
			}
			wantConditions(t, w.Get(loser), healthy)
			wantPosts(t, w, 1) // the same account, cluster and validity: its certificate is served on
		})
	}
}

func conditionMessage(cc *v1alpha1.ClusterCredential, kind string) string {
	for _, c := range cc.Status.Conditions {
		if c.Type == kind {
			return c.Message
		}
	}
	return ""
}

// A restored etcd shows that both are gone, one after the other.
func TestASecretThatIsGoneWithItsObjectIsNotToldOf(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.TakeEvents()
	view := w.Freeze("Secret")
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	w.Show(view)
	w.Pass("prod-1")
	if events := w.TakeEvents(); len(events) > 0 {
		t.Errorf("told of: %q", events)
	}
}

func TestARetainedSecretIsReleasedAndTakenBackWithoutACertificate(t *testing.T) {
	t.Parallel()
	w := established(t, newValue("monday"))
	before := w.Secret("prod-1-kubeconfig")
	w.TakeEvents()
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	w.Pass("prod-1")
	released := w.Secret("prod-1-kubeconfig")
	if released.Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("the Secret does not say that it was released")
	}
	if diff := cmp.Diff(before.Data, released.Data); diff != "" {
		t.Error("the data has changed")
	}
	events := strings.Join(w.TakeEvents(), "\n")
	if !strings.Contains(events, "Released") || !strings.Contains(events, before.Annotations[v1alpha1.AnnotationNotAfter]) {
		t.Errorf("no event tells of the expiry: %q", events)
	}
	w.Recorder.Reset(nil)
	w.Restart()
	w.Pass("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("released twice: %v", writes)
	}

	w.Create(w.Credential("prod-1", newValue("monday")))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
	after := w.Secret("prod-1-kubeconfig")
	if after.Annotations[v1alpha1.AnnotationReleasedAt] != "" || after.Annotations[v1alpha1.AnnotationCredentialUID] != string(w.Get("prod-1").UID) {
		t.Errorf("annotations: %v", after.Annotations)
	}
	if got := w.Get("prod-1").Status.Revision; got != 1 {
		t.Errorf("revision %d, want 1", got)
	}
}

func TestWithDeleteTheSecretHasAnOwnerThatIsPutBackAndTakenAway(t *testing.T) {
	t.Parallel()
	w := established(t, func(cc *v1alpha1.ClusterCredential) { cc.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
	uid := w.Get("prod-1").UID
	if owners := w.Secret("prod-1-kubeconfig").OwnerReferences; len(owners) != 1 || owners[0].UID != uid {
		t.Fatalf("owners: %+v", owners)
	}
	secret := w.Secret("prod-1-kubeconfig")
	secret.OwnerReferences = nil
	w.Must(w.Client.Update(t.Context(), secret))
	w.Settle("prod-1")
	if owners := w.Secret("prod-1-kubeconfig").OwnerReferences; len(owners) != 1 {
		t.Errorf("owners after a restore that lost them: %+v", owners)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	w.Settle("prod-1")
	if owners := w.Secret("prod-1-kubeconfig").OwnerReferences; len(owners) != 0 {
		t.Errorf("owners under Retain: %+v", owners)
	}
	wantPosts(t, w, 1)
}

func TestARestoredSecretUnderANewUIDIsStillOurs(t *testing.T) {
	t.Parallel()
	w := established(t)
	restored := w.Secret("prod-1-kubeconfig")
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	restored.ObjectMeta = metav1.ObjectMeta{
		Namespace: restored.Namespace, Name: restored.Name, Labels: restored.Labels, Annotations: restored.Annotations,
	}
	restored.Annotations[v1alpha1.AnnotationReleasedAt] = "2026-01-01T00:00:00Z"
	restored.Data["old-key"] = restored.Data["value"]
	restored.Data["consumer"] = []byte("its own")
	w.Create(restored)
	w.TakeEvents()
	w.Create(w.Credential("prod-1"))
	w.Restart()
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	after := w.Secret("prod-1-kubeconfig")
	if after.Annotations[v1alpha1.AnnotationReleasedAt] != "" || after.Data["old-key"] != nil || after.Data["consumer"] == nil {
		t.Errorf("annotations %v, %d data keys", after.Annotations, len(after.Data))
	}
	if events := w.TakeEvents(); len(events) != 0 {
		t.Errorf("a restore told of %q", events)
	}
	wantConditions(t, w.Get("prod-1"), healthy)
	w.Advance(21 * day)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if got := w.Get("prod-1").Status.Revision; got != 2 {
		t.Errorf("revision %d, want 2: a restore goes on counting", got)
	}
}

func TestTwoKubeconfigsWithTheSameNameInsideAreTold(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Create(w.Credential("twin", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "twin", ClusterName: w.Namespace + "-prod-1"}}
	}))
	w.Settle("twin")
	w.Advance(time.Hour)
	w.Settle("prod-1")
	for _, name := range []string{"twin", "prod-1"} {
		wantConditions(t, w.Get(name), healthy)
		if got := conditionMessage(w.Get(name), v1alpha1.ConditionPublished); !strings.Contains(got, "another kubeconfig uses the name") {
			t.Errorf("Published of %s: %s", name, got)
		}
	}
}

// namesakes are names that the cache's indexes have in one bucket, though they are different.
func namesakes(t *testing.T, within func(name string) string) (one, other string) {
	t.Helper()
	seen := map[string]string{}
	for i := range 100_000 {
		name := fmt.Sprintf("c-%d", i)
		if before, ok := seen[controllers.BucketOf(within(name))]; ok {
			return before, name
		}
		seen[controllers.BucketOf(within(name))] = name
	}
	t.Fatal("no two names are in one bucket")
	return "", ""
}

func TestNamesInOneBucketAreToldApart(t *testing.T) {
	t.Parallel()
	for what, within := range map[string]func(w *testkit.World, name string) string{
		"the name of the Secret":        func(w *testkit.World, name string) string { return w.Namespace + "/" + name + "-kubeconfig" },
		"the name in the kubeconfig":    func(w *testkit.World, name string) string { return w.Namespace + "-" + name },
		"that of the ClusterCredential": func(w *testkit.World, name string) string { return w.Namespace + "/" + name },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := testkit.New(t)
			one, other := namesakes(t, func(name string) string { return within(w, name) })
			for _, name := range []string{one, other} {
				w.Create(w.Credential(name))
				w.Settle(name)
			}
			w.Advance(time.Hour)
			w.Settle(one)
			wantPosts(t, w, 2)
			for _, name := range []string{one, other} {
				wantConditions(t, w.Get(name), healthy)
				if got := conditionMessage(w.Get(name), v1alpha1.ConditionPublished); strings.Contains(got, "another") {
					t.Errorf("Published of %s: %s", name, got)
				}
				if outputs := w.Get(name).Status.Outputs; len(outputs) != 1 {
					t.Errorf("outputs of %s: %+v", name, outputs)
				}
			}
			w.Must(w.Client.Delete(t.Context(), w.Get(one)))
			w.Pass(one)
			if released := w.Secret(other + "-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt]; released != "" {
				t.Errorf("the Secret of %s was released with %s", other, one)
			}
			w.Change(other, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Renewal = &v1alpha1.Renewal{} })
			w.Settle(other)
			if outputs := w.Get(other).Status.Outputs; len(outputs) != 1 {
				t.Errorf("outputs of %s: %+v, with what %s left behind", other, outputs, one)
			}
		})
	}
}

func TestAnImmutableSecretCostsNoCertificate(t *testing.T) {
	t.Parallel()
	w := established(t)
	secret := w.Secret("prod-1-kubeconfig")
	secret.Immutable = new(true)
	w.Must(w.Client.Update(t.Context(), secret))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(7))} })
	for range 5 {
		w.Advance(w.Pass("prod-1").RequeueAfter)
	}
	wantPosts(t, w, 1)
	if got := conditions(w.Get("prod-1")); got["Ready"] != "True/Valid" || got["Published"] != "False/WriteRefused" {
		t.Errorf("conditions: %v", got)
	}
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
}
