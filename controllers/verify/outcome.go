// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import "fmt"

// Verdict is what a try has shown.
type Verdict int

// The verdicts. The zero value is the one for everything unknown.
const (
	// Unreachable: no answer that says yes or no. Resolving, connecting, the proxy, TLS or time failed, the server was
	// too busy, or what answers is no API server.
	Unreachable Verdict = iota
	// Busy: nothing was tried, since as many targets as may be are being tried already. Ask again in a moment.
	Busy
	// Refused: the server was shown the certificate, and said 401 or takes its bearer for anonymous.
	Refused
	// Accepted: the server knows the bearer of the certificate.
	Accepted
)

var verdictNames = map[Verdict]string{
	Unreachable: "Unreachable", Busy: "Busy", Refused: "Refused", Accepted: "Accepted",
}

// String returns the name of the verdict.
func (v Verdict) String() string { return verdictNames[v] }

// Outcome is what came of a Try. It is safe to show to anybody.
type Outcome struct {
	// Verdict says what the try has shown.
	Verdict Verdict
	// Detail says it in one line for people, lower case, without a full stop, at most 400 bytes. It names the phase
	// that failed, and nothing of the remote side but its code; of the credential only the name that TLS was to verify.
	Detail string
	// Code is the HTTP status on which the verdict stands; 0 if there was no whole answer. A new certificate helps
	// against 401 only: a server that says anonymous on another code does not look at certificates.
	Code int
	// ServerCertificate is true where the certificate of the server did not pass: its names, its time or its CA.
	// Another certificate there, or another CA here, may make it pass; another client certificate does not.
	ServerCertificate bool
}

// finding is the outcome of one attempt.
type finding struct {
	Outcome
	// again is true where a just-signed certificate, here or at the server, may pass a moment later.
	again bool
}

// unreachable has a code of 0 where no answer came.
func unreachable(code int, why string) finding {
	return finding{Outcome: Outcome{Verdict: Unreachable, Detail: withCode(why, code), Code: code}}
}

// refused may be tried again: a certificate just signed may begin in a moment by the clock of the server, and the
// servers behind one address do not learn of a new CA at the same time.
func refused(code int, why string) finding {
	return finding{Outcome: Outcome{Verdict: Refused, Detail: withCode(why, code), Code: code}, again: true}
}

func accepted(code int, how string) finding {
	return finding{Outcome: Outcome{Verdict: Accepted, Detail: withCode(how, code), Code: code}}
}

func withCode(text string, code int) string {
	if code == 0 {
		return text
	}
	return fmt.Sprintf("%s (HTTP %d)", text, code)
}
