// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package budget says who may ask a cloud now.
//
// It answers one question, Ask: may this credential use its account's key at this
// moment, and if not, about when. It paces certificates, bounds how many turns of
// one account are out, orders the waiting by need, expiry and namespace, and holds
// an account back that the cloud throttled or whose key it refused.
//
// It never sleeps, calls or reads a clock, and a waiting credential costs no
// goroutine. In: times, keys, outcomes. Out: turns, and whom to wake.
package budget
