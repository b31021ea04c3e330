// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package status turns what a pass found and did into the status of a
// ClusterCredential. It is the only code that sets its conditions.
//
// Next is a pure function: previous status and facts in, next status out. Wiping the
// previous status loses the history and nothing else. EventsOf names the transitions
// that are worth an event.
package status
