// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Wanted is what the object asks for, as plain values with defaults applied.
type Wanted struct {
	// UID seeds everything that is spread.
	UID string
	// Record is what a certificate would be asked for now. ClusterID is empty while the
	// cluster's name is not looked up.
	Record Record
	// OtherName is true when the spec names a cluster by a name that is not known to be
	// that of the published cluster.
	OtherName bool
	// Replaced is the id of a cluster that was made anew under the name that the spec gives, and the published one had; empty:
	// none was. OtherName is true then.
	Replaced string
	// Schedule is when to renew.
	Schedule Schedule
	// RenewRequest is the value of the annotation renew-requested-at; empty: none.
	RenewRequest string
	// Suspended: nothing is done.
	Suspended bool
	// Unreachable is true when the spec names an address that the stored answer and the
	// cloud do not offer, so that only another answer can have it.
	Unreachable bool
	// With tells what an attempt made now would be made with (spec, account, key,
	// request): failures with something else do not count.
	With string
	// Floor is the least time between two certificates without a request.
	Floor time.Duration
}

// Found is what is there, as plain values.
type Found struct {
	// Stored is the certificate that can be served; nil: none.
	Stored *Stored
	// Last is the validity of the certificate that was published last, where none is stored
	// any more; nil: not known.
	Last *Validity
	// CAChanged is true when the cloud shows another CA of the cluster than the stored one.
	CAChanged bool
	// Refused is true when the target refuses the stored certificate for good.
	Refused bool
	// Published is true when a certificate was ever published.
	Published bool
	// Record is what the stored certificate was asked for; nil: not known.
	Record *Record
	// Handled are the last handled values of the annotation; nil: not known.
	Handled []string
	// Attempts are the certificates asked for, newest first: what status.history knows,
	// the stored one, and an attempt that was begun and has no outcome (Lost).
	Attempts []Attempt
	// Failures is how many attempts with FailedWith failed in a row.
	Failures int32
	// FailedWith is Wanted.With of the last failed attempt.
	FailedWith string
	// RetryAt is when the next attempt may be made after failures; zero with Failures > 0:
	// only when Wanted.With has changed.
	RetryAt time.Time
}

// Stored is a certificate that can be served.
type Stored struct {
	Validity
	// IssuanceID is the attempt that it came from; empty: not known.
	IssuanceID string
}

// Attempt is one certificate that was asked for.
type Attempt struct {
	ID      string
	Trigger v1alpha1.Trigger
	At      time.Time
	// Lost: its answer is not known; a certificate may exist.
	Lost bool
	// Discarded: issued, and not fit to be published.
	Discarded bool
}

// Decision is the answer: what is due, and when to look again.
type Decision struct {
	// Trigger is why a certificate is wanted; empty: none is.
	Trigger v1alpha1.Trigger
	// At is when it may be asked for; zero: not before something changes.
	At time.Time
	// Due is true when it may be asked for now.
	Due bool
	// Reason is what it waits for, or Issuing or Renewing when it is due; empty: nothing wanted.
	Reason v1alpha1.Reason
	// Message is one sentence for people.
	Message string
	// RenewalTime is when the stored certificate is renewed; zero: none is stored.
	RenewalTime time.Time
	// PlainTime is RenewalTime without windows: from then on the renewal waits for one.
	PlainTime time.Time
	// Moved tells what the windows make of PlainTime; empty: nothing.
	Moved string
	// Overridden is true for a renewal that is made outside of the windows, since it can
	// wait no longer.
	Overridden bool
	// Note tells the user what of the spec does not count, such as what does not fit the
	// granted lifetime; empty: nothing.
	Note string
	// OtherCluster is true when the stored certificate is of another cluster than wanted.
	OtherCluster bool
	// Changed is true when the spec asks for something that is not carried out yet.
	Changed bool
	// Unprompted is true when neither time nor a request asks for the certificate, and it is
	// not the first: what many objects want so at once may be a mistake.
	Unprompted bool
	// NextLook is when to look again, at most an hour from now; never zero.
	NextLook time.Time
}

// maxLook bounds how long nobody looks: timers stop while a machine sleeps.
const maxLook = time.Hour
