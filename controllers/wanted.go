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
		if at := p.marks().Source.IssuedAt; at != nil {
			want.Schedule.AskedAt = at.Time
		}
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

// toldName is the name that status has of the published cluster, which nobody else writes; empty: it has none.
func (p *pass) toldName() string {
	if p.isTold() && p.cc.Status.Cluster != p.cc.Status.ClusterID {
		return p.cc.Status.Cluster
	}
	return ""
}

// isTold says whether status tells of the very certificate that is stored.
func (p *pass) isTold() bool {
	told, stored := p.cc.Status.Certificate, p.stored()
	return told != nil && stored != nil && told.FingerprintSHA256 == stored.certificate.FingerprintSHA256
}

// publishedCluster is of which cluster the stored certificate is, in words that a tenant cannot write: those of the cloud's list, of
// status, or of its history. Only where status was lost the Secret counts.
func (p *pass) publishedCluster() (id, name string) {
	switch told := p.cc.Status; {
	case told.Certificate == nil:
		id, name = told.ClusterID, p.knownName()
		if record, known := rotation.ParseRecord(p.marks().Request); id == "" && known {
			id = record.ClusterID
		}
	case p.isTold() || p.stored() == nil:
		id, name = told.ClusterID, p.toldName()
	default:
		if id = p.historyCluster(); id == told.ClusterID && told.Cluster != id {
			name = told.Cluster
		}
	}
	if p.listed.ID == id && id != "" {
		name = p.listed.Name
	}
	return id, name
}

// historyCluster is the id of the cluster that the history has with the stored certificate; empty: it does not know that one.
func (p *pass) historyCluster() string {
	for _, entry := range p.cc.Status.History {
		if stored := p.stored(); stored != nil && entry.FingerprintSHA256 == stored.certificate.FingerprintSHA256 {
			return entry.ClusterID
		}
	}
	return ""
}

// knownName is the name of the published cluster; empty: not known.
func (p *pass) knownName() string {
	if name := p.toldName(); name != "" {
		return name
	}
	if p.isLent() && p.cc.Status.Certificate != nil {
		_, name := p.publishedCluster()
		return name
	}
	if name := p.marks().Source.ClusterName; name != "" {
		return name
	}
	if p.cc.Status.Cluster != p.cc.Status.ClusterID && p.cc.Status.Certificate != nil {
		return p.cc.Status.Cluster
	}
	return ""
}
