// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package consumers has the code of those who use our Secrets read them, as it is released, and log in with what it has read:
// before a rotation, and after it. The rules of consumers whose code cannot be imported are restated, each with its source.
//
// It is a module of its own, with the versions of Kubernetes' libraries that these consumers agree on, and holds tests only.
package consumers
