// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package observability holds alerts, dashboards and runbooks against the operator and against each other: they name metrics and
// labels that it has, and for each alert there is a page that says what to do.
//
// It has tests only, which need no server. What Prometheus makes of the alerts "make alerts-test" tells, and what a running operator
// serves, and whether the pages help, hack/e2e.
package observability
