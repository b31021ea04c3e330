// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"sync"
	"time"
)

// noEntry is the position of a call that is not recorded.
const noEntry = -1

// Entry is what the ledger holds about one POST. It is there from the arrival
// of the call on, and changes until Finished.
type Entry struct {
	// Index counts the entries from 0, in order of arrival.
	Index int `json:"index"`
	// Time of arrival by Config.Clock.
	Time time.Time `json:"time"`
	// Op is OpIssue or OpRevoke.
	Op Op `json:"op"`
	// Autopilot tells which of the two APIs was called.
	Autopilot bool `json:"autopilot,omitempty"`
	// AccessKey is the access key, or what an unauthenticated call claimed to
	// be. Empty: none was given, as with a token.
	AccessKey string `json:"accessKey,omitempty"`
	// UserID is the authenticated user. Empty: the call was refused before.
	UserID string `json:"userID,omitempty"`
	// Project and Cluster are those of the path, whether they exist or not.
	Project string `json:"project"`
	Cluster string `json:"cluster"`
	// Status is the HTTP status that was sent. 0: none (yet).
	Status int `json:"status"`
	// Serial of the certificate in upper-case hexadecimal. Empty: no
	// certificate was made.
	Serial string `json:"serial,omitempty"`
	// NotAfter of the certificate. Zero: no certificate was made.
	NotAfter time.Time `json:"notAfter,omitzero"`
	// RequestID is the value of X-Request-Id.
	RequestID string `json:"requestID"`
	// Fault that the script chose. Empty: none.
	Fault FaultName `json:"fault,omitempty"`
	// Finished tells that the server is done with the call.
	Finished bool `json:"finished"`
	// Complete tells that the whole answer was handed to the network while the
	// client was still connected. It may have been lost after that.
	Complete bool `json:"complete"`
	// Revoked tells that a later call of clustercertrevoke covers the
	// certificate.
	Revoked bool `json:"revoked,omitempty"`
}

// Minted tells whether the call made a certificate.
func (e Entry) Minted() bool { return e.Serial != "" }

// Ledger returns every POST so far, in order of arrival.
func (s *Server) Ledger() []Entry { return s.ledger.since(0) }

// LedgerSince returns the entries from an index on; none if it is beyond the
// end.
func (s *Server) LedgerSince(index int) []Entry { return s.ledger.since(index) }

// ledger grows without bound, about 300 bytes an entry.
type ledger struct {
	mu      sync.Mutex
	entries []Entry
}

func (l *ledger) since(index int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Entry{}, l.entries[min(max(index, 0), len(l.entries)):]...)
}

func (l *ledger) open(e Entry) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Index = len(l.entries)
	l.entries = append(l.entries, e)
	return e.Index
}

func (l *ledger) update(entry int, change func(*Entry)) {
	if entry == noEntry {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.entries[entry])
}

func (l *ledger) claim(entry int, accessKey string) {
	l.update(entry, func(e *Entry) { e.AccessKey = accessKey })
}

func (l *ledger) identify(entry int, who principal) {
	l.update(entry, func(e *Entry) { e.UserID = who.userID })
}

func (l *ledger) blame(entry int, fault firedFault) {
	l.update(entry, func(e *Entry) { e.Fault = fault.name })
}

func (l *ledger) minted(entry int, c credential) {
	l.update(entry, func(e *Entry) { e.Serial, e.NotAfter = c.serial, c.notAfter })
}

func (l *ledger) finish(entry int, d delivery) {
	l.update(entry, func(e *Entry) { e.Finished, e.Status, e.Complete = true, d.status, d.complete })
}

// revoke marks every certificate that the user has of the cluster.
func (l *ledger) revoke(cluster, userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.entries {
		if e := &l.entries[i]; e.Minted() && e.Cluster == cluster && e.UserID == userID {
			e.Revoked = true
		}
	}
}
