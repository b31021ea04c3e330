// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strconv"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

// wantedOf puts the spec into plain values.
func wantedOf(p *pass, record *rotation.Record, floor time.Duration) rotation.Wanted {
	cc := p.cc
	want := rotation.Wanted{
		UID:          string(cc.UID),
		Record:       rotation.RecordOf(cc.Spec),
		RenewRequest: cc.Annotations[v1alpha1.AnnotationRenewRequestedAt],
		Suspended:    cc.Spec.Suspend,
		Floor:        floor,
	}
	if renewal := cc.Spec.Renewal; renewal != nil {
		want.Schedule.Manual = renewal.Policy == v1alpha1.RenewalManual
		if renewal.Before != nil {
			want.Schedule.Before = renewal.Before.Duration
		}
		if renewal.BeforePercent != nil {
			want.Schedule.Percent = *renewal.BeforePercent
		}
		for _, w := range renewal.Windows {
			want.Schedule.Windows = append(want.Schedule.Windows,
				rotation.Window{Schedule: w.Schedule, Duration: w.Duration.Duration, TimeZone: w.TimeZone})
		}
	}
	if since := p.capSince(); !since.IsZero() {
		want.Schedule.Cap, want.Schedule.CapSince = p.publishedTerms().MaxValidity, since
	}
	want.Record.ProjectID = p.account.access.ProjectID
	want.OtherName = record != nil && (p.replacedBy != "" || namesAnother(p, *record, want.Record))
	want.Replaced = p.replacedBy
	if want.Record.ClusterID == "" && record != nil && !want.OtherName {
		want.Record.ClusterID = record.ClusterID
	}
	_, err := p.way()
	want.Unreachable = p.stored() != nil && err != nil
	with := []string{strconv.FormatInt(cc.Generation, 10), p.account.version, rotation.CutRequest(want.RenewRequest)}
	for _, more := range []string{p.allowance(), p.account.grantsText()} {
		if more != "" {
			with = append(with, more)
		}
	}
	want.With = digest(with...)
	if p.account.unread {
		want.With = cc.Status.AttemptedWith // nothing is known to have changed
	}
	return want
}

// namesAnother says whether the spec names a cluster by a name that is not known to be
// the published cluster's: the cloud has to be asked who that is.
func namesAnother(p *pass, published, wanted rotation.Record) bool {
	name := p.cc.Spec.Cluster.Name
	known := p.knownName()
	if name == "" || known == "" {
		return false
	}
	otherProject := wanted.ProjectID != "" && published.ProjectID != "" && wanted.ProjectID != published.ProjectID
	return name != known || otherProject
}

// knownName is the name of the published cluster; empty: not known.
func (p *pass) knownName() string {
	said := p.cc.Status.Certificate
	stored := p.stored()
	isTold := said != nil && stored != nil && said.FingerprintSHA256 == stored.certificate.FingerprintSHA256
	if isTold && p.cc.Status.Cluster != "" && p.cc.Status.Cluster != p.cc.Status.ClusterID {
		return p.cc.Status.Cluster // which nobody else writes
	}
	if name := p.marks().Source.ClusterName; name != "" {
		return name
	}
	if p.cc.Status.Cluster != p.cc.Status.ClusterID && p.cc.Status.Certificate != nil {
		return p.cc.Status.Cluster
	}
	return ""
}
