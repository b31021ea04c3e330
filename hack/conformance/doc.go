// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance holds what we write against the code of those who read it: the
// libraries of other projects, as they are released.
//
// It is a module of its own, so that none of them becomes a dependency of the operator,
// and holds tests only.
package conformance
