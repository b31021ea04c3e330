// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rotation says when a certificate is asked for.
//
// Decide is an ordered list of small checks over plain values: what is wanted, what
// was found, and the time. It answers whether a certificate is due, why, what it
// waits for, and when to look again. RenewAt says when a certificate is renewed, the
// calendar in windows.go which windows that waits for, and Backoff how long a failed
// attempt waits.
//
// It never reads a clock, draws no random number and knows no client; time zones are
// those of the machine, or of the program. In: Wanted, Found, now. Out: Decision.
package rotation
