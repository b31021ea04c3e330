// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator beside a real etcd and kube-apiserver, on the machine that it runs on: "make bench".
//
// For each number N of ClusterCredentials it measures
//
//   - the time from the first creation until all are Ready, beside floors: a bare client with as many connections that
//     makes the same objects and the same writes, or three of the five, before and after, in the same run;
//   - what that costs: requests by the API server's own count, certificates by the cloud's, CPU time and peak memory of the
//     manager;
//   - a time in which nothing is due, a kill and a restart, a renewal of all on request, and a change of all specs;
//   - another restart beside Secrets of others, credentials that are tried against their clusters, and renewals by time that
//     never come to an end.
//
// It prints a table, writes all figures as JSON, takes profiles on request, and fails where something did not become Ready, or a
// certificate, a write, a read or a call was made without need. Times are worth comparing within a run, or on the same idle machine.
package main
