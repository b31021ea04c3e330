// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package doccheck holds the pages for people (README.md, CONTRIBUTING.md, SECURITY.md, docs) against the code: every reason, flag,
// metric, field and mark is explained, every link, file, test and target of make that a page names exists, and every
// example is accepted.
//
// It has tests only, which need no server.
package doccheck
