// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/target"
)

// Classes split a fleet over operators that share a cluster (see CacheOptions). The cache shows an operator the objects of its own
// class only, so whatever is decided from the cache is decided within a class: who waits for whose turn, how large the fleet is,
// which objects share an account, a key, or the name of their entries. What must hold across classes is asked of the API server,
// where the cache shows nothing: whether somebody lives whom the marks of a Secret name, and what became of an object that vanished.

// classOf is the class that an object carries; empty: none.
func classOf(o client.Object) string { return o.GetLabels()[v1alpha1.LabelClass] }

// credentialOf is a ClusterCredential of any class: the cache shows those of the operator's own, and the API server is asked for
// others. nil: there is none.
func (r *CredentialReconciler) credentialOf(ctx context.Context, name types.NamespacedName) (*v1alpha1.ClusterCredential, error) {
	cc := &v1alpha1.ClusterCredential{}
	err := r.Client.Get(ctx, name, cc)
	if apierrors.IsNotFound(err) {
		err = r.Live.Get(ctx, name, cc)
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read ClusterCredential %s: %w", name, err)
	}
	return cc, nil
}

// classFor is the class that the Secret of an output shall carry: that of its ClusterCredential. Where the Secret carries another one,
// or is gone though nothing was issued, the object may have been handed over since the cache saw it. What was issued for it is stored
// all the same, for the new class; the rest is left to whoever serves that, and fails with errOvertaken: the two would take turns.
func (r *CredentialReconciler) classFor(ctx context.Context, p *pass, live *corev1.Secret) (string, error) {
	class := classOf(p.cc)
	if live == nil && p.fresh != nil || live != nil && target.OfClass(live, class) {
		return class, nil
	}
	now := &v1alpha1.ClusterCredential{}
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.cc), now); {
	case apierrors.IsNotFound(err):
		return class, nil
	case err != nil:
		return "", errNoClass
	case target.OfClass(now, class):
		return class, nil
	case p.fresh == nil:
		return "", errOvertaken
	}
	return classOf(now), nil
}

// errNoClass carries nothing of the API server's answer.
var errNoClass = fmt.Errorf("the ClusterCredential could not be read from the API server, before a Secret with another %s, or one that is gone, is written",
	v1alpha1.LabelClass)

// unshown lists the Secrets of a ClusterCredential that status tells of and the watch does not show. They carry another class where
// the object has been handed over; else they are gone or somebody else's, and are looked at once. Those of the spec are looked at
// anyway, and the further ones are among them only where all is asked for.
func (r *CredentialReconciler) unshown(
	ctx context.Context, cc *v1alpha1.ClusterCredential, shown []metav1.PartialObjectMetadata, all bool,
) ([]metav1.PartialObjectMetadata, error) {
	outputs, gone := keysOf(cc), r.memory.of(cc.UID).gone
	var found []metav1.PartialObjectMetadata
	for _, told := range cc.Status.Outputs {
		key := told.NamespacedName()
		isShown := slices.ContainsFunc(shown, func(s metav1.PartialObjectMetadata) bool { return client.ObjectKeyFromObject(&s) == key })
		inSpec := slices.Contains(outputs, key)
		if isShown || inSpec && !all || key == outputs[0] || !r.covers(key.Namespace) || !inSpec && gone[key] {
			continue
		}
		live, err := r.liveSecret(ctx, key)
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
		switch {
		case live != nil && target.StandingOf(live, client.ObjectKeyFromObject(cc), "", "") == target.Ours:
			found = append(found, *live)
		case err == nil && !inSpec:
			r.memory.noteGone(cc, key)
		}
	}
	return found, nil
}

// handOver lets go of a ClusterCredential that carries another class by now: nothing of it is remembered, told or written any more.
// Its Secrets stay as they are, and whoever serves the other class takes them in. Only a certificate that waits to be stored is
// stored first, since nobody else has its key. A result above zero: it could not be, and is tried again then.
func (r *CredentialReconciler) handOver(ctx context.Context, live *v1alpha1.ClusterCredential, now time.Time) (again time.Duration, err error) {
	name := client.ObjectKeyFromObject(live)
	r.Metrics.forget(name)
	if r.memory.of(live.UID).held != nil && live.DeletionTimestamp.IsZero() {
		waits, err := r.storeHeld(ctx, live, now)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "A certificate of an object of another class waits to be stored")
		}
		if waits {
			return heldLook, nil
		}
	}
	r.forget(name, now)
	return 0, nil
}

// storeHeld tries to store the certificate that an earlier pass could not store, and says whether it still waits. It is dropped where
// the spec asks for another one by now, where somebody else has published one, and once it has expired: as ever.
func (r *CredentialReconciler) storeHeld(ctx context.Context, live *v1alpha1.ClusterCredential, now time.Time) (waits bool, err error) {
	defer r.work.begin()()
	p, err := r.observe(ctx, live, now)
	if err != nil {
		return true, err
	}
	if p.fresh = r.heldFor(p); p.fresh != nil {
		if !r.lookAgain(ctx, p) {
			return true, errUnread
		}
		if !r.overtaken(p) { // before it is tried, which may take until it expires
			r.tryHeld(ctx, p)
		}
	}
	if p.fresh != nil {
		r.store(ctx, p)
	}
	return r.memory.of(live.UID).held != nil, nil
}

// forget drops everything that is kept of an object.
func (r *CredentialReconciler) forget(name types.NamespacedName, now time.Time) {
	uid := r.memory.forget(name)
	r.leaveLine(now, uid)
	r.trials.forget(uid)
	r.Metrics.forget(name)
}
