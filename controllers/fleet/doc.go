// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fleet answers one question: is this one change among too many?
//
// A certificate that is neither a first one, nor due, nor requested follows from a changed
// spec, account or Secret. A few at a time are work. Many at a time are more often a
// mistake: a wrong patch in a repository, a namespace whose Secrets were deleted, an upgrade that
// reads old objects differently. So only a small part of a fleet gets one within an hour; the others
// are held, and somebody is told.
//
// It never reads a clock and never looks at an object. In: ids, times, and how many there
// are. Out: yes, or no and until about when.
package fleet
