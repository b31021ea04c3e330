// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/controllers/verify"
	"github.com/clustercredential/operator/hack/ccesim"
)

// cluster answers as the test says; what a real one answers is for the tests of the room verify.
type cluster struct {
	mu     sync.Mutex
	answer verify.Outcome
	// only answers those with that fingerprint; empty: all. Others are accepted.
	only  string
	tried int
}

func (c *cluster) Try(_ context.Context, credential kubeconfig.Credential, _ bool) verify.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried++
	if c.only != "" && c.only != credential.Fingerprint {
		return verify.Outcome{Verdict: verify.Accepted, Detail: "it knows the bearer (HTTP 201)", Code: 201}
	}
	return c.answer
}

func (c *cluster) says(answer verify.Outcome, only string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer, c.only = answer, only
}

func (c *cluster) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tried
}

// tries expects that as many tries were made, some of them beside the passes.
func (c *cluster) tries(w *testkit.World, n int) {
	w.T.Helper()
	if w.Wait(); c.count() < n {
		w.T.Fatalf("it was tried %d times, want %d", c.count(), n)
	}
}

var (
	accepts     = verify.Outcome{Verdict: verify.Accepted, Detail: "it knows the bearer (HTTP 201)", Code: 201}
	refuses     = verify.Outcome{Verdict: verify.Refused, Detail: "the server refuses the certificate (HTTP 401)", Code: 401}
	unreachable = verify.Outcome{Verdict: verify.Unreachable, Detail: "connecting: time is over"}
)

func verifying(t *testing.T, answer verify.Outcome, changes ...func(*v1alpha1.ClusterCredential)) (*testkit.World, *cluster) {
	t.Helper()
	w, target := testkit.New(t), &cluster{answer: answer}
	w.Verify(target)
	w.Create(w.Credential("prod-1", changes...))
	return w, target
}

// with adds to what is healthy without a look at the cluster.
func with(verified string) map[string]string {
	all := maps.Clone(healthy)
	all["Verified"] = verified
	return all
}

func required(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = v1alpha1.VerificationRequired }

func TestARealClusterAcceptsWhatIsPublishedAndNoWriteTellsOfIt(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Verify(verify.New(verify.Options{}))
	w.Create(w.Credential("prod-1", required))
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
	wantPosts(t, w, 1)
	if writes := w.Recorder.Writes(); len(writes) != 4 {
		t.Errorf("%d writes, want 4: %v", len(writes), writes)
	}
	w.Recorder.Reset(nil)
	w.Restart()
	w.Settle("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("after a restart: %v", writes)
	}
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

func TestACertificateThatTheClusterRefusesReplacesNoneThatWorks(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]v1alpha1.Verification{"by default": "", "where it is required": v1alpha1.VerificationRequired} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, target := verifying(t, accepts, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = mode })
			w.Settle("prod-1")
			before := w.Secret("prod-1-kubeconfig").Data
			target.says(refuses, "")
			w.Advance(2 * time.Minute)
			w.Change("prod-1", newValue("1"))
			w.Pass("prod-1")
			want := with("True/Accepted") // that of the published one, which was not asked again
			want["Issued"] = "False/NotAccepted"
			wantConditions(t, w.Get("prod-1"), want)
			if diff := cmp.Diff(before, w.Secret("prod-1-kubeconfig").Data); diff != "" {
				t.Error("the bytes have changed")
			}
			if state := w.Get("prod-1").Status.History[0].State; state != v1alpha1.CertificateDiscarded {
				t.Errorf("the refused one is %s", state)
			}
			for start := w.Clock.Now(); w.Clock.Now().Sub(start) < 20*time.Hour; {
				w.Advance(max(w.Pass("prod-1").RequeueAfter, time.Minute))
			}
			if posts := w.Posts() - 1; posts > 4 {
				t.Errorf("%d more certificates were asked for, want 4 a day at the most", posts)
			}
		})
	}
}

func TestAClusterThatCannotBeAskedIsNoReasonNotToPublish(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, unreachable)
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), with("Unknown/Unreachable"))
	target.says(accepts, "")
	w.Advance(10 * time.Minute)
	w.Pass("prod-1")
	target.tries(w, 2)
	w.Pass("prod-1")
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
	wantPosts(t, w, 1)
}

func TestARequiredAnswerIsWaitedForWithTheCertificateInHand(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, unreachable, required)
	for range 5 {
		w.Advance(max(w.Pass("prod-1").RequeueAfter, time.Second))
	}
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/Unreachable", "Issued": "True/Issued", "Published": "False/Unreachable", "Reconciling": "True/Unreachable",
	})
	target.says(accepts, "")
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

func TestWhereAnAnswerIsRequiredNothingIsAskedForThatCannotBeTried(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts, required)
	w.Settle("prod-1")
	target.says(unreachable, "")
	w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Add(time.Second))
	for range 20 {
		w.Advance(max(w.Pass("prod-1").RequeueAfter, time.Minute))
	}
	wantPosts(t, w, 1)
	if got := conditions(w.Get("prod-1")); got["Issued"] != "False/Unreachable" || got["Ready"] != "True/Valid" {
		t.Errorf("conditions: %v", got)
	}
	w.Clock.SetTime(w.Get("prod-1").Status.Certificate.NotAfter.Add(-3*day + time.Minute)) // the safe limit
	w.Pass("prod-1")
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	target.says(accepts, "")
	w.Advance(2 * time.Minute)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

func TestACertificateThatIsRefusedTwiceIsReplacedOnceAlsoUnderManual(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts, func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Renewal = &v1alpha1.Renewal{Policy: v1alpha1.RenewalManual}
	})
	w.Settle("prod-1")
	revoked := w.Get("prod-1").Status.Certificate.FingerprintSHA256
	target.says(refuses, revoked)
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	target.tries(w, 2)
	w.Pass("prod-1")
	wantConditions(t, w.Get("prod-1"), with("True/Accepted")) // once is not enough
	wantPosts(t, w, 1)
	w.Advance(31 * time.Second)
	w.Pass("prod-1")
	target.tries(w, 3)
	w.TakeEvents()
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	cc := w.Get("prod-1")
	wantConditions(t, cc, with("True/Accepted"))
	if trigger := cc.Status.History[0].Trigger; trigger != v1alpha1.TriggerNotAccepted || cc.Status.Certificate.FingerprintSHA256 == revoked {
		t.Errorf("trigger %s", trigger)
	}
}

// Who goes on revoking does not make a loop of it: after the first one, an hour lies between them, and then six.
func TestARefusalThatComesBackAsksMoreAndMoreSeldom(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts)
	w.Settle("prod-1")
	posts := map[time.Duration]int{}
	for start := w.Clock.Now(); w.Clock.Now().Sub(start) < 20*time.Hour; w.Advance(15 * time.Minute) {
		target.says(refuses, w.Get("prod-1").Status.Certificate.FingerprintSHA256)
		w.Pass("prod-1")
		w.Wait()
		w.Pass("prod-1")
		posts[w.Clock.Now().Sub(start).Truncate(time.Hour)] = w.Posts()
	}
	for after, want := range map[time.Duration]int{0: 2, 3 * time.Hour: 3, 6 * time.Hour: 3, 9 * time.Hour: 4, 19 * time.Hour: 4} {
		if posts[after] != want {
			t.Errorf("after %s %d certificates were asked for, want %d", after, posts[after], want)
		}
	}
	if got := conditions(w.Get("prod-1")); got["Ready"] != "False/NotAccepted" || got["Verified"] != "False/NotAccepted" {
		t.Errorf("conditions: %v", got)
	}
	asked := w.Posts()
	w.Change("prod-1", newValue("1")) // whoever knows better does not wait
	w.Pass("prod-1")
	wantPosts(t, w, asked+1)
}

func TestOnly401AsksForAnother(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]verify.Outcome{
		"anonymous": {Verdict: verify.Refused, Detail: "it takes the bearer for anonymous (HTTP 403)", Code: 403},
		"time-out":  unreachable,
		"TLS":       {Verdict: verify.Unreachable, Detail: "TLS: the server's certificate is of another CA", ServerCertificate: true},
		"busy":      {Verdict: verify.Busy, Detail: "not tried"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, target := verifying(t, accepts)
			w.Settle("prod-1")
			target.says(answer, "")
			for n := 2; n < 8; n++ {
				w.Advance(11 * time.Minute)
				w.Pass("prod-1")
				target.tries(w, n)
				w.Pass("prod-1")
			}
			wantPosts(t, w, 1)
		})
	}
}

func TestWithVerificationDisabledNobodyIsAsked(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, refuses, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = v1alpha1.VerificationDisabled })
	w.Settle("prod-1")
	w.Advance(time.Hour)
	w.Pass("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
	if n := target.count(); n > 0 {
		t.Errorf("it was tried %d times", n)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = "" })
	w.Settle("prod-1")
	target.tries(w, 1)
}

// The server that is tried is the one that is published.
func TestWhatIsTriedGoesTheWayOfSpecEndpoint(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []kubeconfig.Endpoint
	w := testkit.New(t)
	w.Verify(verifierFunc(func(c kubeconfig.Credential) verify.Outcome {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c.Endpoint)
		return accepts
	}))
	w.Create(w.Credential("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{
			Server: "https://prod-1.example.com", TLSServerName: "kubernetes", ProxyURL: "http://proxy.example.com:3128",
		}
	}))
	w.Settle("prod-1")
	mu.Lock()
	defer mu.Unlock()
	if len(seen) == 0 || seen[0].Server != "https://prod-1.example.com:443" || seen[0].TLSServerName != "kubernetes" ||
		seen[0].ProxyURL != "http://proxy.example.com:3128" {
		t.Error("it was tried another way")
	}
	cc := w.Get("prod-1")
	if cc.Status.Access != v1alpha1.AccessCustom || cc.Status.Server != "https://prod-1.example.com:443" {
		t.Errorf("status: access %s, server %s", cc.Status.Access, cc.Status.Server)
	}
	if text := string(w.Secret("prod-1-kubeconfig").Data["value"]); !strings.Contains(text, "proxy-url: http://proxy.example.com:3128") {
		t.Error("the kubeconfig does not name the proxy")
	}
}

type verifierFunc func(kubeconfig.Credential) verify.Outcome

func (f verifierFunc) Try(_ context.Context, c kubeconfig.Credential, _ bool) verify.Outcome {
	return f(c)
}

// What a cluster said of one certificate says nothing of another, also where nobody asks any more.
func TestARefusalIsForgottenWithItsCertificate(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts)
	w.Settle("prod-1")
	target.says(refuses, w.Get("prod-1").Status.Certificate.FingerprintSHA256)
	for n := 2; n < 4; n++ {
		w.Advance(11 * time.Minute)
		w.Pass("prod-1")
		target.tries(w, n)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = v1alpha1.VerificationDisabled })
	w.Change("prod-1", newValue("1"))
	w.Settle("prod-1")
	asked := w.Posts()
	for range 12 {
		w.Advance(11 * time.Minute)
		w.Settle("prod-1")
	}
	wantPosts(t, w, asked)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestARequiredAnswerDoesNotKeepAChangedCAFromBeingMended(t *testing.T) {
	t.Parallel()
	target := &cluster{answer: accepts}
	w := watched(t, target, required)
	w.Must(func() error { certificate, key := newAuthority(t); return w.Sim.SetCA(certificate, key, nil) }())
	target.says(verify.Outcome{Verdict: verify.Unreachable, Detail: "TLS: another CA", ServerCertificate: true}, w.Get("prod-1").Status.Certificate.FingerprintSHA256)
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	target.tries(w, 2)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

// What anybody but the cloud chooses is tried where the administrator lets it be.
func TestAnAddressOfTheSpecIsNotTriedWhereTheAdministratorSaysSo(t *testing.T) {
	t.Parallel()
	own := func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Server: "https://prod-1.example.com"}
	}
	for name, test := range map[string]struct {
		change func(*v1alpha1.ClusterCredential)
		want   map[string]string
		tried  bool
	}{
		"an own server": {own, with("Unknown/Unreachable"), false},
		"an own proxy": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Endpoint = &v1alpha1.Endpoint{ProxyURL: "http://proxy.example.com:3128"}
		}, with("Unknown/Unreachable"), false},
		"an address of the cloud":     {func(*v1alpha1.ClusterCredential) {}, with("True/Accepted"), true},
		"an own server, not verified": {func(cc *v1alpha1.ClusterCredential) { own(cc); cc.Spec.Verification = v1alpha1.VerificationDisabled }, healthy, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, target := testkit.New(t), &cluster{answer: accepts}
			w.Verify(target)
			w.SetVerifyCustomEndpoints(false)
			w.Create(w.Credential("prod-1", test.change))
			w.Settle("prod-1")
			wantConditions(t, w.Get("prod-1"), test.want)
			if tried := target.count() > 0; tried != test.tried {
				t.Errorf("it was tried %d times", target.count())
			}
		})
	}
}

// A certificate that can never be tried is not asked for where it has to be.
func TestWhereAnAnswerIsRequiredAnAddressThatIsNotTriedIsRejected(t *testing.T) {
	t.Parallel()
	w, target := testkit.New(t), &cluster{answer: accepts}
	w.Verify(target)
	w.SetVerifyCustomEndpoints(false)
	w.Create(w.Credential("prod-1", required, func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Server: "https://prod-1.example.com"}
	}))
	w.Pass("prod-1")
	w.Pass("prod-1")
	wantPosts(t, w, 0)
	cc := w.Get("prod-1")
	if message := conditionMessage(cc, v1alpha1.ConditionIssued); conditions(cc)["Issued"] != "False/Rejected" || !strings.Contains(message, "--verify-custom-endpoints=false") {
		t.Errorf("Issued says %s: %s", conditions(cc)["Issued"], message)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = v1alpha1.VerificationBestEffort })
	w.Settle("prod-1")
	wantPosts(t, w, 1)
}

// The clusters of objects that are gone, or made anew, are nobody's any more.
func TestWhatWasTriedIsForgottenWithItsObject(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, refuses, func(cc *v1alpha1.ClusterCredential) { cc.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	target.says(accepts, "")
	w.Settle("prod-1")
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	w.Create(w.Credential("prod-1")) // without a pass between them
	w.Settle("prod-1")
	w.Wait()
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
	wantPosts(t, w, 1)
}

// reachable is a cluster that answers at one server only.
type reachable struct{ server string }

func (r *reachable) Try(_ context.Context, c kubeconfig.Credential, _ bool) verify.Outcome {
	if c.Server == r.server {
		return accepts
	}
	return unreachable
}

// Whoever reads that the cluster cannot be asked writes another address, and the certificate in hand goes there.
func TestACertificateThatWaitsFollowsTheSpec(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Verify(&reachable{"https://192.168.0.10:5443"})
	w.Create(w.Credential("prod-1", required))
	for range 3 {
		w.Advance(max(w.Pass("prod-1").RequeueAfter, time.Second))
	}
	if got := conditions(w.Get("prod-1")); got["Published"] != "False/Unreachable" {
		t.Fatalf("conditions: %v", got)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Access: v1alpha1.AccessInternal}
	})
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
	if got := w.Get("prod-1").Status; got.Server != "https://192.168.0.10:5443" || got.Access != v1alpha1.AccessInternal {
		t.Errorf("server %s, access %s", got.Server, got.Access)
	}
}

// While a certificate waits to be accepted, what is published is repaired, changed and moved as ever.
func TestWhileACertificateWaitsWhatIsPublishedIsSeenTo(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts, required, withOutputs(five()...))
	w.LookOut()
	w.Settle("prod-1")
	old := w.Get("prod-1").Status.Certificate.SerialNumber
	target.says(unreachable, "")
	w.Clock.SetTime(w.Get("prod-1").Status.Certificate.NotAfter.Add(-3*day + time.Minute)) // the safe limit
	w.Pass("prod-1")
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	w.Must(w.Client.Delete(t.Context(), w.Secret("argo")))
	w.Must(w.Sim.UpdateCluster(testkit.ClusterID, func(c *ccesim.Cluster) { c.ExternalURL = eipAfter }))
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	w.Wait()
	for range 20 {
		w.Advance(time.Minute)
		w.Pass("prod-1")
	}
	cc := w.Get("prod-1")
	if w.Secret("argo") == nil || cc.Status.Server != eipAfter || cc.Status.Certificate.SerialNumber != old {
		t.Errorf("server %s, certificate %s, want %s with %s and the lost output", cc.Status.Server, cc.Status.Certificate.SerialNumber, eipAfter, old)
	}
	if got := conditions(cc); got["Ready"] != "True/Valid" || got["Published"] != "False/Unreachable" {
		t.Errorf("conditions: %v", got)
	}
	target.says(accepts, "")
	w.Advance(2 * time.Minute)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
	if got := w.Get("prod-1").Status; got.Server != eipAfter || got.Certificate.SerialNumber == old {
		t.Errorf("server %s, certificate %s", got.Server, got.Certificate.SerialNumber)
	}
}

// A refusal that is old says nothing of today.
func TestAnOldRefusalAsksForNothing(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts)
	w.Settle("prod-1")
	target.says(refuses, "")
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	target.tries(w, 2)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true })
	w.Advance(31 * time.Second)
	w.Pass("prod-1")
	w.Advance(7 * day)
	target.says(accepts, "")
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = false })
	for range 5 {
		w.Pass("prod-1")
		w.Wait()
		w.Advance(time.Minute)
	}
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

// What waits is of another cluster, and says nothing of the published one.
func TestWhileAnotherClusterCannotBeAskedThePublishedOneKeepsItsBytes(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]v1alpha1.Verification{"it waits": v1alpha1.VerificationRequired, "it is refused": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, target := verifying(t, accepts, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Verification = mode })
			w.LookOut()
			w.Settle("prod-1")
			before := w.Secret("prod-1-kubeconfig")
			w.Advance(time.Minute)
			if target.says(unreachable, ""); mode == "" {
				target.says(refuses, "")
			}
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID })
			for range 15 {
				w.Pass("prod-1")
				w.Wait()
				w.Advance(time.Minute)
			}
			if w.Posts() < 2 {
				t.Error("nothing was asked for")
			}
			if got := w.Secret("prod-1-kubeconfig"); got.ResourceVersion != before.ResourceVersion {
				t.Error("the published Secret was written")
			}
			asked := w.Posts()
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.ClusterID })
			w.Pass("prod-1")
			w.Pass("prod-1")
			wantPosts(t, w, asked)
			if got := w.Secret("prod-1-kubeconfig"); string(got.Data["value"]) != string(before.Data["value"]) {
				t.Error("the published credential has changed")
			}
		})
	}
}

func TestACertificateThatWaitsIsDroppedWhereAnotherClusterIsNamed(t *testing.T) {
	t.Parallel()
	named := func(name string) func(*v1alpha1.ClusterCredential) {
		return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: name} }
	}
	w, target := verifying(t, unreachable, required, named("prod-1"))
	w.Pass("prod-1")
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	w.Change("prod-1", named("prod-2"))
	target.says(accepts, "")
	for range 3 {
		w.Pass("prod-1")
		w.Advance(time.Minute)
	}
	wantPosts(t, w, 2)
	if got := w.Get("prod-1").Status; got.ClusterID != testkit.OtherID {
		t.Errorf("cluster %s", got.ClusterID)
	}
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

// Refusals are counted within half a minute and more; what is tried every second forgets none of them meanwhile.
func TestACertificateThatIsTriedOftenIsReplacedWhenItIsRefused(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts)
	w.Settle("prod-1")
	w.VerifyEvery(time.Second)
	target.says(refuses, w.Get("prod-1").Status.Certificate.FingerprintSHA256)
	w.Advance(15 * time.Minute) // the floor
	for range 90 {
		w.Pass("prod-1")
		w.Wait()
		w.Advance(time.Second)
	}
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), with("True/Accepted"))
}

// Of two refusals a week apart, the first says nothing of today.
func TestTwoRefusalsFarApartAskForNothing(t *testing.T) {
	t.Parallel()
	w, target := verifying(t, accepts)
	w.Settle("prod-1")
	target.says(refuses, "")
	w.Advance(11 * time.Minute)
	w.Pass("prod-1")
	target.tries(w, 2)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true })
	w.Advance(7 * day)
	w.Pass("prod-1")
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = false })
	w.Pass("prod-1")
	target.tries(w, 3)
	w.Pass("prod-1")
	wantPosts(t, w, 1)
}

// A process is killed between the two: the next one says what the former one could not.
func TestWhatWasPublishedAndNotToldIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Verify(&cluster{answer: accepts})
	w.Create(w.Credential("prod-1"))
	w.Settle("prod-1")
	w.Advance(time.Hour)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(7))} })
	published := false
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if published {
			panic(kill{})
		}
		published = call == testkit.Call{Verb: "apply", Kind: testkit.KindSecret}
		return nil, false
	})
	passUntilKilled(w)
	w.Recorder.Reset(nil)
	w.Restart()
	w.Pass("prod-1")
	w.Wait()
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	if got := conditions(w.Get("prod-1"))[v1alpha1.ConditionVerified]; got != "True/Accepted" {
		t.Errorf("Verified is %q", got)
	}
	w.Restart()
	w.Recorder.Reset(nil)
	w.Pass("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("the process after that wrote %v", writes)
	}
}
