// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

func explain(t *testing.T, w *testkit.World) *controllers.Explanation {
	t.Helper()
	options := controllers.ExplainOptions{MinIssueInterval: controllers.DefaultMinIssueInterval}
	e, err := controllers.Explain(t.Context(), w.Client, w.Key("prod-1"), options, w.Clock.Now())
	w.Must(err)
	return e
}

// What is explained before a pass is what the pass then does. To explain changes nothing.
func TestWhatIsExplainedIsWhatThePassDoes(t *testing.T) {
	for _, test := range []struct {
		name    string
		make    func(*testkit.World)
		trigger v1alpha1.Trigger // empty: nothing is asked for
		from    string           // another Secret that is taken from
	}{
		{name: "nothing has happened", make: func(*testkit.World) {}},
		{name: "the Secret is gone", make: func(w *testkit.World) {
			w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
		}, trigger: v1alpha1.TriggerMissing},
		{name: "a request", make: func(w *testkit.World) { w.Change("prod-1", newValue("please")) }, trigger: v1alpha1.TriggerRequest},
		{name: "another validity", make: func(w *testkit.World) {
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
				cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32)}
				*cc.Spec.Validity.Days = 7
			})
		}, trigger: v1alpha1.TriggerSpec},
		{name: "time has passed", make: func(w *testkit.World) { w.Advance(25 * day) }, trigger: v1alpha1.TriggerExpiry},
		{name: "status is lost", make: func(w *testkit.World) { w.WipeStatus("prod-1") }},
		{name: "the output has another name", make: func(w *testkit.World) {
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "moved"}} })
		}, from: "prod-1-kubeconfig"},
		{name: "it sleeps", make: func(w *testkit.World) {
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true })
			w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := established(t)
			test.make(w)
			before, posts := w.Get("prod-1"), w.Posts()
			e := explain(t, w)
			if e.Decision.Trigger != test.trigger || e.Decision.Due != (test.trigger != "") {
				t.Errorf("it explains %+v, want the trigger %q", e.Decision, test.trigger)
			}
			if test.from != "" && e.Secret.FilledFrom != w.Namespace+"/"+test.from {
				t.Errorf("it would be filled from %q", e.Secret.FilledFrom)
			}
			if w.Get("prod-1").ResourceVersion != before.ResourceVersion || w.Posts() != posts {
				t.Error("to explain has changed something")
			}
			w.Settle("prod-1")
			after := w.Get("prod-1")
			switch {
			case test.trigger == "" && w.Posts() != posts:
				t.Errorf("the pass asks for a certificate: %+v", after.Status.History)
			case test.trigger != "" && (w.Posts() != posts+1 || after.Status.History[0].Trigger != test.trigger):
				t.Errorf("the pass has asked %d times: %+v", w.Posts()-posts, after.Status.History)
			}
			if now := explain(t, w); after.Status.RenewalTime != nil && !now.Decision.RenewalTime.Equal(after.Status.RenewalTime.Time) {
				t.Errorf("it explains the renewal time %s, and status tells %s", now.Decision.RenewalTime, after.Status.RenewalTime)
			}
		})
	}
}

// Failures count for one spec, request, account and key: what is explained has to know them as the same.
func TestWhatIsExplainedKnowsWhichFailuresCount(t *testing.T) {
	w := established(t)
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultForbidden}))
	w.Change("prod-1", newValue("please"))
	w.Pass("prod-1")
	e := explain(t, w)
	if e.Found.Failures != 1 || e.Found.FailedWith != e.Wanted.With || e.Decision.Due || !e.Decision.At.Equal(e.Found.RetryAt) {
		t.Errorf("after a failure it explains %+v of %+v and %+v", e.Decision, e.Wanted, e.Found)
	}
	secret := w.KeySecret()
	live := &corev1.Secret{}
	w.Must(w.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), live))
	live.Labels = map[string]string{"touched": "yes"}
	w.Must(w.Client.Update(t.Context(), live))
	if e := explain(t, w); !e.Decision.Due {
		t.Errorf("with another key the failure counts still: %+v", e.Decision)
	}
}

func TestWhatIsExplainedTellsOfTheAccount(t *testing.T) {
	w := established(t)
	w.Must(w.Client.Delete(t.Context(), w.KeySecret()))
	if e := explain(t, w); e.Account.Reason != v1alpha1.ReasonCredentialsMissing || e.Account.Name != testkit.Account {
		t.Errorf("without a key: %+v", e.Account)
	}
	w.Must(w.Client.Delete(t.Context(), w.CloudAccount()))
	if e := explain(t, w); e.Account.Reason != v1alpha1.ReasonAccountNotFound {
		t.Errorf("without an account: %+v", e.Account)
	}
	if _, err := controllers.Explain(t.Context(), w.Client, w.Key("nobody"), controllers.ExplainOptions{}, time.Now()); err == nil {
		t.Error("something is explained that does not exist")
	}
}
