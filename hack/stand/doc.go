// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command stand is a whole world to try things in: etcd, kube-apiserver, a simulated cloud and the manager as real processes
// on the loopback address, with an account of the cloud applied. "make stand" runs it.
//
// Once it serves it writes one line of JSON to standard output, a Place, which tells where everything is; what it does meanwhile
// goes to standard error. It ends, and everything with it, when standard input closes, on Ctrl-C and on SIGTERM: whoever starts
// it through a pipe need only go away. The modules below hack/conformance, which cannot import hack/stack, stand on it.
package main
