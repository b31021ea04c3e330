// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work in about a minute: etcd, kube-apiserver, a simulated cloud and the manager as real
// processes, three ClusterCredentials whose certificates last 40 seconds, and clients that log in with them ten times a
// second. "make demo" runs it. It exits with 0 only if everything that it shows was so, and leaves nothing behind.
package main
