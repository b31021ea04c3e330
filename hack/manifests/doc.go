// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manifests holds the files in config against each other: what is granted in one way to install the operator and in the
// other, what people are given, what the Pod may do, and whom it may talk to. And it holds the chart against them.
//
// It has tests only, which need no server. What the API server makes of these files, hack/e2e tells.
package manifests
