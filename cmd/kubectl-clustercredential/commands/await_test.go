// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestWhenARenewalIsDone(t *testing.T) {
	stalled := []metav1.Condition{
		says(v1alpha1.ConditionIssued, metav1.ConditionFalse, v1alpha1.ReasonRejected), says(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRejected),
	}
	for _, test := range []struct {
		name   string
		change func(*v1alpha1.ClusterCredential)
		later  time.Duration
		done   bool
		says   string // in the progress, or in the refusal
		no     bool
	}{
		{"nobody has looked yet", func(*v1alpha1.ClusterCredential) {}, 0, false, "requested", false},
		{"handled", func(cc *v1alpha1.ClusterCredential) { cc.Status.LastHandledRenewRequest = "t2" }, 0, true, "", false},
		{"an earlier one was handled", func(cc *v1alpha1.ClusterCredential) { cc.Status.LastHandledRenewRequest = "t1" }, 0, false, "requested", false},
		{"a later one was handled, which serves both", func(cc *v1alpha1.ClusterCredential) {
			cc.Annotations[v1alpha1.AnnotationRenewRequestedAt], cc.Status.LastHandledRenewRequest = "t3", "t3"
		}, 0, true, "", false},
		{"handled, and another output does not have it yet", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.LastHandledRenewRequest = "t2"
			cc.Status.Conditions = []metav1.Condition{says(v1alpha1.ConditionPublished, metav1.ConditionFalse, v1alpha1.ReasonWriteRefused)}
		}, 0, false, "the first output has it; WriteRefused", false},
		{"handled, and another output needs somebody", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.LastHandledRenewRequest = "t2"
			cc.Status.Conditions = []metav1.Condition{says(v1alpha1.ConditionPublished, metav1.ConditionFalse, v1alpha1.ReasonNotGranted)}
		}, 0, false, "the first output has it; NotGranted", true},
		{"set back to what was handled before", func(cc *v1alpha1.ClusterCredential) {
			cc.Annotations[v1alpha1.AnnotationRenewRequestedAt], cc.Status.LastHandledRenewRequest = "t0", "t0"
		}, 0, false, "set the annotation back", true},
		{"stalled by another output only", func(cc *v1alpha1.ClusterCredential) {
			cc.ResourceVersion = "11"
			cc.Status.Conditions = []metav1.Condition{
				says(v1alpha1.ConditionIssued, metav1.ConditionTrue, v1alpha1.ReasonRateLimited),
				says(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSecretConflict),
			}
		}, time.Minute, false, "RateLimited", false},
		{"the annotation is gone", func(cc *v1alpha1.ClusterCredential) { cc.Annotations = nil }, 0, false, "taken the annotation away", true},
		{"suspended", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true }, 0, false, "spec.suspend", true},
		{"stalled before the request was looked at", func(cc *v1alpha1.ClusterCredential) { cc.Status.Conditions = stalled }, 0, false, "requested", false},
		{"stalled, and nobody looks", func(cc *v1alpha1.ClusterCredential) { cc.Status.Conditions = stalled }, time.Minute, false, "Rejected", true},
		{"stalled after a look", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Conditions, cc.ResourceVersion = stalled, "11"
		}, 0, false, "Rejected", true},
		{"stalled, and being asked for again", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Conditions, cc.ResourceVersion, cc.Status.Issuance = stalled, "11", &v1alpha1.Issuance{}
		}, 0, false, "Rejected", false},
		{"the account is asleep", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Conditions = []metav1.Condition{says(v1alpha1.ConditionIssued, metav1.ConditionFalse, v1alpha1.ReasonAccountSuspended)}
			cc.ResourceVersion = "11"
		}, 0, false, "AccountSuspended", true},
		{"it waits", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Conditions = []metav1.Condition{says(v1alpha1.ConditionIssued, metav1.ConditionTrue, v1alpha1.ReasonRateLimited)}
			cc.ResourceVersion = "11"
		}, time.Minute, false, "RateLimited: what status says", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cc := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{
				Generation: 2, ResourceVersion: "10", Annotations: map[string]string{v1alpha1.AnnotationRenewRequestedAt: "t2"},
			}}
			cc.Status.ObservedGeneration, cc.Status.Certificate = 2, &v1alpha1.Certificate{}
			test.change(cc)
			r := &renewal{value: "t2", version: "10", handled: "t0", since: noon}
			done, progress, err := r.judge(cc, noon.Add(test.later))
			no, isNo := errors.AsType[*noError](err)
			if isNo {
				progress = no.text
			}
			if done != test.done || isNo != test.no || !strings.Contains(progress, test.says) {
				t.Errorf("done %t, %q, %v", done, progress, err)
			}
		})
	}
}
