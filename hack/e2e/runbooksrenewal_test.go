// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// renewalsLifetime is granted to each certificate here; they are renewed once they have lived for a seventh of it.
const renewalsLifetime = 42 * time.Second

func worldOfRenewals(t *testing.T) *world {
	w := newWorld(t, options{clusters: []string{"prod-1", "prod-2"}, lifetime: renewalsLifetime})
	w.startManager("--min-issue-interval=1s")
	before := "  renewal: {before: 36s}"
	w.apply(pagesAccountYAML(), pagesCredential("prod-1", "prod-1", before), pagesCredential("prod-2", "prod-2", before))
	w.waitReady("prod-1", "prod-2")
	return w
}

// stamp is a time that the metrics tell of a credential; zero: none.
func (w *world) stamp(metric, name string) time.Time {
	w.t.Helper()
	seconds := w.metric(metric, "namespace", w.namespace, "name", name)
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// The cluster is busy with something else when a renewal is due.
func (w *world) renewalOverdue() {
	r := w.follow("cluster-credential-renewal-overdue")
	w.must(w.cloud.Script(stack.Fault{Name: "conflict", Cluster: w.ClusterID("prod-1"), Times: -1}))
	w.wantConditions(1, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonClusterNotAvailable)
	overdue := func() bool { return time.Since(w.stamp("renewal_timestamp_seconds", "prod-1")) > 2*time.Second }
	w.eventually(eventTime, func() error {
		if !overdue() {
			return fmt.Errorf("the renewal is not overdue")
		}
		return nil
	})
	before := w.serial("prod-1")
	r.next("ClusterNotAvailable", "prod-1")
	w.must(w.cloud.ClearScript())
	r.next("condition met")
	if out := r.next("renewed at"); strings.Contains(out, before) {
		w.t.Errorf("there is no newer certificate: %s", out)
	}
	r.done()
	if overdue() {
		w.t.Error("the renewal is overdue still")
	}
	w.wantConditions(0, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonClusterNotAvailable)
}

// The right to ask was taken away, and another cluster was deleted, and nobody has looked for long.
func (w *world) expiresSoon() {
	r := w.follow("cluster-credential-expires-soon")
	w.must(w.cloud.Script(stack.Fault{Name: "forbidden", Cluster: w.ClusterID("prod-1"), Times: -1}))
	w.must(w.cloud.DeleteCluster(w.ClusterID("prod-2")))
	expiresSoon := func(name string) bool {
		return time.Until(w.stamp("certificate_not_after_timestamp_seconds", name)) < renewalsLifetime/10
	}
	w.eventually(renewalsLifetime+eventTime, func() error {
		if !expiresSoon("prod-1") || !expiresSoon("prod-2") {
			return fmt.Errorf("more than a tenth of the life is left")
		}
		return nil
	})
	w.wantConditions(1, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonForbidden)
	w.wantConditions(1, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonClusterNotFound)
	r.next("Forbidden", "ClusterNotFound", "failures")
	w.must(w.cloud.SetGrantedLifetime(0))
	w.must(w.cloud.ClearScript())
	r.next("condition met")
	r.next("deleted")
	r.next(w.serial("prod-1"))
	r.done()
	w.eventually(eventTime, func() error {
		if expiresSoon("prod-1") {
			return fmt.Errorf("it expires soon still")
		}
		if at := w.stamp("certificate_not_after_timestamp_seconds", "prod-2"); !at.IsZero() {
			return fmt.Errorf("the metrics tell of what is gone, and expires at %s", at)
		}
		return nil
	})
	w.wantConditions(0, v1alpha1.ConditionIssued, "False", "")
	if w.secret("prod-2-kubeconfig") == nil {
		w.t.Error("the Secret has gone with its object")
	}
}
