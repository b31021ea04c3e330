// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Decide says whether a certificate is to be asked for, in three steps:
//
//  1. trigger: the first reason that holds, in the order of v1alpha1.Trigger;
//  2. waits: the latest of everything that holds it back;
//  3. next look: the soonest of due, expiry, renewal and an hour.
func Decide(now time.Time, want Wanted, have Found) Decision {
	d, next := Decision{}, renewal{}
	if have.Stored != nil {
		next = renewalOf(have.Stored.Validity, want.Schedule, want.UID)
		d.RenewalTime, d.PlainTime, d.Moved = next.slot.at, next.plain, next.moved()
		d.Note = orDefault(next.beforeNote, floorNote(have.Stored.Validity, want.Floor))
		d.Note = strings.Trim(d.Note+"; "+next.note, "; ")
	}
	if have.Record != nil {
		d.OtherCluster = have.Stored != nil && (want.OtherName || want.Record.OtherCluster(*have.Record))
		d.Changed = d.OtherCluster || have.Stored != nil && want.Record.Differs(*have.Record)
	}
	if !want.Suspended {
		d.Trigger, d.Message = triggerOf(now, want, have, d.PlainTime)
	}
	if d.Trigger != "" {
		d.wait(now, want, have, next)
		d.Unprompted = unprompted(d.Trigger, want, have) && !dueAnyway(now, want, have)
	}
	d.NextLook = nextLook(now, d, have)
	return d
}

// triggerOf names the first reason for a certificate that holds.
func triggerOf(now time.Time, want Wanted, have Found, due time.Time) (v1alpha1.Trigger, string) {
	switch {
	case have.Stored == nil && !have.Published:
		return v1alpha1.TriggerFirst, "the first certificate is asked for"
	case have.Stored == nil:
		return v1alpha1.TriggerMissing, "no readable credential is left in the Secret"
	case !now.Before(have.Stored.NotAfter):
		return v1alpha1.TriggerMissing, "the certificate expired at " + stamp(have.Stored.NotAfter)
	case want.Replaced != "":
		return v1alpha1.TriggerSpec, "the cluster was made anew under its name, with the id " + want.Replaced
	case want.OtherName:
		return v1alpha1.TriggerSpec, "spec names another cluster than the published one"
	case have.Record != nil && want.Record.Differs(*have.Record):
		return v1alpha1.TriggerSpec, "spec asks for " + difference(want.Record, *have.Record)
	case want.Unreachable:
		return v1alpha1.TriggerSpec, "spec.endpoint names an address that is not known yet"
	case have.Refused:
		return v1alpha1.TriggerNotAccepted, "the cluster does not accept the published certificate"
	case have.CAChanged:
		return v1alpha1.TriggerCAChanged, "the cluster has another CA than the published one"
	case requested(want.RenewRequest, have.Handled):
		return v1alpha1.TriggerRequest, "a renewal was requested by annotation"
	case !want.Schedule.Manual && !now.Before(due):
		return v1alpha1.TriggerExpiry, "the certificate expires at " + stamp(have.Stored.NotAfter)
	default:
		return "", ""
	}
}

// unprompted says whether a certificate is wanted because something else has changed than
// the object was told to renew. A request that is there asks for it, too, and one that
// nobody knows to be handled is as good as one.
func unprompted(trigger v1alpha1.Trigger, want Wanted, have Found) bool {
	if want.RenewRequest != "" && !slices.Contains(have.Handled, CutRequest(want.RenewRequest)) {
		return false
	}
	return trigger == v1alpha1.TriggerMissing || trigger == v1alpha1.TriggerSpec || trigger == v1alpha1.TriggerNotAccepted ||
		trigger == v1alpha1.TriggerCAChanged
}

// dueAnyway says whether time alone would ask for the next certificate, whatever has
// changed besides.
func dueAnyway(now time.Time, want Wanted, have Found) bool {
	last := have.Last
	if have.Stored != nil {
		last = &have.Stored.Validity
	}
	if last == nil {
		return false
	}
	due := renewalOf(*last, want.Schedule, want.UID).slot.at
	return !now.Before(last.NotAfter) || !want.Schedule.Manual && !now.Before(due)
}

// requested says whether a request is there that was not handled. Without any record
// of handled requests beside a good certificate, it counts as handled: a restore
// must ask for nothing.
func requested(value string, handled []string) bool {
	return value != "" && handled != nil && !slices.Contains(handled, CutRequest(value))
}

// maxRequest is how much of a request's value is kept, in characters.
const maxRequest = 256

// CutRequest cuts the value of a request to what is kept of it. It never cuts a
// character in two: the API server would store another value than the one compared
// with, and the request would never count as handled.
func CutRequest(value string) string {
	characters := 0
	for at := range value {
		if characters == maxRequest {
			return value[:at]
		}
		characters++
	}
	return value
}

// difference names what differs, for people.
func difference(want, have Record) string {
	switch {
	case want.OtherCluster(have):
		return "another cluster than the published one (" + have.ClusterID + ")"
	case differs(want.Validity, have.Validity):
		return fmt.Sprintf("a validity of %s; the published certificate was asked for with %s", want.Validity, have.Validity)
	default:
		return "another account than the published certificate's (" + have.AccountName + ")"
	}
}

// wait fills At, Due and Reason: the latest of all waits counts.
func (d *Decision) wait(now time.Time, want Wanted, have Found, next renewal) {
	d.At, d.Reason = now, v1alpha1.ReasonIssuing
	if d.Trigger == v1alpha1.TriggerExpiry || d.Trigger == v1alpha1.TriggerRequest {
		d.Reason = v1alpha1.ReasonRenewing
	}
	if want.Replaced != "" {
		d.Reason = v1alpha1.ReasonClusterReplaced
	}
	if have.Failures > 0 && have.FailedWith == want.With {
		if have.RetryAt.IsZero() {
			d.At = time.Time{} // only another spec, account, key or request can help
			return
		}
		if have.RetryAt.Before(now.Add(2 * maxLook)) { // no failure waits longer: a clock was wrong
			d.later(have.RetryAt, "", "")
		}
	}
	for _, attempt := range have.Attempts {
		if attempt.Lost && attempt.At.Before(now.Add(HoldOff)) { // else a clock was wrong
			d.later(attempt.At.Add(HoldOff), v1alpha1.ReasonUnknownOutcome, "the outcome of the last attempt is not known; a certificate may exist that is not stored")
		}
	}
	if at, why := floorOf(now, want, have, d.Trigger); at.After(d.At) {
		d.later(at, v1alpha1.ReasonRateLimited, why)
	}
	if d.Trigger == v1alpha1.TriggerExpiry { // the others wait for no window
		d.waitForWindow(next)
	}
	d.Due = !d.At.After(now)
}

// later moves At to at if that is later, with the reason where one is given.
func (d *Decision) later(at time.Time, reason v1alpha1.Reason, message string) {
	if !at.After(d.At) {
		return
	}
	d.At = at
	d.Reason = orDefault(reason, d.Reason)
	d.Message = orDefault(message, d.Message)
}

// nextLook is the soonest moment at which the answer can be another one.
func nextLook(now time.Time, d Decision, have Found) time.Time {
	next := now.Add(maxLook)
	consider := func(at time.Time) {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	consider(d.At)
	if d.Trigger == "" {
		consider(d.PlainTime)
	}
	if have.Stored != nil {
		consider(have.Stored.NotAfter)
	}
	return next
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
