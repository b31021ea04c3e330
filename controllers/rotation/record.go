// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"encoding/json"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// recordVersion is the version of the record's form.
const recordVersion = 1

// Record is what a certificate was asked for, with defaults applied. It is stored
// beside the certificate, and compared field by field: that, and never a hash of the
// object, says whether the spec has changed. An empty field is not known and equals
// everything.
type Record struct {
	Version     int    `json:"v"`
	AccountKind string `json:"accountKind"`
	AccountName string `json:"accountName"`
	ProjectID   string `json:"projectID"`
	ClusterID   string `json:"clusterID"`
	ClusterType string `json:"clusterType"`
	// Validity is a Go duration such as 720h0m0s, or max.
	Validity string `json:"validity"`
}

// RecordOf is the record of a spec, without the ids that only the cloud knows.
func RecordOf(spec v1alpha1.ClusterCredentialSpec) Record {
	return Record{
		Version:     recordVersion,
		AccountKind: string(orDefault(spec.AccountRef.Kind, v1alpha1.KindCloudAccount)),
		AccountName: spec.AccountRef.Name,
		ClusterID:   spec.Cluster.ID,
		ClusterType: string(orDefault(spec.Cluster.Type, v1alpha1.ClusterTypeStandard)),
		Validity:    validityOf(spec.Validity),
	}
}

const validityMax = "max"

// validityOf writes the same validity the same way: 30 days and 720h are equal.
func validityOf(v *v1alpha1.Validity) string {
	switch {
	case v == nil || (v.Days == nil && v.Duration == nil):
		return (v1alpha1.DefaultValidityDays * 24 * time.Hour).String()
	case v.Duration != nil:
		return v.Duration.Duration.String()
	case *v.Days < 0:
		return validityMax
	default:
		return (time.Duration(*v.Days) * 24 * time.Hour).String()
	}
}

// String is the canonical JSON of the record: one form for equal records.
func (r Record) String() string {
	text, err := json.Marshal(r)
	if err != nil {
		return "" // strings and an int always marshal
	}
	return string(text)
}

// ParseRecord reads a record; anything else than one of our version is unknown.
func ParseRecord(text string) (Record, bool) {
	var r Record
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Version != recordVersion {
		return Record{}, false
	}
	return r, true
}

// Differs says whether a certificate asked for with r would be another one than the
// certificate asked for with published.
func (r Record) Differs(published Record) bool {
	return differs(r.AccountKind, published.AccountKind) || differs(r.AccountName, published.AccountName) ||
		differs(r.Validity, published.Validity) || r.OtherCluster(published)
}

// OtherCluster says whether r is about another cluster than published. A cluster id
// is unique over all projects, so an equal id is the same cluster.
func (r Record) OtherCluster(published Record) bool {
	return differs(r.ClusterID, published.ClusterID)
}

// Filled returns r with the fields that it does not know taken from other.
func (r Record) Filled(other Record) Record {
	r.ProjectID = orDefault(r.ProjectID, other.ProjectID)
	r.ClusterID = orDefault(r.ClusterID, other.ClusterID)
	return r
}

func differs(a, b string) bool { return a != "" && b != "" && a != b }

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
