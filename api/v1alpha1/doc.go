// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the promise to users: the kinds ClusterCredential and
// CloudAccount, their validation, columns, conditions and reasons, and the marks
// on the Secrets that the operator writes.
//
// It holds no logic and no defaults: what an unset field means is stated in its
// comment and applied in code, so that a default never shows up as a difference
// between Git and the cluster.
//
// +kubebuilder:object:generate=true
// +groupName=clustercredential.dev
package v1alpha1
