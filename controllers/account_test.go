// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

func lookAtAccount(t *testing.T, w *testkit.World) (*v1alpha1.CloudAccount, time.Duration) {
	t.Helper()
	result, err := w.Accounts.Reconcile(t.Context(), reconcile.Request{NamespacedName: w.Key(testkit.Account)})
	w.Must(err)
	account := &v1alpha1.CloudAccount{}
	w.Must(w.Client.Get(t.Context(), w.Key(testkit.Account), account))
	return account, result.RequeueAfter
}

func readyOf(account *v1alpha1.CloudAccount) string {
	c := meta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%s/%s", c.Status, c.Reason)
}

func TestAnAccountIsReadyWhenASignedReadIsAnswered(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(*testkit.World)
		want    string
		project string
	}{
		"a key that works": {func(*testkit.World) {}, "True/Valid", testkit.ProjectID},
		"a project that is looked up": {func(w *testkit.World) {
			account := w.CloudAccount()
			account.Spec.ProjectID = ""
			w.Replace(account)
		}, "True/Valid", testkit.ProjectID},
		"a region without a project": {func(w *testkit.World) {
			account := w.CloudAccount()
			account.Spec.ProjectID, account.Spec.Region = "", "xx-nowhere-9"
			w.Replace(account)
		}, "False/Rejected", ""},
		"a wrong key": {func(w *testkit.World) {
			keys := w.KeySecret()
			keys.StringData[v1alpha1.KeySecretKey] = "wrong"
			w.Replace(keys)
		}, "False/Unauthorized", testkit.ProjectID},
		"a Secret without a key": {func(w *testkit.World) {
			keys := w.Secret(testkit.KeySecret)
			delete(keys.Data, v1alpha1.KeySecretKey)
			w.Must(w.Client.Update(t.Context(), keys))
		}, "False/CredentialsMissing", testkit.ProjectID},
		"no Secret": {func(w *testkit.World) {
			w.Must(w.Client.Delete(t.Context(), w.Secret(testkit.KeySecret)))
		}, "False/CredentialsMissing", testkit.ProjectID},
		"a suspended account": {func(w *testkit.World) {
			account := w.CloudAccount()
			account.Spec.Suspend = true
			w.Replace(account)
		}, "False/AccountSuspended", testkit.ProjectID},
		"a cloud that is down": {func(w *testkit.World) {
			w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Op: "list-clusters", Times: ccesim.Forever}))
		}, "False/Unavailable", testkit.ProjectID},
		"a key that may not list": {func(w *testkit.World) {
			w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultForbidden, Op: "list-clusters", Times: ccesim.Forever}))
		}, "False/Forbidden", testkit.ProjectID},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := testkit.New(t)
			test.prepare(w)
			account, after := lookAtAccount(t, w)
			if got := readyOf(account); got != test.want {
				t.Errorf("Ready %s, want %s: %+v", got, test.want, account.Status.Conditions)
			}
			if account.Status.ProjectID != test.project || account.Status.ObservedGeneration != account.Generation {
				t.Errorf("project %q, observedGeneration %d of %d", account.Status.ProjectID, account.Status.ObservedGeneration, account.Generation)
			}
			if after <= 0 || after > 6*time.Hour {
				t.Errorf("looked at again after %v", after)
			}
			if text := fmt.Sprintf("%+v", account); strings.Contains(text, "sk-test") {
				t.Error("the secret key stands in the object")
			}
		})
	}
}

func TestAnAccountIsCheckedEverySixHoursOnChangeAndNotOnRestart(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	reads := func() int { return w.Sim.Requests()["list-clusters"] }
	lookAtAccount(t, w)
	lookAtAccount(t, w)
	w.Recorder.Reset(nil)
	w.Restart()
	w.Advance(5 * time.Hour)
	if lookAtAccount(t, w); reads() != 1 || len(w.Recorder.Writes()) != 0 {
		t.Errorf("after a restart: %d reads, writes %v; want 1 and none", reads(), w.Recorder.Writes())
	}
	w.Advance(time.Hour)
	if lookAtAccount(t, w); reads() != 2 {
		t.Errorf("after six hours: %d reads, want 2", reads())
	}
	account := w.CloudAccount()
	account.Spec.Limits.IssuesPerMinute = new(int32(5))
	w.Replace(account)
	if lookAtAccount(t, w); reads() != 3 {
		t.Errorf("after a change: %d reads, want 3", reads())
	}
}

func TestARefusedKeyIsNotTriedAgainByTheAccountBeforeAnHour(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	keys := w.KeySecret()
	keys.StringData[v1alpha1.KeySecretKey] = "wrong"
	w.Replace(keys)
	w.Create(w.Credential("x"))
	w.Pass("x")
	for range 20 {
		lookAtAccount(t, w)
		w.Pass("x")
		w.Advance(time.Minute)
	}
	tried := w.Sim.Requests()["list-clusters"] + w.Sim.Requests()["show-cluster"]
	if tried != 2 {
		t.Errorf("the key was tried %d times by account and credential, want 2", tried)
	}
}

// What is said of a key is not said of another one that came in its place and is held.
func TestAnAccountDoesNotSayOfAKeyThatIsHeldWhatItSaidOfTheOneBefore(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	lookAtAccount(t, w)
	right := w.KeySecret().StringData[v1alpha1.KeySecretKey]
	tries := func() int { return w.Sim.Requests()["list-clusters"] }
	// A watch shows the change, a moment later.
	change := func(what, secret, want string, tried int) {
		t.Helper()
		before := tries()
		keys := w.KeySecret()
		keys.StringData[v1alpha1.KeySecretKey] = secret
		w.Replace(keys)
		w.Advance(time.Minute)
		account, _ := lookAtAccount(t, w)
		for deadline := time.Now().Add(20 * time.Second); readyOf(account) != want || tries() != before+tried; account, _ = lookAtAccount(t, w) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: tried %d times, want %d, %s, want %s: %+v", what, tries()-before, tried, readyOf(account), want, account.Status.Conditions)
			}
		}
	}
	for i := range 4 {
		change("a wrong one", fmt.Sprint("wrong-", i), "False/Unauthorized", 1)
	}
	change("the right one again, which was accepted before", right, "True/Valid", 1)
	change("a fifth wrong one", "wrong-again", "False/Unauthorized", 0)
}

// Whoever disables a key in the cloud changes nothing in the hub.
func TestAKeyThatIsRefusedInMidLifeIsToldByItsAccount(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	lookAtAccount(t, w)
	w.Create(w.Credential("prod-1"))
	w.Settle("prod-1")
	w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Add(time.Second))
	lookAtAccount(t, w) // for six hours from now on it need not be tried
	told := 0
	w.TellRefused(func(types.NamespacedName) { told++ })
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultUnauthorized, Op: ccesim.OpIssue, Times: 2}))
	for range 3 {
		w.Pass("prod-1")
		w.Advance(time.Minute)
	}
	tried := w.Sim.Requests()["list-clusters"]
	account, _ := lookAtAccount(t, w)
	if got := readyOf(account); got != "False/Unauthorized" || w.Sim.Requests()["list-clusters"] != tried {
		t.Errorf("Ready %s, want that the key is refused, without another try", got)
	}
	if told != 2 {
		t.Errorf("the account is woken %d times, want with each refusal", told)
	}
	w.Advance(time.Hour)
	if account, _ := lookAtAccount(t, w); readyOf(account) != "True/Valid" {
		t.Errorf("an hour later: %s", readyOf(account))
	}
}

func TestAnAccountCountsItsCredentials(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	for i := range 3 {
		w.Create(w.Credential(fmt.Sprint("c", i)))
	}
	w.Create(w.Credential("other", func(cc *v1alpha1.ClusterCredential) { cc.Spec.AccountRef.Name = "else" }))
	if account, _ := lookAtAccount(t, w); account.Status.Credentials != 3 {
		t.Errorf("credentials %d, want 3", account.Status.Credentials)
	}
}

// Another region, or the key of another tenant, has another project: the old one must
// not be asked with the new key, not even while the look-up fails.
func TestAProjectThatWasLookedUpCountsForItsRegionAndKeyOnly(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*testkit.World){
		"another region": func(w *testkit.World) {
			account := w.CloudAccount()
			account.Spec.ProjectID, account.Spec.Region = "", "xx-nowhere-9"
			w.Replace(account)
		},
		"another key, while IAM is down": func(w *testkit.World) {
			w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Op: "projects", Times: ccesim.Forever}))
			keys := w.KeySecret()
			keys.StringData[v1alpha1.KeySecretKey] = "that of another tenant"
			w.Replace(keys)
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := testkit.New(t)
			account := w.CloudAccount()
			account.Spec.ProjectID = ""
			w.Replace(account)
			if found, _ := lookAtAccount(t, w); found.Status.ProjectID != testkit.ProjectID {
				t.Fatalf("project %q, want it looked up", found.Status.ProjectID)
			}
			change(w)
			found, _ := lookAtAccount(t, w)
			for deadline := time.Now().Add(10 * time.Second); readyOf(found) == "True/Valid" && time.Now().Before(deadline); {
				found, _ = lookAtAccount(t, w) // the watch may show the key a moment later
			}
			if found.Status.ProjectID != "" || readyOf(found) == "True/Valid" {
				t.Errorf("project %q is kept, Ready %s", found.Status.ProjectID, readyOf(found))
			}
			w.Create(w.Credential("prod-1"))
			w.Pass("prod-1")
			wantPosts(t, w, 0)
		})
	}
}

// 30 certificates of an hour, each renewed after 40 minutes less its spread, need about 0.8 a minute.
func TestAFleetThatCannotBeRenewedAtTheAccountsRateIsSaidSo(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Sim.SetGrantedLifetime(time.Hour)
	for i := range 30 {
		name := fmt.Sprintf("c%02d", i)
		w.Create(w.Credential(name))
		w.Settle(name)
	}
	ready := func(limit int32) string {
		account := w.CloudAccount()
		account.Spec.Limits.IssuesPerMinute = &limit
		w.Replace(account)
		seen, _ := lookAtAccount(t, w)
		return meta.FindStatusCondition(seen.Status.Conditions, v1alpha1.ConditionReady).Message
	}
	if got := ready(1); got != "the cloud accepts the key" {
		t.Errorf("with enough: %s", got)
	}
	for i := range 30 {
		name := fmt.Sprintf("d%02d", i)
		w.Create(w.Credential(name))
		w.Settle(name)
	}
	if got := ready(1); !strings.Contains(got, "its 60 credentials need 1.") || !strings.Contains(got, "allows 1: ") {
		t.Errorf("with too little: %s", got)
	}
	if account, _ := lookAtAccount(t, w); readyOf(account) != "True/Valid" {
		t.Errorf("Ready %s: the key works all the same", readyOf(account))
	}
	if needed, limit := w.Gauge("clustercredential_account_rate_needed"), w.Gauge("clustercredential_account_rate_limit"); needed < 1 || needed > 2 || limit != 1 {
		t.Errorf("metrics tell of %g a minute, and of a limit of %g", needed, limit)
	}
}
