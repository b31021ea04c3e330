// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/ccesim"
)

// member is one credential of the fleet, whether its object is there or not.
type member struct {
	number   int
	name     string
	clusters [2]ccesim.Cluster
	spec     v1alpha1.ClusterCredentialSpec
	// back is when its object is created again; zero: it is there.
	back time.Time
	// resumes is when it is suspended no more; zero: it is not suspended.
	resumes time.Time
	wishes  int // requests to renew so far

	notes // of the oracle
}

func (m *member) secret() string { return m.name + v1alpha1.DefaultSecretSuffix }

func days(n int32) *v1alpha1.Validity { return &v1alpha1.Validity{Days: &n} }

func hours(n int) *v1alpha1.Validity {
	return &v1alpha1.Validity{Duration: &metav1.Duration{Duration: time.Duration(n) * time.Hour}}
}

func before(n int) *v1alpha1.Renewal {
	return &v1alpha1.Renewal{Before: &metav1.Duration{Duration: time.Duration(n) * time.Hour}}
}

func percent(n int32) *v1alpha1.Renewal { return &v1alpha1.Renewal{BeforePercent: &n} }

func manual() *v1alpha1.Renewal { return &v1alpha1.Renewal{Policy: v1alpha1.RenewalManual} }

// shortestBefore is the shortest time of a credential between its renewal and its expiry,
// and the longest that an outage takes.
const shortestBefore = 12 * time.Hour

// shape is what a credential asks for.
type shape struct {
	validity *v1alpha1.Validity
	renewal  *v1alpha1.Renewal
}

// shapes go round in the fleet. Few live short, since those cost most of the certificates.
func shapes() []shape {
	return []shape{
		{hours(36), before(12)}, {days(7), before(48)}, {nil, nil}, {days(30), percent(20)}, {days(90), nil}, {days(60), manual()},
		{days(-1), nil}, {nil, before(240)}, {days(10), percent(50)}, {hours(720), nil}, {days(365), before(720)}, {nil, percent(89)},
		{days(14), nil}, {days(180), manual()}, {days(30), nil}, {nil, percent(33)}, {days(45), nil}, {nil, before(24)},
		{hours(240), nil}, {days(21), nil},
	}
}

// newMember is the credential of that number, with two clusters of its own.
func newMember(number int, a *account) *member {
	m := &member{number: number, name: fmt.Sprintf("prod-%02d", number)}
	for i := range m.clusters {
		m.clusters[i] = ccesim.Cluster{
			ID:   fmt.Sprintf("%08d-1111-4111-8111-00000000000%d", number, i),
			Name: fmt.Sprintf("%s-%c", m.name, 'a'+i), ProjectID: projectID,
			InternalURL: fmt.Sprintf("https://192.168.%d.%d:5443", number, 10+i),
			ExternalURL: fmt.Sprintf("https://192.0.2.%d:5443", 2*number+i+1),
		}
	}
	s := shapes()[number%len(shapes())]
	m.spec = v1alpha1.ClusterCredentialSpec{
		AccountRef: v1alpha1.AccountReference{Name: a.name}, Cluster: m.cluster(0), Validity: s.validity, Renewal: s.renewal,
	}
	if number%5 == 0 {
		m.spec.DeletionPolicy = v1alpha1.DeletionDelete
	}
	m.notes = newNotes()
	return m
}

// cluster refers to one of its clusters, by name for one member in four.
func (m *member) cluster(n int) v1alpha1.ClusterReference {
	if m.number%4 == 0 {
		return v1alpha1.ClusterReference{Name: m.clusters[n].Name}
	}
	return v1alpha1.ClusterReference{ID: m.clusters[n].ID}
}

// clusterOf is the cluster that a reference means.
func (m *member) clusterOf(r v1alpha1.ClusterReference) ccesim.Cluster {
	for _, c := range m.clusters {
		if c.ID == r.ID || c.Name == r.Name {
			return c
		}
	}
	return ccesim.Cluster{}
}

// object is the ClusterCredential.
func (m *member) object() *v1alpha1.ClusterCredential {
	return &v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: m.name}, Spec: *m.spec.DeepCopy(),
	}
}
