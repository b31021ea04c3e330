// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package soak says whether a fleet keeps its certificates over years.
//
// It runs the real rules, rotation.Decide and budget.Budget, for thousands of
// credentials in virtual time, against a cloud that fails, refuses, throttles, lies
// about its clock and grants too little, while the operator is killed now and then.
// After every step it holds promises R5, R6 and R7 against what happened.
//
// It never reads a clock, and decides nothing itself: what the conductor does between
// facts and rules is mirrored here in plain lines, each naming the file it mirrors. In:
// a plan with its seed. Out: a tally, and the first promise that was broken.
package soak
