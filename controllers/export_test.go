// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// BucketOf is where the indexes of the cache have a name.
var BucketOf = bucketOf

// SecretNews lets through what the watch of Secrets has to tell.
func (r *CredentialReconciler) SecretNews() predicate.Predicate { return r.secretNews() }

// Lead gives the reconciler the queue that a controller would.
func (r *CredentialReconciler) Lead(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	return r.lead(ctx, queue)
}
