// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

func worldOfAccounts(t *testing.T) *world {
	w := newWorld(t, options{clusters: []string{"prod-1", "prod-2", "prod-3"}})
	w.startManager()
	w.apply(pagesAccountYAML(), pagesCredential("prod-1", "prod-1"), pagesCredential("prod-2", "prod-2"), pagesCredential("prod-3", "prod-3"))
	w.waitReady("prod-1", "prod-2", "prod-3")
	return w
}

// Two wrong keys, one after the other, then the right one, which is taken at once. Then the account is suspended.
func (w *world) accountNotReady() {
	r := w.follow("cluster-credential-account-not-ready")
	for _, wrong := range []string{"wrong", "wrong-as-well"} {
		before := w.accountField(".status.checkedWith")
		w.apply(keyYAML(pagesKeys, stack.AccessKey, wrong))
		w.eventually(eventTime, func() error {
			if reason := w.accountField(`.status.conditions[?(@.type=="Ready")].reason`); reason != string(v1alpha1.ReasonUnauthorized) {
				return fmt.Errorf("with the key %q the account says %s", wrong, reason)
			}
			if after := w.accountField(".status.checkedWith"); after == before {
				return fmt.Errorf("the key %q was not noticed", wrong)
			}
			return nil
		})
	}
	w.requestRenewal("meanwhile", "prod-1")
	w.wantAccountReady(0)
	w.wantConditions(1, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnauthorized)

	r.write("access-key.txt", stack.AccessKey+"\n")
	r.write("secret-key.txt", canarySecretKey+"\n")
	r.next("Unauthorized")
	r.next("prod-1", pagesAccount)
	began := time.Now()
	r.next("serverside-applied")
	w.wantAccountReady(1)
	if took := time.Since(began); took > 10*time.Second {
		w.t.Errorf("the right key was taken after %s", took)
	}
	w.wantConditions(0, v1alpha1.ConditionIssued, "False", "")
	if got := w.minted("prod-1"); got != 2 {
		w.t.Errorf("%d certificates were made, want 2", got)
	}

	w.patchAs("cloudaccount/"+pagesAccount, `{"spec": {"suspend": true}}`)
	w.wantAccountReady(0)
	r.next("patched")
	r.next(pagesAccount+" condition met", "prod-1 condition met")
	r.done()
	w.wantAccountReady(1)
}

// minted is how many certificates of a cluster the cloud has made; it refuses requests with a wrong key.
func (w *world) minted(cluster string) int {
	w.t.Helper()
	return len(slices.DeleteFunc(w.posts(cluster), func(e stack.Entry) bool { return e.Serial == "" }))
}

func (w *world) accountField(path string) string {
	w.t.Helper()
	return w.kubectl("get", "cloudaccount", pagesAccount, "-o", "jsonpath={"+path+"}")
}

func (w *world) throttled() {
	r := w.follow("cluster-credential-throttled")
	w.must(w.cloud.Script(stack.Fault{Name: "throttled", Cluster: w.ClusterID("prod-2"), Times: 2, RetryAfter: 4}))
	w.requestRenewal("now", "prod-2")
	w.wantConditions(1, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonThrottled)
	if got := w.metric("issuances_total", "reason", "Throttled"); got == 0 {
		w.t.Error("the metrics do not count it")
	}
	r.next("1000000", "Throttled")
	r.next("patched")
	r.next(pagesAccount+" condition met", "prod-2 condition met")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionIssued, "False", "")
	w.wantAccountReady(1)
	if got := w.metric("issuances_total", "reason", "Throttled"); got > 2 {
		w.t.Errorf("%v calls were refused, want at most 2", got)
	}
}

// Suspended, forgotten, and its Secret lost meanwhile.
func (w *world) suspendedTooLong() {
	r := w.follow("cluster-credential-suspended-too-long")
	w.patchAs("cloudaccount/"+pagesAccount, `{"spec": {"suspend": true}}`)
	w.patchAs("clustercredential/prod-1", `{"spec": {"suspend": true}}`)
	w.wantConditions(1, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonSuspended)
	w.kubectl("delete", "secret", "prod-1-kubeconfig")
	w.eventually(eventTime, func() error {
		if got := w.metric("account_suspended", "account", pagesAccount); got != 1 {
			return fmt.Errorf("the metrics say of the account that is suspended: %v", got)
		}
		return nil
	})
	r.next("prod-1", "true")
	r.next(pagesAccount, "true")
	r.next("kubectl-patch")
	r.next("patched")
	r.next("patched")
	r.next(pagesAccount + " condition met")
	r.next("condition met")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonSuspended)
	w.wantAccountReady(1)
	if w.serial("prod-1") == "" {
		w.t.Error("the lost Secret is not there")
	}
}

// Three credentials that need a certificate every two minutes each, and one a minute for all.
func (w *world) capacityExceeded() {
	const needs = "certificates a minute"
	r := w.follow("cluster-credential-capacity-exceeded")
	for _, name := range []string{"prod-1", "prod-2", "prod-3"} {
		w.patchAs("clustercredential/"+name, `{"spec": {"validity": {"duration": "20m"}, "renewal": {"beforePercent": 89}}}`)
	}
	w.patchAs("cloudaccount/"+pagesAccount, `{"spec": {"limits": {"issuesPerMinute": 1000000}}}`)
	for _, name := range []string{"prod-1", "prod-2", "prod-3"} {
		w.eventually(eventTime, func() error {
			if err := w.says(name, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued); err != nil {
				return err
			}
			if left := time.Until(w.get(name).Status.Certificate.NotAfter.Time); left > time.Hour {
				return fmt.Errorf("%s has the old validity", name)
			}
			return nil
		})
	}
	w.patchAs("cloudaccount/"+pagesAccount, `{"spec": {"limits": {"issuesPerMinute": 1}}}`)
	w.eventually(eventTime, func() error {
		if said := w.accountField(`.status.conditions[?(@.type=="Ready")].message`); !strings.Contains(said, needs) {
			return fmt.Errorf("the account says %q", said)
		}
		return nil
	})
	r.next("issuesPerMinute allows 1")
	r.next("prod-1")
	r.next("patched")
	w.eventually(eventTime, func() error {
		if said := w.accountField(`.status.conditions[?(@.type=="Ready")].message`); strings.Contains(said, needs) {
			return fmt.Errorf("the account says still %q", said)
		}
		return nil
	})
	r.next("patched")
	w.eventually(eventTime, func() error {
		if left := time.Until(w.get("prod-1").Status.Certificate.NotAfter.Time); left < time.Hour {
			return fmt.Errorf("prod-1 has the old validity still")
		}
		return nil
	})
	if said := r.next(); strings.Contains(said, needs) || said == "" {
		w.t.Errorf("the page shows at the end %q", said)
	}
	r.done()
}
