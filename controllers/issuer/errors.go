// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"
	"fmt"
	"time"
)

// Kind names an error by what we will do about it.
type Kind int

// The kinds. The zero value is the one for everything unknown.
const (
	// Unavailable: the cloud did not answer, or said that it cannot now. Back off.
	Unavailable Kind = iota
	// Throttled: the cloud said 429. The whole account waits, RetryAfter if given.
	Throttled
	// Unauthorized: the key is wrong, expired or locked. Wait for another key.
	Unauthorized
	// Forbidden: the key is known but may not do this. Back off for long.
	Forbidden
	// NotFound: the cluster (or project) is not there. Back off for long.
	NotFound
	// Ambiguous: several clusters carry the name. Wait for another spec.
	Ambiguous
	// NotAvailable: the cluster is there but its state does not allow this now. Back off.
	NotAvailable
	// Rejected: the request itself is wrong. Wait for another spec.
	Rejected
	// InvalidResponse: an answer that says success but cannot be used. Back off for long.
	InvalidResponse
)

var kindNames = map[Kind]string{
	Unavailable: "Unavailable", Throttled: "Throttled", Unauthorized: "Unauthorized",
	Forbidden: "Forbidden", NotFound: "NotFound", Ambiguous: "Ambiguous",
	NotAvailable: "NotAvailable", Rejected: "Rejected", InvalidResponse: "InvalidResponse",
}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[k] }

// Error is what a Cloud returns. Its text is ours and safe to show to anybody: it
// carries no body, header, key or URL of the remote side.
type Error struct {
	// Kind says what to do.
	Kind Kind
	// Message is one sentence for people, lower case, without a full stop.
	Message string
	// Status is the HTTP status, 0 if there was no answer.
	Status int
	// Code is the cloud's error code, such as CCE.01404001; empty if there was none
	// that has the documented form.
	Code string
	// RequestID is the cloud's id of the call; may be empty.
	RequestID string
	// RetryAfter is how long the cloud asks to wait; zero if it did not say.
	RetryAfter time.Duration
	// Candidates are the ids of the clusters that share a name (Ambiguous only), sorted.
	Candidates []string
	// MayHaveIssued is true when a request for a certificate left us and no clear
	// refusal came back: a certificate may exist that we do not have.
	MayHaveIssued bool
	// Obtained is true for Unauthorized if the operator obtains its key itself: it will have another one soon, so nobody has to act.
	Obtained bool
	// Err is the cause where it is safe to show (context errors); may be nil.
	Err error
}

// Error gives the message, then what support needs: status, code and request id.
func (e *Error) Error() string {
	text := e.Message
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d", e.Status)
		if e.Code != "" {
			text += ", " + e.Code
		}
		if e.RequestID != "" {
			text += ", request " + e.RequestID
		}
		text += ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As returns the *Error in err's chain. Anything else is Unavailable without its
// text, since a foreign text may quote a remote body.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Unavailable, Message: "the cloud could not be asked"}
}
