// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

func movedTo(name string) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Outputs = []v1alpha1.Output{{SecretName: name}} }
}

func failOnce(w *testkit.World, verb, kind string, nth int, err error) {
	n := 0
	w.Recorder.Reset(func(_ int, c testkit.Call) (error, bool) {
		if c.Verb == verb && c.Kind == kind {
			n++
			if n == nth {
				return err, false
			}
		}
		return nil, false
	})
}

func TestAnOutputIsNotMovedOntoTheSecretOfALivingHolder(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Create(w.Credential("b"))
	w.Settle("b")
	w.Change("prod-1", movedTo("b-kubeconfig"))
	for range 5 {
		w.Pass("prod-1")
	}
	if got := w.Secret("b-kubeconfig").Annotations[v1alpha1.AnnotationCredential]; got != "b" {
		t.Errorf("the Secret of the living holder b belongs to %s now", got)
	}
}

func TestACertificateThatWaitsToBeStoredOverwritesNobody(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	failOnce(w, "create", "Secret", 1, testkit.Forbidden())
	w.Pass("prod-1")
	w.Create(foreign(w, "prod-1-kubeconfig"))
	w.Advance(10 * time.Second)
	w.Pass("prod-1")
	if got := string(w.Secret("prod-1-kubeconfig").Data["value"]); got != "somebody's own" {
		t.Errorf("foreign Secret overwritten: %.20q", got)
	}
}

func TestAKeyIsRenamedWithoutALossWhereTheWriteFails(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "prod-1-kubeconfig", Key: "kubeconfig"}}
	})
	failOnce(w, "apply", "Secret", 1, errors.New("connection reset"))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
}

func TestAFullQuotaDoesNotHoldARenewal(t *testing.T) {
	t.Parallel()
	w := established(t)
	two := corev1.ResourceList{"count/secrets": resource.MustParse("2")}
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "full"}, Spec: corev1.ResourceQuotaSpec{Hard: two}}
	w.Create(q)
	q.Status = corev1.ResourceQuotaStatus{Hard: two, Used: two}
	w.Must(w.Client.Status().Update(t.Context(), q))
	counts := func() bool {
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, GenerateName: "probe-"}}
		return w.Client.Create(context.Background(), probe, client.DryRunAll) != nil
	}
	for deadline := time.Now().Add(20 * time.Second); !counts(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the quota does not count")
		}
	}
	for range 31 * 3 {
		w.Pass("prod-1")
		w.Advance(8 * time.Hour)
	}
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestAnAttemptThatCouldNotBeToldIsFollowedSoon(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Times: ccesim.Forever}))
	w.Advance(time.Hour)
	w.Change("prod-1", newValue("x"))
	failOnce(w, "update", "ClusterCredential/status", 2, errors.New("connection refused"))
	_, _ = w.Try("prod-1")
	w.Sim.ClearScript()
	w.Advance(2 * time.Minute)
	if r := w.Pass("prod-1"); r.RequeueAfter > time.Minute {
		t.Errorf("sleeps %v though the attempt is due", r.RequeueAfter)
	}
}

func TestACertificateThatIsDiscardedUnstoredIsFollowedSoon(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	failOnce(w, "create", "Secret", 1, testkit.Forbidden())
	w.Pass("prod-1")
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID })
	w.Advance(10 * time.Second)
	if r := w.Pass("prod-1"); r.RequeueAfter > time.Minute {
		t.Errorf("sleeps %v with a certificate due", r.RequeueAfter)
	}
}

func TestANameThatIsNewInTheClusterCostsOneCertificate(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Must(w.Sim.UpdateCluster(testkit.ClusterID, func(c *ccesim.Cluster) { c.CustomSANs = []string{"api.example.com"} }))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = &v1alpha1.Endpoint{Context: "customSAN-0"} })
	for range 60 {
		w.Advance(w.Pass("prod-1").RequeueAfter)
	}
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
}

// An answer names another address, and the cloud cannot be asked about it: the certificate is good, and the address stays.
func TestAnAddressThatNobodyConfirmsIsNotPublished(t *testing.T) {
	t.Parallel()
	w := established(t)
	before := w.Get("prod-1").Status
	w.Advance(21 * day)
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultOtherServer, Op: ccesim.OpIssue}))
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultUnavailable, Op: ccesim.OpShow, Times: ccesim.Forever}))
	asked := w.Sim.Requests()[string(ccesim.OpShow)]
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if fault := w.Sim.Ledger()[1].Fault; fault != ccesim.FaultOtherServer || w.Sim.Requests()[string(ccesim.OpShow)] == asked {
		t.Fatalf("the answer has the fault %q, and the cloud was asked for the cluster %d times", fault, w.Sim.Requests()[string(ccesim.OpShow)]-asked)
	}
	wantConditions(t, w.Get("prod-1"), healthy)
	wantServes(t, w, "prod-1")
	after := w.Get("prod-1").Status
	if after.Server != before.Server || after.Certificate.SerialNumber == before.Certificate.SerialNumber {
		t.Errorf("certificate %s through %s, after %s through %s",
			after.Certificate.SerialNumber, after.Server, before.Certificate.SerialNumber, before.Server)
	}
	if diff := cmp.Diff(before.Contexts, after.Contexts); diff != "" {
		t.Errorf("what is known to be on offer (-before +after):\n%s", diff)
	}
}

// The spec names another cluster, whose answer names an address that it does not have: what is published stays.
func TestAnAddressThatIsNotTheOtherClustersIsNotPublished(t *testing.T) {
	t.Parallel()
	w := established(t)
	before := w.Secret("prod-1-kubeconfig")
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultOtherServer, Op: ccesim.OpIssue}))
	w.Change("prod-1", ofOtherCluster)
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	if diff := cmp.Diff(before.Data, w.Secret("prod-1-kubeconfig").Data); diff != "" {
		t.Error("what was published is gone")
	}
	w.Settle("prod-1")
	w.Advance(time.Hour)
	w.Settle("prod-1")
	wantPosts(t, w, 3)
	wantConditions(t, w.Get("prod-1"), healthy)
	if got := w.Get("prod-1").Status.ClusterID; got != testkit.OtherID {
		t.Errorf("cluster %s", got)
	}
}

// The answer of the other cluster names the address that is published, which is the former cluster's.
func TestTheAddressOfTheFormerClusterIsNotTakenForTheOtherOnes(t *testing.T) {
	t.Parallel()
	w := established(t)
	before, server := w.Secret("prod-1-kubeconfig"), w.Get("prod-1").Status.Server
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call.Verb == "update" { // the intent: the cloud has been asked for the cluster, and not yet for the certificate
			w.Must(w.Sim.UpdateCluster(testkit.OtherID, func(c *ccesim.Cluster) { c.InternalURL = server }))
		}
		return nil, false
	})
	w.Change("prod-1", ofOtherCluster)
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	if diff := cmp.Diff(before.Data, w.Secret("prod-1-kubeconfig").Data); diff != "" {
		t.Error("what was published is gone")
	}
	if newest := w.Get("prod-1").Status.History[0]; newest.State != v1alpha1.CertificateDiscarded {
		t.Errorf("the newest certificate is %s", newest.State)
	}
}

func TestWhatTheLastAnswerOfferedIsNotForgotten(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Must(w.Sim.UpdateCluster(testkit.OtherID, func(c *ccesim.Cluster) { c.CustomSANs = []string{"api.example.com"} }))
	w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }))
	w.Settle("x")
	w.Must(w.Sim.UpdateCluster(testkit.OtherID, func(c *ccesim.Cluster) { c.ExternalURL = "https://203.0.113.7:5443" }))
	w.Change("x", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Access: v1alpha1.AccessExternal}
	})
	w.Settle("x")
	w.Change("x", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = &v1alpha1.Endpoint{Context: "customSAN-0"} })
	w.Settle("x")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("x"), healthy)
}

func TestAnOutputThatMovesBackServesTheNewestCertificate(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		w := established(t)
		w.Change("prod-1", movedTo("elsewhere"))
		w.Settle("prod-1")
		w.Advance(15 * day)
		w.Change("prod-1", newValue("x"))
		w.Settle("prod-1")
		serial := w.Get("prod-1").Status.Certificate.SerialNumber
		if late {
			w.Advance(16 * day)
		}
		w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Outputs = nil })
		w.Settle("prod-1")
		if got := w.Get("prod-1").Status.Certificate.SerialNumber; got != serial {
			t.Errorf("late %v: serial %s, want %s", late, got, serial)
		}
		wantPosts(t, w, 2)
	}
}

func TestAClusterThatIsMadeAnewUnderItsNameIsFound(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-2"} }))
	w.Settle("x")
	w.Sim.RemoveCluster(testkit.OtherID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: "33333333-3333-4333-8333-333333333333", Name: "prod-2", ProjectID: testkit.ProjectID, InternalURL: "https://192.168.0.30:5443"}))
	for range 31 * 3 {
		w.Pass("x")
		w.Advance(8 * time.Hour)
	}
	w.Settle("x")
	wantConditions(t, w.Get("x"), healthy)
}

func TestTheCredentialOfAnotherClusterInOurSecretIsNotOurs(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Create(w.Credential("other", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }))
	w.Settle("other")
	s := w.Secret("prod-1-kubeconfig")
	s.Data["value"] = w.Secret("other-kubeconfig").Data["value"]
	w.Must(w.Client.Update(t.Context(), s))
	w.Settle("prod-1")
	if w.Get("prod-1").Status.Certificate.SerialNumber == w.Get("other").Status.Certificate.SerialNumber {
		t.Errorf("prod-1 publishes prod-2's credential and says %v", conditions(w.Get("prod-1")))
	}
}

func TestAReleaseThatFailsIsMadeUpFor(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", movedTo("elsewhere"))
	failOnce(w, "patch", "Secret", 1, errors.New("connection reset"))
	w.Settle("prod-1")
	for range 5 {
		w.Advance(time.Hour)
		w.Settle("prod-1")
	}
	if w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("never released")
	}
}

func TestAutoChoosesAnewWhenTheSpecGoesBackToIt(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Access: v1alpha1.AccessInternal}
	})
	w.Settle("prod-1")
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = nil })
	w.Settle("prod-1")
	if got := w.Get("prod-1").Status.Access; got != v1alpha1.AccessExternal {
		t.Errorf("access %s after the spec has gone back to Auto", got)
	}
}

func TestAnImmutableSecretOfSomebodyElseIsAConflict(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	s := foreign(w, "prod-1-kubeconfig")
	s.Immutable = new(true)
	w.Create(s)
	w.Create(w.Credential("prod-1"))
	w.Pass("prod-1")
	wantConditions(t, w.Get("prod-1"), conflicted)
}

// The cloud has told the other cluster's name, and gave no certificate for it: the Secret
// must not take that name for its own, or nobody would ask again.
func TestAClusterThatSpecNamesIsAskedForUntilThereIsACertificate(t *testing.T) {
	w := testkit.New(t)
	w.Create(w.Credential("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"} }))
	w.Settle("prod-1")
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError}))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.Name = "prod-2" })
	w.Settle("prod-1")
	w.Advance(time.Hour)
	w.Settle("prod-1")
	if got := w.Get("prod-1").Status.ClusterID; got != testkit.OtherID {
		t.Errorf("spec names %s, and the credential is still of %s", testkit.OtherID, got)
	}
}

// The address that was looked up is the other cluster's: without a certificate for that one,
// the stored one keeps its own.
func TestAnAddressOfAnotherClusterIsNotPublishedWithTheStoredCertificate(t *testing.T) {
	w := testkit.New(t)
	w.Create(w.Credential("prod-2", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }))
	w.Settle("prod-2")
	before := string(w.Secret("prod-2-kubeconfig").Data["value"])
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError}))
	w.Change("prod-2", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Cluster.ID, cc.Spec.Endpoint = testkit.ClusterID, &v1alpha1.Endpoint{Access: v1alpha1.AccessExternal}
	})
	w.Pass("prod-2")
	if got := string(w.Secret("prod-2-kubeconfig").Data["value"]); got != before {
		t.Errorf("the certificate of one cluster is published with the address of another")
	}
}

// To a cache that is older than the spec, the output of today is a former one. Under Delete it must not be removed for that.
func TestALateCacheRemovesNoSecretThatTheSpecNames(t *testing.T) {
	w := established(t, goesAlong)
	old := w.Look(testkit.KindCredential)
	w.Change("prod-1", movedTo("elsewhere"))
	w.Settle("prod-1")
	before := w.Secret("elsewhere")
	w.Show(old)
	w.Restart()
	for range 5 {
		_, _ = w.Try("prod-1")
		w.Advance(10 * time.Second)
	}
	if after := w.Secret("elsewhere"); after.UID != before.UID {
		t.Error("the Secret that the spec names was removed")
	}
	w.Show(nil)
	w.Settle("prod-1")
	wantServes(t, w, "prod-1")
	wantPosts(t, w, 1)
	if holdsCredential(w, "prod-1-kubeconfig") {
		t.Error("the Secret that the spec does not name any more is still there")
	}
}
