// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cce speaks to Huawei Cloud CCE (and its kin, such as Open Telekom Cloud)
// through huaweicloud-sdk-go-v3. It is the only room that may import the SDK.
//
// It answers what issuer.Cloud asks: one wire request a question, bound by the
// context and Options.Timeout, on a connection of its own. For accounts without a key it
// obtains temporary ones, ahead of time and beside the questions.
//
// It never retries, follows a redirect, reads the SDK's variables or files, or lets
// a text of the remote side into an error. In: issuer.Access, issuer.Request.
// Out: issuer.Cluster, issuer.Issued, or an *issuer.Error.
//
// What is asked within the Pod or its node for a temporary key, pod identity and the
// metadata service, the SDK asks over http.DefaultTransport. A Dialer replaces that by one
// that lets such requests through no proxy and no redirect, and bounds the answers. The
// variables that CCE sets for pod identity are read, and none else.
package cce
