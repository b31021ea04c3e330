// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package keyring reads the Secrets that hold the keys of accounts.
//
// Such a Secret carries no label of ours, and watching all Secrets of a cluster is
// out of the question: so each one that an account names has a watch of its own, of
// its metadata only. A key is kept exactly as long as that watch shows the
// resourceVersion that it was read with.
//
// In: who names which Secret. Out: its data and version, and a call when it changes.
package keyring
