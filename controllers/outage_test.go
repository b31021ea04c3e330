// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

var errDown = errors.New("connection refused")

// The API server goes down between the call and the Secret, and stays down: the only copy of the key is in
// memory, and is stored within seconds once it is up again.
func TestAKeyThatWaitsThroughAnOutageIsStoredSoonAfterIt(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	down := false
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		down = down || call == testkit.Call{Verb: "create", Kind: "Secret"}
		if down && call.Kind == "Secret" && call.Verb == "create" {
			return testkit.Forbidden(), false // refused at once, where an answer that does not come takes 15 s
		}
		if down {
			return errDown, false
		}
		return nil, false
	})
	for range 10 {
		result, err := w.Try("prod-1")
		if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > 10*time.Second {
			t.Fatalf("with a key in memory it looks again after %v, %v", result.RequeueAfter, err)
		}
		w.Advance(result.RequeueAfter)
	}
	wantPosts(t, w, 1)
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
	wantServes(t, w, "prod-1")
}

// An intent that cannot be written is an error of the pass, which the queue backs off from and logs.
func TestAnIntentThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	failOnce(w, "update", "ClusterCredential/status", 1, testkit.Forbidden())
	if _, err := w.Try("prod-1"); err == nil {
		t.Error("nobody is told")
	}
	wantPosts(t, w, 0)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
}

// The cloud writes fractions of a second, and status whole ones.
func TestAShortRetryAfterIsNotForgotten(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Advance(300 * time.Millisecond)
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultThrottled, Op: "show-cluster", Times: 1, RetryAfter: 0.4}))
	w.Create(w.Credential("prod-1"))
	if result := w.Pass("prod-1"); result.RequeueAfter > 5*time.Second {
		t.Errorf("it looks again after %v", result.RequeueAfter)
	}
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
}

// Secrets that were outputs once hold what is not current any more, of another cluster even. They must not
// come back where the cloud cannot give anything newer.
func TestAReleasedSecretIsNoSourceOnceItsCertificateIsNotTheCurrentOne(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*testkit.World){
		"the primary is deleted": func(w *testkit.World) { w.Must(w.Client.Delete(w.T.Context(), w.Secret("elsewhere"))) },
		"the primary is stripped": func(w *testkit.World) {
			secret := w.Secret("elsewhere")
			secret.Labels, secret.Annotations = nil, nil
			w.Must(w.Client.Update(w.T.Context(), secret))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := established(t)
			w.Change("prod-1", movedTo("elsewhere"))
			w.Settle("prod-1")
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID })
			w.Settle("prod-1")
			wantPosts(t, w, 2)
			released := w.Secret("prod-1-kubeconfig").Data["value"]
			serial := w.Get("prod-1").Status.Certificate.SerialNumber
			w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultUnavailable, Times: ccesim.Forever}))
			harm(w)
			for range 3 {
				w.Advance(max(time.Second, w.Pass("prod-1").RequeueAfter))
			}
			if w.Client.Get(t.Context(), w.Key("elsewhere"), &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}) == nil &&
				string(w.Secret("elsewhere").Data["value"]) == string(released) {
				t.Error("the credential of the former cluster was published again")
			}
			w.Sim.ClearScript()
			w.Settle("prod-1")
			wantConditions(t, w.Get("prod-1"), healthy)
			if name == "the primary is stripped" && w.Get("prod-1").Status.Certificate.SerialNumber != serial {
				t.Error("a stripped Secret cost a certificate")
			}
		})
	}
}

// A cache tells objects in any order, and status tells them in one.
func TestSeveralReleasedSecretsAreToldInOneOrder(t *testing.T) {
	t.Parallel()
	w := established(t)
	for _, name := range []string{"d", "b", "c", "a", "last"} {
		w.Change("prod-1", movedTo(name))
		w.Settle("prod-1")
	}
	var names []string
	for _, o := range w.Get("prod-1").Status.Outputs {
		names = append(names, o.SecretName)
	}
	if diff := cmp.Diff([]string{"last", "a", "b", "c", "d", "prod-1-kubeconfig"}, names); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// The cluster of a name was made anew, and its first certificate cannot be stored at once: it is the one that is wanted.
func TestACertificateOfAClusterThatWasMadeAnewWaitsToBeStoredToo(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-2"} }))
	w.Settle("x")
	w.Sim.RemoveCluster(testkit.OtherID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: "33333333-3333-4333-8333-333333333333", Name: "prod-2", ProjectID: testkit.ProjectID, InternalURL: "https://192.168.0.30:5443"}))
	w.Advance(time.Hour)
	w.Change("x", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(7))} })
	failOnce(w, "apply", "Secret", 1, testkit.Forbidden())
	w.Pass("x")
	wantPosts(t, w, 2)
	w.Recorder.Reset(nil)
	w.Settle("x")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("x"), healthy)
}

// A watch of the key that does not come must not keep back what needs no key.
func TestAKeyThatIsNotShownHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.ShowKeys(false)
	secret := w.Secret("prod-1-kubeconfig")
	secret.Annotations = nil
	w.Must(w.Client.Update(t.Context(), secret))
	w.Change("prod-1", newValue("x"))
	result := w.Pass("prod-1")
	w.Recorder.Reset(nil)
	for range 3 {
		w.Advance(result.RequeueAfter)
		result = w.Pass("prod-1")
	}
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("writes while nothing is new: %v", writes)
	}
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "True/Valid", "Issued": "False/CredentialsMissing", "Published": "True/Published",
	})
	if w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationFingerprint] == "" {
		t.Error("the marks were not put back")
	}
	if result.RequeueAfter > time.Minute {
		t.Errorf("it looks again after %v", result.RequeueAfter)
	}
	w.ShowKeys(true)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
}

// A key that is not shown for a while is no other key: what was refused stays refused.
func TestAKeyThatIsNotShownForgivesNoFailure(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultBadRequest, Times: ccesim.Forever}))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(7))} })
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	before := w.Get("prod-1").Status
	w.ShowKeys(false)
	w.Advance(time.Minute)
	w.Pass("prod-1")
	w.ShowKeys(true)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if diff := cmp.Diff(before, w.Get("prod-1").Status); diff != "" {
		t.Errorf("status (-before +after):\n%s", diff)
	}
}

// The newest certificate is stored, status does not know it yet, and a released Secret holds the one that status knows.
func TestAReleasedSecretDoesNotOverwriteWhatStatusDoesNotKnowYet(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", movedTo("elsewhere"))
	w.Settle("prod-1")
	w.Advance(21 * day)
	failOnce(w, "update", "ClusterCredential/status", 2, errDown)
	if _, err := w.Try("prod-1"); err == nil {
		t.Fatal("the status was written: this shows nothing")
	}
	w.Recorder.Reset(nil)
	stored := w.Secret("elsewhere").Data["value"]
	w.Restart()
	w.Settle("prod-1")
	if string(w.Secret("elsewhere").Data["value"]) != string(stored) {
		t.Error("the newest certificate was overwritten")
	}
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
}

// Deleted and created again while it waits in line, and seen as one event: the one that is gone gives up its place.
func TestWhoeverIsReplacedLeavesTheLine(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	account := w.CloudAccount()
	account.Spec.Limits = nil
	w.Replace(account)
	w.Restart()
	next := map[string]time.Time{"prod-1": w.Clock.Now().Add(time.Hour)}
	w.Must(w.Reconciler.Lead(t.Context(), calls{next: next, now: w.Clock.Now}))
	w.Create(w.Credential("prod-1"))
	w.Pass("prod-1")
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	w.Create(w.Credential("prod-1"))
	w.Pass("prod-1")
	w.Advance(8 * time.Second)
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
}
