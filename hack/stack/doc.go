// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stack runs the whole of ClusterCredential as real processes on the loopback address: etcd and kube-apiserver, the
// simulator of the cloud, and the manager, as often as one likes. The end-to-end suite, the demo and the benchmark stand on
// it.
//
// The simulator signs with the authority of the API server, and offers the API server as the external address of every
// cluster: what the manager publishes really logs in.
//
// A Stack stops what it started and nothing else. On Linux its processes end with the process that started them, except
// etcd and kube-apiserver, which outlive one that is killed outright.
package stack
