// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"strings"
	"time"
)

// Issuer obtains a fresh kubeconfig for one cluster. Every successful call creates
// a new client certificate that the cloud never forgets before it expires, so
// callers ask only when rotation.Decide says so. It makes exactly one attempt.
type Issuer interface {
	Issue(ctx context.Context, request Request) (Issued, error)
}

// Cloud is what one account can do. Calls obey their context, make one attempt and
// return an *Error. A Cloud is safe for use by several goroutines.
type Cloud interface {
	Issuer
	// Project returns the id of the account's project (32 lower-case hex digits):
	// the one given, or the one that IAM knows under the region's name.
	Project(ctx context.Context) (string, error)
	// ClusterByID reads one cluster. An unknown id is NotFound.
	ClusterByID(ctx context.Context, clusterType ClusterType, id string) (Cluster, error)
	// ClusterByName finds the one cluster whose immutable name is name. None is
	// NotFound, more than one is Ambiguous with the ids in Error.Candidates.
	ClusterByName(ctx context.Context, clusterType ClusterType, name string) (Cluster, error)
	// Clusters lists all clusters of a type in the project. Those without a valid id are left out.
	Clusters(ctx context.Context, clusterType ClusterType) ([]Cluster, error)
	// Check makes one signed read that changes nothing, to learn whether the key works.
	Check(ctx context.Context) error
}

// Dialer makes the Cloud of an account. It makes no call itself: an error means
// that the Access cannot be used as it is (always Kind Rejected).
type Dialer interface {
	Dial(access Access) (Cloud, error)
}

// Access says which project is reached where, and as whom.
type Access struct {
	// Region is the region's id, such as ap-southeast-3.
	Region string
	// ProjectID is 32 lower-case hex digits; empty: looked up in IAM by Region.
	ProjectID string
	// Endpoints are the addresses of another cloud with the same API; empty ones: those of the Dialer, or of the region.
	Endpoints Endpoints
	// Key is how requests are signed.
	Key Key
}

// Endpoints are the addresses of a cloud: scheme and host only, http for loopback addresses only.
type Endpoints struct {
	CCE, IAM string
	// CAPEM are the authorities that both are verified against, in PEM; empty: those of the Dialer.
	CAPEM string
}

// Key is an access key (ID and Secret, with SecurityToken for a temporary one), a Token that was obtained elsewhere
// (X-Auth-Token), or one that the operator obtains itself (Keyless).
type Key struct {
	ID            string
	Secret        Sensitive
	SecurityToken Sensitive
	Token         Sensitive
	Keyless       Keyless
}

// Name tells whose key it is, and is nothing secret: the id of an access key, or how the operator obtains it; empty for a token.
func (k Key) Name() string {
	if k.Keyless.Method == "" {
		return k.ID
	}
	return strings.TrimRight(string(k.Keyless.Method)+" "+k.Keyless.IdpID+" "+k.Keyless.TokenFile, " ")
}

// Keyless is how the operator obtains a temporary key for itself; the zero value: it does not.
type Keyless struct {
	Method KeylessMethod
	// IdpID and TokenFile are those of OIDC: the identity provider in IAM, and the file that holds the ID token.
	IdpID, TokenFile string
}

// KeylessMethod is a way to a temporary key.
type KeylessMethod string

// The ways, as ClusterCloudAccount spells them.
const (
	// PodIdentity is CCE pod identity.
	PodIdentity KeylessMethod = "podIdentity"
	// InstanceMetadata is the metadata service of ECS.
	InstanceMetadata KeylessMethod = "instanceMetadata"
	// OIDC is federation with an identity provider of IAM.
	OIDC KeylessMethod = "oidc"
)

// ClusterType picks the API path: CCE Standard and Turbo share one, Autopilot has
// its own.
type ClusterType string

// The cluster types, as ClusterCredential spells them.
const (
	Standard  ClusterType = "Standard"
	Autopilot ClusterType = "Autopilot"
)

// Cluster is what the cloud says of a cluster.
type Cluster struct {
	// ID is the cluster's UUID, Name its immutable name, Alias what people may change.
	ID, Name, Alias string
	// Phase is the cloud's word for the cluster's state, such as Available or Hibernation.
	Phase string
	// Endpoints are the API server addresses that the cloud offers now.
	Endpoints []Endpoint
	// CAPEM is the cluster's CA as the cloud sends it, at most 64 KiB; nil where it does not say, as in lists.
	CAPEM []byte
}

// Endpoint is one address of a cluster's API server.
type Endpoint struct {
	// URL is https://host:port.
	URL string
	// External is true for an address outside the VPC.
	External bool
}

// Request asks for one client certificate.
type Request struct {
	// ClusterID is the cluster's UUID.
	ClusterID string
	// ClusterType picks the API path.
	ClusterType ClusterType
	// Days is the validity in days, or -1 for the longest that the cloud grants.
	// Zero: ExpireAt counts.
	Days int32
	// ExpireAt is the absolute expiry, whole seconds; zero: Days counts.
	// Autopilot clusters take Days only.
	ExpireAt time.Time
}

// Issued is the answer to a Request.
type Issued struct {
	// Kubeconfig is what the cloud sent, as a kubeconfig in JSON: untrusted and secret.
	Kubeconfig Sensitive
	// RequestID is the cloud's id of the call, for its own audit trail; may be empty.
	RequestID string
}
