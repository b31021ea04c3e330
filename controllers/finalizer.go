// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// goesWith says whether the Secret of an output goes with its ClusterCredential.
func goesWith(cc *v1alpha1.ClusterCredential, s *slot) bool {
	return firstOf(s.output.DeletionPolicy, cc.Spec.DeletionPolicy) == v1alpha1.DeletionDelete
}

// policyOf is what a Secret says of its end where no owner reference can.
func policyOf(cc *v1alpha1.ClusterCredential, s *slot) v1alpha1.DeletionPolicy {
	if s.isAway() && goesWith(cc, s) {
		return v1alpha1.DeletionDelete
	}
	return ""
}

// keepHold brings the finalizer in step with the spec, in a pass of its own: it is there before the first Secret in another
// namespace that goes with the object, and until the last is gone. A result above zero: it was written, look again then.
func (r *CredentialReconciler) keepHold(ctx context.Context, cc *v1alpha1.ClusterCredential) (again time.Duration, err error) {
	has := slices.Contains(cc.Finalizers, v1alpha1.FinalizerOutputs)
	wants := r.CrossNamespaceOutputs && slices.ContainsFunc(slotsOf(cc), func(s slot) bool { return policyOf(cc, &s) != "" })
	if !wants && has {
		doomed, err := r.doomed(ctx, cc)
		if err != nil {
			return 0, err
		}
		wants = len(doomed) > 0
	}
	switch {
	case wants == has:
		return 0, nil
	case wants:
		return r.setFinalizers(ctx, cc, append(slices.Clone(cc.Finalizers), v1alpha1.FinalizerOutputs))
	default:
		return r.setFinalizers(ctx, cc, withoutOurs(cc.Finalizers))
	}
}

func withoutOurs(finalizers []string) []string {
	return slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool { return f == v1alpha1.FinalizerOutputs })
}

// doomed are the Secrets in other namespaces, as the watch shows them and status tells of them, that go with an object: those whose
// output says so, and of those that are no outputs any more those that say so themselves.
func (r *CredentialReconciler) doomed(ctx context.Context, cc *v1alpha1.ClusterCredential) ([]types.NamespacedName, error) {
	owned, err := r.ownedSecrets(ctx, client.ObjectKeyFromObject(cc))
	if err != nil {
		return nil, err
	}
	unshown, err := r.unshown(ctx, cc, owned, false)
	if err != nil {
		return nil, err
	}
	owned = append(owned, unshown...)
	slots := slotsOf(cc)
	var keys []types.NamespacedName
	for i := range owned {
		key := client.ObjectKeyFromObject(&owned[i])
		at := slices.IndexFunc(slots, func(s slot) bool { return s.key == key })
		goes := at < 0 && target.MarksOf(&owned[i]).DeletionPolicy == v1alpha1.DeletionDelete || at >= 0 && goesWith(cc, &slots[at])
		if key.Namespace != cc.Namespace && goes {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// letGo removes the Secrets in other namespaces that go with an object that is being deleted, and then its hold on it. Nobody has to
// consent to that, and the cloud is not asked. The outputs of the spec are looked for at the API server: the watch may not
// show yet what was written last.
func (r *CredentialReconciler) letGo(ctx context.Context, cc *v1alpha1.ClusterCredential) (reconcile.Result, error) {
	if !slices.Contains(cc.Finalizers, v1alpha1.FinalizerOutputs) {
		return reconcile.Result{}, nil
	}
	keys, err := r.doomed(ctx, cc)
	if err != nil {
		return reconcile.Result{}, err
	}
	for _, s := range slotsOf(cc) {
		if policyOf(cc, &s) != "" && !slices.Contains(keys, s.key) {
			keys = append(keys, s.key)
		}
	}
	for _, key := range keys {
		if err := r.removeAway(ctx, cc, key); err != nil {
			return reconcile.Result{}, err
		}
	}
	again, err := r.setFinalizers(ctx, cc, withoutOurs(cc.Finalizers))
	return reconcile.Result{RequeueAfter: again}, err
}

// removeAway removes a Secret in another namespace, if it is ours. One that is gone, or somebody else's by now, is done with; so is
// one in a namespace that is not the operator's any more.
func (r *CredentialReconciler) removeAway(ctx context.Context, cc *v1alpha1.ClusterCredential, key types.NamespacedName) error {
	if !r.covers(key.Namespace) {
		ctrl.LoggerFrom(ctx).Info("Left a Secret in a namespace that is not among --namespaces", "secret", key)
		return nil
	}
	live, err := r.liveSecret(ctx, key)
	if apierrors.IsForbidden(err) {
		r.leftBehind(ctx, cc, fmt.Sprintf("Secret %s may not be read", key))
		return nil
	}
	if err != nil || live == nil || target.StandingOf(live, client.ObjectKeyFromObject(cc), "", "") != target.Ours {
		return err
	}
	if target.MarksOf(live).DeletionPolicy != v1alpha1.DeletionDelete && !r.mayWrite(ctx, cc, key) {
		return nil // it was to stay as long as there was consent to say otherwise
	}
	err = r.secrets.Delete(ctx, live)
	if refused, ok := errors.AsType[*target.Refused](err); ok {
		r.leftBehind(ctx, cc, refused.Error())
		return nil
	}
	return err
}

// leftBehind tells of a Secret that stays though it should go: deleting must not hang.
func (r *CredentialReconciler) leftBehind(ctx context.Context, cc *v1alpha1.ClusterCredential, why string) {
	r.tell(ctx, credentialReference(cc), status.Event{
		Type: corev1.EventTypeWarning, Reason: string(v1alpha1.ReasonWriteRefused), Message: "left behind: " + why,
	})
}

// liveSecret reads the metadata of a Secret at the API server; nil: there is none.
func (r *CredentialReconciler) liveSecret(ctx context.Context, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(secretKind)
	err := r.Live.Get(ctx, key, live)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	return live, nil
}

// errNoFinalizer carries nothing of the API server's answer.
var errNoFinalizer = errors.New("the finalizer of the ClusterCredential could not be written")

// setFinalizers writes the finalizers of the very object that was read. The pass ends with it: a pass that goes on begins with
// the object as it was written.
func (r *CredentialReconciler) setFinalizers(
	ctx context.Context, cc *v1alpha1.ClusterCredential, finalizers []string,
) (again time.Duration, err error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": cc.ResourceVersion, "finalizers": finalizers}})
	if err != nil {
		return 0, fmt.Errorf("write the patch of the finalizers: %w", err)
	}
	written := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: cc.Namespace, Name: cc.Name}}
	err = r.Client.Patch(ctx, written, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.FieldOwner))
	switch {
	case err == nil && cc.DeletionTimestamp.IsZero():
		r.memory.wrote(cc, written.ResourceVersion, r.Clock.Now())
		return staleLook, nil
	case err == nil, apierrors.IsNotFound(err):
		return 0, nil
	case apierrors.IsConflict(err):
		return time.Second, nil // it has changed: look at that
	default:
		return 0, fmt.Errorf("%w: %s", errNoFinalizer, apierrors.ReasonForError(err))
	}
}
