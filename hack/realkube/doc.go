// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package realkube runs a real etcd and a real kube-apiserver on the loopback address, for tests, benchmarks, the
// end-to-end suite and the demo.
//
// The API server believes client certificates of a certificate authority that the caller gets, private key and all.
// Whoever signs with it, such as the CCE simulator, hands out credentials that really log in here.
//
// The binaries come from hack/kube-assets.sh. A test without them fails and says what to run; it is never skipped.
//
// A process that is killed outright (kill -9) cannot stop its etcd and kube-apiserver: they stay behind. An interrupt, a
// termination and the time limit of `go test` are handled by Main and ForTest; other programs call Stop themselves.
package realkube
