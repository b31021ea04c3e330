// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/target"
)

// consent says why the Secret of an output must not be written into another namespace, or read there; nil: it may. It is asked
// in every pass, before anything is read or written, and answered from the cache.
func (r *CredentialReconciler) consent(ctx context.Context, cc *v1alpha1.ClusterCredential, s slot) *publishProblem {
	switch {
	case !s.isAway():
		return nil
	case !r.CrossNamespaceOutputs:
		return &publishProblem{v1alpha1.ReasonNotGranted, fmt.Sprintf(
			"Secret %s is in another namespace, which needs an operator that runs with --cross-namespace-outputs; have the flag set, or leave out %s",
			s.key, s.field("namespace"))}
	case !r.covers(s.key.Namespace):
		return &publishProblem{v1alpha1.ReasonWriteRefused, fmt.Sprintf(
			"Secret %s: namespace %s is not among --namespaces of the operator; have it added, or write another %s",
			s.key, s.key.Namespace, s.field("namespace"))}
	}
	var grants v1alpha1.CredentialGrantList
	if err := r.Client.List(ctx, &grants, client.InNamespace(s.key.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return &publishProblem{v1alpha1.ReasonNotGranted, fmt.Sprintf("the CredentialGrants of namespace %s could not be read", s.key.Namespace)}
	}
	wish := target.Wish{From: cc.Namespace, Secret: s.key, Output: s.output}
	if endpoint := cc.Spec.Endpoint; endpoint != nil {
		wish.CustomEndpoint = endpoint.Server != "" || endpoint.ProxyURL != ""
	}
	if why := target.Consent(grants.Items, wish); why != "" {
		return &publishProblem{v1alpha1.ReasonNotGranted, s.field("namespace") + ": " + why + "; ask the owner of that namespace"}
	}
	return nil
}

// mayWrite says whether a ClusterCredential has an output of that key, and may write it.
func (r *CredentialReconciler) mayWrite(ctx context.Context, cc *v1alpha1.ClusterCredential, key types.NamespacedName) bool {
	return slices.ContainsFunc(slotsOf(cc), func(s slot) bool { return s.key == key && r.consent(ctx, cc, s) == nil })
}

// covers says whether the cache shows a namespace.
func (r *CredentialReconciler) covers(namespace string) bool {
	return len(r.Namespaces) == 0 || slices.Contains(r.Namespaces, namespace)
}

// seeMarks takes what our own marks say of a Secret that must not be read: status goes on telling what is there.
func (r *CredentialReconciler) seeMarks(ctx context.Context, p *pass, c *secretCopy) {
	if !r.covers(c.key.Namespace) {
		return
	}
	shown, err := r.shownSecret(ctx, c.key)
	switch {
	case err != nil: // what is known of it stays
	case shown == nil || target.StandingOf(shown, client.ObjectKeyFromObject(p.cc), "", "") != target.Ours:
		c.known, c.gone = copyFacts{}, true
	default:
		marks := target.MarksOf(shown)
		c.known = copyFacts{
			version: shown.ResourceVersion,
			holds:   holding{fingerprint: marks.Fingerprint, revision: marks.Revision, notAfter: marks.NotAfter},
		}
	}
}

// reduce makes of a credential that stands in another namespace, where others may write too, what status knows of it besides; false:
// somebody may have changed it. The certificate is the published one, and only the CA that has signed it can be beside it.
func (p *pass) reduce(view *secretView) bool {
	known, c := p.cc.Status.Certificate, view.credential
	if known == nil || c.Fingerprint != known.FingerprintSHA256 || c.Server != p.cc.Status.Server || c.Insecure ||
		bytes.Count(c.CAPEM, []byte("BEGIN CERTIFICATE")) != 1 || !view.facts.stored.chained {
		return false
	}
	view.facts.marks = target.Marks{
		Managed: true, Credential: p.cc.Name, Namespace: p.cc.Namespace, UID: string(p.cc.UID), Revision: p.cc.Status.Revision,
		Fingerprint: c.Fingerprint, NotAfter: c.NotAfter, Request: known.Request,
	}
	return true
}

// usersOfGrant lists the ClusterCredentials with outputs in the namespace of a grant.
func (r *CredentialReconciler) usersOfGrant(ctx context.Context, grant client.Object) []reconcile.Request {
	var users v1alpha1.ClusterCredentialList
	err := r.Client.List(ctx, &users, client.MatchingFields{indexTargetNamespace: grant.GetNamespace()}, client.UnsafeDisableDeepCopy)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listed no ClusterCredentials of a grant")
		return nil // their own looks find it out
	}
	requests := make([]reconcile.Request, len(users.Items))
	for i := range users.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&users.Items[i])
	}
	return requests
}
