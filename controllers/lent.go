// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/grants"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

var namespaceKind = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// accountFor reads the account that objects of a namespace refer to. One that is lent has to grant it; without a grant its key is
// not even read.
func (c *Config) accountFor(ctx context.Context, namespace string, ref v1alpha1.AccountReference) (account, error) {
	name := namedAccount(namespace, ref)
	if name.Namespace != "" {
		return c.accountOf(ctx, name)
	}
	object, err := c.readAccount(ctx, name)
	if err != nil {
		return c.accountOf(ctx, name) // which says why
	}
	granted, err := c.grantedTo(ctx, object.grants, namespace)
	if err != nil {
		return account{}, err
	}
	if len(granted) == 0 {
		return account{
			object: object, reason: v1alpha1.ReasonAccountNotAllowed,
			message: fmt.Sprintf("no grant of %s (spec.grants[].namespaces) is for namespace %q: ask its administrator for one", object, namespace),
			version: fmt.Sprintf("%s/%d", object.GetUID(), object.GetGeneration()),
		}, nil
	}
	a, err := c.unlock(ctx, object)
	a.granted = granted
	return a, err
}

// grantedTo are the grants that are for a namespace. Its labels are looked at only where a grant asks for them.
func (c *Config) grantedTo(ctx context.Context, all []v1alpha1.AccountGrant, namespace string) ([]v1alpha1.AccountGrant, error) {
	of := grants.Namespace{Name: namespace}
	if grants.NeedsLabels(all) {
		found := &metav1.PartialObjectMetadata{}
		found.SetGroupVersionKind(namespaceKind)
		err := c.Client.Get(ctx, types.NamespacedName{Name: namespace}, found)
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("read the labels of namespace %s: %w", namespace, err)
		}
		of.Labels = found.Labels
	}
	return grants.For(all, of), nil
}

// isLent says whether the account is somebody else's.
func (p *pass) isLent() bool {
	return p.account.object != nil && p.account.object.kind == v1alpha1.KindClusterCloudAccount
}

// terms are what the grants allow. Of one's own account everything is allowed. Once a certificate is about to be asked for, only
// what the cloud said of its cluster counts.
func (p *pass) terms() grants.Terms {
	if !p.isLent() {
		return grants.Terms{}
	}
	wish := grants.Wish{ClusterID: firstOf(p.cluster.ID, p.clusterID), ClusterName: p.cluster.Name, CustomEndpoint: p.ownEndpoint()}
	if wish.ClusterID == "" && p.cc.Status.Certificate != nil {
		wish.ClusterID = p.cc.Status.ClusterID
		wish.ClusterName = firstOf(p.listed.Name, p.knownName())
	}
	if e := p.cc.Spec.Endpoint; e != nil {
		wish.InsecureTLS = e.AllowInsecureTLS
	}
	return grants.Decide(p.account.granted, wish)
}

// grantedByID says whether a grant names the cluster that a certificate is to be asked for by its id, so that the cloud need not
// say its name.
func (p *pass) grantedByID() bool {
	return !p.isLent() || grants.Decide(p.account.granted, grants.Wish{ClusterID: p.clusterID}).Rule == grants.Granted
}

// ownEndpoint says whether the spec gives a server or a proxy itself.
func (p *pass) ownEndpoint() bool {
	e := p.cc.Spec.Endpoint
	return e != nil && (e.Server != "" || e.ProxyURL != "")
}

// endpointNotGranted says that the spec gives a server or a proxy that the account does not let it give; empty: it does.
func (p *pass) endpointNotGranted() string {
	if !p.ownEndpoint() || p.terms().Rule != grants.NoCustomEndpoint {
		return ""
	}
	return fmt.Sprintf("spec.endpoint gives a server or a proxy, and no grant of %s for this cluster lets it (spec.grants[].customEndpoint)", p.account.object)
}

// notAllowed says that a cluster is not the tenant's to ask for, in the same words whether it is not granted or not there.
func (r *CredentialReconciler) notAllowed(p *pass) status.Failure {
	return status.Failure{
		Reason: v1alpha1.ReasonAccountNotAllowed, Counts: true, RetryAt: r.backoff(p, rotation.CapLate),
		Message: fmt.Sprintf("%s has no cluster that spec.cluster names and that a grant (spec.grants[].clusters) lets namespace %q use: "+
			"check spec.cluster, or ask its administrator", p.account.object, p.cc.Namespace),
	}
}

// clusterNotGranted looks whether a grant is for the cluster as the cloud describes it; nil: one is.
func (r *CredentialReconciler) clusterNotGranted(p *pass) *status.Failure {
	if !p.isLent() {
		return nil
	}
	var failure status.Failure
	switch terms := p.terms(); {
	case terms.Rule == grants.NotThisCluster, terms.Rule == grants.NotThisNamespace:
		failure = r.notAllowed(p)
	case terms.Rule == grants.NoCustomEndpoint:
		failure = r.notAllowed(p)
		failure.Message = p.endpointNotGranted()
	default:
		return nil
	}
	return &failure
}

// clusterError says what an error about the cluster means, and keeps from a tenant what it tells of clusters that are not granted.
func (r *CredentialReconciler) clusterError(p *pass, e *issuer.Error) status.Failure {
	if !p.isLent() {
		return r.cloudFailure(p, e)
	}
	told := *e
	switch e.Kind {
	case issuer.Ambiguous: // the candidates all have the name that the spec gives
		told.Candidates = slices.DeleteFunc(slices.Clone(e.Candidates), func(id string) bool {
			return grants.Decide(p.account.granted, grants.Wish{ClusterID: id, ClusterName: p.cc.Spec.Cluster.Name}).Rule != grants.Granted
		})
		if len(told.Candidates) == 0 {
			return r.notAllowed(p)
		}
	case issuer.NotFound:
		return r.notAllowed(p)
	case issuer.Forbidden:
		if p.clusterID == "" || !p.grantedByID() {
			return r.notAllowed(p)
		}
	default: // nothing of a cluster
	}
	return r.cloudFailure(p, &told)
}

// capped is what is asked for where no more than most may be.
func capped(request issuer.Request, most time.Duration, now time.Time) issuer.Request {
	const day = 24 * time.Hour
	within := request.Days > 0 && time.Duration(request.Days)*day <= most || request.Days == 0 && !request.ExpireAt.After(now.Add(most))
	switch {
	case most <= 0, within:
	case most%day == 0 || request.ClusterType == issuer.Autopilot:
		request.Days, request.ExpireAt = int32(min(most/day, math.MaxInt32)), time.Time{}
	default:
		request.Days, request.ExpireAt = 0, now.Add(most).UTC().Truncate(time.Second)
	}
	return request
}

// tooLong says that the cloud cannot grant as little as the grants allow; nil: it can.
func (p *pass) tooLong() *status.Failure {
	most := p.terms().MaxValidity
	if request := requestOf(p); most <= 0 || request.Days > 0 || !request.ExpireAt.IsZero() || request.Days == -1 {
		return nil
	}
	return &status.Failure{
		Reason: v1alpha1.ReasonRejected, Counts: true,
		Message: fmt.Sprintf("the grants of %s allow %s at the most (spec.grants[].maxValidity), and certificates of Autopilot clusters last whole days", p.account.object, most),
	}
}

// exceeds says whether a certificate lasts longer than the grants allow; the cloud may round up a little.
func (p *pass) exceeds(notAfter time.Time) bool {
	most := p.terms().MaxValidity
	return most > 0 && notAfter.After(p.now.Add(most+rotation.CapSlack))
}

// capNote tells that less is asked for than the spec says; empty: it is not.
func (p *pass) capNote() string {
	most := p.terms().MaxValidity
	if most <= 0 || !wantsMore(p.cc.Spec.Validity, most) {
		return ""
	}
	return fmt.Sprintf("%s grants %s at the most (maxValidity), and no more is asked for", p.account.object, most)
}

func wantsMore(v *v1alpha1.Validity, most time.Duration) bool {
	days := int32(v1alpha1.DefaultValidityDays)
	if v != nil && v.Duration != nil {
		return v.Duration.Duration > most
	}
	if v != nil && v.Days != nil {
		days = *v.Days
	}
	return days < 0 || time.Duration(days)*24*time.Hour > most
}

// grantsDigest tells grants from others; empty: an account of one's own has none.
func grantsDigest(o *accountObject) string {
	if o.kind != v1alpha1.KindClusterCloudAccount {
		return ""
	}
	text, err := json.Marshal(o.grants)
	if err != nil {
		return "unreadable" // names, selectors and durations always marshal
	}
	return digest(string(text))
}

// capSince is since when the longest validity counts that the grants allow; zero: not known yet.
func (p *pass) capSince() time.Time {
	o := p.account.object
	if !p.isLent() || o.status.GrantsChangedTime == nil || o.status.GrantsSeen != grantsDigest(o) {
		return time.Time{}
	}
	return o.status.GrantsChangedTime.Time
}

// usersInNamespace names the ClusterCredentials of a namespace that a grant may be for by its labels.
func (r *CredentialReconciler) usersInNamespace(ctx context.Context, namespace client.Object) []reconcile.Request {
	if !r.covers(namespace.GetName()) {
		return nil // the cache shows nothing of it
	}
	var list v1alpha1.ClusterCredentialList
	if err := r.Client.List(ctx, &list, client.InNamespace(namespace.GetName()), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listed no ClusterCredentials of a namespace")
		return nil // their own looks find it out
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if cc := &list.Items[i]; cc.Spec.AccountRef.Kind == v1alpha1.KindClusterCloudAccount {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(cc)})
		}
	}
	return requests
}
