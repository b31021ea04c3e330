// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

func TestTheTableFitsATerminal(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) metav1.Time { return metav1.Time{Time: now.Add(d)} }
	soon := at(7 * time.Second)
	shop := stack.Credential(namespace, "shop", "shop")
	shop.Status = v1alpha1.ClusterCredentialStatus{
		Revision: 3, RenewalTime: &soon,
		Certificate: &v1alpha1.Certificate{SerialNumber: "0123456789ABCDEF", NotAfter: at(31 * time.Second)},
		Conditions:  []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
	}
	billing := stack.Credential(namespace, "billing", "billing")
	billing.Spec.Renewal = &v1alpha1.Renewal{Policy: v1alpha1.RenewalManual}
	billing.Status.Certificate = &v1alpha1.Certificate{SerialNumber: "7", NotAfter: at(30 * 24 * time.Hour)}
	seen := map[string]stack.Probes{"shop": {Attempts: 1000, Failures: make([]stack.ProbeFailure, 1)}}

	got := render([]v1alpha1.ClusterCredential{*shop, *billing}, seen, now)
	want := []string{
		"CREDENTIAL  SERIAL    REVISION  EXPIRES IN  RENEWS IN  READY  LOGINS OK  FAILED",
		"shop        01234567  3          31s          7s       True   999        1",
		"billing     7         0          30d        by hand    -      0          0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// good is what the demo shows when all is well.
func good() result {
	of := func(name string, revision int64, trigger v1alpha1.Trigger, times int, uids ...types.UID) outcome {
		return outcome{
			name: name, revision: revision, triggers: map[v1alpha1.Trigger]int{v1alpha1.TriggerFirst: 1, trigger: times},
			probes: stack.Probes{Attempts: 100, UIDs: uids},
		}
	}
	return result{asked: 7, outcomes: []outcome{
		of("shop", 2, v1alpha1.TriggerMissing, 1, "a", "b"),
		of("search", 3, v1alpha1.TriggerExpiry, 2, "c"),
		of("billing", 2, v1alpha1.TriggerRequest, 1, "d"),
	}}
}

func TestWhatWentWrongIsSaid(t *testing.T) {
	tests := map[string]struct {
		change func(*result)
		want   string
	}{
		"nothing":                      {func(*result) {}, ""},
		"a login failed":               {func(r *result) { r.outcomes[1].probes.Failures = []stack.ProbeFailure{{Reason: "Unauthorized"}} }, "Unauthorized"},
		"a rotation is missing":        {func(r *result) { r.outcomes[1].triggers[v1alpha1.TriggerExpiry] = 1 }, "search: 1 new"},
		"nothing was renewed by hand":  {func(r *result) { r.outcomes[2].triggers[v1alpha1.TriggerRequest] = 0 }, "billing: 0 new"},
		"a Secret was made again":      {func(r *result) { r.outcomes[2].probes.UIDs = []types.UID{"d", "e"} }, "2 different Secrets"},
		"a certificate was lost":       {func(r *result) { r.asked = 8 }, "8 certificates asked for, 7 published"},
		"a ClusterCredential was lost": {func(r *result) { r.outcomes = r.outcomes[:2]; r.asked = 5 }, "2 ClusterCredentials"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := good()
			test.change(&r)
			got := r.problems()
			if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)) {
				t.Errorf("problems %q, want one with %q", got, test.want)
			}
		})
	}
}

func TestTheSummaryCounts(t *testing.T) {
	want := []string{
		"7 asked for, 7 published", "2 before expiry, 1 on request, 1 to repair", "300 with the newest Secret, 0 failed",
		"3, written in place at every rotation; 1 made again",
	}
	for _, part := range want {
		if got := good().text(); !strings.Contains(got, part) {
			t.Errorf("%s\nlacks %q", got, part)
		}
	}
}

func TestTheManifestsNameWhatTheCloudHas(t *testing.T) {
	var all bytes.Buffer
	for _, name := range []string{"account", "billing", "credentials"} {
		text, err := os.ReadFile("manifests/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, want := range []string{
		stack.AccessKey, stack.SecretKey, stack.ProjectID, stack.Region, stack.ClusterID("shop"), stack.ClusterID("billing"),
		shopSecret[:4], "secretName: " + acts[1].secret, "key: " + acts[1].key, "namespace: " + namespace,
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the manifests lack %q", want)
		}
	}
}

func TestALineAboveTheTableTakesItAway(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, live: true}
	s.draw([]string{"a table"})
	s.print("a line")
	s.draw([]string{"a table"})
	s.keep()
	s.print("the end")
	if want := "\n  a table\n\n\x1b[3A\x1b[Ja line\n\n  a table\n\nthe end\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
