// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

// writeIntent notes in status that a certificate is about to be asked for. With the
// object's resourceVersion it also fences a stale cache and a second leader, and
// proves that the API server takes writes. A result above zero means that somebody was
// faster, and when to look at what they did.
func (r *CredentialReconciler) writeIntent(ctx context.Context, p *pass, issuance v1alpha1.Issuance) (again time.Duration, err error) {
	facts := r.factsOf(p)
	intended := p.cc.DeepCopy()
	intended.Status = status.Begin(p.cc.Status, facts, issuance)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportDeadline)
	defer cancel()
	err = r.Client.Status().Update(ctx, intended)
	if err != nil {
		// It may be written all the same; what was not asked for cannot be lost.
		r.memory.update(p.cc, func(m *remembered) { m.unposted = issuance.ID })
	}
	switch {
	case err == nil:
		r.memory.wrote(p.cc, intended.ResourceVersion, r.Clock.Now())
		p.cc = intended
		return 0, nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return time.Second, nil
	default:
		return 0, fmt.Errorf("write the intent, before anything was asked for: %w", err)
	}
}

// backoff is when the next attempt is made if this one fails.
func (r *CredentialReconciler) backoff(p *pass, most time.Duration) time.Time {
	failures := status.FailuresAfter(p.cc.Status, p.wanted.With)
	return p.now.Add(rotation.Backoff(failures, most, p.left(), string(p.cc.UID)))
}
