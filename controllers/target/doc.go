// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package target reads, owns and writes the Secrets.
//
// It answers whose a Secret is, what its marks say, whether it carries what it
// should, and writes it: created with POST, later applied under our own field owner
// with the resourceVersion that was read, so that a late writer is refused and what
// others put on the Secret stays.
//
// It decides nothing about certificates. In: rendered outputs and marks. Out: the
// Secret as it stands, or an error that says whether trying again can help.
package target
