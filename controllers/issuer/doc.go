// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package issuer is the seam between the operator and a cloud.
//
// It answers what can be asked of a cloud, in our own words: find a cluster, ask
// for a certificate, check a key. Errors are named by what we will do next.
//
// It never speaks HTTP and knows no vendor. In: Access, Request. Out: Cluster,
// Issued, or an *Error.
package issuer
