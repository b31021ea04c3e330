// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// FieldOwner is the name under which the operator applies what it owns.
const FieldOwner = "clustercredential-operator"

// Labels on every Secret that the operator writes.
const (
	// LabelManaged is "true" on Secrets of ours; the operator watches by it.
	LabelManaged = "clustercredential.dev/managed"
	// LabelManagedBy is the recommended Kubernetes label; its value is FieldOwner.
	LabelManagedBy = "app.kubernetes.io/managed-by"
)

// LabelClass on a ClusterCredential, CloudAccount or ClusterCloudAccount names the class of operators that serves it: those that
// run with that --class. Without the label it is served by an operator without a class. The Secrets of a ClusterCredential carry
// the label as it does.
const LabelClass = "clustercredential.dev/class"

// Annotations on every Secret that the operator writes.
const (
	// AnnotationCredential is the name of the ClusterCredential that the Secret belongs to.
	AnnotationCredential = "clustercredential.dev/credential"
	// AnnotationCredentialNamespace is the namespace of that ClusterCredential.
	AnnotationCredentialNamespace = "clustercredential.dev/credential-namespace"
	// AnnotationCredentialUID is its UID; it tells, and decides nothing: a restore changes it.
	AnnotationCredentialUID = "clustercredential.dev/credential-uid"
	// AnnotationRevision counts the certificates published so far.
	AnnotationRevision = "clustercredential.dev/revision"
	// AnnotationIssuanceID is status.issuance.id of the certificate in the Secret.
	AnnotationIssuanceID = "clustercredential.dev/issuance-id"
	// AnnotationFingerprint is lower-case hex of SHA-256 over the DER leaf certificate.
	AnnotationFingerprint = "clustercredential.dev/fingerprint"
	// AnnotationNotAfter is the certificate's expiry, RFC 3339 in UTC.
	AnnotationNotAfter = "clustercredential.dev/not-after"
	// AnnotationRenewRequest is the last handled value of AnnotationRenewRequestedAt, cut to
	// 256 characters; empty: none was handled yet (primary Secret only).
	AnnotationRenewRequest = "clustercredential.dev/renew-request"
	// AnnotationRequest is what the certificate was asked for, as canonical JSON; equal to
	// status.certificate.request.
	AnnotationRequest = "clustercredential.dev/request"
	// AnnotationSource is what the cloud's answer said besides the credential, as JSON:
	// the cluster's name, when and why the certificate was issued, the contexts on offer,
	// the outputs that were written once (primary Secret only).
	AnnotationSource = "clustercredential.dev/source"
	// AnnotationDeletionPolicy is Delete on a Secret in another namespace than that of its ClusterCredential that goes
	// with it, since no owner reference can say so there; absent otherwise.
	AnnotationDeletionPolicy = "clustercredential.dev/deletion-policy"
	// AnnotationReleasedAt is when the ClusterCredential let go of a retained Secret,
	// RFC 3339 in UTC.
	AnnotationReleasedAt = "clustercredential.dev/released-at"
)

// AnnotationRenewRequestedAt on a ClusterCredential asks for one renewal for each
// new value (any string, usually a time).
const AnnotationRenewRequestedAt = "clustercredential.dev/renew-requested-at"

// FinalizerOutputs on a ClusterCredential holds it, while it is being deleted, until the Secrets in other namespaces that go
// with it are removed. It is there only while there may be such Secrets, and waits for nothing but the API server.
const FinalizerOutputs = "clustercredential.dev/outputs"

// DefaultSecretSuffix makes the name of the Secret of a ClusterCredential without outputs.
const DefaultSecretSuffix = "-kubeconfig"

// DefaultSecretKey is the data key of a kubeconfig where an output names none.
const DefaultSecretKey = "value"

// DefaultValidityDays is the validity of a ClusterCredential that names none.
const DefaultValidityDays = 30

// DefaultIssuesPerMinute is the limit of an account that names none. The cloud is
// reported to allow about ten writes a minute, rejected ones included.
const DefaultIssuesPerMinute = 8
