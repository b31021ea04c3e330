// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

// TestNoFaultOfTheCloudHarmsAStoredCredential goes through every fault that the
// simulator knows, for ever, while a renewal is requested.
func TestNoFaultOfTheCloudHarmsAStoredCredential(t *testing.T) {
	t.Parallel()
	for _, fault := range ccesim.Faults() {
		if fault.Name == ccesim.FaultDelay {
			continue // the answer comes, later: no fault to us
		}
		t.Run(string(fault.Name), func(t *testing.T) {
			t.Parallel()
			w := established(t)
			before := w.Secret("prod-1-kubeconfig")
			w.Must(w.Sim.Script(ccesim.Fault{Name: fault.Name, Times: ccesim.Forever, Pause: 0.2}))
			w.Advance(time.Hour)
			w.Change("prod-1", newValue("x"))
			start := w.Clock.Now()
			for w.Clock.Now().Sub(start) < 10*time.Minute {
				result := w.Pass("prod-1")
				w.Advance(max(result.RequeueAfter, time.Second))
			}
			cc := w.Get("prod-1")
			if diff := cmp.Diff(before.Data, w.Secret("prod-1-kubeconfig").Data); diff != "" {
				t.Error("the stored bytes have changed")
			}
			if !meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady) {
				t.Errorf("Ready is not True: %v", conditions(cc))
			}
			issued := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionIssued)
			if issued.Status != metav1.ConditionFalse || len(issued.Message) < 20 {
				t.Errorf("Issued: %s/%s %q", issued.Status, issued.Reason, issued.Message)
			}
			t.Logf("%d POSTs in ten minutes; Issued %s: %s", w.Posts()-1, issued.Reason, issued.Message)
			if posts := w.Posts() - 1; posts < 1 || posts > 8 {
				t.Errorf("%d POSTs in ten minutes, want 1 to 8", posts)
			}
			minted := 0
			for _, entry := range w.Sim.Ledger() {
				if entry.Minted() {
					minted++
				}
			}
			if noted := len(cc.Status.History); noted < min(minted, 10) {
				t.Errorf("%d certificates were minted, history has %d entries", minted, noted)
			}
		})
	}
}

// What is asked before a certificate is, fails in every way: nothing is asked for then, and what is stored
// serves on. Only a cluster that the spec does not name any more is not Ready.
func TestNoFaultOfALookUpHarmsAStoredCredential(t *testing.T) {
	t.Parallel()
	lookUps := map[ccesim.Op]struct {
		change func(*v1alpha1.ClusterCredential)
		ready  bool
	}{
		ccesim.OpShow: {func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(7))} }, true},
		ccesim.OpList: {func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-2"} }, false},
	}
	for op, lookUp := range lookUps {
		for _, fault := range ccesim.Faults() {
			if !fault.AnyOp || fault.Name == ccesim.FaultDelay {
				continue
			}
			t.Run(string(op)+" "+string(fault.Name), func(t *testing.T) {
				t.Parallel()
				w := established(t)
				before := w.Secret("prod-1-kubeconfig")
				w.Must(w.Sim.Script(ccesim.Fault{Name: fault.Name, Op: op, Times: ccesim.Forever, Pause: 0.2}))
				asked := w.Sim.Requests()[string(op)]
				w.Change("prod-1", lookUp.change)
				for start := w.Clock.Now(); w.Clock.Now().Sub(start) < 10*time.Minute; {
					w.Advance(max(w.Pass("prod-1").RequeueAfter, time.Second))
				}
				wantPosts(t, w, 1)
				if n := w.Sim.Requests()[string(op)] - asked; n < 1 || n > 8 {
					t.Errorf("%d look-ups in ten minutes, want 1 to 8", n)
				}
				cc := w.Get("prod-1")
				if diff := cmp.Diff(before.Data, w.Secret("prod-1-kubeconfig").Data); diff != "" {
					t.Error("the stored bytes have changed")
				}
				if meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady) != lookUp.ready {
					t.Errorf("Ready is not %v: %v", lookUp.ready, conditions(cc))
				}
				issued := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionIssued)
				if issued.Status != metav1.ConditionFalse || len(issued.Message) < 20 {
					t.Errorf("Issued: %s/%s %q", issued.Status, issued.Reason, issued.Message)
				}
			})
		}
	}
}

// TestAFailedRequestToTheAPIServerIsMadeUpFor fails every request of a first issue and of a
// renewal in turn, before and after it is carried out, and expects the same end.
func TestAFailedRequestToTheAPIServerIsMadeUpFor(t *testing.T) {
	t.Parallel()
	workloads := map[string]struct {
		prepare func(*testkit.World)
		begin   func(*testkit.World)
		posts   int
	}{
		"first issue": {func(*testkit.World) {}, func(w *testkit.World) { w.Create(w.Credential("prod-1")) }, 1},
		"renewal": {
			func(w *testkit.World) { w.Create(w.Credential("prod-1")); w.Settle("prod-1"); w.Advance(21 * day) },
			func(*testkit.World) {}, 2,
		},
		"changed cluster": {
			func(w *testkit.World) { w.Create(w.Credential("prod-1")); w.Settle("prod-1") },
			func(w *testkit.World) {
				w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID })
			}, 2,
		},
		"several outputs": {
			func(*testkit.World) {},
			func(w *testkit.World) { w.Create(w.Credential("prod-1", withOutputs(five()[:3]...))) }, 1,
		},
		"several outputs, renewed": {
			func(w *testkit.World) {
				w.Create(w.Credential("prod-1", withOutputs(five()[:3]...)))
				w.Settle("prod-1")
				w.Advance(21 * day)
			},
			func(*testkit.World) {}, 2,
		},
		"moved output": {
			func(w *testkit.World) { w.Create(w.Credential("prod-1")); w.Settle("prod-1") },
			func(w *testkit.World) {
				w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
					cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "elsewhere"}}
				})
			}, 1,
		},
	}
	for name, load := range workloads {
		faultless := testkit.New(t)
		load.prepare(faultless)
		load.begin(faultless)
		faultless.Recorder.Reset(nil)
		faultless.Settle("prod-1")
		for _, after := range []bool{false, true} {
			for k := range len(faultless.Recorder.Calls()) {
				t.Run(fmt.Sprintf("%s, request %d, carried out first %v", name, k, after), func(t *testing.T) {
					t.Parallel()
					w := testkit.New(t)
					load.prepare(w)
					load.begin(w)
					failed := false
					w.Recorder.Reset(func(number int, _ testkit.Call) (error, bool) {
						if number == k {
							failed = true
							return errors.New("connection reset by peer"), after
						}
						return nil, false
					})
					w.Settle("prod-1")
					if !failed {
						t.Fatal("the request was not made: the sweep is not what it says")
					}
					wantConditions(t, w.Get("prod-1"), healthy)
					wantPosts(t, w, load.posts)
					wantServes(t, w, "prod-1")
					if open := w.Get("prod-1").Status.Issuance; open != nil {
						t.Errorf("an intent is open at rest: %+v", open)
					}
					w.Recorder.Reset(nil)
					w.Restart()
					w.Settle("prod-1")
					if writes := w.Recorder.Writes(); len(writes) > 0 {
						t.Errorf("writes at rest: %v", writes)
					}
				})
			}
		}
	}
}

// TestAKillAfterAnyRequestCostsAtMostTheCertificateUnderWay forgets everything after the
// k-th request, as kill -9 does.
func TestAKillAfterAnyRequestCostsAtMostTheCertificateUnderWay(t *testing.T) {
	t.Parallel()
	for k := range 6 {
		t.Run(fmt.Sprintf("request %d", k), func(t *testing.T) {
			w := testkit.New(t)
			w.Create(w.Credential("prod-1"))
			w.Recorder.Reset(func(number int, _ testkit.Call) (error, bool) {
				if number > k {
					panic(kill{})
				}
				return nil, false
			})
			passUntilKilled(w)
			lost := w.Posts() // what was asked for and is stored is not lost
			if holdsCredential(w, "prod-1-kubeconfig") {
				lost--
			}
			w.Recorder.Reset(nil)
			w.Restart()
			w.Settle("prod-1")
			cc := w.Get("prod-1")
			wantConditions(t, cc, healthy)
			wantPosts(t, w, lost+1)
			if w.Posts() != len(cc.Status.History) {
				t.Errorf("%d certificates asked for, %d in history: %+v", w.Posts(), len(cc.Status.History), cc.Status.History)
			}
		})
	}
}

func holdsCredential(w *testkit.World, name string) bool {
	secret := &corev1.Secret{}
	err := w.Client.Get(w.T.Context(), w.Key(name), secret)
	return err == nil && len(secret.Data["value"]) > 0
}

// kill ends a pass wherever it is.
type kill struct{}

func passUntilKilled(w *testkit.World) {
	defer func() {
		if r := recover(); r != nil && r != any(kill{}) {
			panic(r)
		}
	}()
	_, _ = w.Try("prod-1")
}

func TestACertificateThatCannotBeStoredIsKeptAndNotAskedForAgain(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	refuse := true
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if refuse && call == (testkit.Call{Verb: "create", Kind: "Secret"}) {
			return testkit.Forbidden(), false
		}
		return nil, false
	})
	w.Pass("prod-1")
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/WriteRefused", "Issued": "True/Issued", "Published": "False/WriteRefused", "Reconciling": "True/WriteRefused",
	})
	for range 5 {
		w.Advance(10 * time.Second)
		w.Pass("prod-1")
	}
	if w.Get("prod-1").Status.Issuance == nil {
		t.Error("a kill now would lose the certificate without a trace: no intent is open")
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true })
	refuse = false
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), map[string]string{"Ready": "True/Valid", "Issued": "True/Suspended", "Published": "True/Published"})
	if open := w.Get("prod-1").Status.Issuance; open != nil {
		t.Errorf("an intent is open at rest: %+v", open)
	}
}

// A leader that could not store its certificate comes back, when another one has got and stored a newer one.
func TestAKeptCertificateDoesNotReplaceANewerOne(t *testing.T) {
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	refuse := true
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if refuse && call == (testkit.Call{Verb: "create", Kind: "Secret"}) {
			return testkit.Forbidden(), false
		}
		return nil, false
	})
	w.Pass("prod-1")
	refuse = false
	former := w.Reconciler
	w.Restart()
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	newer := w.Secret("prod-1-kubeconfig").Data

	w.Reconciler = former
	w.Pass("prod-1")
	if !equality.Semantic.DeepEqual(newer, w.Secret("prod-1-kubeconfig").Data) {
		t.Error("the Secret does not hold the newer certificate any more")
	}
	w.Restart()
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
	var states []string
	for _, entry := range w.Get("prod-1").Status.History {
		states = append(states, string(entry.State))
	}
	if diff := cmp.Diff([]string{"Active", "Discarded"}, states); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestARefusedKeyIsTriedTwiceAndAgainOnlyWhenItChanges(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	keys := w.KeySecret()
	keys.StringData[v1alpha1.KeySecretKey] = "wrong"
	w.Replace(keys)
	for i := range 10 {
		w.Create(w.Credential(fmt.Sprintf("c%d", i)))
	}
	for range 20 {
		for i := range 10 {
			w.Pass(fmt.Sprintf("c%d", i))
		}
		w.Advance(time.Minute)
	}
	if refused := w.Sim.Requests()["show-cluster"]; refused != 2 {
		t.Errorf("the key was tried %d times in twenty minutes, want 2", refused)
	}
	cc := w.Get("c7")
	if got := conditions(cc); got["Issued"] != "False/Unauthorized" || got["Stalled"] != "True/Unauthorized" {
		t.Errorf("conditions: %v", got)
	}
	good := w.KeySecret()
	w.Replace(good)
	for range 12 {
		for i := range 10 {
			w.Pass(fmt.Sprintf("c%d", i))
		}
		w.Advance(5 * time.Second)
	}
	for i := range 10 {
		wantConditions(t, w.Get(fmt.Sprintf("c%d", i)), healthy)
	}
}

func TestReadyTurnsFalseWhenTheCertificateExpiresWhileTheKeyIsRefused(t *testing.T) {
	t.Parallel()
	w := established(t)
	keys := w.KeySecret()
	keys.StringData[v1alpha1.KeySecretKey] = "wrong"
	w.Replace(keys)
	w.Clock.SetTime(w.Get("prod-1").Status.Certificate.NotAfter.Add(-90 * time.Minute))
	began := w.Clock.Now()
	for range 12 {
		result := w.Pass("prod-1")
		if result.RequeueAfter > time.Hour {
			t.Fatalf("looked at again after %v only", result.RequeueAfter)
		}
		w.Advance(result.RequeueAfter)
	}
	cc := w.Get("prod-1")
	if got := conditions(cc); got["Ready"] != "False/Expired" || got["Issued"] != "False/Unauthorized" || got["Stalled"] == "" {
		t.Errorf("conditions: %v", got)
	}
	tries := w.Sim.Requests()["clustercert"] + w.Sim.Requests()["show-cluster"] - 2 // less those of the first certificate
	if most := 2 + int(w.Clock.Now().Sub(began).Hours()); tries > most {
		t.Errorf("the key was tried %d times, want at most %d: twice, then once an hour", tries, most)
	}
	w.Pass("prod-1")
	w.Recorder.Reset(nil)
	w.Advance(10 * time.Minute)
	w.Pass("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("waiting writes: %v", writes)
	}
}

func TestAWaitInLineIsToldOnceAndOnlyWhenItIsLong(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	account := w.CloudAccount()
	account.Spec.Limits.IssuesPerMinute = new(int32(1))
	w.Replace(account)
	w.Restart()
	for _, name := range []string{"a", "b", "c"} {
		w.Create(w.Credential(name))
	}
	w.Recorder.Reset(nil)
	for range 10 {
		for _, name := range []string{"a", "b", "c"} {
			w.Pass(name)
		}
		w.Advance(3 * time.Second)
	}
	told := 0
	for _, name := range []string{"a", "b", "c"} {
		cc := w.Get(name)
		if conditions(cc)["Issued"] == "False/RateLimited" && cc.Status.NextAttemptTime != nil {
			told++
			if message, at := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionIssued).Message, cc.Status.NextAttemptTime.UTC().Format(time.RFC3339); !strings.HasSuffix(message, "expected at about "+at) {
				t.Errorf("%s: %q does not say that its turn is at %s", name, message, at)
			}
		}
	}
	// The first has its turn within a minute; two are told, by a status and an event each.
	if writes := len(w.Recorder.Writes()); told != 2 || writes != 4 {
		t.Errorf("%d were told of their wait by %d writes, want 2 by 4", told, writes)
	}
	wantPosts(t, w, 0)
}

func TestWhatIsMissingIsSaidAndWaitedFor(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) { cc.Spec.AccountRef.Name = "later" }))
	w.Pass("x")
	if got := conditions(w.Get("x")); got["Issued"] != "False/AccountNotFound" || got["Stalled"] != "" {
		t.Errorf("without an account: %v", got)
	}
	account := w.CloudAccount()
	account.Name, account.Spec.Auth.AccessKey.SecretRef.Name = "later", "later-keys"
	w.Create(account)
	w.Pass("x")
	if got := conditions(w.Get("x")); got["Issued"] != "False/CredentialsMissing" || got["Stalled"] != "" {
		t.Errorf("without a key, at first: %v", got)
	}
	w.Advance(10 * time.Second)
	w.Pass("x")
	if got := conditions(w.Get("x")); got["Stalled"] != "True/CredentialsMissing" {
		t.Errorf("without a key, the second time: %v", got)
	}
	keys := w.KeySecret()
	keys.Name = "later-keys"
	w.Create(keys)
	w.Settle("x")
	wantConditions(t, w.Get("x"), healthy)
	wantPosts(t, w, 1)
}

// calls is a queue that notes when each object is to be looked at.
type calls struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	next map[string]time.Time
	now  func() time.Time
}

func (c calls) Add(request reconcile.Request) { c.AddAfter(request, 0) }

func (c calls) AddAfter(request reconcile.Request, after time.Duration) {
	if at := c.now().Add(after); at.Before(c.next[request.Name]) {
		c.next[request.Name] = at
	}
}

func TestNoMinuteSeesMoreCertificatesThanTheAccountAllows(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	account := w.CloudAccount()
	account.Spec.Limits = nil
	w.Replace(account)
	w.Restart()
	const n = 20
	next := map[string]time.Time{}
	for i := range n {
		name := fmt.Sprintf("c%02d", i)
		w.Create(w.Credential(name))
		next[name] = w.Clock.Now()
	}
	w.Must(w.Reconciler.Lead(t.Context(), calls{next: next, now: w.Clock.Now}))
	w.Recorder.Reset(nil)
	for range 2000 {
		for name, at := range next {
			if w.Clock.Now().Before(at) {
				continue
			}
			result := w.Pass(name)
			next[name] = w.Clock.Now().Add(result.RequeueAfter)
		}
		if w.Posts() == n {
			break
		}
		w.Advance(500 * time.Millisecond)
	}
	ledger := w.Sim.Ledger()
	if len(ledger) != n {
		t.Fatalf("%d certificates, want %d", len(ledger), n)
	}
	for i := 8; i < n; i++ {
		if ledger[i].Time.Sub(ledger[i-8].Time) < time.Minute {
			t.Errorf("certificates %d to %d within %v", i-8, i, ledger[i].Time.Sub(ledger[i-8].Time))
		}
	}
	// One every 7.5 s; the clock moves by halves of a second.
	if took := ledger[n-1].Time.Sub(ledger[0].Time); took > (n-1)*8*time.Second {
		t.Errorf("twenty certificates took %v at 8 a minute", took)
	}
	// Four for each, and two more (status and event) for those who were told of a wait above a minute.
	if writes := len(w.Recorder.Writes()); writes > 6*n {
		t.Errorf("%d writes for %d credentials", writes, n)
	}
}

func TestRemoteWordsAndKeysAreNowhereInStatusAndEvents(t *testing.T) {
	t.Parallel()
	w := established(t)
	for _, fault := range ccesim.Faults() {
		w.Must(w.Sim.Script(ccesim.Fault{Name: fault.Name, Pause: 0.1}))
		w.Advance(3 * time.Hour)
		w.Change("prod-1", newValue(string(fault.Name)))
		w.Pass("prod-1")
		w.Sim.ClearScript()
	}
	text := fmt.Sprintf("%+v %q", w.Get("prod-1"), w.TakeEvents())
	for _, secret := range []string{"sk-test", "PRIVATE KEY", "BEGIN", "<html", "LS0tLS1CRUdJTi"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in status or events", secret)
		}
	}
}

// No document says that the cluster's CA signs the certificates, so the first one is believed, and the cluster is tried.
func TestAFirstCertificateThatTheCADidNotSignIsPublishedAndSaysSo(t *testing.T) {
	t.Parallel()
	const note = "the client certificate is not signed by the CA that the cloud shows"
	w := testkit.New(t)
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultOtherCA, Times: 1}))
	w.Create(w.Credential("prod-1"))
	w.Settle("prod-1")
	if said := meta.FindStatusCondition(w.Get("prod-1").Status.Conditions, v1alpha1.ConditionPublished); said.Status != metav1.ConditionTrue {
		t.Errorf("Published: %s %q", said.Status, said.Message)
	}
	if said := fmt.Sprint(w.Get("prod-1").Status.Conditions); !strings.Contains(said, note) {
		t.Errorf("no condition says so: %s", said)
	}
	w.Advance(time.Hour)
	w.Change("prod-1", newValue("x"))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if said := fmt.Sprint(w.Get("prod-1").Status.Conditions); strings.Contains(said, note) {
		t.Errorf("the next one is signed by it: %s", said)
	}
}
