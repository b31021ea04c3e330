// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rendered renders what can be installed, for the tests that look at it: the Helm chart and the kustomize trees, by
// the programs that people render them with. They are those that make builds into bin/.
package rendered
