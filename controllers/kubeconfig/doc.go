// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubeconfig answers what a cloud's kubeconfig is worth, and writes ours.
//
// It checks an answer, picks one of the contexts on offer, renders a kubeconfig of
// our own from an allow-list, and reads that back. What a cloud sent is never
// published: only a URL, a CA, a certificate and a key that passed every check are.
//
// It has no clock, no I/O and no context, and its errors quote no remote bytes and
// no key. In: the bytes of a cloud or of a Secret. Out: Answer, Credential, bytes,
// or an *Invalid or *ChoiceError that is safe to show to anybody.
package kubeconfig
