// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types.
const (
	// ConditionReady of a ClusterCredential: every output Secret holds a credential that is
	// valid now, of the cluster that the spec names, through the access that it asks for.
	// Of a CloudAccount: the last signed read was answered.
	ConditionReady = "Ready"
	// ConditionIssued: the last attempt to get a certificate worked, or none was due.
	ConditionIssued = "Issued"
	// ConditionPublished: every output Secret carries the current credential.
	ConditionPublished = "Published"
	// ConditionVerified: the target API server accepted the published credential (True) or refused it (False); Unknown: it
	// could not be asked. Absent before it was asked, and with spec.verification Disabled.
	ConditionVerified = "Verified"
	// ConditionReconciling stands, True, while a changed spec is not yet carried out or no
	// credential was published yet; absent otherwise (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled stands, True, while nothing will change until the user acts and Ready
	// is False; absent otherwise (kstatus).
	ConditionStalled = "Stalled"
)

// Reason is the reason of a condition. It appears unchanged in events and metrics.
type Reason string

// Reasons of conditions that are True.
const (
	// ReasonValid: Ready. The published credential works; of a CloudAccount: the key does.
	ReasonValid Reason = "Valid"
	// ReasonIssued: Issued. The last attempt worked; the message tells the next renewal.
	ReasonIssued Reason = "Issued"
	// ReasonPublished: Published. Every Secret carries the current credential.
	ReasonPublished Reason = "Published"
	// ReasonAccepted: Verified. The target API server accepted the published credential.
	ReasonAccepted Reason = "Accepted"
	// ReasonSuspended: Issued. spec.suspend is true: set it to false to go on.
	ReasonSuspended Reason = "Suspended"
)

// Reasons of an attempt to get a certificate: Issued is False (True for a renewal that
// only waits in line), and Ready where no credential works.
const (
	// ReasonIssuing: a first certificate, or one for another spec, is being asked for. Wait.
	ReasonIssuing Reason = "Issuing"
	// ReasonRenewing: a renewal is due and under way. Wait.
	ReasonRenewing Reason = "Renewing"
	// ReasonWaitingForWindow: a renewal is due by time and waits for spec.renewal.windows. Wait,
	// or request a renewal.
	ReasonWaitingForWindow Reason = "WaitingForWindow"
	// ReasonRateLimited: waiting for a turn under the account's issuesPerMinute, or under
	// the operator's own limits for one object. Wait, or raise spec.limits of the account.
	ReasonRateLimited Reason = "RateLimited"
	// ReasonThrottled: the cloud said 429; the whole account waits. Wait, or lower
	// spec.limits.issuesPerMinute of the account.
	ReasonThrottled Reason = "Throttled"
	// ReasonUnavailable: the cloud did not answer or said 5xx. Tried again with back-off.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonUnauthorized: the cloud refused the key. Put a valid key into the account's
	// Secret. After two tries only a changed key or account is tried, and once an hour.
	ReasonUnauthorized Reason = "Unauthorized"
	// ReasonForbidden: the key may not do this. Grant the IAM action that the message names.
	ReasonForbidden Reason = "Forbidden"
	// ReasonClusterNotFound: the cloud does not know the cluster. Check spec.cluster and the
	// account's region and project.
	ReasonClusterNotFound Reason = "ClusterNotFound"
	// ReasonClusterAmbiguous: several clusters carry the name. Write spec.cluster.id.
	ReasonClusterAmbiguous Reason = "ClusterAmbiguous"
	// ReasonClusterNotAvailable: the cluster's state does not allow this now, such as while
	// it is created, upgraded or hibernated. Tried again with back-off.
	ReasonClusterNotAvailable Reason = "ClusterNotAvailable"
	// ReasonClusterReplaced: a cluster of the name in spec.cluster was made anew, with another id: a certificate of it is asked
	// for. Wait.
	ReasonClusterReplaced Reason = "ClusterReplaced"
	// ReasonRejected: the cloud refused the request itself. Change what the message names.
	ReasonRejected Reason = "Rejected"
	// ReasonInvalidResponse: the answer was unusable and was not published. Tried again with
	// back-off; tell the cloud's support the request id if it stays.
	ReasonInvalidResponse Reason = "InvalidResponse"
	// ReasonInsecureEndpoint: the cloud offers the wanted address without TLS verification
	// only. Choose spec.endpoint.access Internal, or bind an EIP that is TLS-verified.
	ReasonInsecureEndpoint Reason = "InsecureEndpoint"
	// ReasonContextNotFound: the cloud does not offer the wanted context or access. Change
	// spec.endpoint, or bind an EIP.
	ReasonContextNotFound Reason = "ContextNotFound"
	// ReasonUnknownOutcome: an answer was lost; a certificate may exist that we do not have.
	// It stands in status.history; asked again after a hold-off.
	ReasonUnknownOutcome Reason = "UnknownOutcome"
	// ReasonFleetHeld: too many objects want another certificate at once that is neither due
	// nor requested. Look at what has changed; request a renewal to let one go on.
	ReasonFleetHeld Reason = "FleetHeld"
	// ReasonAccountNotFound: spec.accountRef names an account that does not exist, or is of another class. Create or label it.
	ReasonAccountNotFound Reason = "AccountNotFound"
	// ReasonAccountNotAllowed: the ClusterCloudAccount does not grant what is asked for: the namespace, the cluster, or a server or
	// proxy of the spec's own; or there is no such cluster, which is not told apart. Ask its administrator.
	ReasonAccountNotAllowed Reason = "AccountNotAllowed"
	// ReasonAccountSuspended: spec.suspend of the account is true. Set it to false to go on.
	ReasonAccountSuspended Reason = "AccountSuspended"
	// ReasonCredentialsMissing: the account's Secret is missing or lacks a key. Create it.
	ReasonCredentialsMissing Reason = "CredentialsMissing"
)

// Reasons of what is published: Published is False, and Ready where no credential works.
const (
	// ReasonSecretConflict: the Secret belongs to somebody else. Choose another secretName,
	// or remove the Secret.
	ReasonSecretConflict Reason = "SecretConflict"
	// ReasonWriteRefused: the API server refused the Secret; the message says why.
	ReasonWriteRefused Reason = "WriteRefused"
	// ReasonNotGranted: an output in another namespace, whose owner has not consented to it, or not
	// to all of it. Ask for a CredentialGrant that lets what the message names.
	ReasonNotGranted Reason = "NotGranted"
	// ReasonNotAccepted: Verified, Ready, and Issued where a new certificate was not published for it. The target API server
	// refused the certificate. A new one is asked for once it did so twice; see whether somebody revoked certificates.
	ReasonNotAccepted Reason = "NotAccepted"
	// ReasonUnreachable: Verified (Unknown). The target API server could not be asked from here; the message says why. With
	// spec.verification Required also Issued and Published: nothing is asked for, or published, that cannot be tried.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonExpired: Ready. The published certificate has expired; Issued says why there is
	// no newer one.
	ReasonExpired Reason = "Expired"
)
