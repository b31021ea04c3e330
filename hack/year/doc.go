// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package year says whether the whole operator keeps a fleet's certificates for a year.
//
// hack/soak lives through years with the rules alone. Here everything that runs in
// production runs: both reconcilers with their real manager, caches, queues, keyring and
// budget, and the real client of the cloud, over HTTP, against the simulator. All of it stands in
// a bubble of testing/synctest, where time passes only once everybody waits.
//
// Two things are not real, since nobody in a bubble may wait for a socket. The connections are pipes. And
// the API server is controller-runtime's fake client, for this one purpose: everywhere else in
// this repository it is a real one. The fake keeps resourceVersions, conflicts, status
// subresources, managed fields and apply; the world adds UIDs, generations and the garbage
// collector.
//
// In: a seed, which decides what happens and when. How goroutines interleave, and the
// numbers of certificates, differ from run to run. Out: a tally, and every promise that was broken.
// Tests only.
package year
