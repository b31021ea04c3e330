// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

func worldOfAFleet(t *testing.T) *world {
	o := options{}
	for i := range 9 {
		o.clusters = append(o.clusters, fmt.Sprintf("prod-%d", i+1))
	}
	w := newWorld(t, o)
	w.startManager()
	return w
}

// Eight get another validity; the last three are held.
func (w *world) fleetHeld() {
	r := w.follow("cluster-credential-fleet-held")
	var names, documents []string
	for i := range 8 {
		name := fmt.Sprintf("prod-%d", i+1)
		names, documents = append(names, name), append(documents, pagesCredential(name, name))
	}
	w.apply(append(documents, pagesAccountYAML())...)
	w.waitReady(names...)
	change := func(name string) { w.patchAs("clustercredential/"+name, `{"spec": {"validity": {"days": 7}}}`) }
	for _, name := range names[3:] {
		change(name)
		w.eventually(eventTime, func() error { return w.says(name, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued) })
	}
	for _, name := range names[:3] {
		change(name)
	}
	w.wantConditions(3, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonFleetHeld)

	r.next("prod-1 ", "prod-2 ", "prod-3 ", "validity")
	r.next("patched")
	w.eventually(eventTime, func() error { return w.says("prod-1", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued) })
	w.wantPosts(1, "prod-1")
	w.wantConditions(2, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonFleetHeld)
	r.next("prod-3 annotated")
	r.next("prod-2 condition met", "prod-3 condition met")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionIssued, "False", "")
	w.wantPosts(2, "prod-3")
}

// The answer to a first request is lost on its way.
func (w *world) unknownOutcomes() {
	r := w.follow("cluster-credential-unknown-outcomes")
	w.must(w.cloud.Script(stack.Fault{Name: "drop-after", Cluster: w.ClusterID("prod-9")}))
	w.apply(pagesCredential("prod-9", "prod-9"))
	w.wantConditions(1, v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnknownOutcome)
	if got := w.metric("unknown_outcomes_total", "account", pagesAccount); got != 1 {
		w.t.Errorf("the metrics tell of %v lost answers, want 1", got)
	}
	r.next("prod-9\t")
	r.next("prod-9 condition met", "Active")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionIssued, "False", "")
	if got := w.metric("unknown_outcomes_total", "account", pagesAccount); got != 1 {
		w.t.Errorf("the metrics tell of %v lost answers, want no more", got)
	}
}
