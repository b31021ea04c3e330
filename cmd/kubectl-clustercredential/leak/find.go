// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package leak

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/target"
)

// Place is where a hub knows a certificate.
type Place struct {
	// Namespace and Name are those of the ClusterCredential.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Secret is the Secret that holds it, as namespace/name; empty: status knows it.
	Secret string `json:"secret,omitempty"`
	// State is Active, Superseded, Discarded, or, of a Secret, Held or Released.
	State string `json:"state"`
	// ClusterID is the cluster that it is for; empty: not known.
	ClusterID string `json:"clusterID,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
	Revision  int64  `json:"revision,omitempty"`
	IssuedAt  string `json:"issuedAt,omitempty"`
	RequestID string `json:"requestID,omitempty"`
}

// States of a certificate that only a Secret tells of.
const (
	Held     = "Held"
	Released = "Released"
)

// Sibling is a ClusterCredential with a certificate of the same identity on the same cluster: a revocation hits it too.
type Sibling struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	ClusterID string `json:"clusterID"`
	Cluster   string `json:"cluster"`
	// Serial is that of its published certificate, Valid how many of its certificates are valid now, the published one among them.
	Serial   string     `json:"serialNumber"`
	Valid    int        `json:"valid"`
	NotAfter *time.Time `json:"notAfter,omitempty"`
	// Lost is how many of them nobody is known to hold.
	Lost int `json:"lost"`
	// Secret is one that has outlived its ClusterCredential, as namespace/name: it is of the cluster, and its marks do not say of which
	// identity. Empty: the ClusterCredential is there.
	Secret string `json:"secret,omitempty"`
}

// Hub is what was looked through.
type Hub struct {
	Credentials []v1alpha1.ClusterCredential
	Secrets     []metav1.PartialObjectMetadata
	Now         time.Time
}

// Find lists where the hub knows the certificate. A serial number alone is enough only where no fingerprint is known.
func (h Hub) Find(c Certificate) []Place {
	var places []Place
	for i := range h.Credentials {
		cc := &h.Credentials[i]
		if place := placeIn(cc, c); place != nil {
			places = append(places, *place)
		}
	}
	for i := range h.Secrets {
		secret := &h.Secrets[i]
		marks := target.MarksOf(secret)
		if marks.Fingerprint != c.Fingerprint {
			continue
		}
		owner := marks.Owner(secret.Namespace)
		place := Place{
			Namespace: owner.Namespace, Name: owner.Name, Secret: secret.Namespace + "/" + secret.Name, State: Held,
			Cluster: marks.Source.ClusterName, Revision: marks.Revision, RequestID: marks.Source.RequestID,
		}
		if record, known := rotation.ParseRecord(marks.Request); known {
			place.ClusterID = record.ClusterID
		}
		if marks.ReleasedAt != "" {
			place.State = Released
		}
		places = append(places, place)
	}
	return places
}

func placeIn(cc *v1alpha1.ClusterCredential, c Certificate) *Place {
	place := &Place{Namespace: cc.Namespace, Name: cc.Name, ClusterID: cc.Status.ClusterID, Cluster: cc.Status.Cluster}
	for _, entry := range cc.Status.History {
		isIt := entry.FingerprintSHA256 == c.Fingerprint || entry.FingerprintSHA256 == "" && entry.SerialNumber == c.Serial && c.Serial != ""
		if isIt {
			place.State, place.RequestID, place.IssuedAt = string(entry.State), entry.RequestID, entry.IssuedAt.UTC().Format(time.RFC3339)
			if entry.ClusterID != "" && entry.ClusterID != place.ClusterID {
				place.ClusterID, place.Cluster = entry.ClusterID, ""
			}
			return place
		}
	}
	if published := cc.Status.Certificate; published != nil && published.FingerprintSHA256 == c.Fingerprint {
		place.State, place.RequestID, place.Revision = string(v1alpha1.CertificateActive), published.RequestID, cc.Status.Revision
		return place
	}
	return nil
}

// Siblings are the ClusterCredentials whose certificates carry the identity on one of the clusters; of clusters empty: on any.
func (h Hub) Siblings(commonName string, clusters []string) []Sibling {
	var siblings []Sibling
	for i := range h.Credentials {
		cc := &h.Credentials[i]
		if sibling, is := h.siblingOf(cc, commonName, clusters); is {
			siblings = append(siblings, sibling)
		}
	}
	return append(siblings, h.outlived(clusters)...)
}

// outlived are the Secrets with a valid certificate of one of the clusters whose ClusterCredential is gone, or has let go of them.
func (h Hub) outlived(clusters []string) []Sibling {
	var found []Sibling
	for i := range h.Secrets {
		secret := &h.Secrets[i]
		marks := target.MarksOf(secret)
		record, known := rotation.ParseRecord(marks.Request)
		if !known || !slices.Contains(clusters, record.ClusterID) || !marks.NotAfter.After(h.Now) {
			continue
		}
		owner := marks.Owner(secret.Namespace)
		lives := slices.ContainsFunc(h.Credentials, func(cc v1alpha1.ClusterCredential) bool {
			return cc.Namespace == owner.Namespace && cc.Name == owner.Name
		})
		if lives && marks.ReleasedAt == "" {
			continue
		}
		found = append(found, Sibling{
			Namespace: owner.Namespace, Name: owner.Name, ClusterID: record.ClusterID, Cluster: marks.Source.ClusterName,
			Valid: 1, NotAfter: &marks.NotAfter, Secret: secret.Namespace + "/" + secret.Name,
		})
	}
	return found
}

func (h Hub) siblingOf(cc *v1alpha1.ClusterCredential, commonName string, clusters []string) (Sibling, bool) {
	onThem := func(id string) bool { return len(clusters) == 0 || slices.Contains(clusters, id) }
	s := Sibling{Namespace: cc.Namespace, Name: cc.Name, ClusterID: cc.Status.ClusterID, Cluster: cc.Status.Cluster}
	counted := ""
	published := cc.Status.Certificate
	if published != nil && published.CommonName == commonName && onThem(cc.Status.ClusterID) {
		s.Serial, s.NotAfter, counted = published.SerialNumber, &published.NotAfter.Time, published.FingerprintSHA256
		if published.NotAfter.After(h.Now) {
			s.Valid++
		}
	}
	for _, entry := range cc.Status.History {
		isValid := entry.NotAfter != nil && entry.NotAfter.After(h.Now) && onThem(entry.ClusterID)
		switch {
		case !isValid || entry.FingerprintSHA256 != "" && entry.FingerprintSHA256 == counted:
		case entry.CommonName == commonName:
			s.Valid++
		case entry.State == v1alpha1.CertificateUnknown && len(clusters) > 0 && (published == nil || published.CommonName == commonName):
			s.Lost++
		}
	}
	return s, s.Serial != "" || s.Valid+s.Lost > 0
}
