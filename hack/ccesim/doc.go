// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ccesim answers like the HTTP API of Huawei Cloud CCE and IAM, as far
// as it takes to issue and rotate client certificates of clusters.
//
// It is strict: a request that the documents do not allow is refused. Its wire
// types are written from those documents and shared with no client. Its
// certificates are real, so they authenticate against any server that trusts
// the certificate authority it was given. It imports the standard library only.
//
// Temporary keys come from IAM (OpenID Connect), from [Server.PodIdentityHandler] and
// from [Server.MetadataHandler], and are accepted until they end.
//
// Requests come in through [Server.ServeHTTP]; what was asked for comes out of
// [Server.Ledger]; what shall go wrong goes into [Server.Script].
package ccesim
