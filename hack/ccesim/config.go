// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto"
	"crypto/x509"
	"time"
)

// Config is what a [Server] starts with.
type Config struct {
	// CACert and CAKey sign the client certificates; CACert is also the
	// certificate authority that kubeconfigs show. Unset, both: New makes one.
	CACert *x509.Certificate
	CAKey  crypto.Signer
	// ServerCAPEM is shown as the cluster's certificate authority in place of
	// CACert. Unset: CACert.
	ServerCAPEM []byte

	// Clock dates certificates, the ledger, the write limit and locked keys.
	// Unset: time.Now.
	Clock func() time.Time
	// SignatureClock is what X-Sdk-Date is compared with. Unset: Clock. A test
	// that moves Clock but whose client signs by the wall clock sets time.Now.
	SignatureClock func() time.Time

	// Keys are the access keys that are accepted; their IDs are unique.
	Keys []AccessKey
	// Tokens are the values of X-Auth-Token that are accepted.
	Tokens map[string]Token
	// Projects are the projects that exist; their IDs are unique.
	Projects []Project
	// Clusters are the clusters that exist; their IDs are unique.
	Clusters []Cluster

	// PodIdentities are the tokens that pod identity accepts in Authorization, each with the
	// agency that its ServiceAccount is associated with. Unset: none.
	PodIdentities map[string]Agency
	// Instance is what the metadata service tells of. Unset: an instance without an agency.
	Instance Instance
	// IdentityProviders are those of IAM; their IDs are unique. Unset: none.
	IdentityProviders []IdentityProvider
	// TemporaryLifetime is how long the keys of agencies live; those of federated users live
	// as long as they ask for. At least 0; 0: 24 hours.
	TemporaryLifetime time.Duration

	// WritesPerMinute is how many POSTs one access key may send in any 60 s;
	// refused ones count too. At least 0; 0: no limit.
	WritesPerMinute int
	// GrantedLifetime caps the life of every certificate, counted from its
	// issue. At least 0; 0: as asked.
	GrantedLifetime time.Duration
	// Backdate is how far NotBefore lies before the issue. At least 0.
	Backdate time.Duration
	// KeyAlgorithm of the issued keys. Unset: RSA2048.
	KeyAlgorithm KeyAlgorithm
	// KeyPool is how many keys New makes beforehand, to be handed out in turn
	// and more than once. At least 0; 0: a fresh key for every certificate.
	KeyPool int
	// Latency is waited before every answer, after the call has taken effect.
	// At least 0. It is real time, whatever Clock says.
	Latency time.Duration
}

// AccessKey is an AK/SK pair and the IAM user it belongs to.
type AccessKey struct {
	// ID is the access key (AK).
	ID string `json:"id"`
	// Secret is the secret key (SK), with which requests are signed.
	Secret string `json:"secret"`
	// SecurityToken makes the key a temporary one: X-Security-Token must be
	// sent, signed and equal. Unset: the header must be absent.
	SecurityToken string `json:"securityToken,omitempty"`
	// UserID becomes the common name of the certificates (cce_02_0249).
	UserID string `json:"userID"`
	// Groups become their organizations; the documents do not say so.
	Groups []string `json:"groups,omitempty"`
	// Projects that the key may use. Unset: all.
	Projects []string `json:"projects,omitempty"`
}

// String names the key without its secrets.
func (k AccessKey) String() string { return "access key " + k.ID }

// GoString names the key without its secrets.
func (k AccessKey) GoString() string { return k.String() }

// Token is who sends a given X-Auth-Token.
type Token struct {
	// UserID becomes the common name of the certificates.
	UserID string `json:"userID"`
	// Groups become their organizations.
	Groups []string `json:"groups,omitempty"`
	// Projects that the token may use. Unset: all.
	Projects []string `json:"projects,omitempty"`
	// Expires is when the token ends. Unset: never.
	Expires time.Time `json:"expires,omitzero"`
}

// Project is an IAM project.
type Project struct {
	// ID is 32 lower-case hexadecimal digits.
	ID string `json:"id"`
	// Name is the region's name for a region's default project.
	Name string `json:"name"`
}

// ClusterType tells which of the two APIs a cluster belongs to.
type ClusterType string

// The types of clusters.
const (
	Standard  ClusterType = "standard"  // served under /api/v3
	Autopilot ClusterType = "autopilot" // served under /autopilot/v3
)

// Cluster is a CCE cluster.
type Cluster struct {
	// ID is a UUID, unique and fixed.
	ID string `json:"id"`
	// Name is required. The cloud keeps names unique in a project; the
	// simulator does not.
	Name string `json:"name"`
	// Alias is the displayed name. Unset: Name.
	Alias string `json:"alias,omitempty"`
	// ProjectID is the project that the cluster is in.
	ProjectID string `json:"projectID"`
	// Type is Standard or Autopilot. Unset: Standard.
	Type ClusterType `json:"type,omitempty"`
	// Phase is status.phase. Unset: Available. Certificates are issued in
	// Available, ScalingUp and ScalingDown only.
	Phase string `json:"phase,omitempty"`
	// InternalURL is the API server's address in the VPC, with https.
	// Unset: https://192.168.0.10:5443.
	InternalURL string `json:"internalURL,omitempty"`
	// ExternalURL is its address by elastic IP, with https. Unset: none.
	ExternalURL string `json:"externalURL,omitempty"`
	// CustomSANs are further host names, each of which gets a context.
	CustomSANs []string `json:"customSANs,omitempty"`
	// CATextPrefix puts a text dump before the PEM of the certificate
	// authority, as in the example of cce_02_0248.
	CATextPrefix bool `json:"caTextPrefix,omitempty"`
	// Version is the Kubernetes version. Unset: v1.30.
	Version string `json:"version,omitempty"`
	// Labels are metadata.labels.
	Labels map[string]string `json:"labels,omitempty"`
}
