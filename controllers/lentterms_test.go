// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

// both makes one change of two.
func both(changes ...func(*v1alpha1.AccountGrant)) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) {
		for _, change := range changes {
			change(g)
		}
	}
}

func custom(g *v1alpha1.AccountGrant)   { g.CustomEndpoint = true }
func insecure(g *v1alpha1.AccountGrant) { g.AllowInsecureTLS = true }

var ownServer = withEndpoint(v1alpha1.Endpoint{Server: "https://lb.example.com"})

// What a grant allows holds in every certificate, whoever asks for it and however often: grants do not add up, and what the operator does
// not ask the cloud in a routine renewal takes no bound away.
func TestTheTermsHoldInEveryCertificate(t *testing.T) {
	t.Parallel()
	longest := func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(-1))} }
	for name, test := range map[string]struct {
		grants []func(*v1alpha1.AccountGrant)
		change func(*v1alpha1.ClusterCredential)
		most   time.Duration
	}{
		"one by id": {[]func(*v1alpha1.AccountGrant){both(ofIDs(testkit.ClusterID), atMost(2*day))}, func(*v1alpha1.ClusterCredential) {}, 2 * day},
		"a server of its own by name, all else by less": {
			[]func(*v1alpha1.AccountGrant){atMost(day), both(ofNames("prod-*"), custom, atMost(7*day))}, ownServer, 7 * day,
		},
		"without verification by name": {
			[]func(*v1alpha1.AccountGrant){atMost(day), both(ofNames("prod-*"), insecure, atMost(7*day))},
			withEndpoint(v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true}), 7 * day,
		},
		"without verification by id": {
			[]func(*v1alpha1.AccountGrant){atMost(day), both(ofIDs(testkit.ClusterID), insecure, atMost(7*day))},
			withEndpoint(v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true}), 7 * day,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, test.grants...)
			l.borrow(test.change, longest)
			l.Settle("prod-1")
			l.Change("prod-1", newValue("1"))
			l.Settle("prod-1")
			l.Clock.SetTime(l.Get("prod-1").Status.RenewalTime.Add(time.Second))
			l.Settle("prod-1")
			wantPosts(t, l.World, 3)
			for _, entry := range l.Sim.Ledger() {
				if valid := entry.NotAfter.Sub(entry.Time); valid > test.most+time.Minute {
					t.Errorf("a certificate is valid for %s, want %s at the most", valid, test.most)
				}
			}
			if got := conditions(l.Get("prod-1")); got["Ready"] != "True/Valid" || got["Issued"] != "True/Issued" {
				t.Errorf("conditions: %v: %s", got, conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued))
			}
		})
	}
}

// Who makes the object anew, with a server that is not granted and a request, gets nothing by way of the Secret that is there.
func TestAnObjectMadeAnewGetsNoMoreThanIsGranted(t *testing.T) {
	t.Parallel()
	l := lend(t, both(ofIDs(testkit.ClusterID), atMost(day)))
	l.borrow()
	l.Settle("prod-1")
	l.Must(l.Client.Delete(t.Context(), l.Get("prod-1")))
	_, _ = l.Try("prod-1")
	l.Advance(time.Hour)
	l.borrow(ownServer, newValue("more"), func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(-1))} })
	l.pass(5)
	l.wantRefused(t, 1, "spec.grants[].customEndpoint")
	if got := l.Get("prod-1").Status.Server; got == "https://lb.example.com" {
		t.Errorf("the server is %s", got)
	}
}

// A server that is not granted any more, or was not to begin with, leaves what is published as it is, and is told.
func TestAServerThatIsNotGrantedLeavesWhatIsPublished(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		grant func(*v1alpha1.AccountGrant)
		first func(*v1alpha1.ClusterCredential)
		then  func(*lender)
	}{
		"withdrawn": {custom, ownServer, func(l *lender) { l.grant(everything) }},
		"asked for": {everything, func(*v1alpha1.ClusterCredential) {}, func(l *lender) { l.Change("prod-1", ownServer) }},
		"of a cluster that a name lends": {both(ofNames("prod-1"), custom), ownServer, func(l *lender) {
			l.grant(both(ofNames("prod-1")))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, test.grant)
			l.borrow(test.first)
			l.Settle("prod-1")
			before := l.Secret("prod-1-kubeconfig")
			test.then(l)
			l.pass(3)
			l.wantRefused(t, 1, "spec.grants[].customEndpoint")
			if got := conditions(l.Get("prod-1")); got["Ready"] != "True/Valid" || got["Published"] != "True/Published" {
				t.Errorf("conditions: %v", got)
			}
			wantSameBytes(t, l.World, before)
		})
	}
}

// Nothing of a cluster that is not granted is told: not by status, not by events, not by lists, and whatever a tenant writes into its Secret.
func TestNothingIsToldOfOtherClusters(t *testing.T) {
	t.Parallel()
	const theirs = "https://203.0.113.222:5443"
	for name, test := range map[string]struct{ request, spec string }{
		"by its id":                    {testkit.OtherID, "prod-1"},
		"by its name":                  {"99999999-9999-4999-8999-999999999999", "prod-2"},
		"of one that is not there":     {"99999999-9999-4999-8999-999999999999", "nowhere"},
		"by its id, where it is named": {testkit.OtherID, "prod-2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, ofNames("prod-1"))
			l.LookOut()
			l.Must(l.Sim.UpdateCluster(testkit.OtherID, func(c *ccesim.Cluster) { c.Phase, c.ExternalURL = "Hibernation", theirs }))
			l.borrow(byName("prod-1"))
			l.Settle("prod-1")
			l.Must(l.Client.Delete(t.Context(), l.Get("prod-1"))) // so that nothing but the Secret tells
			_, _ = l.Try("prod-1")
			secret := l.Secret("prod-1-kubeconfig")
			for key, value := range secret.Annotations {
				secret.Annotations[key] = strings.ReplaceAll(value, testkit.ClusterID, test.request)
			}
			l.Must(l.Client.Update(t.Context(), secret))
			l.borrow(byName(test.spec))
			l.TakeEvents()
			for range 4 {
				l.pass(2)
				l.Advance(10 * time.Minute)
				l.Wait()
			}
			said := fmt.Sprint(l.Get("prod-1").Status, l.TakeEvents(), string(l.Secret("prod-1-kubeconfig").Data["value"]))
			for what, word := range map[string]string{"phase": "Hibernation", "address": theirs, "absence": "does not know"} {
				if strings.Contains(said, word) {
					t.Errorf("the %s of another cluster is told: %s", what, said)
				}
			}
			if test.request != testkit.OtherID && strings.Contains(said, testkit.OtherID) {
				t.Errorf("the id of another cluster is told: %s", said)
			}
		})
	}
}

func TestTheMissingActionIsNamedToWhomTheClusterIsGranted(t *testing.T) {
	t.Parallel()
	for name, grant := range map[string]func(*v1alpha1.AccountGrant){"by name": ofNames("prod-*"), "by id": ofIDs(testkit.ClusterID), "all": everything} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, grant)
			l.Must(l.Sim.Script(ccesim.Fault{Name: ccesim.FaultForbidden, Op: ccesim.OpIssue, Times: ccesim.Forever}))
			l.borrow()
			l.pass(1)
			message := conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued)
			if got := conditions(l.Get("prod-1"))["Issued"]; got != "False/Forbidden" || !strings.Contains(message, "cce:cluster:generateClientCredential") {
				t.Errorf("Issued is %s: %s", got, message)
			}
		})
	}
}

// Of two clusters with one name the granted one is taken: that there is another is not the tenant's to know.
func TestATwinThatIsNotGrantedIsNotSeen(t *testing.T) {
	t.Parallel()
	l := lend(t, ofIDs(testkit.ClusterID))
	l.Must(l.Sim.AddCluster(ccesim.Cluster{ID: "33333333-3333-4333-8333-333333333333", Name: "prod-1", ProjectID: testkit.ProjectID}))
	l.borrow(byName("prod-1"))
	l.Settle("prod-1")
	wantPosts(t, l.World, 1)
	wantConditions(t, l.Get("prod-1"), healthy)
	if got := l.Get("prod-1").Status.ClusterID; got != testkit.ClusterID {
		t.Errorf("the cluster is %s", got)
	}
}

// A status that was lost, or an object made anew, costs nothing where a grant lets an address without verification be published.
func TestALostStatusOfALentCredentialCostsNothing(t *testing.T) {
	t.Parallel()
	for name, grant := range map[string]func(*v1alpha1.AccountGrant){
		"by name": both(ofNames("prod-1"), insecure), "by id": both(ofIDs(testkit.ClusterID), insecure), "all": insecure,
	} {
		for how, lose := range map[string]func(*lender){
			"wiped": func(l *lender) { l.WipeStatus("prod-1") },
			"made anew": func(l *lender) {
				l.Must(l.Client.Delete(l.T.Context(), l.Get("prod-1")))
				_, _ = l.Try("prod-1")
				l.borrow(withEndpoint(v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true}))
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				l := lend(t, grant)
				l.borrow(withEndpoint(v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true}))
				l.Settle("prod-1")
				before := l.Secret("prod-1-kubeconfig")
				lose(l)
				l.Restart()
				l.pass(3)
				wantPosts(t, l.World, 1)
				wantSameBytes(t, l.World, before)
			})
		}
	}
}

// A namespace that the cache does not show yet is selected by nothing: its labels may say no.
func TestANamespaceThatIsNotSeenYetIsNotSelected(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	l := &lender{w, w.Beside("system")}
	key := w.KeySecret()
	key.Namespace = l.keys
	w.Create(key)
	w.Create(w.LentAccount(l.keys, l.grants(func(g *v1alpha1.AccountGrant) {
		g.Namespaces = v1alpha1.GrantNamespaces{Selector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "untrusted", Operator: metav1.LabelSelectorOpDoesNotExist}},
		}}
	})...))
	t.Cleanup(func() { _ = w.Client.Delete(t.Context(), w.LentAccount(l.keys)) })
	w.Recorder.Hide("Namespace")
	l.borrow()
	l.pass(2)
	l.wantRefused(t, 0, "spec.grants[].namespaces")
	w.Recorder.Hide()
	l.Settle("prod-1")
	wantPosts(t, w, 1)
}

// What was issued and not stored is not published once it is not granted any more.
func TestAHeldCertificateIsNotPublishedOnceItIsNotGranted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*lender){
		"the grant is withdrawn": func(l *lender) { l.grant() },
		"the cap is lowered":     func(l *lender) { l.grant(atMost(day)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, everything)
			target := &cluster{answer: unreachable}
			l.Verify(target)
			l.borrow(required)
			l.pass(3)
			wantPosts(t, l.World, 1)
			change(l)
			target.says(accepts, "")
			l.pass(2)
			secret := &corev1.Secret{}
			if err := l.Client.Get(t.Context(), l.Key("prod-1-kubeconfig"), secret); err == nil {
				if valid := l.Sim.Ledger()[0].NotAfter; bytes.Contains(secret.Data["value"], []byte("client-certificate")) && l.Get("prod-1").Status.Certificate.NotAfter.Equal(&metav1.Time{Time: valid}) {
					t.Error("the certificate that is not granted any more was published")
				}
			}
			if got := l.Get("prod-1").Status.History; len(got) == 0 || got[len(got)-1].State != v1alpha1.CertificateDiscarded {
				t.Errorf("history: %+v", got)
			}
		})
	}
}

// A grant that goes while the cloud is asked about the cluster is gone for the certificate.
func TestAGrantWithdrawnAtTheLastMomentCounts(t *testing.T) {
	t.Parallel()
	l := lend(t, ofNames("prod-1"))
	l.borrow()
	withdrawn := false
	l.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call.Verb == "dryrun" && !withdrawn { // the pass has begun, and the cloud is asked next
			withdrawn = true
			account := l.account()
			account.Spec.Grants = nil
			l.Must(l.Client.Update(l.T.Context(), account))
		}
		return nil, false
	})
	l.pass(3)
	if !withdrawn {
		t.Fatal("the Secret's namespace was not tried")
	}
	l.wantRefused(t, 0, "spec.grants[].namespaces")
}

// Whoever writes the id of another's access key into a Secret does not slow the other down.
func TestTheLimitOfAKeyIsForThoseWhoHaveIt(t *testing.T) {
	t.Parallel()
	l := lend(t, everything)
	key := l.KeySecret()
	key.Name = "stolen-id"
	key.StringData = maps.Clone(key.StringData)
	key.StringData[v1alpha1.KeySecretKey] = "not-the-secret-of-that-key-000000000000000"
	l.Create(key)
	slow := l.CloudAccount()
	slow.Name, slow.Spec.Limits = "slow", &v1alpha1.Limits{IssuesPerMinute: new(int32(1))}
	slow.Spec.Auth.AccessKey.SecretRef.Name = key.Name
	l.Create(slow)
	_, err := l.Accounts.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: l.Namespace, Name: "slow"}})
	l.Must(err)
	l.borrow()
	l.Settle("prod-1")
	l.Change("prod-1", newValue("1"))
	l.Pass("prod-1")
	l.Pass("prod-1")
	if got := l.Posts(); got < 2 {
		t.Errorf("%d certificates within a moment, want 2: the other's limit counts", got)
	}
}

// What the cloud dates back is within its cap: it is neither discarded while it waits, nor renewed again and again.
func TestACertificateThatIsDatedBackIsWithinItsCap(t *testing.T) {
	t.Parallel()
	t.Run("while it waits", func(t *testing.T) {
		t.Parallel()
		l := lend(t, atMost(20*time.Minute))
		l.Sim.SetBackdate(5 * time.Minute)
		target := &cluster{answer: unreachable}
		l.Verify(target)
		l.borrow(required)
		l.pass(3)
		target.says(accepts, "")
		l.pass(2)
		wantPosts(t, l.World, 1)
		wantServes(t, l.World, "prod-1")
	})
	t.Run("once it is published", func(t *testing.T) {
		t.Parallel()
		l := lend(t, atMost(time.Hour))
		l.Sim.SetBackdate(time.Hour)
		l.look()
		l.borrow()
		l.Settle("prod-1")
		l.Advance(15 * time.Minute)
		l.Settle("prod-1")
		wantPosts(t, l.World, 1)
	})
}

// From when a cap counts is noted also where another grant has the same one already.
func TestACapThatAnotherGrantHasCountsFromNow(t *testing.T) {
	t.Parallel()
	elsewhere := func(g *v1alpha1.AccountGrant) {
		g.Namespaces.Names, g.MaxValidity = []string{"elsewhere"}, &metav1.Duration{Duration: day}
	}
	l := lend(t, elsewhere, everything)
	l.look()
	l.borrow()
	l.Settle("prod-1")
	l.Advance(10 * day)
	l.grant(elsewhere, atMost(day))
	changed := l.Clock.Now()
	l.Settle("prod-1")
	renewal := l.Get("prod-1").Status.RenewalTime
	if renewal == nil || renewal.Time.Before(changed) || renewal.After(changed.Add(day/3)) {
		t.Errorf("it is renewed at %v, want within %s after %s", renewal, day/3, changed)
	}
	wantPosts(t, l.World, 1)
}

// A tenant that asks without end for a cluster that it may not use is slowed down: the cloud would ask the account for fewer calls.
func TestLookUpsOfWhatIsNotGrantedArePaced(t *testing.T) {
	t.Parallel()
	for what, name := range map[string]string{"one that is there": "prod-2", "one that is not": "nope"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l := lend(t, ofNames("prod-1"))
			account := l.account()
			account.Spec.Limits.IssuesPerMinute = new(int32(8))
			l.Must(l.Client.Update(t.Context(), account))
			l.borrow(byName(name))
			l.Pass("prod-1")
			l.Advance(10 * time.Minute)
			before := l.Sim.Requests()["list-clusters"]
			for i := range 120 { // for a minute
				l.Change("prod-1", newValue(fmt.Sprint(i)))
				l.Pass("prod-1")
				l.Advance(500 * time.Millisecond)
			}
			if looks := l.Sim.Requests()["list-clusters"] - before; looks > 9 || looks < 4 {
				t.Errorf("the cloud was asked %d times within a minute, want 8 or so", looks)
			}
			wantPosts(t, l.World, 0)
		})
	}
}

// Somebody who knows the id of a lent key, and writes wrong secrets for it, does not have the cloud lock it.
func TestWrongSecretsOfALentKeyDoNotHaveItLocked(t *testing.T) {
	t.Parallel()
	l := lend(t, everything)
	l.look()
	l.borrow()
	l.Settle("prod-1")
	key := types.NamespacedName{Namespace: l.Namespace, Name: testkit.KeySecret}
	own := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: l.Namespace, Name: testkit.Account}}
	for i := range 12 {
		secret := &corev1.Secret{}
		l.Must(l.Client.Get(t.Context(), key, secret))
		secret.Data[v1alpha1.KeySecretKey] = []byte(fmt.Sprintf("wrong-%030d", i))
		l.Must(l.Client.Update(t.Context(), secret))
		time.Sleep(50 * time.Millisecond) // a watch shows the Secret
		_, err := l.Accounts.Reconcile(t.Context(), own)
		l.Must(err)
		l.Advance(10 * time.Second)
	}
	l.Change("prod-1", newValue("now"))
	l.Settle("prod-1")
	wantPosts(t, l.World, 2)
	wantConditions(t, l.Get("prod-1"), healthy)
}

// What the marks of a Secret say of its cluster does not get into status, and so into what the grants let be published.
func TestMarksDoNotMakeAClusterAnotherOne(t *testing.T) {
	t.Parallel()
	l := lend(t, both(ofNames("prod-2"), insecure), ofNames("prod-1"))
	l.borrow()
	l.Settle("prod-1")
	first := l.Secret("prod-1-kubeconfig")
	l.Change("prod-1", newValue("1"))
	l.Settle("prod-1")
	second := l.Secret("prod-1-kubeconfig")
	l.Change("prod-1", withEndpoint(v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true}))
	for _, was := range []*corev1.Secret{first, second, first, second} {
		live := l.Secret("prod-1-kubeconfig")
		live.Data, live.Annotations = was.Data, map[string]string{}
		for key, value := range was.Annotations {
			live.Annotations[key] = strings.ReplaceAll(strings.ReplaceAll(value, `"prod-1"`, `"prod-2"`), testkit.ClusterID, testkit.OtherID)
		}
		l.Must(l.Client.Update(t.Context(), live))
		l.pass(2)
		if got := l.Get("prod-1").Status; got.Cluster == "prod-2" || got.ClusterID == testkit.OtherID {
			t.Errorf("status says that it is cluster %s, %s", got.Cluster, got.ClusterID)
		}
		if bytes.Contains(l.Secret("prod-1-kubeconfig").Data["value"], []byte("insecure-skip-tls-verify: true")) {
			t.Fatal("an address without verification is published, which is granted for another cluster only")
		}
	}
}
