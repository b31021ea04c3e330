// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package argocd has Argo CD's own code read the Secret of a cluster that we write, and log in with what it has read: before a
// rotation, and after it.
//
// It is a module of its own, since Argo CD is built with older versions of Kubernetes' libraries than the other consumers, and
// holds tests only.
package argocd
