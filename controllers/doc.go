// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers is the conductor: it observes, lets the other rooms decide,
// acts on what they say, and reports.
//
// Reconcile reads like a table of contents; every phase has a file of its own:
// observe.go, obtain.go (the cheap checks and the one call that cannot be undone),
// publish.go, report.go, release.go. setup.go says what wakes it.
//
// No rule about when, how or what is written here: those are in rotation, budget,
// kubeconfig, output, target and status.
package controllers
