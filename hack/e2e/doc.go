// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e drives the whole system as a user does: kubectl apply, wait, annotate and delete, against real etcd,
// kube-apiserver, kube-controller-manager and manager processes, and the CCE simulator over HTTP.
//
// One API server serves the suite. It is installed with "kubectl apply -k config/default", and every manager logs in with a
// token of the ServiceAccount made there. Each test is a world of its own: a namespace, a cloud, and managers that look at
// that namespace only; so the tests run side by side.
//
// At the end the API server's audit log is held against the roles: nothing was refused, and nothing is granted that no
// test used.
package e2e
