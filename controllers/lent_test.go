// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

// lender is a world with an administrator's account. Its key is in a namespace of its own.
type lender struct {
	*testkit.World
	keys string
}

func lend(t *testing.T, grants ...func(*v1alpha1.AccountGrant)) *lender {
	t.Helper()
	w := testkit.New(t)
	l := &lender{w, w.Beside("system")}
	key := w.KeySecret()
	key.Namespace = l.keys
	w.Create(key)
	w.Create(w.LentAccount(l.keys, l.grants(grants...)...))
	t.Cleanup(func() { // it is in no namespace that would take it along
		_ = w.Client.Delete(t.Context(), w.LentAccount(l.keys))
	})
	return l
}

// grants are one for each change, to the namespace of the world.
func (l *lender) grants(changes ...func(*v1alpha1.AccountGrant)) []v1alpha1.AccountGrant {
	all := make([]v1alpha1.AccountGrant, len(changes))
	for i, change := range changes {
		all[i].Namespaces.Names = []string{l.Namespace}
		change(&all[i])
	}
	return all
}

// grant changes the grants, as the administrator would.
func (l *lender) grant(changes ...func(*v1alpha1.AccountGrant)) {
	l.T.Helper()
	account := l.account()
	account.Spec.Grants = l.grants(changes...)
	l.Must(l.Client.Update(l.T.Context(), account))
	l.look()
}

func (l *lender) account() *v1alpha1.ClusterCloudAccount {
	l.T.Helper()
	account := &v1alpha1.ClusterCloudAccount{}
	l.Must(l.Client.Get(l.T.Context(), types.NamespacedName{Name: l.Namespace}, account))
	return account
}

// look makes a pass over the account.
func (l *lender) look() {
	l.T.Helper()
	_, err := l.Accounts.Reconcile(l.T.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: l.Namespace}})
	l.Must(err)
}

// borrow makes prod-1 by the account.
func (l *lender) borrow(changes ...func(*v1alpha1.ClusterCredential)) {
	l.T.Helper()
	l.Create(l.Credential("prod-1", append([]func(*v1alpha1.ClusterCredential){l.borrowing}, changes...)...))
}

func (l *lender) borrowing(cc *v1alpha1.ClusterCredential) {
	cc.Spec.AccountRef = v1alpha1.AccountReference{Kind: v1alpha1.KindClusterCloudAccount, Name: l.Namespace}
}

func (l *lender) pass(n int) {
	l.T.Helper()
	for range n {
		l.Pass("prod-1")
		l.Advance(time.Minute)
	}
}

func everything(*v1alpha1.AccountGrant) {}

func ofIDs(ids ...string) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) { g.Clusters = &v1alpha1.GrantClusters{IDs: ids} }
}

func ofNames(names ...string) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) { g.Clusters = &v1alpha1.GrantClusters{Names: names} }
}

func atMost(d time.Duration) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) { g.MaxValidity = &metav1.Duration{Duration: d} }
}

func byName(name string) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: name} }
}

func TestALentAccountServesWhomItGrants(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		grant  func(*v1alpha1.AccountGrant)
		change func(*v1alpha1.ClusterCredential)
	}{
		"all clusters":             {everything, func(*v1alpha1.ClusterCredential) {}},
		"a cluster by id":          {ofIDs(testkit.ClusterID), func(*v1alpha1.ClusterCredential) {}},
		"a cluster by name":        {ofNames("prod-*"), func(*v1alpha1.ClusterCredential) {}},
		"one that is named":        {ofNames("prod-1"), byName("prod-1")},
		"one that is named, by id": {ofIDs(testkit.ClusterID), byName("prod-1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, test.grant)
			l.borrow(test.change)
			l.Settle("prod-1")
			wantConditions(t, l.Get("prod-1"), healthy)
			for n := 2; n < 4; n++ {
				l.Clock.SetTime(l.Get("prod-1").Status.RenewalTime.Add(time.Second))
				l.Settle("prod-1")
				wantPosts(t, l.World, n)
				wantConditions(t, l.Get("prod-1"), healthy)
			}
			l.Recorder.Reset(nil)
			l.Restart()
			l.Settle("prod-1")
			if writes := l.Recorder.Writes(); len(writes) > 0 {
				t.Errorf("after a restart: %v", writes)
			}
			l.look()
			if c := meta.FindStatusCondition(l.account().Status.Conditions, v1alpha1.ConditionReady); c == nil || c.Status != metav1.ConditionTrue ||
				l.account().Status.Credentials != 1 {
				t.Errorf("the account's status: %+v", l.account().Status)
			}
		})
	}
}

// refused holds that nothing was asked for, and says which words Issued has.
func (l *lender) wantRefused(t *testing.T, posts int, words ...string) {
	t.Helper()
	wantPosts(t, l.World, posts)
	cc := l.Get("prod-1")
	if got := conditions(cc)["Issued"]; got != "False/AccountNotAllowed" {
		t.Errorf("Issued is %s", got)
	}
	for _, word := range words {
		if message := conditionMessage(cc, v1alpha1.ConditionIssued); !strings.Contains(message, word) {
			t.Errorf("Issued does not say %q: %q", word, message)
		}
	}
}

func TestWhatIsNotGrantedIsRefusedByItsRule(t *testing.T) {
	t.Parallel()
	own := withEndpoint(v1alpha1.Endpoint{Server: "https://lb.example.com"})
	proxy := withEndpoint(v1alpha1.Endpoint{ProxyURL: "http://proxy.example.com:3128"})
	for name, test := range map[string]struct {
		grants []func(*v1alpha1.AccountGrant)
		change func(*v1alpha1.ClusterCredential)
		words  string
		unread bool
	}{
		"nobody":                            {nil, byName("prod-1"), "spec.grants[].namespaces", true},
		"another namespace":                 {[]func(*v1alpha1.AccountGrant){func(g *v1alpha1.AccountGrant) { g.Namespaces.Names = []string{"other"} }}, byName("prod-1"), "spec.grants[].namespaces", true},
		"another cluster":                   {[]func(*v1alpha1.AccountGrant){ofIDs(testkit.OtherID)}, byName("prod-1"), "spec.grants[].clusters", false},
		"another name":                      {[]func(*v1alpha1.AccountGrant){ofNames("team-*")}, func(*v1alpha1.ClusterCredential) {}, "spec.grants[].clusters", false},
		"a server of its own":               {[]func(*v1alpha1.AccountGrant){everything}, own, "spec.grants[].customEndpoint", false},
		"a proxy of its own":                {[]func(*v1alpha1.AccountGrant){everything}, proxy, "spec.grants[].customEndpoint", false},
		"a server for another cluster only": {[]func(*v1alpha1.AccountGrant){everything, func(g *v1alpha1.AccountGrant) { ofIDs(testkit.OtherID)(g); g.CustomEndpoint = true }}, own, "spec.grants[].customEndpoint", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, test.grants...)
			l.Recorder.Reset(nil)
			l.borrow(test.change)
			l.pass(3)
			l.wantRefused(t, 0, test.words, l.Namespace)
			if got := conditions(l.Get("prod-1")); got["Stalled"] != "True/AccountNotAllowed" {
				t.Errorf("conditions: %v", got)
			}
			if asked := len(l.Sim.Requests()); test.unread && asked > 0 {
				t.Errorf("the cloud was asked: %v", l.Sim.Requests())
			}
			l.grant(func(g *v1alpha1.AccountGrant) { g.CustomEndpoint = true })
			l.Settle("prod-1")
			wantPosts(t, l.World, 1)
			wantConditions(t, l.Get("prod-1"), healthy)
		})
	}
}

// Who may not use a cluster does not learn whether there is one.
func TestAClusterThatIsNotGrantedIsToldLikeOneThatIsNotThere(t *testing.T) {
	t.Parallel()
	answers := map[string]bool{}
	for _, cluster := range []v1alpha1.ClusterReference{
		{ID: testkit.OtherID}, {ID: "99999999-9999-4999-8999-999999999999"}, {Name: "prod-2"}, {Name: "nowhere"}, {Name: "prod-1-alias"},
	} {
		l := lend(t, ofNames("team-*", "prod-1*"))
		l.Must(l.Sim.UpdateCluster(testkit.OtherID, func(c *ccesim.Cluster) { c.Alias = "prod-1-alias" })) // which people may change
		l.borrow(func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = cluster })
		l.Pass("prod-1")
		l.Pass("prod-1")
		l.wantRefused(t, 0)
		status := l.Get("prod-1").Status
		answers[strings.ReplaceAll(conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued), l.Namespace, "")] = true
		if status.Failures != 1 || status.NextAttemptTime == nil || status.ClusterID != "" || status.Access != "" || len(status.Contexts) > 0 ||
			status.Cluster != cluster.ID+cluster.Name {
			t.Errorf("%v: %d failures, next %v, cluster %q, contexts %v", cluster, status.Failures, status.NextAttemptTime, status.ClusterID, status.Contexts)
		}
	}
	if len(answers) != 1 {
		t.Errorf("they are told apart: %v", answers)
	}
}

func TestOfClustersWithOneNameOnlyTheGrantedOnesAreNamed(t *testing.T) {
	t.Parallel()
	const twin, secret = "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"
	l := lend(t, ofIDs(testkit.ClusterID, twin))
	for _, id := range []string{twin, secret} {
		l.Must(l.Sim.AddCluster(ccesim.Cluster{ID: id, Name: "prod-1", ProjectID: testkit.ProjectID}))
	}
	l.borrow(byName("prod-1"))
	l.pass(2)
	message := conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued)
	if !strings.Contains(message, twin) || !strings.Contains(message, testkit.ClusterID) || strings.Contains(message, secret) || strings.Contains(message, "3 ") {
		t.Errorf("Issued says %q", message)
	}
	l.grant(ofNames("team-*"))
	l.pass(2)
	l.wantRefused(t, 0)
}

// What a tenant writes into its own Secret changes nothing of what it may ask for.
func TestMarksThatLieAreNoGrant(t *testing.T) {
	t.Parallel()
	l := lend(t, ofNames("prod-1"))
	l.borrow(byName("prod-1"))
	l.Settle("prod-1")
	secret := l.Secret("prod-1-kubeconfig")
	for key, value := range secret.Annotations {
		secret.Annotations[key] = strings.ReplaceAll(value, testkit.ClusterID, testkit.OtherID)
	}
	l.Must(l.Client.Update(t.Context(), secret))
	l.WipeStatus("prod-1")
	l.Restart()
	l.Pass("prod-1")
	l.Clock.SetTime(l.Clock.Now().Add(29 * day))
	l.pass(3)
	for _, entry := range l.Sim.Ledger()[1:] {
		if entry.Cluster != testkit.ClusterID {
			t.Errorf("a certificate was asked for of %s", entry.Cluster)
		}
	}
}

func TestAGrantThatIsWithdrawnLeavesWhatIsPublished(t *testing.T) {
	t.Parallel()
	for name, withdraw := range map[string]func(*lender){
		"the grant": func(l *lender) { l.grant() },
		"the label": func(l *lender) {
			namespace := &corev1.Namespace{}
			l.Must(l.Client.Get(l.T.Context(), types.NamespacedName{Name: l.Namespace}, namespace))
			delete(namespace.Labels, "tier")
			l.Must(l.Client.Update(l.T.Context(), namespace))
		},
		"the account": func(l *lender) { l.Must(l.Client.Delete(l.T.Context(), l.account())) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, func(g *v1alpha1.AccountGrant) {
				g.Namespaces = v1alpha1.GrantNamespaces{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}}
			})
			namespace := &corev1.Namespace{}
			l.Must(l.Client.Get(t.Context(), types.NamespacedName{Name: l.Namespace}, namespace))
			namespace.Labels["tier"] = "gold"
			l.Must(l.Client.Update(t.Context(), namespace))
			l.borrow()
			l.Settle("prod-1")
			wantConditions(t, l.Get("prod-1"), healthy)
			before := l.Secret("prod-1-kubeconfig").Data
			withdraw(l)
			l.Change("prod-1", newValue("1"))
			l.pass(3)
			wantPosts(t, l.World, 1)
			got := conditions(l.Get("prod-1"))
			if got["Ready"] != "True/Valid" || !strings.HasPrefix(got["Issued"], "False/Account") {
				t.Errorf("conditions: %v", got)
			}
			if after := l.Secret("prod-1-kubeconfig").Data; !maps.EqualFunc(before, after, bytes.Equal) {
				t.Error("the bytes have changed")
			}
			l.Must(l.Client.Delete(t.Context(), l.Secret("prod-1-kubeconfig")))
			l.pass(2)
			wantPosts(t, l.World, 1)
		})
	}
}

func TestTheValidityIsCutToWhatIsGranted(t *testing.T) {
	t.Parallel()
	days := func(n int32) *v1alpha1.Validity { return &v1alpha1.Validity{Days: &n} }
	lasting := func(d time.Duration) *v1alpha1.Validity {
		return &v1alpha1.Validity{Duration: &metav1.Duration{Duration: d}}
	}
	for name, test := range map[string]struct {
		most     time.Duration
		validity *v1alpha1.Validity
		want     time.Duration
		told     bool
	}{
		"30 days by default":         {7 * day, nil, 7 * day, true},
		"the longest":                {7 * day, days(-1), 7 * day, true},
		"less than is granted":       {7 * day, days(5), 5 * day, false},
		"as much as is granted":      {7 * day, days(7), 7 * day, false},
		"no whole days":              {36 * time.Hour, days(7), 36 * time.Hour, true},
		"a duration":                 {36 * time.Hour, lasting(48 * time.Hour), 36 * time.Hour, true},
		"a duration that is shorter": {36 * time.Hour, lasting(6 * time.Hour), 6 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, atMost(test.most))
			l.borrow(func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = test.validity })
			l.Settle("prod-1")
			wantPosts(t, l.World, 1)
			cc := l.Get("prod-1")
			wantConditions(t, cc, healthy)
			if got := cc.Status.Certificate.NotAfter.Sub(l.Sim.Ledger()[0].Time).Round(time.Minute); got != test.want {
				t.Errorf("valid for %s, want %s", got, test.want)
			}
			if told := strings.Contains(conditionMessage(cc, v1alpha1.ConditionIssued), "maxValidity"); told != test.told {
				t.Errorf("Issued says %q", conditionMessage(cc, v1alpha1.ConditionIssued))
			}
			l.Advance(time.Hour)
			l.Settle("prod-1")
			wantPosts(t, l.World, 1)
		})
	}
}

func TestWhatCannotBeCutIsNotPublished(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(*lender)
		change  func(*v1alpha1.ClusterCredential)
		posts   int
	}{
		"an Autopilot cluster takes whole days": {
			func(l *lender) {
				l.Must(l.Sim.UpdateCluster(testkit.ClusterID, func(c *ccesim.Cluster) { c.Type = ccesim.Autopilot }))
			},
			func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.Type = v1alpha1.ClusterTypeAutopilot }, 0,
		},
		"a cloud that grants more": {
			func(l *lender) { l.Sim.SetLeastLifetime(3 * day) }, func(*v1alpha1.ClusterCredential) {}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, atMost(12*time.Hour))
			test.prepare(l)
			l.borrow(test.change)
			l.pass(5)
			wantPosts(t, l.World, test.posts)
			if got := conditions(l.Get("prod-1")); got["Issued"] != "False/Rejected" {
				t.Errorf("conditions: %v: %s", got, conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued))
			}
			if message := conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued); !strings.Contains(message, "maxValidity") {
				t.Errorf("Issued says %q", message)
			}
		})
	}
}

// Longer certificates than are granted any more are renewed within a day, and not all at once.
func TestALoweredCapBringsRenewalsForward(t *testing.T) {
	t.Parallel()
	l := lend(t, everything)
	l.look()
	l.borrow()
	l.Settle("prod-1")
	l.Advance(5 * day)
	l.Settle("prod-1")
	wantPosts(t, l.World, 1)
	changed := l.Clock.Now()
	l.grant(atMost(72 * time.Hour))
	l.Settle("prod-1")
	renewal := l.Get("prod-1").Status.RenewalTime.Time
	if renewal.Before(changed) || renewal.After(changed.Add(24*time.Hour)) {
		t.Errorf("it is renewed at %s, %s after the cap was lowered", renewal, renewal.Sub(changed))
	}
	l.Clock.SetTime(renewal.Add(time.Second))
	l.Settle("prod-1")
	wantPosts(t, l.World, 2)
	cc := l.Get("prod-1")
	wantConditions(t, cc, healthy)
	if got := cc.Status.Certificate.NotAfter.Sub(cc.Status.Certificate.NotBefore.Time); got > 73*time.Hour || cc.Status.History[0].Trigger != v1alpha1.TriggerExpiry {
		t.Errorf("the new one is valid for %s, trigger %s", got, cc.Status.History[0].Trigger)
	}
}

func TestAddressesWithoutVerificationAreAllowedByAGrantToo(t *testing.T) {
	t.Parallel()
	allowed := func(g *v1alpha1.AccountGrant) { g.AllowInsecureTLS = true }
	asks := withEndpoint(v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true})
	for name, test := range map[string]struct {
		grant func(*v1alpha1.AccountGrant)
		want  string
	}{"it does": {allowed, "True/Issued"}, "it does not": {everything, "False/InsecureEndpoint"}, "another does": {func(g *v1alpha1.AccountGrant) { allowed(g); ofIDs(testkit.OtherID)(g) }, "False/AccountNotAllowed"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lend(t, test.grant)
			l.borrow(asks)
			l.pass(3)
			if got := conditions(l.Get("prod-1"))["Issued"]; got != test.want {
				t.Errorf("Issued is %s: %s", got, conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued))
			}
		})
	}
}

// An account of the same key asks for nothing, whoever owns it.
func TestAnAccountOfTheSameKeyAsksForNothing(t *testing.T) {
	t.Parallel()
	l := lend(t, everything)
	l.Create(l.Credential("prod-1"))
	l.Settle("prod-1")
	l.Change("prod-1", l.borrowing)
	l.Settle("prod-1")
	wantPosts(t, l.World, 1)
	wantConditions(t, l.Get("prod-1"), healthy)
	l.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.AccountRef = v1alpha1.AccountReference{Name: testkit.Account}
	})
	l.Settle("prod-1")
	wantPosts(t, l.World, 1)
}

// The key is read afresh when its Secret changes, and whoever borrows it is woken.
func TestAKeyThatIsMissingIsNamedWithItsNamespace(t *testing.T) {
	t.Parallel()
	l := lend(t, everything)
	key := l.KeySecret()
	key.Namespace = l.keys
	l.Must(l.Client.Delete(t.Context(), key))
	l.borrow()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued), l.keys+"/"+testkit.KeySecret); {
		if l.Pass("prod-1"); time.Now().After(end) {
			t.Fatalf("Issued says %q", conditionMessage(l.Get("prod-1"), v1alpha1.ConditionIssued))
		}
	}
	wantPosts(t, l.World, 0)
}
