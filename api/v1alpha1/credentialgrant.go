// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CredentialGrant is the consent of a namespace to Secrets that ClusterCredentials of other namespaces write into it. It lives in
// the namespace that receives, and counts only where the operator runs with --cross-namespace-outputs. An output needs one
// grant that lets it be written with everything that it has. Without a grant, or without it any more, nothing is written; what
// is there stays.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=cluster-credentials
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.spec.from`
// +kubebuilder:printcolumn:name="Secrets",type=string,JSONPath=`.spec.to.secretNames`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Formats",type=string,priority=1,JSONPath=`.spec.to.formats`
type CredentialGrant struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the usual object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is consented to. The operator never changes it.
	// +required
	Spec CredentialGrantSpec `json:"spec,omitzero"`
}

// CredentialGrantList is a list of CredentialGrants.
//
// +kubebuilder:object:root=true
type CredentialGrantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CredentialGrant `json:"items"`
}

// CredentialGrantSpec says who may write what.
type CredentialGrantSpec struct {
	// from are the namespaces whose ClusterCredentials may write, 1 to 64.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	From []GrantSource `json:"from,omitempty"`

	// to is what they may write.
	// +required
	To GrantTarget `json:"to,omitzero"`
}

// GrantSource is a namespace that may write.
type GrantSource struct {
	// namespace is the name of a namespace, as it is: no wildcard stands for all of them.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="write the name of one namespace, lower-case letters, digits and '-', such as fleet; no wildcard stands for all"
	Namespace string `json:"namespace,omitempty"`
}

// GrantTarget is what may be written.
type GrantTarget struct {
	// secretNames are the names that the Secrets may have, 1 to 64, each at most 253 characters. A * stands for any text, none
	// included, and is the only wildcard: cluster-* lets cluster-prod-1 and cluster-a.b be written.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(n, n.matches('^[-a-z0-9.*]+$'))",message="write names of Secrets: lower-case letters, digits, '-' and '.', with * for any text, such as cluster-*"
	SecretNames []string `json:"secretNames,omitempty"`

	// formats are the formats that they may have, at least one. Unset: Kubeconfig, ArgoCD, ClusterAPI, Istio, KubeVela and TLS.
	// Template, which writes what it likes, has to be named, and needs customEndpoint besides.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Formats []OutputFormat `json:"formats,omitempty"`

	// labelKeys are the keys of labels that they may have beyond those of their format, at most 64, each at most 317 characters.
	// Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k).hasValue())",message="write label keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.', with a DNS name and '/' before them if you like, such as env or example.com/env; there are no wildcards"
	LabelKeys []string `json:"labelKeys,omitempty"`

	// annotationKeys are the keys of annotations that they may have beyond those of their format, at most 64, each at most 317
	// characters. Unset: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k.lowerAscii()).hasValue())",message="write annotation keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.', with a DNS name and '/' before them if you like, such as owner or example.com/owner; there are no wildcards"
	AnnotationKeys []string `json:"annotationKeys,omitempty"`

	// adopt is whether they may take over a Secret of that name that is somebody else's (existing Adopt of the output). Unset: false.
	// +optional
	Adopt bool `json:"adopt,omitempty"`

	// customEndpoint is whether they may name a server, or a proxy, that did not come from the cloud (spec.endpoint.server and
	// proxyURL of the ClusterCredential): whoever writes it decides where the consumer sends its requests. Unset: false.
	// +optional
	CustomEndpoint bool `json:"customEndpoint,omitempty"`
}
