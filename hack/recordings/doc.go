// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command recordings makes the pictures of a terminal that the README shows, docs/images/*.svg. "make recordings" runs it.
//
// It starts a real API server, a simulated cloud and the manager, brings about what is worth seeing, runs the commands of each
// scene, and draws what they print. Nothing in a picture is made up; the paths of the machine that it was made on are left out.
package main
