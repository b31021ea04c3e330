// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// errWentBack ends the process. It comes with the next start, which reads everything anew.
var errWentBack = errors.New("the API server was put back to an earlier state: ending, to read everything anew")

// rollbackLook is how often the API server's version is looked at: one small read. Restores are rare, and nothing wrong is
// asked for until one is noticed.
const rollbackLook = 30 * time.Second

// Rollback ends the process if the API server's version goes back, as after a restore of etcd. Watches would go on waiting for
// versions that may be hours away, and the cache would show what is no more: nothing wrong is asked for on such a cache, since
// the intent is fenced, but nothing is renewed either.
type Rollback struct {
	// Live reads from the API server.
	Live client.Reader
	// Namespace is one that may be read. Empty: all may.
	Namespace string
	// Every is how often it looks. Unset: 30s.
	Every time.Duration
}

// NeedLeaderElection says no: a standby has a cache too, and leads with it once it is its turn.
func (r *Rollback) NeedLeaderElection() bool { return false }

// Start looks until ctx ends, or the version goes back.
func (r *Rollback) Start(ctx context.Context) error {
	every, latest := firstOf(r.Every, rollbackLook), ""
	for sleep(ctx, every) {
		version, err := r.version(ctx)
		if err != nil {
			continue // what counts is what it says once it can be reached again
		}
		if order, err := resourceversion.CompareResourceVersion(version, firstOf(latest, version)); err == nil && order < 0 {
			return errWentBack
		}
		latest = version
	}
	return nil
}

// version is how far the API server is, as a list tells that asks for the newest. It counts on a server that was started anew
// with its etcd, as a restore demands.
func (r *Rollback) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, rollbackLook)
	defer cancel()
	var list v1alpha1.CloudAccountList
	err := r.Live.List(ctx, &list, client.InNamespace(r.Namespace), client.Limit(1))
	return list.ResourceVersion, err
}
