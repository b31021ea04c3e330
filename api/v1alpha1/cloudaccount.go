// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CloudAccount is a key to one project of Huawei Cloud, for the ClusterCredentials of
// its own namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cluster-credentials
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.region`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.status.projectID`
// +kubebuilder:printcolumn:name="Credentials",type=integer,JSONPath=`.status.credentials`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Key",type=string,priority=1,JSONPath=`.status.accessKeyID`
// +kubebuilder:printcolumn:name="Checked",type=date,priority=1,JSONPath=`.status.lastCheckTime`
type CloudAccount struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the usual object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted. The operator never changes it.
	// +required
	Spec CloudAccountSpec `json:"spec,omitzero"`

	// status is what the operator found.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status CloudAccountStatus `json:"status,omitzero"`
}

// CloudAccountList is a list of CloudAccounts.
//
// +kubebuilder:object:root=true
type CloudAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CloudAccount `json:"items"`
}

// CloudAccountSpec says which project is reached, and by which key.
type CloudAccountSpec struct {
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
	Auth Auth `json:"auth,omitzero"`

	// limits bound what the operator asks of the cloud. Unset: the defaults of its fields.
	// +optional
	Limits *Limits `json:"limits,omitempty"`

	// suspend true: no call is made with this key. What is stored goes on being published
	// and repaired, and nothing is renewed. Unset: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Auth is exactly one kind of key.
//
// +kubebuilder:validation:XValidation:rule="has(self.accessKey) != has(self.token)",message="set exactly one of accessKey and token"
type Auth struct {
	// accessKey is an access key. Its Secret holds accessKey and secretKey, and
	// securityToken where the key is a temporary one. Exactly one of accessKey and token is set.
	// +optional
	AccessKey *SecretKeySource `json:"accessKey,omitempty"`

	// token is an IAM token (X-Auth-Token) that something else obtains and renews. Its
	// Secret holds token. Exactly one of accessKey and token is set.
	// +optional
	Token *SecretKeySource `json:"token,omitempty"`
}

// SecretKeySource is a Secret that holds a key.
type SecretKeySource struct {
	// secretRef names the Secret, in the namespace of the account. It needs no label of ours.
	// +required
	SecretRef SecretReference `json:"secretRef,omitzero"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name is the name of the Secret, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="write the name of a Secret: lower-case letters, digits, '-' and '.', such as huawei-keys"
	Name string `json:"name,omitempty"`
}

// Keys in the Secret of an account.
const (
	// KeyAccessKey holds the access key id (AK).
	KeyAccessKey = "accessKey"
	// KeySecretKey holds the secret access key (SK).
	KeySecretKey = "secretKey"
	// KeySecurityToken holds the security token of a temporary access key.
	KeySecurityToken = "securityToken"
	// KeyToken holds an IAM token.
	KeyToken = "token"
)

// Limits bound what the operator asks of the cloud.
type Limits struct {
	// issuesPerMinute is how many certificates may be asked for in any 60 seconds, 1 to
	// 1000000, where a large number means no limit. Unset: 8. Accounts with the same
	// endpoint and access key share it, and the smallest counts.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 1000000",message="write 1 to 1000000 (certificates a minute; a large number means no limit)"
	IssuesPerMinute *int32 `json:"issuesPerMinute,omitempty"`
}

// CloudAccountStatus is what the operator found. Times are whole seconds in UTC.
type CloudAccountStatus struct {
	// conditions has Ready: the answer to a signed read.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of spec that this status is about; -1 before
	// the first look.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// projectID is the project, given or looked up.
	// +optional
	ProjectID string `json:"projectID,omitempty"`

	// accessKeyID is the id of the key in use; never the secret one. Unset for a token.
	// +optional
	AccessKeyID string `json:"accessKeyID,omitempty"`

	// lastCheckTime is when the key was last tried with a signed read.
	// +optional
	LastCheckTime *metav1.Time `json:"lastCheckTime,omitempty"`

	// checkedWith is a digest of the spec and of the version of the key's Secret that were
	// tried.
	// +optional
	CheckedWith string `json:"checkedWith,omitempty"`

	// credentials is how many ClusterCredentials use the account.
	// +optional
	Credentials int32 `json:"credentials,omitempty"`

	// grantsSeen is a digest of what validity spec.grants allow to whom (namespaces, clusters, maxValidity), and grantsChangedTime when
	// that was last seen to change: from then on longer certificates than they allow are renewed sooner. Of ClusterCloudAccounts only.
	// +optional
	GrantsSeen string `json:"grantsSeen,omitempty"`

	// grantsChangedTime is explained with grantsSeen.
	// +optional
	GrantsChangedTime *metav1.Time `json:"grantsChangedTime,omitempty"`
}
