// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
)

// Facts is what a pass found and did, as plain values.
type Facts struct {
	// Now is the time of the pass; it is stored in whole seconds.
	Now time.Time
	// Generation is the generation of the spec that the pass was about.
	Generation int64
	// With is rotation.Wanted.With of the pass: failures with something else start afresh.
	// Empty: not told.
	With string
	// Suspended is spec.suspend.
	Suspended bool
	// Manual is true for the renewal policy Manual.
	Manual bool
	// Wanted is the cluster that the spec names: its name, or its id.
	Wanted string
	// Stored is what the primary Secret holds at the end of the pass; nil: nothing readable.
	Stored *Stored
	// WrongAccess is true when Stored is not published through the access that the spec
	// asks for.
	WrongAccess bool
	// Decision is the decision after the pass: what is due now, and when to renew.
	Decision rotation.Decision
	// Opened is the id of the attempt that was open as far as the pass knew; empty: none. Another
	// one in status was begun by another leader, and is left to it.
	Opened string
	// Held is true while a certificate was issued and waits to be stored.
	Held bool
	// Waiting is true when an attempt waits in line and there is nothing new to say of it.
	Waiting bool
	// FleetHeld is true when it waits since too many others ask at once.
	FleetHeld bool
	// Attempt is what the pass tried to get a certificate; nil: nothing.
	Attempt *Attempt
	// Lost is an earlier attempt that was found without an outcome; nil: none.
	Lost *Lost
	// Output is the primary output Secret.
	Output Output
	// Copies are the further output Secrets, in the order of the spec.
	Copies []Copy
	// Offered are the addresses that the cloud said in this pass that it offers; nil: it was not asked.
	Offered []v1alpha1.OfferedContext
	// Replaced is a certificate that somebody else had put into the Secret, and that is not served on; nil: none.
	Replaced *v1alpha1.Certificate
	// Verified is what the cluster says of the stored credential; nil or empty: nothing new.
	Verified *Verified
	// Released are Secrets that were outputs and are not any more.
	Released []v1alpha1.OutputStatus
}

// Stored is the credential in the primary Secret, with what its marks say.
type Stored struct {
	Certificate v1alpha1.Certificate
	IssuanceID  string
	Trigger     v1alpha1.Trigger
	IssuedAt    time.Time
	ClusterID   string
	ClusterName string
	Access      v1alpha1.Access
	Server      string
	Contexts    []v1alpha1.OfferedContext
	Revision    int64
	// Handled is the last handled renewal request.
	Handled string
	// Note is added to the message of Issued, such as a CA that does not fit; may be empty.
	Note string
}

// Attempt is what a pass tried to get a certificate.
type Attempt struct {
	// Issuance is the intent; nil: something cheap failed before the call.
	Issuance *v1alpha1.Issuance
	// With is rotation.Wanted.With of the attempt.
	With string
	// At is when it was made. It may be told again, where the answer to a write was lost; zero: now.
	At time.Time
	// Failure is nil when the certificate was issued and is kept.
	Failure *Failure
	// Discarded is a certificate that was issued and is not fit to be published.
	Discarded *v1alpha1.Certificate
	// Contexts are what the answer of a discarded certificate offered.
	Contexts []v1alpha1.OfferedContext
	// Unknown is true when a certificate may exist that we do not have.
	Unknown bool
	// ClusterID is the cluster that it was asked for.
	ClusterID string
	// NotAfter is the latest that a certificate of it can be valid.
	NotAfter time.Time
	// RequestID is the cloud's id of the call; may be empty.
	RequestID string
}

// Failure is why there is no certificate.
type Failure struct {
	Reason  v1alpha1.Reason
	Message string
	// Counts is true for a failed attempt, false for a wait for a turn or for somebody else.
	Counts bool
	// Final is true when it needs no second try to know that the user has to act.
	Final bool
	// RetryAt is when the next attempt may be made; zero: not before something changes.
	RetryAt time.Time
}

// Lost is an attempt that was begun by a process that is gone, or whose answer did not
// come.
type Lost struct {
	Issuance  v1alpha1.Issuance
	ClusterID string
	NotAfter  time.Time
	With      string
	RetryAt   time.Time
}

// Output is the state of the output Secret.
type Output struct {
	Namespace, SecretName string
	Format                v1alpha1.OutputFormat
	// Current is true when the Secret carries everything that it should.
	Current bool
	// Reason and Message say why not; empty when Current, or when nothing stands in the way.
	Reason  v1alpha1.Reason
	Message string
	// Note is added to the message of a healthy Published; may be empty.
	Note string
}

// Verified is what the cluster says of the stored credential.
type Verified struct {
	// Disabled is true when nobody asks it.
	Disabled bool
	// Reason is Accepted, NotAccepted, or Unreachable where it could not be asked; empty: nothing new.
	Reason  v1alpha1.Reason
	Message string
}

// Copy is the state of a further output Secret.
type Copy struct {
	Output
	// Works is true when it holds a credential that is valid now, of the cluster that the spec names.
	Works bool
	// Revision and NotAfter are of what it holds, as far as that is known.
	Revision int64
	NotAfter *metav1.Time
}
