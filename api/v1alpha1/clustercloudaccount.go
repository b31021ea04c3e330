// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClusterCloudAccount is a key to one project of Huawei Cloud, or of another cloud with the same API, that an administrator lends
// to namespaces. What they may ask for with it, its grants say.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=cluster-credentials
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.region`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.status.projectID`
// +kubebuilder:printcolumn:name="Credentials",type=integer,JSONPath=`.status.credentials`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Key",type=string,priority=1,JSONPath=`.status.accessKeyID`
// +kubebuilder:printcolumn:name="Checked",type=date,priority=1,JSONPath=`.status.lastCheckTime`
type ClusterCloudAccount struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the usual object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted. The operator never changes it.
	// +required
	Spec ClusterCloudAccountSpec `json:"spec,omitzero"`

	// status is what the operator found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status CloudAccountStatus `json:"status,omitzero"`
}

// ClusterCloudAccountList is a list of ClusterCloudAccounts.
//
// +kubebuilder:object:root=true
type ClusterCloudAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterCloudAccount `json:"items"`
}

// ClusterCloudAccountSpec says which project is reached, by which key, and who may use it for what.
type ClusterCloudAccountSpec struct {
	// region is the region's id, such as ap-southeast-3; at most 64 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="write the region's id, lower-case letters, digits and '-', such as ap-southeast-3"
	Region string `json:"region,omitempty"`

	// projectID is the id of the project, 32 lower-case hex digits. Unset: looked up once
	// in IAM by the region's name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-f]{32}$')",message="write the project's id (not its name), 32 lower-case hex digits, as the console shows it under My Credentials"
	ProjectID string `json:"projectID,omitempty"`

	// auth is the key.
	// +required
	Auth ClusterAuth `json:"auth,omitzero"`

	// endpoints are the addresses of another cloud with the same API. Unset: those of the operator's flags, or of the region.
	// +optional
	Endpoints *CloudEndpoints `json:"endpoints,omitempty"`

	// limits bound what the operator asks of the cloud. Unset: the defaults of its fields.
	// +optional
	Limits *Limits `json:"limits,omitempty"`

	// grants say which namespaces may use the account, and for which clusters, at most 64. A ClusterCredential needs one that lets
	// it have everything that it asks for; a grant never takes anything away. Unset: nobody may.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Grants []AccountGrant `json:"grants,omitempty"`

	// suspend true: no call is made with this key. What is stored goes on being published
	// and repaired, and nothing is renewed. Unset: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ClusterAuth is exactly one kind of key.
//
// +kubebuilder:validation:XValidation:rule="[has(self.accessKey), has(self.token), has(self.podIdentity), has(self.instanceMetadata), has(self.oidc)].filter(x, x).size() == 1",message="set exactly one of accessKey, token, podIdentity, instanceMetadata and oidc"
type ClusterAuth struct {
	// accessKey is an access key. Its Secret holds accessKey and secretKey, and
	// securityToken where the key is a temporary one. Exactly one of the five kinds is set.
	// +optional
	AccessKey *ClusterSecretKeySource `json:"accessKey,omitempty"`

	// token is an IAM token (X-Auth-Token) that something else obtains and renews. Its Secret holds token. Exactly
	// one of the five kinds is set.
	// +optional
	Token *ClusterSecretKeySource `json:"token,omitempty"`

	// podIdentity is the agency that CCE associates with the operator's ServiceAccount (CCE pod identity). It has no fields: write
	// {}. Exactly one of the five kinds is set.
	// +optional
	PodIdentity *PodIdentity `json:"podIdentity,omitempty"`

	// instanceMetadata is the agency of the ECS instance that the operator runs on. It has no fields: write {}. Exactly one of the
	// five kinds is set.
	// +optional
	InstanceMetadata *InstanceMetadata `json:"instanceMetadata,omitempty"`

	// oidc is an identity provider of IAM that trusts the tokens in a file of the operator's Pod. Exactly one of the five kinds is set.
	// +optional
	OIDC *OIDC `json:"oidc,omitempty"`
}

// ClusterSecretKeySource is a Secret that holds a key.
type ClusterSecretKeySource struct {
	// secretRef names the Secret, and its namespace. It needs no label of ours.
	// +required
	SecretRef NamespacedSecretReference `json:"secretRef,omitzero"`
}

// NamespacedSecretReference names a Secret in any namespace.
type NamespacedSecretReference struct {
	// name is the name of the Secret, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="write the name of a Secret: lower-case letters, digits, '-' and '.', such as huawei-keys"
	Name string `json:"name,omitempty"`

	// namespace is the namespace of the Secret, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="write the namespace of the Secret: lower-case letters, digits and '-', such as clustercredential-system"
	Namespace string `json:"namespace,omitempty"`
}

// PodIdentity is CCE pod identity. What it needs to know stands in the environment of the operator's Pod, where CCE writes it
// (HC_CONTAINER_CREDENTIALS_FULL_URI and HC_CONTAINER_AUTHORIZATION_TOKEN_FILE).
type PodIdentity struct{}

// InstanceMetadata is the metadata service of ECS, at 169.254.169.254.
type InstanceMetadata struct{}

// OIDC is federation with an identity provider of IAM (IAM's API reference, "Obtaining an Unscoped Token with an OpenID Connect
// ID token"). IAM gives every login another user: the common name of certificates changes with it, so permissions have to be
// bound to groups.
type OIDC struct {
	// idpID is the id of the identity provider in IAM, at most 64 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-A-Za-z0-9_]+$')",message="write the id of the identity provider as IAM has it: letters, digits, '-' and '_'"
	IdpID string `json:"idpID,omitempty"`

	// tokenFile is the path of the file in the operator's Pod that holds the ID token, such as a projected ServiceAccount token; at
	// most 512 characters. It is read anew for every login. The token that the operator shows to Kubernetes is not for others.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/var/run/secrets/') && !self.startsWith('/var/run/secrets/kubernetes.io/') && !self.contains('..') && !self.contains('//')",message="write a path below /var/run/secrets/, where projected tokens are mounted, such as /var/run/secrets/iam/token; that of Kubernetes is not for others"
	TokenFile string `json:"tokenFile,omitempty"`
}

// CloudEndpoints are the addresses of a cloud.
type CloudEndpoints struct {
	// cce is the address of CCE, https://host or https://host:port, such as https://cce.eu-de.otc.t-systems.com; http is taken for
	// loopback addresses only. At most 512 characters. Unset: that of the operator's flags, or of the region.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[]A-Za-z0-9.:[-]+/?$')",message="write https://host or https://host:port, without user, path or query"
	CCE string `json:"cce,omitempty"`

	// iam is the address of IAM, in the same form. Unset: with cce the host beside it (cce.eu-de… becomes iam.eu-de…), else that of
	// the operator's flags, or of the region. It is asked for the project where spec.projectID is unset, and for logins with oidc.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[]A-Za-z0-9.:[-]+/?$')",message="write https://host or https://host:port, without user, path or query"
	IAM string `json:"iam,omitempty"`

	// caBundle are the authorities, in PEM and base64, that the certificates of both addresses are verified against, and no
	// others; at most 64 KiB. Unset: those of the operator's --ca-bundle, or of its system.
	// +optional
	// +kubebuilder:validation:MaxLength=87384
	CABundle []byte `json:"caBundle,omitempty"`
}

// AccountGrant lets namespaces use the account for clusters.
type AccountGrant struct {
	// namespaces are those that may.
	// +required
	Namespaces GrantNamespaces `json:"namespaces,omitzero"`

	// clusters are those that certificates may be asked for. Unset: all of the account's project.
	// +optional
	Clusters *GrantClusters `json:"clusters,omitempty"`

	// maxValidity is the longest validity, in hours, minutes and seconds such as 168h, at least 20m and at most 87600h. What asks for
	// more is cut to it, and the message of Issued says so. Unset: what the cloud grants.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$')",message="write hours, e.g. 168h; days are not a unit"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$') || (duration(self) >= duration('20m') && duration(self) <= duration('87600h'))",message="write at least 20m (the cloud wants 15m when the request arrives) and at most 87600h"
	MaxValidity *metav1.Duration `json:"maxValidity,omitempty"`

	// allowInsecureTLS true: spec.endpoint.allowInsecureTLS counts, as with the operator's flag of that name. Unset: false.
	// +optional
	AllowInsecureTLS bool `json:"allowInsecureTLS,omitempty"`

	// customEndpoint true: spec.endpoint may give a server or a proxy of its own. Unset: false.
	// +optional
	CustomEndpoint bool `json:"customEndpoint,omitempty"`
}

// GrantNamespaces names namespaces: those that are listed, and those that the selector selects.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) || has(self.selector)",message="write names, or a selector ({} selects all namespaces)"
type GrantNamespaces struct {
	// names are names of namespaces, as they are, 1 to 256. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Names []string `json:"names,omitempty"`

	// selector selects namespaces by their labels; {} selects all. Whoever may label namespaces decides. Unset: none.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// GrantClusters names clusters by what the cloud says of them: those with one of the ids, and those with one of the names.
//
// +kubebuilder:validation:XValidation:rule="has(self.ids) || has(self.names)",message="write ids or names; leave clusters out for all of the account's project"
type GrantClusters struct {
	// ids are ids of clusters (UUIDs), 1 to 256. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=36
	// +kubebuilder:validation:items:MaxLength=36
	// +kubebuilder:validation:XValidation:rule="self.all(i, i.matches('^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'))",message="write ids of clusters, lower-case UUIDs, as the console shows them"
	IDs []string `json:"ids,omitempty"`

	// names are names of clusters, 1 to 64, each at most 128 characters. A * stands for any text, none included, and is the only
	// wildcard. It is the name that the cluster was made with that counts, never the alias, which people may change. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Names []string `json:"names,omitempty"`
}
