// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package world is what the tests of consumers stand on: the operator with real servers, as hack/stand runs it, and what its
// users do there with kubectl.
//
// It is a module of its own and imports nothing but the standard library. So the consumers' modules choose their versions of
// Kubernetes' libraries themselves; the operator has others.
package world
