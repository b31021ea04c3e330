// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/controllers/verify"
	"github.com/clustercredential/operator/hack/ccesim"
)

// watched is an established world whose clusters are listed now and then.
func watched(t *testing.T, v *cluster, changes ...func(*v1alpha1.ClusterCredential)) *testkit.World {
	t.Helper()
	w := testkit.New(t)
	if v != nil {
		w.Verify(v)
	}
	w.LookOut()
	w.Create(w.Credential("prod-1", changes...))
	w.Settle("prod-1")
	return w
}

// look lets the clusters be listed once more, and makes the pass that follows from it.
func look(t *testing.T, w *testkit.World) {
	t.Helper()
	before := w.Sim.Requests()[string(ccesim.OpList)]
	w.Advance(10 * time.Minute)
	w.Pass("prod-1")
	if w.Wait(); w.Sim.Requests()[string(ccesim.OpList)] == before {
		t.Fatal("the clusters are not listed")
	}
	w.Pass("prod-1")
	w.Pass("prod-1")
}

func changeCluster(w *testkit.World, change func(*ccesim.Cluster)) {
	w.T.Helper()
	w.Must(w.Sim.UpdateCluster(testkit.ClusterID, change))
}

const eipAfter = "https://203.0.113.99:5443"

func TestAMovedAddressIsPublishedEverywhereWithoutACertificate(t *testing.T) {
	t.Parallel()
	target := &cluster{answer: accepts}
	w := watched(t, target, withOutputs(five()...))
	serial := w.Get("prod-1").Status.Certificate.SerialNumber
	w.TakeEvents()
	changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = eipAfter })
	look(t, w)
	wantPosts(t, w, 1)
	wantCarried(t, w)
	if got := w.Get("prod-1").Status; got.Server != eipAfter || got.Certificate.SerialNumber != serial || got.Access != v1alpha1.AccessExternal {
		t.Errorf("server %s through %s, certificate %s", got.Server, got.Access, got.Certificate.SerialNumber)
	}
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
	if told := strings.Join(w.TakeEvents(), "\n"); !strings.Contains(told, "Normal EndpointChanged the API server of the cluster is at "+eipAfter) {
		t.Errorf("events:\n%s", told)
	}
	w.Recorder.Reset(nil)
	look(t, w)
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("looked at again: %v", writes)
	}
}

func TestANewAddressWaitsUntilItIsVerifiedButNotForLong(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]verify.Outcome{
		"unreachable":                      unreachable,
		"its certificate does not name it": {Verdict: verify.Unreachable, Detail: "TLS: other names", ServerCertificate: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := &cluster{answer: accepts}
			w := watched(t, target)
			before := w.Get("prod-1").Status.Server
			target.says(answer, "")
			changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = eipAfter })
			look(t, w)
			for range 13 {
				if got := w.Get("prod-1").Status.Server; got != before {
					t.Fatalf("the server is %s already", got)
				}
				w.Advance(time.Minute)
				w.Pass("prod-1")
			}
			w.Advance(3 * time.Minute)
			w.Pass("prod-1")
			if got := w.Get("prod-1").Status.Server; got != eipAfter {
				t.Errorf("after a quarter of an hour the server is still %s", got)
			}
			wantPosts(t, w, 1)
		})
	}
}

func TestAnAddressThatIsGoneGivesWayToTheInternalOne(t *testing.T) {
	t.Parallel()
	target := &cluster{answer: accepts}
	w := watched(t, target)
	changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = "" })
	external := w.Get("prod-1").Status.Server
	look(t, w)
	if got := w.Get("prod-1").Status.Server; got != external {
		t.Errorf("the server is %s at once: an address may be gone for a moment only, and the choice stays", got)
	}
	w.Advance(16 * time.Minute)
	w.Pass("prod-1")
	if got := w.Get("prod-1").Status; got.Server != "https://192.168.0.10:5443" || got.Access != v1alpha1.AccessInternal {
		t.Errorf("server %s through %s", got.Server, got.Access)
	}
	changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = eipAfter })
	look(t, w)
	if got := w.Get("prod-1").Status.Access; got != v1alpha1.AccessInternal {
		t.Errorf("an address that came later was taken: access %s", got) // hubs know a cluster by its URL
	}
	wantPosts(t, w, 1)
}

func TestOneListServesAllOfAnAccount(t *testing.T) {
	t.Parallel()
	w := watched(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		w.Create(w.Credential(name))
		w.Settle(name)
	}
	before := w.Sim.Requests()[string(ccesim.OpList)]
	w.Advance(11 * time.Minute)
	for range 3 {
		for _, name := range []string{"prod-1", "a", "b", "c"} {
			w.Pass(name)
		}
		w.Wait()
	}
	if asked := w.Sim.Requests()[string(ccesim.OpList)] - before; asked != 1 {
		t.Errorf("%d lists, want 1", asked)
	}
}

func TestAClusterMadeAnewUnderItsNameGetsACertificateAtOnce(t *testing.T) {
	t.Parallel()
	w := watched(t, nil, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"} })
	const anew = "33333333-3333-4333-8333-333333333333"
	w.Sim.RemoveCluster(testkit.ClusterID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{
		ID: anew, Name: "prod-1", ProjectID: testkit.ProjectID, InternalURL: "https://192.168.0.30:5443", ExternalURL: w.Cluster.URL(),
	}))
	look(t, w)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	cc := w.Get("prod-1")
	wantConditions(t, cc, healthy)
	if cc.Status.ClusterID != anew || cc.Status.History[0].Trigger != v1alpha1.TriggerSpec {
		t.Errorf("cluster %s, trigger %s", cc.Status.ClusterID, cc.Status.History[0].Trigger)
	}
}

func TestAClusterMadeAnewIsSaidWhileItsCertificateDoesNotCome(t *testing.T) {
	t.Parallel()
	w := watched(t, nil, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"} })
	w.Sim.RemoveCluster(testkit.ClusterID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: "33333333-3333-4333-8333-333333333333", Name: "prod-1", ProjectID: testkit.ProjectID}))
	before := w.Secret("prod-1-kubeconfig").Data
	w.Must(w.Client.Delete(t.Context(), w.KeySecret()))
	w.Create(w.KeySecret())
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Op: ccesim.OpIssue, Times: ccesim.Forever}))
	look(t, w)
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/Unavailable", "Issued": "False/Unavailable", "Published": "True/Published", "Reconciling": "True/Unavailable",
	})
	if diff := cmp.Diff(before, w.Secret("prod-1-kubeconfig").Data); diff != "" {
		t.Error("the bytes have changed")
	}
}

// The intent says why, before anything is asked for.
func TestAClusterMadeAnewIsSaidWhileItsCertificateIsAskedFor(t *testing.T) {
	t.Parallel()
	w := watched(t, nil, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"} })
	w.Sim.RemoveCluster(testkit.ClusterID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{
		ID: "33333333-3333-4333-8333-333333333333", Name: "prod-1", ProjectID: testkit.ProjectID, ExternalURL: w.Cluster.URL(),
	}))
	w.Advance(10 * time.Minute)
	w.Pass("prod-1")
	w.Wait()
	written := 0
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call.Kind != "ClusterCredential/status" || !call.IsWrite() {
			return nil, false
		}
		if written++; written > 1 { // the report
			return testkit.ConnectionReset(), false
		}
		return nil, false
	})
	_, _ = w.Try("prod-1")
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/ClusterReplaced", "Issued": "False/ClusterReplaced", "Published": "False/ClusterReplaced", "Reconciling": "True/ClusterReplaced",
	})
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
	wantPosts(t, w, 2)
}

func TestADeletedClusterIsSaidAndItsSecretsStay(t *testing.T) {
	t.Parallel()
	w := watched(t, nil)
	before := w.Secret("prod-1-kubeconfig").Data
	w.Sim.RemoveCluster(testkit.ClusterID)
	look(t, w)
	want := map[string]string{"Ready": "True/Valid", "Issued": "False/ClusterNotFound", "Published": "True/Published"}
	wantConditions(t, w.Get("prod-1"), want)
	w.Recorder.Reset(nil)
	look(t, w)
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("looked at again: %v", writes)
	}
	w.Restart()
	w.Settle("prod-1") // no list is there yet
	look(t, w)
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("after a restart: %v", writes)
	}
	wantConditions(t, w.Get("prod-1"), want)
	if diff := cmp.Diff(before, w.Secret("prod-1-kubeconfig").Data); diff != "" {
		t.Error("the bytes have changed")
	}
	w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: testkit.ClusterID, Name: "prod-1", ProjectID: testkit.ProjectID, ExternalURL: w.Cluster.URL()}))
	look(t, w)
	wantConditions(t, w.Get("prod-1"), healthy)
	wantPosts(t, w, 1)
}

func TestAClusterThatSleepsIsNoAlarm(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"Hibernation", "Hibernating", "Upgrading", "Creating"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			w := watched(t, nil)
			changeCluster(w, func(c *ccesim.Cluster) { c.Phase = phase })
			look(t, w)
			wantConditions(t, w.Get("prod-1"), healthy) // nothing is due
			w.TakeEvents()
			w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Add(-12 * time.Minute))
			look(t, w)
			w.Advance(3 * time.Minute) // it is due now
			w.Pass("prod-1")
			w.Pass("prod-1")
			wantPosts(t, w, 1)
			want := map[string]string{"Ready": "True/Valid", "Issued": "False/ClusterNotAvailable", "Published": "True/Published"}
			wantConditions(t, w.Get("prod-1"), want)
			if failures := w.Get("prod-1").Status.Failures; failures > 0 {
				t.Errorf("%d failures are counted", failures)
			}
			asleep := func() bool { return w.Gauge("clustercredential_cluster_asleep") == 1 }
			if asleep() != strings.HasPrefix(phase, "Hibernat") {
				t.Errorf("metrics say that it is asleep: %v", asleep())
			}
			changeCluster(w, func(c *ccesim.Cluster) { c.Phase = "Available" })
			look(t, w)
			w.Settle("prod-1")
			if asleep() {
				t.Error("metrics say that it is asleep, and it is not any more")
			}
			wantPosts(t, w, 2)
			wantConditions(t, w.Get("prod-1"), healthy)
		})
	}
}

// newAuthority is a CA as a cluster has it after its own was rotated.
func newAuthority(t *testing.T) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "kubernetes-anew"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 365 * day), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func TestAChangedCAAsksForACertificateWhereTheServerDoesNotPass(t *testing.T) {
	t.Parallel()
	target := &cluster{answer: accepts}
	w := watched(t, target, func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Renewal = &v1alpha1.Renewal{Policy: v1alpha1.RenewalManual}
	})
	target.says(verify.Outcome{Verdict: verify.Unreachable, Detail: "TLS: another CA", ServerCertificate: true}, "")
	for n := 2; n < 4; n++ { // the cloud still shows the same CA
		w.Advance(11 * time.Minute)
		w.Pass("prod-1")
		target.tries(w, n)
		w.Pass("prod-1")
	}
	wantPosts(t, w, 1)
	certificate, key := newAuthority(t)
	w.Must(w.Sim.SetCA(certificate, key, nil))
	target.says(verify.Outcome{Verdict: verify.Unreachable, Detail: "TLS: another CA", ServerCertificate: true}, w.Get("prod-1").Status.Certificate.FingerprintSHA256)
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	target.tries(w, 4)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if got := w.Get("prod-1").Status.History[0].Trigger; got != v1alpha1.TriggerCAChanged {
		t.Errorf("trigger %s", got)
	}
}

// A list that is older than the certificate says nothing of its cluster.
func TestAClusterThatIsYoungerThanTheListIsNotMissed(t *testing.T) {
	t.Parallel()
	w := watched(t, nil)
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	w.Wait()
	const young = "33333333-3333-4333-8333-333333333333"
	w.Advance(4 * time.Minute)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: young, Name: "young", ProjectID: testkit.ProjectID, ExternalURL: w.Cluster.URL()}))
	w.Create(w.Credential("young", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = young }))
	w.Settle("young")
	w.Pass("young")
	wantConditions(t, w.Get("young"), healthy)
	w.Advance(time.Minute)
	w.Pass("young")
	wantConditions(t, w.Get("young"), healthy)
	wantPosts(t, w, 2)
}

// The list from before a cluster was made anew still has the former one under its name.
func TestAnOldListAsksForNoCertificateOfANewCluster(t *testing.T) {
	t.Parallel()
	named := func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"} }
	w := watched(t, nil, named)
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	w.Wait()
	w.Sim.RemoveCluster(testkit.ClusterID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{
		ID: "33333333-3333-4333-8333-333333333333", Name: "prod-1", ProjectID: testkit.ProjectID, ExternalURL: w.Cluster.URL(),
	}))
	w.Change("prod-1", newValue("1"))
	for range 20 {
		w.Advance(max(min(w.Pass("prod-1").RequeueAfter, 20*time.Second), time.Second))
	}
	wantPosts(t, w, 3) // the second is refused: that cluster is gone
	if got := w.Get("prod-1").Status; got.ClusterID != "33333333-3333-4333-8333-333333333333" || got.Revision != 2 {
		t.Errorf("cluster %s, revision %d", got.ClusterID, got.Revision)
	}
}

// Whoever may list but a part of the clusters is not told that the others are gone; and gone ones do not hide them.
func TestManyClustersThatAreGoneHideNone(t *testing.T) {
	t.Parallel()
	w := watched(t, nil)
	id := func(i int) string { return fmt.Sprintf("44444444-4444-4444-8444-%012d", i) }
	for i := range 25 {
		w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: id(i), Name: fmt.Sprint("gone-", i), ProjectID: testkit.ProjectID, ExternalURL: w.Cluster.URL()}))
		w.Create(w.Credential(fmt.Sprint("gone-", i), func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = id(i) }))
		w.Settle(fmt.Sprint("gone-", i))
	}
	for i := range 25 {
		w.Sim.RemoveCluster(id(i))
	}
	look(t, w)
	wantConditions(t, w.Get("prod-1"), healthy)
	told := 0
	for i := range 25 {
		w.Pass(fmt.Sprint("gone-", i))
		if conditions(w.Get(fmt.Sprint("gone-", i)))["Issued"] == "False/ClusterNotFound" {
			told++
		}
	}
	if told != 20 {
		t.Errorf("%d of 25 are told to be gone, want the 20 that were asked for", told)
	}
	look(t, w) // the others
	for i := range 25 {
		w.Pass(fmt.Sprint("gone-", i))
		if got := conditions(w.Get(fmt.Sprint("gone-", i)))["Issued"]; got != "False/ClusterNotFound" {
			t.Errorf("gone-%d is %s", i, got)
		}
	}
	w.Recorder.Reset(nil)
	look(t, w)
	for i := range 25 {
		w.Pass(fmt.Sprint("gone-", i))
	}
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("looked at again: %v", writes)
	}
}

// An address that was gone for a moment does not make the next time shorter.
func TestAnAddressThatComesBackIsForgottenAsGone(t *testing.T) {
	t.Parallel()
	w := watched(t, &cluster{answer: accepts})
	external := w.Get("prod-1").Status.Server
	for range 2 {
		changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = "" })
		look(t, w)
		changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = external })
		look(t, w)
		w.Advance(day)
	}
	if got := w.Get("prod-1").Status.Server; got != external {
		t.Errorf("the server is %s", got)
	}
}

// No certificate is asked for that could not be published.
func TestANamedContextWhoseAddressIsGoneAsksForNothing(t *testing.T) {
	t.Parallel()
	w := watched(t, nil, withEndpoint(v1alpha1.Endpoint{Context: "externalTLSVerify"}))
	changeCluster(w, func(c *ccesim.Cluster) { c.ExternalURL = "" })
	for range 3 {
		look(t, w)
		w.Advance(16 * time.Minute)
		w.Pass("prod-1")
		w.Wait()
	}
	wantPosts(t, w, 1)
	if got := conditions(w.Get("prod-1")); got["Issued"] != "False/ContextNotFound" {
		t.Errorf("conditions: %v", got)
	}
}

func TestAClusterMadeAnewIsNotAskedForACertificateBeforeItIsThere(t *testing.T) {
	t.Parallel()
	w := watched(t, nil, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"} })
	const anew = "33333333-3333-4333-8333-333333333333"
	w.Sim.RemoveCluster(testkit.ClusterID)
	w.Must(w.Sim.AddCluster(ccesim.Cluster{ID: anew, Name: "prod-1", ProjectID: testkit.ProjectID, ExternalURL: w.Cluster.URL(), Phase: "Creating"}))
	for range 3 {
		look(t, w)
	}
	wantPosts(t, w, 1)
	if got := w.Get("prod-1"); conditions(got)["Issued"] != "False/ClusterNotAvailable" || got.Status.Failures > 0 {
		t.Errorf("conditions: %v, %d failures", conditions(got), got.Status.Failures)
	}
	w.Must(w.Sim.UpdateCluster(anew, func(c *ccesim.Cluster) { c.Phase = "Available" }))
	look(t, w)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
}

// Nobody asks for a certificate of a cluster that is known to be gone, also after a restart.
func TestAClusterThatIsGoneIsNotAskedAfterARestart(t *testing.T) {
	t.Parallel()
	w := watched(t, nil)
	w.Sim.RemoveCluster(testkit.ClusterID)
	w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Add(-12 * time.Minute))
	look(t, w)
	before := w.Sim.Requests()[string(ccesim.OpIssue)]
	w.Advance(5 * time.Minute) // it is due
	w.Restart()
	w.Pass("prod-1")
	w.Pass("prod-1")
	look(t, w)
	if asked := w.Sim.Requests()[string(ccesim.OpIssue)]; asked != before {
		t.Errorf("%d requests for a certificate", asked-before)
	}
	if got := w.Get("prod-1"); conditions(got)["Issued"] != "False/ClusterNotFound" || got.Status.Failures > 0 {
		t.Errorf("conditions: %v", conditions(got))
	}
}

// A renewal that waits for a cluster goes on waiting after a restart.
func TestAClusterThatSleepsIsNotAskedAfterARestart(t *testing.T) {
	t.Parallel()
	w := watched(t, nil)
	changeCluster(w, func(c *ccesim.Cluster) { c.Phase = "Hibernation" })
	w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Add(-5 * time.Minute))
	look(t, w)
	before := w.Sim.Requests()[string(ccesim.OpIssue)]
	w.Restart()
	w.Recorder.Reset(nil)
	w.Pass("prod-1")
	w.Pass("prod-1")
	if asked := w.Sim.Requests()[string(ccesim.OpIssue)]; asked != before || len(w.Recorder.Writes()) > 0 {
		t.Errorf("%d requests for a certificate, writes %v", asked-before, w.Recorder.Writes())
	}
	if got := conditions(w.Get("prod-1")); got["Issued"] != "False/ClusterNotAvailable" {
		t.Errorf("conditions: %v", got)
	}
}
