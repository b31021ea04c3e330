// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package findings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/findings"
)

const day = 24 * time.Hour

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(d)) }

func credential(change func(*v1alpha1.ClusterCredential)) v1alpha1.ClusterCredential {
	cc := v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: "prod"}}
	cc.Status.Server = "https://prod:5443"
	cc.Status.Certificate = &v1alpha1.Certificate{SerialNumber: "0A", NotBefore: at(-10 * day), NotAfter: at(20 * day)}
	change(&cc)
	return cc
}

func secret(notAfter time.Duration, owner, released string) metav1.PartialObjectMetadata {
	s := metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: "fleet", Name: "secret", Labels: map[string]string{v1alpha1.LabelManaged: "true"},
		Annotations: map[string]string{
			v1alpha1.AnnotationCredential: owner, v1alpha1.AnnotationNotAfter: now.Add(notAfter).Format(time.RFC3339),
		},
	}}
	if released != "" {
		s.Annotations[v1alpha1.AnnotationReleasedAt] = released
	}
	return s
}

func history(entries ...v1alpha1.HistoryEntry) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Status.History = entries }
}

func entry(state v1alpha1.CertificateState, issued, notAfter time.Duration) v1alpha1.HistoryEntry {
	until := at(notAfter)
	return v1alpha1.HistoryEntry{SerialNumber: "0B", IssuedAt: at(issued), NotAfter: &until, State: state, Trigger: v1alpha1.TriggerExpiry}
}

func TestWhatAnAuditFinds(t *testing.T) {
	nothing := func(*v1alpha1.ClusterCredential) {}
	for _, test := range []struct {
		name    string
		cc      func(*v1alpha1.ClusterCredential)
		secrets []metav1.PartialObjectMetadata
		want    []string // weight, kind and object
		unsure  int
	}{
		{"nothing of a fresh one", history(entry(v1alpha1.CertificateActive, -10*day, 20*day)), nil, nil, 0},
		{"nothing of a Secret whose object lives", nothing, []metav1.PartialObjectMetadata{secret(day, "prod", "")}, nil, 0},
		{"a certificate for a year", func(cc *v1alpha1.ClusterCredential) { cc.Status.Certificate.NotAfter = at(355 * day) }, nil,
			[]string{"warning LongLived clustercredential/prod"}, 0},
		{"nothing of one for a year that has expired", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Certificate.NotBefore, cc.Status.Certificate.NotAfter = at(-400*day), at(-day)
		}, nil, nil, 0},
		{"every state of what is valid still, gravest first", history(
			entry(v1alpha1.CertificateSuperseded, -20*day, 10*day), entry(v1alpha1.CertificateDiscarded, -day, 10*day),
			entry(v1alpha1.CertificateUnknown, -day, 29*day), entry(v1alpha1.CertificateSuperseded, -day, 364*day),
		), nil, []string{
			"grave UnknownOutcome clustercredential/prod", "warning Discarded clustercredential/prod",
			"warning LongLived clustercredential/prod", "note Superseded clustercredential/prod",
		}, 0},
		{"nothing of what has expired", history(entry(v1alpha1.CertificateUnknown, -40*day, -day)), nil, nil, 0},
		{"a server that is not verified", func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Endpoint = &v1alpha1.Endpoint{AllowInsecureTLS: true}
			cc.Status.Contexts = []v1alpha1.OfferedContext{{Name: "external", Server: "https://prod:5443"}}
		}, nil, []string{"grave Insecure clustercredential/prod"}, 0},
		{"one that is not allowed any more", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Contexts = []v1alpha1.OfferedContext{{Name: "external", Server: "https://prod:5443"}}
		}, nil, []string{"grave Insecure clustercredential/prod"}, 0},
		{"a server of the spec's own, where no verified one is offered", func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Endpoint = &v1alpha1.Endpoint{AllowInsecureTLS: true, Server: "https://prod:5443"}
			cc.Status.Contexts = []v1alpha1.OfferedContext{{Name: "external", Server: "https://203.0.113.1:5443"}}
		}, nil, []string{"grave Insecure clustercredential/prod"}, 0},
		{"doubt where valid ones may have left the history", func(cc *v1alpha1.ClusterCredential) {
			for range 10 {
				cc.Status.History = append(cc.Status.History, entry(v1alpha1.CertificateActive, -day, day))
			}
		}, nil, nil, 1},
		{"no doubt where an expired one is in it", func(cc *v1alpha1.ClusterCredential) {
			for range 9 {
				cc.Status.History = append(cc.Status.History, entry(v1alpha1.CertificateActive, -day, day))
			}
			cc.Status.History = append(cc.Status.History, entry(v1alpha1.CertificateActive, -40*day, -day))
		}, nil, nil, 0},
		{"one that may be insecure and is not", func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Endpoint = &v1alpha1.Endpoint{AllowInsecureTLS: true}
			cc.Status.Contexts = []v1alpha1.OfferedContext{{Name: "external", Server: "https://prod:5443"}, {Name: "v", Server: "https://prod:5443", Verified: true}}
		}, nil, []string{"note InsecureAllowed clustercredential/prod"}, 0},
		{"an output elsewhere", func(cc *v1alpha1.ClusterCredential) {
			cc.Status.Outputs = []v1alpha1.OutputStatus{{Namespace: "argocd", SecretName: "s", State: v1alpha1.OutputCurrent}, {Namespace: "fleet"}}
		}, nil, []string{"note OtherNamespace clustercredential/prod"}, 0},
		{"a Secret whose object is gone", nothing, []metav1.PartialObjectMetadata{secret(day, "gone", "")}, []string{"warning Orphan secret/secret"}, 0},
		{"one that has expired since", nothing, []metav1.PartialObjectMetadata{secret(-day, "gone", "")}, []string{"note Orphan secret/secret"}, 0},
		{"a Secret that was let go of", nothing, []metav1.PartialObjectMetadata{secret(day, "prod", "2026-02-01T00:00:00Z")}, []string{"warning Released secret/secret"}, 0},
		{"doubt where nobody can say", nothing, []metav1.PartialObjectMetadata{secret(day, "hidden", "")}, nil, 1},
		{"nothing of a Secret without our label", nothing, []metav1.PartialObjectMetadata{{}}, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, unsure := findings.Of(findings.Fleet{
				Credentials: []v1alpha1.ClusterCredential{credential(test.cc)}, Secrets: test.secrets, Now: now, LongerThan: 90 * day,
				Lives: func(name types.NamespacedName) (bool, bool) { return name.Name == "prod", name.Name != "hidden" },
			})
			var got []string
			for _, f := range found {
				got = append(got, strings.Join([]string{string(f.Weight), string(f.Kind), f.Object}, " "))
				if f.Message == "" || f.Namespace != "fleet" {
					t.Errorf("it says nothing, or not where: %+v", f)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if len(unsure) != test.unsure {
				t.Errorf("unsure of %q", unsure)
			}
		})
	}
}
