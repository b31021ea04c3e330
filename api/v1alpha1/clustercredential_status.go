// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ClusterCredentialStatus is what the operator found and did. Times are whole
// seconds in UTC.
type ClusterCredentialStatus struct {
	// conditions are Ready, Issued and Published; Verified once the cluster was asked; Reconciling and Stalled only while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of spec that this status is about; -1 before
	// the first look.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// cluster is the cluster's name where it is known, else its id.
	// +optional
	Cluster string `json:"cluster,omitempty"`

	// clusterID is the id of the cluster that the published credential is for.
	// +optional
	ClusterID string `json:"clusterID,omitempty"`

	// access is the way to the cluster that is published: Internal, External or Custom.
	// +optional
	// +kubebuilder:validation:Enum=Internal;External;Custom
	Access Access `json:"access,omitempty"`

	// server is the published URL of the cluster's API server.
	// +optional
	Server string `json:"server,omitempty"`

	// contexts are the contexts that the last answer of the cloud offered.
	// +optional
	// +listType=atomic
	Contexts []OfferedContext `json:"contexts,omitempty"`

	// certificate is the published client certificate; unset before the first one.
	// +optional
	Certificate *Certificate `json:"certificate,omitempty"`

	// revision is how many certificates were published so far. It is kept on the Secret
	// too, so that a restore goes on counting.
	// +optional
	Revision int64 `json:"revision,omitempty"`

	// renewalTime is when the next certificate will be asked for.
	// +optional
	RenewalTime *metav1.Time `json:"renewalTime,omitempty"`

	// nextAttemptTime is when a waiting attempt will be made; unset while none waits.
	// +optional
	NextAttemptTime *metav1.Time `json:"nextAttemptTime,omitempty"`

	// failures is how many attempts failed in a row. It starts afresh with a success and
	// when spec, request, account or key change.
	// +optional
	Failures int32 `json:"failures,omitempty"`

	// lastFailureTime is when the last attempt failed.
	// +optional
	LastFailureTime *metav1.Time `json:"lastFailureTime,omitempty"`

	// attemptedWith says what the failures are about: a change of it starts them afresh.
	// +optional
	AttemptedWith string `json:"attemptedWith,omitempty"`

	// lastHandledRenewRequest is the last value of the annotation
	// clustercredential.dev/renew-requested-at that was handled, cut to 256 characters.
	// +optional
	LastHandledRenewRequest string `json:"lastHandledRenewRequest,omitempty"`

	// issuance is set while a certificate is being asked for. It is written before the call.
	// +optional
	Issuance *Issuance `json:"issuance,omitempty"`

	// history lists the certificates asked for, newest first, at most 10; expired entries
	// leave first.
	// +optional
	// +listType=atomic
	History []HistoryEntry `json:"history,omitempty"`

	// outputs tells of each output of the spec, of those that have left it until they are released, and of released ones until their
	// certificate expires.
	// +optional
	// +listType=atomic
	Outputs []OutputStatus `json:"outputs,omitempty"`
}

// OfferedContext is a context of the cloud's answer.
type OfferedContext struct {
	// name is the context's name, such as internal or externalTLSVerify.
	// +required
	Name string `json:"name"`
	// server is the URL of the API server.
	// +required
	Server string `json:"server"`
	// verified is true when TLS is verified against the cluster's CA.
	// +required
	Verified bool `json:"verified"`
	// unconfirmed is true where only the Secret says so, which others may write too: after status was lost, until the cloud
	// says it again. Such a server is not published into other namespaces. Unset: false.
	// +optional
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// Certificate describes a client certificate.
type Certificate struct {
	// serialNumber is upper-case hex, as openssl x509 -serial prints it.
	// +required
	SerialNumber string `json:"serialNumber"`
	// fingerprintSHA256 is lower-case hex of SHA-256 over the DER certificate.
	// +required
	FingerprintSHA256 string `json:"fingerprintSHA256"`
	// commonName is the identity: the id of the IAM user or agency that asked.
	// +optional
	CommonName string `json:"commonName,omitempty"`
	// notBefore is the start of the validity.
	// +required
	NotBefore metav1.Time `json:"notBefore"`
	// notAfter is the end of the validity.
	// +required
	NotAfter metav1.Time `json:"notAfter"`
	// requestID is the cloud's id of the call that issued it.
	// +optional
	RequestID string `json:"requestID,omitempty"`
	// request is what it was asked for, as canonical JSON.
	// +optional
	Request string `json:"request,omitempty"`
	// accessKeyID is the id of the access key that asked for it; never the secret key.
	// Unset where a token asked.
	// +optional
	AccessKeyID string `json:"accessKeyID,omitempty"`
}

// Issuance is an attempt to get a certificate that has begun.
type Issuance struct {
	// id is the id of the attempt; the Secret carries it once the certificate is stored.
	// +required
	ID string `json:"id"`
	// trigger is why the certificate is asked for.
	// +required
	Trigger Trigger `json:"trigger"`
	// clusterID is the cluster that it is asked for.
	// +optional
	ClusterID string `json:"clusterID,omitempty"`
	// startedAt is when the attempt began.
	// +required
	StartedAt metav1.Time `json:"startedAt"`
}

// Trigger is why a certificate is asked for. The order is the order in which they
// are looked at: the first that holds is named.
// +kubebuilder:validation:Enum=First;Missing;Spec;NotAccepted;CAChanged;Request;Expiry
type Trigger string

// The triggers.
const (
	// TriggerFirst: no certificate was published yet.
	TriggerFirst Trigger = "First"
	// TriggerMissing: the primary Secret is gone or unreadable, or its certificate expired.
	TriggerMissing Trigger = "Missing"
	// TriggerSpec: another cluster, validity or account than the published one was asked with.
	TriggerSpec Trigger = "Spec"
	// TriggerNotAccepted: the target API server refuses the published certificate.
	TriggerNotAccepted Trigger = "NotAccepted"
	// TriggerCAChanged: the cloud shows another CA of the cluster than the published one.
	TriggerCAChanged Trigger = "CAChanged"
	// TriggerRequest: the annotation clustercredential.dev/renew-requested-at has a new value.
	TriggerRequest Trigger = "Request"
	// TriggerExpiry: the renewal time has come.
	TriggerExpiry Trigger = "Expiry"
)

// HistoryEntry tells of one certificate that was asked for.
type HistoryEntry struct {
	// issuanceID is the id of the attempt.
	// +optional
	IssuanceID string `json:"issuanceID,omitempty"`
	// serialNumber is as in status.certificate; unset where the answer was lost.
	// +optional
	SerialNumber string `json:"serialNumber,omitempty"`
	// fingerprintSHA256 is as in status.certificate.
	// +optional
	FingerprintSHA256 string `json:"fingerprintSHA256,omitempty"`
	// commonName is as in status.certificate.
	// +optional
	CommonName string `json:"commonName,omitempty"`
	// clusterID is the cluster that it was asked for.
	// +optional
	ClusterID string `json:"clusterID,omitempty"`
	// issuedAt is when the attempt began.
	// +required
	IssuedAt metav1.Time `json:"issuedAt"`
	// notAfter is the end of the validity; for a lost answer, the latest that it can be.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
	// requestID is the cloud's id of the call.
	// +optional
	RequestID string `json:"requestID,omitempty"`
	// trigger is why it was asked for.
	// +required
	Trigger Trigger `json:"trigger"`
	// state Active is published. Superseded was, and is valid until notAfter. Discarded
	// was issued and not published. Unknown: the answer was lost, a certificate may exist.
	// +required
	State CertificateState `json:"state"`
}

// CertificateState is the state of a certificate in the history.
// +kubebuilder:validation:Enum=Active;Superseded;Discarded;Unknown
type CertificateState string

// The states of a certificate.
const (
	CertificateActive     CertificateState = "Active"
	CertificateSuperseded CertificateState = "Superseded"
	CertificateDiscarded  CertificateState = "Discarded"
	CertificateUnknown    CertificateState = "Unknown"
)

// OutputStatus tells of one output Secret.
type OutputStatus struct {
	// namespace is the namespace of the Secret.
	// +required
	Namespace string `json:"namespace"`
	// secretName is the name of the Secret.
	// +required
	SecretName string `json:"secretName"`
	// format is the shape of the Secret.
	// +required
	Format OutputFormat `json:"format"`
	// revision is that of the credential in it.
	// +optional
	Revision int64 `json:"revision,omitempty"`
	// notAfter is the expiry of the certificate in it.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
	// state Current carries the current credential. Stale carries an earlier one that is
	// still valid. Failed carries none that works. Released is no longer ours to write.
	// +required
	State OutputState `json:"state"`
	// reason is that of the condition Published, where the state is not Current.
	// +optional
	Reason Reason `json:"reason,omitempty"`
}

// OutputState is the state of an output Secret.
// +kubebuilder:validation:Enum=Current;Stale;Failed;Released
type OutputState string

// The states of an output.
const (
	OutputCurrent  OutputState = "Current"
	OutputStale    OutputState = "Stale"
	OutputFailed   OutputState = "Failed"
	OutputReleased OutputState = "Released"
)

// NamespacedName returns namespace and name of the Secret.
func (o OutputStatus) NamespacedName() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.SecretName}
}
