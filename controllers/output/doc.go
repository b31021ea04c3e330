// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package output answers what an output Secret holds: the formats, each a pair of
// pure functions in a file of its own. Rendering gives type, data, labels and
// annotations; reading gives the credential back.
//
// It never talks to an API server and knows neither owners nor our own marks. In: a
// kubeconfig.Credential and an output of the spec. Out: Rendered, or a Credential.
package output
