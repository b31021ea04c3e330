// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClusterCredential declares that a kubeconfig for one CCE cluster shall stand in a
// Secret and never expire.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ccred;ccreds,categories=cluster-credentials
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Issued",type=string,JSONPath=`.status.conditions[?(@.type=="Issued")].reason`
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.status.cluster`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.certificate.notAfter`
// +kubebuilder:printcolumn:name="Renews",type=string,JSONPath=`.status.renewalTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Published",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Published")].status`
// +kubebuilder:printcolumn:name="Server",type=string,priority=1,JSONPath=`.status.server`
// +kubebuilder:printcolumn:name="Revision",type=integer,priority=1,JSONPath=`.status.revision`
// +kubebuilder:printcolumn:name="Account",type=string,priority=1,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="Identity",type=string,priority=1,JSONPath=`.status.certificate.commonName`
// +kubebuilder:validation:XValidation:rule="(has(self.spec.outputs) && size(self.spec.outputs) > 0) || size(self.metadata.name) <= 242",message="metadata.name: at most 242 characters when spec.outputs is not set, since the Secret is called <name>-kubeconfig; shorten the name or set spec.outputs[0].secretName"
type ClusterCredential struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the usual object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted. The operator never changes it.
	// +required
	Spec ClusterCredentialSpec `json:"spec,omitzero"`

	// status is what the operator found and did. It can be wiped: everything that
	// counts is derived from spec and from the stored Secret.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status ClusterCredentialStatus `json:"status,omitzero"`
}

// ClusterCredentialList is a list of ClusterCredentials.
//
// +kubebuilder:object:root=true
type ClusterCredentialList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterCredential `json:"items"`
}

// ClusterCredentialSpec says which cluster, by which account, for how long, and
// where the kubeconfig goes.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.cluster.type) && self.cluster.type == 'Autopilot' && has(self.validity) && has(self.validity.duration))",fieldPath=".validity.duration",message="not for Autopilot clusters, whose API takes whole days only; write validity.days"
// +kubebuilder:validation:XValidation:rule="!(has(self.endpoint) && has(self.endpoint.tlsServerName) && has(self.outputs) && self.outputs.exists(o, has(o.format) && o.format == 'KubeVela'))",fieldPath=".endpoint.tlsServerName",message="KubeVela has no place for it: write none, or no output of format KubeVela"
type ClusterCredentialSpec struct {
	// accountRef names the account whose key asks for the certificate. The certificate
	// carries that account's identity. Another account with another key asks for a new
	// certificate; one with the very same key asks for nothing.
	// +required
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// cluster is the target. Changing it points the same Secret at another cluster:
	// whoever reads the Secret follows.
	// +required
	Cluster ClusterReference `json:"cluster,omitzero"`

	// validity is how long a certificate is asked for. The cloud may grant less.
	// Unset: 30 days. A change asks for a new certificate.
	// +optional
	Validity *Validity `json:"validity,omitempty"`

	// renewal is when the next certificate is asked for. Unset: automatically, when one
	// third of the granted lifetime is left.
	// +optional
	Renewal *Renewal `json:"renewal,omitempty"`

	// endpoint is which of the cluster's addresses is published. Unset: access Auto.
	// A change asks for no certificate while the address is known.
	// +optional
	Endpoint *Endpoint `json:"endpoint,omitempty"`

	// verification is whether a certificate is tried against the cluster's API server. BestEffort (unset: this): one that is
	// refused is not published; where the server cannot be asked from the operator, it is, and the condition Verified says so.
	// Required: only one that was accepted is published. Disabled: nothing is tried.
	// +optional
	Verification Verification `json:"verification,omitempty"`

	// outputs are the Secrets that receive the credential, 1 to 16, all from one certificate. The first is the primary one: the
	// credential lives there, in a format that holds all of it, and the others are made from it. Unset: one Secret
	// <name>-kubeconfig with a kubeconfig. A change asks for no certificate.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(o, self.exists_one(p, p.secretName == o.secretName))",message="write each secretName once: a Secret has one output"
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || !has(self[0].format) || !(self[0].format in ['TLS', 'Template'])",message="the first output is where the credential lives: write one of format Kubeconfig, ArgoCD, ClusterAPI, Istio or KubeVela first"
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || !has(self[0].writePolicy) || self[0].writePolicy != 'Once'",message="the first output is where the credential lives, and is always kept in step: write writePolicy Once at another output"
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || !has(self[0].namespace)",message="the first output is where the credential lives: write it without namespace"
	Outputs []Output `json:"outputs,omitempty"`

	// deletionPolicy is what happens to the Secrets when this object is deleted or an
	// output leaves the spec: Retain (unset: this) leaves them, Delete removes them.
	// Neither revokes the certificate in the cloud, which can only revoke by person.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// suspend true: nothing is issued, published or repaired; status still tells the
	// expiry. Unset: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// AccountReference names an account.
type AccountReference struct {
	// kind is the kind of the account. CloudAccount (unset: this) is in the same namespace; ClusterCloudAccount is an
	// administrator's, and has to grant it.
	// +optional
	Kind AccountKind `json:"kind,omitempty"`

	// name is the name of the account, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="write the name of an account: lower-case letters, digits, '-' and '.', such as huawei-prod"
	Name string `json:"name,omitempty"`
}

// AccountKind is the kind of an account.
// +kubebuilder:validation:Enum=CloudAccount;ClusterCloudAccount
type AccountKind string

const (
	// KindCloudAccount is a CloudAccount in the namespace of the ClusterCredential.
	KindCloudAccount AccountKind = "CloudAccount"
	// KindClusterCloudAccount is a ClusterCloudAccount, which has no namespace.
	KindClusterCloudAccount AccountKind = "ClusterCloudAccount"
)

// ClusterReference names a CCE cluster by id or by name.
//
// +kubebuilder:validation:XValidation:rule="has(self.id) != has(self.name)",message="set exactly one of id (the cluster's UUID) and name (its name in the account's project)"
type ClusterReference struct {
	// id is the CCE cluster id, a lower-case UUID. Exactly one of id and name is set.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')",message="write the cluster's id as the CCE console shows it, a lower-case UUID such as 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f"
	ID string `json:"id,omitempty"`

	// name is the cluster's name (not its alias), at most 128 characters, looked up in the
	// account's project.
	// A name that is missing there, or stands there twice, is told in the condition Issued.
	// Exactly one of id and name is set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// type picks the cloud API: Standard (unset: this) for CCE Standard and Turbo
	// clusters, Autopilot for CCE Autopilot clusters.
	// +optional
	Type ClusterType `json:"type,omitempty"`
}

// ClusterType is the kind of a CCE cluster.
// +kubebuilder:validation:Enum=Standard;Autopilot
type ClusterType string

// The cluster types.
const (
	ClusterTypeStandard  ClusterType = "Standard"
	ClusterTypeAutopilot ClusterType = "Autopilot"
)

// Validity is how long a certificate is asked for.
//
// +kubebuilder:validation:XValidation:rule="has(self.days) != has(self.duration)",message="set exactly one of days and duration"
type Validity struct {
	// days is the validity in whole days, 1 to 10950, or -1 for the longest that the cloud
	// grants (today about five years, 1826 days). More than the cloud grants is refused by it.
	// Exactly one of days and duration is set.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == -1 || (self >= 1 && self <= 10950)",message="write 1 to 10950 days, or -1 for the longest that the cloud grants"
	Days *int32 `json:"days,omitempty"`

	// duration is the validity as hours, minutes and seconds such as 6h or 1h30m, at least
	// 20m and at most 262800h. It asks for an absolute expiry (expire_at), which Autopilot
	// clusters do not know. Exactly one of days and duration is set.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$')",message="write hours, e.g. 720h; days are not a unit"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$') || (duration(self) >= duration('20m') && duration(self) <= duration('262800h'))",message="write at least 20m (the cloud wants 15m when the request arrives) and at most 262800h"
	Duration *metav1.Duration `json:"duration,omitempty"`
}

// Renewal is when the next certificate is asked for.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.before) && has(self.beforePercent))",message="set at most one of before and beforePercent"
type Renewal struct {
	// policy Automatic (unset: this) renews before expiry. Manual never renews because of
	// expiry, and the condition Issued says when a renewal is due.
	// +optional
	Policy RenewalPolicy `json:"policy,omitempty"`

	// before is how long before expiry the next certificate is asked for, in hours, minutes
	// and seconds such as 240h, at least 1s and at most 262800h. Unset: beforePercent, or one
	// third of the granted lifetime. A value of 0.9 of the granted lifetime or more counts as
	// one third, and the condition Issued says so.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$')",message="write hours, e.g. 720h; days are not a unit"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$') || (duration(self) >= duration('1s') && duration(self) <= duration('262800h'))",message="write at least 1s and at most 262800h"
	Before *metav1.Duration `json:"before,omitempty"`

	// beforePercent is before as a share of the granted lifetime in percent, 1 to 89. At most
	// one of before and beforePercent is set. Unset: before, or one third of the lifetime.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 89",message="write 1 to 89 (percent of the granted lifetime)"
	BeforePercent *int32 `json:"beforePercent,omitempty"`

	// windows are when renewals for expiry may be made, at most 8. A renewal that is due waits
	// for the next one, but never beyond a tenth of the granted lifetime, or an hour, before
	// expiry. Requests, another spec and lost Secrets do not wait, and with policy Manual or
	// less than 10h of granted lifetime nothing does. Unset: always.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	Windows []RenewalWindow `json:"windows,omitempty"`
}

// RenewalWindow is a time in which renewals for expiry may be made, again and again.
type RenewalWindow struct {
	// schedule says when the window opens, as in a crontab: minute, hour, day of month, month
	// and day of week such as "0 2 * * 6", or @hourly, @daily, @weekly, @monthly or @yearly; at
	// most 100 characters. One that cannot be read, or never comes, holds nothing back, and the
	// condition Issued says so.
	// +required
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^(@(hourly|daily|weekly|monthly|yearly)|[-0-9A-Za-z*/,?]+( +[-0-9A-Za-z*/,?]+){4})$')",message="write minute, hour, day of month, month and day of week, such as 0 2 * * 6, or @hourly, @daily, @weekly, @monthly or @yearly; the time zone goes into timeZone"
	Schedule string `json:"schedule,omitempty"`

	// duration is how long the window stays open, in hours, minutes and seconds such as 4h, at
	// least 10m and at most 168h. Renewals begin in its first half.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$')",message="write hours, e.g. 720h; days are not a unit"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(s|m|h))+$') || (duration(self) >= duration('10m') && duration(self) <= duration('168h'))",message="write at least 10m and at most 168h"
	Duration metav1.Duration `json:"duration,omitzero"`

	// timeZone is the zone that schedule is read in, by its name in the IANA database such as
	// Asia/Shanghai, at most 64 characters. A window of an unknown zone holds nothing back,
	// and the condition Issued says so. Unset: UTC.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][-+0-9A-Za-z_]*(/[-+0-9A-Za-z_]+)*$') && self != 'Local'",message="write a name of the IANA time zone database, such as Asia/Shanghai; for UTC leave it out"
	TimeZone string `json:"timeZone,omitempty"`
}

// RenewalPolicy says who renews.
// +kubebuilder:validation:Enum=Automatic;Manual
type RenewalPolicy string

// The renewal policies.
const (
	RenewalAutomatic RenewalPolicy = "Automatic"
	RenewalManual    RenewalPolicy = "Manual"
)

// Endpoint is which address of the cluster is published.
type Endpoint struct {
	// access Auto (unset: this) takes the TLS-verified external address if the cloud offers
	// one, else the internal one, once: status.access keeps the choice until that access
	// disappears or the spec changes. External takes the TLS-verified external address,
	// Internal the one inside the VPC. Addresses without TLS verification are never taken, unless allowInsecureTLS says so.
	// +optional
	// +kubebuilder:validation:Enum=Auto;Internal;External
	Access Access `json:"access,omitempty"`

	// context takes exactly this context of the cloud's answer, such as customSAN-0, and
	// overrides access; at most 128 characters. Unset: access decides.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Context string `json:"context,omitempty"`

	// server is published instead of the address that the cloud offers, such as that of a private link, a VPN or a load balancer:
	// https://host or https://host:port, at most 263 characters. Its certificate is verified against the cluster's CA. Unset:
	// the address that the cloud offers.
	// +optional
	// +kubebuilder:validation:MaxLength=263
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://([-a-zA-Z0-9._]+|[[][0-9a-fA-F:.]+[]])(:[0-9]{1,5})?/?$')",message="write https://host or https://host:port, without a path, such as https://prod-1.example.com:6443"
	Server string `json:"server,omitempty"`

	// tlsServerName is the name that the server's certificate is verified for, a DNS name or an IP address, at most 253
	// characters. Unset: the host of the server.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-a-zA-Z0-9._:]+$')",message="write a DNS name or an IP address, such as kubernetes.default.svc"
	TLSServerName string `json:"tlsServerName,omitempty"`

	// proxyURL is the proxy through which the server is reached: http, https or socks5 with host and port, without user and
	// password, at most 263 characters. Unset: none is named.
	// +optional
	// +kubebuilder:validation:MaxLength=263
	// +kubebuilder:validation:XValidation:rule="self.matches('^(http|https|socks5)://([-a-zA-Z0-9._]+|[[][0-9a-fA-F:.]+[]])(:[0-9]{1,5})?/?$')",message="write http://host:port, https://host:port or socks5://host:port, without user, password and path"
	ProxyURL string `json:"proxyURL,omitempty"`

	// allowInsecureTLS lets an address without TLS verification be published where the cloud offers no other, without the CA:
	// whoever is between can read and change everything. It counts only where the operator runs with --allow-insecure-tls, or a
	// grant of the ClusterCloudAccount allows the same. Unset: false.
	// +optional
	AllowInsecureTLS bool `json:"allowInsecureTLS,omitempty"`
}

// Verification says whether certificates are tried.
// +kubebuilder:validation:Enum=Required;BestEffort;Disabled
type Verification string

// The verifications.
const (
	VerificationRequired   Verification = "Required"
	VerificationBestEffort Verification = "BestEffort"
	VerificationDisabled   Verification = "Disabled"
)

// Access is a way to a cluster's API server. Auto is for the spec only, Custom for
// the status only.
type Access string

// The ways to a cluster's API server.
const (
	// AccessAuto is the external address where that has TLS verification, and else the internal one.
	AccessAuto Access = "Auto"
	// AccessInternal is the address in the cluster's VPC.
	AccessInternal Access = "Internal"
	// AccessExternal is the public address.
	AccessExternal Access = "External"
	// AccessCustom is an address that spec.endpoint.server gives, or one that spec.endpoint.context names and that is neither
	// the internal nor the external one, such as a custom SAN.
	AccessCustom Access = "Custom"
)

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="!format.labelValue().validate(self).hasValue()",message="write a label value as Kubernetes takes it: letters, digits, '-', '_' and '.', with a letter or digit at both ends, such as prod"
type LabelValue string

// Output is a Secret that receives the credential.
//
// +kubebuilder:validation:XValidation:rule="!has(self.key) || !has(self.format) || self.format == 'Kubeconfig'",message="key belongs to the format Kubeconfig, the other formats have keys of their own: write none"
// +kubebuilder:validation:XValidation:rule="!has(self.type) || !has(self.format) || self.format in ['Kubeconfig', 'Template']",message="type belongs to the formats Kubeconfig and Template, the others have a type of their own: write none"
// +kubebuilder:validation:XValidation:rule="has(self.template) == (has(self.format) && self.format == 'Template')",message="template belongs to the format Template: write both or none"
// +kubebuilder:validation:XValidation:rule="!has(self.argocd) || (has(self.format) && self.format == 'ArgoCD')",message="argocd belongs to the format ArgoCD: write that format, or no argocd"
// +kubebuilder:validation:XValidation:rule="!has(self.clusterName) || !has(self.format) || !(self.format in ['KubeVela', 'TLS'])",message="clusterName has no place in the formats KubeVela (the cluster is called like the Secret) and TLS: write none"
// +kubebuilder:validation:XValidation:rule="!has(self.format) || self.format != 'Istio' || !has(self.clusterName) || self.clusterName.matches('^[-._a-zA-Z0-9]+$')",message="the format Istio has the clusterName as a key of the Secret: write letters, digits, '-', '_' and '.'"
// +kubebuilder:validation:XValidation:rule="!has(self.format) || self.format != 'ClusterAPI' || (self.secretName.endsWith('-kubeconfig') && size(self.secretName) > 11 && size(self.secretName) <= 74 && (!has(self.clusterName) || self.secretName == self.clusterName + '-kubeconfig'))",message="Cluster API finds the Secret by its name: write secretName <cluster>-kubeconfig with a <cluster> of at most 63 characters, and the Cluster's name as clusterName or none"
// +kubebuilder:validation:XValidation:rule="!has(self.format) || self.format != 'KubeVela' || self.secretName != 'local'",message="KubeVela calls the cluster like the Secret, and local is its own: write another secretName"
type Output struct {
	// secretName is the name of the Secret, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="write the name of a Secret: lower-case letters, digits, '-' and '.', such as prod-1-kubeconfig"
	SecretName string `json:"secretName,omitempty"`

	// namespace is the namespace of the Secret. Another one than that of the ClusterCredential needs a CredentialGrant there, and
	// an operator that runs with --cross-namespace-outputs. Not for the first output. Unset: the namespace of the
	// ClusterCredential.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="write the name of a namespace: lower-case letters, digits and '-', such as argocd"
	Namespace string `json:"namespace,omitempty"`

	// format is the shape of the Secret, which says who can read it. Kubeconfig (unset: this): one key that holds a kubeconfig.
	// ArgoCD, ClusterAPI, Istio, KubeVela: a cluster of theirs. TLS: tls.crt, tls.key and ca.crt,
	// without the server. Template: what template says.
	// +optional
	Format OutputFormat `json:"format,omitempty"`

	// key is the data key of the kubeconfig, at most 253 characters, for the format Kubeconfig. Unset: value.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$') && self != '.' && self != '..'",message="write a Secret key: letters, digits, '-', '_' and '.', such as kubeconfig"
	Key string `json:"key,omitempty"`

	// type is the type of the Secret, at most 253 characters, for the formats Kubeconfig and Template. Kubernetes lets it be chosen once: where
	// the Secret exists with another type, the condition Published says so. Unset: Opaque.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9]([-a-zA-Z0-9._/]*[a-zA-Z0-9])?$')",message="write a Secret type, such as Opaque or auto-import/kubeconfig"
	// +kubebuilder:validation:XValidation:rule="!(self in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token']) && !self.startsWith('helm.sh/')",message="Kubernetes or Helm gives Secrets of this type a meaning of their own; write another type"
	Type string `json:"type,omitempty"`

	// clusterName is the name of cluster, user and context in the kubeconfig, the name of the cluster for ArgoCD, and its id for
	// Istio; at most 253 characters. Unset: <namespace>-<name> of the ClusterCredential, for ArgoCD in its own namespace <name>,
	// and for ClusterAPI the secretName without -kubeconfig.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9]([-a-zA-Z0-9._:@/]*[a-zA-Z0-9])?$')",message="write letters, digits and '-', '.', '_', ':', '@', '/' between them, such as prod-1"
	ClusterName string `json:"clusterName,omitempty"`

	// labels are put on the Secret, at most 32. They apply at once; what others put there
	// stays. Unset: none besides the operator's own.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k).hasValue())",message="write label keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.', with a DNS name and '/' before them if you like, such as env or example.com/env"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('clustercredential.dev/') && k != 'app.kubernetes.io/managed-by')",message="labels clustercredential.dev/… and app.kubernetes.io/managed-by are the operator's own; choose other keys"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are put on the Secret, at most 32. They apply at once; what others put
	// there stays. Unset: none besides the operator's own.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !format.qualifiedName().validate(k.lowerAscii()).hasValue())",message="write annotation keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.', with a DNS name and '/' before them if you like, such as owner or example.com/owner"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('clustercredential.dev/') && k != 'kubectl.kubernetes.io/last-applied-configuration')",message="annotations clustercredential.dev/… are the operator's own, and kubectl's last-applied-configuration is kubectl's; choose other keys"
	Annotations map[string]string `json:"annotations,omitempty"`

	// argocd are options of the format ArgoCD, and of no other. Unset: none.
	// +optional
	ArgoCD *ArgoCDOptions `json:"argocd,omitempty"`

	// writePolicy Always (unset: this) keeps the Secret in step. Once writes it one time: a consumer that deletes the Secret, or
	// takes it over, is respected.
	// +optional
	WritePolicy WritePolicy `json:"writePolicy,omitempty"`

	// template is what the Secret holds in the format Template, and in no other. Unset: no template.
	// +optional
	Template *OutputTemplate `json:"template,omitempty"`

	// existing is what to do with a Secret of that name that is not ours. Refuse (unset:
	// this): leave it alone and say so; at the first output nothing is issued. Adopt: take it over. A certificate in it that is
	// valid and of the cluster is served on, and none is asked for; what others go on writing or pruning is refused.
	// +optional
	Existing ExistingPolicy `json:"existing,omitempty"`

	// deletionPolicy is what happens to this Secret when the object is deleted or the output leaves the spec. Unset: that of
	// the object.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// ArgoCDOptions are what Argo CD lets one say of a cluster besides how to reach it.
type ArgoCDOptions struct {
	// project is the AppProject that alone may use the cluster. Unset: any.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Project string `json:"project,omitempty"`

	// namespaces are those that Argo CD may look at, at most 64. Unset: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:MinLength=1
	Namespaces []string `json:"namespaces,omitempty"`

	// clusterResources is whether cluster-scoped resources are looked at where namespaces are set. Unset: left to
	// Argo CD, which does not.
	// +optional
	ClusterResources *bool `json:"clusterResources,omitempty"`
}

// OutputTemplate is the content of a Secret, written as templates.
type OutputTemplate struct {
	// data are the keys of the Secret and what they hold, 1 to 32. Both are templates in the language of Go's text/template,
	// without range, define, template, block, nil and numbers that are not whole; a key is written in at most 512 characters.
	// A key whose value comes out empty is left out.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	Data map[string]TemplateText `json:"data,omitempty"`
}

// TemplateText is a template, at most 64 KiB.
// +kubebuilder:validation:MaxLength=65536
type TemplateText string

// OutputFormat is the shape of a Secret.
// +kubebuilder:validation:Enum=Kubeconfig;ArgoCD;ClusterAPI;Istio;KubeVela;TLS;Template
type OutputFormat string

// The formats.
const (
	// FormatKubeconfig is one data key that holds a kubeconfig.
	FormatKubeconfig OutputFormat = "Kubeconfig"
	// FormatArgoCD is a cluster of Argo CD.
	FormatArgoCD OutputFormat = "ArgoCD"
	// FormatClusterAPI is the kubeconfig Secret of a Cluster of Cluster API.
	FormatClusterAPI OutputFormat = "ClusterAPI"
	// FormatIstio is a remote secret of istiod.
	FormatIstio OutputFormat = "Istio"
	// FormatKubeVela is a cluster of KubeVela's cluster-gateway.
	FormatKubeVela OutputFormat = "KubeVela"
	// FormatTLS is a Secret of type kubernetes.io/tls, with the CA. It has no server.
	FormatTLS OutputFormat = "TLS"
	// FormatTemplate is whatever the spec's templates say.
	FormatTemplate OutputFormat = "Template"
)

// WritePolicy is how often a Secret is written.
// +kubebuilder:validation:Enum=Always;Once
type WritePolicy string

// The write policies.
const (
	WriteAlways WritePolicy = "Always"
	WriteOnce   WritePolicy = "Once"
)

// ExistingPolicy is what to do with a Secret that is not ours.
// +kubebuilder:validation:Enum=Refuse;Adopt
type ExistingPolicy string

// The policies for a Secret that is not ours.
const (
	// ExistingRefuse leaves it alone.
	ExistingRefuse ExistingPolicy = "Refuse"
	// ExistingAdopt takes it over.
	ExistingAdopt ExistingPolicy = "Adopt"
)

// DeletionPolicy is what happens to the Secrets with the ClusterCredential.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// The deletion policies.
const (
	DeletionRetain DeletionPolicy = "Retain"
	DeletionDelete DeletionPolicy = "Delete"
)
