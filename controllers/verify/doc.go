// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package verify answers one question: does the API server that a credential names accept it?
//
// It goes the way that a client of the credential goes, proxy included, and asks the
// server who it is (SelfSubjectReview, or the version where that API is missing). It
// changes nothing there. A target that hangs costs a bounded time, and only so many
// are tried at a time.
//
// It decides nothing: neither what is published nor what is asked for. In: a
// kubeconfig.Credential. Out: an Outcome in our own words, of which a code is all that
// comes from the remote side.
package verify
