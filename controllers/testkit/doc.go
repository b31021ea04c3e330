// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package testkit is the world in which the conductor's tests tell their stories: a
// real API server, the CCE simulator over HTTP, a clock moved by hand, and a client
// that counts requests and fails the ones that it is told to. For tests only.
package testkit
