// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import "fmt"

// Bounds on what is read, in bytes before any decoding. An answer of CCE is about
// 10 KiB, a Secret at most 1 MiB; the parts are far below these in practice.
const (
	maxDocumentBytes    = 1 << 20
	maxCertificateBytes = 64 << 10
	maxKeyBytes         = 16 << 10
	maxCABytes          = 256 << 10
)

// Bounds on how many there may be, so that a hostile answer costs little.
const (
	maxContexts     = 64
	maxCertificates = 16
)

// Invalid says why bytes cannot be used as a kubeconfig of ours. Its text is made
// of our own words only: it may stand in a status, an event or a log.
type Invalid struct {
	// Reason is one sentence, lower case, without a full stop.
	Reason string
}

// Error returns the reason.
func (e *Invalid) Error() string { return e.Reason }

func invalid(format string, arguments ...any) *Invalid {
	return &Invalid{Reason: fmt.Sprintf(format, arguments...)}
}
