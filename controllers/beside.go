// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
)

// beside does work that no pass waits for: a server that hangs keeps none of the workers. The work bounds its own time.
func (r *CredentialReconciler) beside(ctx context.Context, work func(context.Context)) {
	r.work.beside.Add(1)
	go func() {
		defer r.work.beside.Add(-1)
		defer survive(ctx)
		work(context.WithoutCancel(ctx))
	}()
}

// NothingBeside says whether no work is under way beside the passes, so that what it has found is noted.
func (r *CredentialReconciler) NothingBeside() bool { return r.work.beside.Load() == 0 }

// survive keeps a mistake in work beside the passes from ending the process, as controller-runtime does within them.
func survive(ctx context.Context) {
	if fault := recover(); fault != nil {
		ctrl.LoggerFrom(ctx).Error(fmt.Errorf("panic of type %T", fault), "Work beside the passes ended early")
	}
}
