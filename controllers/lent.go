// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
			version: versionOf(object),
		}, nil
	}
	a, err := c.unlock(ctx, object)
	a.granted = granted
	return a, err
}

// grantedTo are the grants that are for a namespace. Its labels are looked at only where a grant asks for them; one that the cache does
// not show is selected by none, whatever its labels may be.
func (c *Config) grantedTo(ctx context.Context, all []v1alpha1.AccountGrant, namespace string) ([]v1alpha1.AccountGrant, error) {
	of := grants.Namespace{Name: namespace}
	if grants.NeedsLabels(all) {
		found := &metav1.PartialObjectMetadata{}
		found.SetGroupVersionKind(namespaceKind)
		err := c.Client.Get(ctx, types.NamespacedName{Name: namespace}, found)
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("read the labels of namespace %s: %w", namespace, err)
		}
		of.Labels, of.Unseen = found.Labels, err != nil
	}
	return grants.For(all, of), nil
}

// isLent says whether the spec borrows somebody else's account.
func (p *pass) isLent() bool { return p.cc.Spec.AccountRef.Kind == v1alpha1.KindClusterCloudAccount }

// termsFor are what the grants allow of a cluster, with all that the spec asks for. Of one's own account everything is allowed.
// The id and the name have to be the cloud's words; without a name, grants that go by name are for other clusters.
func (p *pass) termsFor(id, name string) grants.Terms {
	if !p.isLent() {
		return grants.Terms{}
	}
	wish := grants.Wish{ClusterID: id, ClusterName: name, CustomEndpoint: p.ownEndpoint()}
	if e := p.cc.Spec.Endpoint; e != nil {
		wish.InsecureTLS = e.AllowInsecureTLS
	}
	return grants.Decide(p.account.granted, wish)
}

// agree looks whether a grant is for a cluster as the cloud has described it; nil: one is, and a certificate may be asked for on its
// terms.
func (r *CredentialReconciler) agree(p *pass, cluster issuer.Cluster) *status.Failure {
	terms := p.termsFor(cluster.ID, cluster.Name)
	if terms.Rule == grants.Granted {
		r.agreeOn(p, terms)
		return nil
	}
	failure := r.notAllowed(p)
	if terms.Rule == grants.NoCustomEndpoint {
		failure.Message = p.endpointNotGranted()
	}
	return &failure
}

func (r *CredentialReconciler) agreeOn(p *pass, terms grants.Terms) {
	p.agreed = &terms
	p.insecureAllowed = r.AllowInsecureTLS || terms.InsecureTLS
}

// agreesByID says whether a grant allows all that is asked for by the id of the cluster, and none for the namespace goes by name, so that
// the cloud need not be asked what the cluster is called.
func (r *CredentialReconciler) agreesByID(p *pass) bool {
	terms := p.termsFor(p.clusterID, "")
	byName := slices.ContainsFunc(p.account.granted, func(g v1alpha1.AccountGrant) bool { return g.Clusters != nil && len(g.Clusters.Names) > 0 })
	e := p.cc.Spec.Endpoint
	lacksInsecure := e != nil && e.AllowInsecureTLS && !terms.InsecureTLS && p.isLent()
	if byName || lacksInsecure || terms.Rule != grants.Granted {
		return false
	}
	r.agreeOn(p, terms)
	return true
}

// stillAgreed says whether the account is what it was when the pass began, with the same grants for the namespace: looking at a
// cluster takes time.
func (r *CredentialReconciler) stillAgreed(ctx context.Context, p *pass) (bool, error) {
	now, err := r.accountFor(ctx, p.cc.Namespace, p.cc.Spec.AccountRef)
	if err != nil {
		return false, err
	}
	return now.reason == "" && now.version == p.account.version && now.grantsText() == p.account.grantsText() && p.agreed != nil, nil
}

// publishedTerms are what the grants allow of the cluster that is published. Where the cloud has not listed it yet, what status says of it
// counts, and what the Secret says only where status was lost: it is the tenant's to edit, and so is what is published there.
func (p *pass) publishedTerms() grants.Terms {
	return p.termsFor(p.publishedCluster())
}

// ownEndpoint says whether the spec gives a server or a proxy itself.
func (p *pass) ownEndpoint() bool {
	e := p.cc.Spec.Endpoint
	return e != nil && (e.Server != "" || e.ProxyURL != "")
}

// mayHaveOwnEndpoint says whether the server and the proxy that the spec gives count: those of a lent account are an administrator's
// to allow.
func (p *pass) mayHaveOwnEndpoint() bool {
	return !p.ownEndpoint() || p.agreed != nil || p.publishedTerms().Rule == grants.Granted
}

// endpointNotGranted says that the spec gives a server or a proxy that the account does not let it give.
func (p *pass) endpointNotGranted() string {
	return fmt.Sprintf("spec.endpoint gives a server or a proxy, and no grant of %s %q for this cluster lets it (spec.grants[].customEndpoint)",
		v1alpha1.KindClusterCloudAccount, p.cc.Spec.AccountRef.Name)
}

// tellNotGranted tells that the address of the spec is not published, where nothing is due.
func (p *pass) tellNotGranted() {
	if p.attempt == nil && p.decision.Trigger == "" && p.stored() != nil && p.account.reason == "" && !p.mayHaveOwnEndpoint() {
		p.fail(status.Failure{Reason: v1alpha1.ReasonAccountNotAllowed, Message: p.endpointNotGranted()})
	}
}

// notAllowed says that a cluster is not the tenant's to ask for, in the same words whether it is not granted or not there.
func (r *CredentialReconciler) notAllowed(p *pass) status.Failure {
	return status.Failure{
		Reason: v1alpha1.ReasonAccountNotAllowed, Counts: true, RetryAt: r.backoff(p, rotation.CapLate),
		Message: fmt.Sprintf("%s has no cluster that spec.cluster names and that a grant (spec.grants[].clusters) lets namespace %q use: "+
			"check spec.cluster, or ask its administrator", p.account.object, p.cc.Namespace),
	}
}

// sees leaves of a list what the grants let the namespace use: of other clusters nothing is known.
func (p *pass) sees(all lookout, id string) lookout {
	if !p.isLent() {
		return all
	}
	granted := func(id, name string) bool {
		return slices.ContainsFunc(p.account.granted, func(g v1alpha1.AccountGrant) bool { return grants.IncludesCluster(g.Clusters, id, name) })
	}
	seen := all
	seen.clusters = maps.Clone(all.clusters)
	maps.DeleteFunc(seen.clusters, func(id string, cluster issuer.Cluster) bool { return !granted(id, cluster.Name) })
	_, there := all.clusters[id]
	if _, shown := seen.clusters[id]; there != shown || !there && !granted(id, p.toldName()) {
		seen.unasked = map[string]bool{id: true}
	}
	return seen
}

// notGrantedNow says why a certificate that is not stored yet may not be published any more; empty: it may. It counts only what an
// account says that is there: one that cannot be read takes nothing back.
func (p *pass) notGrantedNow(kept *held) string {
	if !p.isLent() || p.account.object == nil || p.account.unread {
		return ""
	}
	record, _ := rotation.ParseRecord(kept.marks.Request)
	terms := p.termsFor(record.ClusterID, kept.marks.Source.ClusterName)
	schedule := rotation.Schedule{Cap: terms.MaxValidity, AskedAt: kept.issuance.StartedAt.Time}
	if terms.Rule == grants.Granted && !schedule.IsOverCap(rotation.Validity{NotBefore: kept.credential.NotBefore, NotAfter: kept.credential.NotAfter}) {
		return ""
	}
	return "it was not stored before the grants of the account changed, which do not allow it any more"
}

// clusterError says what an error about the cluster means, and keeps from a tenant what it tells of clusters that are not granted.
func (r *CredentialReconciler) clusterError(p *pass, e *issuer.Error) status.Failure {
	if !p.isLent() {
		return r.cloudFailure(p, e)
	}
	told := *e
	switch e.Kind {
	case issuer.Ambiguous: // the candidates all have the name that the spec gives
		if told.Candidates = p.grantedOf(e.Candidates); len(told.Candidates) == 0 {
			return r.notAllowed(p)
		}
	case issuer.NotFound:
		if p.agreed == nil {
			return r.notAllowed(p)
		}
	case issuer.Forbidden, issuer.NotAvailable, issuer.Rejected, issuer.InvalidResponse:
		if p.agreed == nil && (p.clusterID != "" || e.Kind == issuer.Forbidden) && p.termsFor(p.clusterID, "").Rule != grants.Granted {
			return r.notAllowed(p)
		}
	default: // nothing of a cluster
	}
	return r.cloudFailure(p, &told)
}

// grantedOf are those of several clusters with the name that the spec gives that a grant is for.
func (p *pass) grantedOf(candidates []string) []string {
	return slices.DeleteFunc(slices.Clone(candidates), func(id string) bool {
		return grants.Decide(p.account.granted, grants.Wish{ClusterID: id, ClusterName: p.cc.Spec.Cluster.Name}).Rule != grants.Granted
	})
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
	most := p.longestAgreed()
	if request := requestOf(p); most <= 0 || request.Days > 0 || !request.ExpireAt.IsZero() || request.Days == -1 {
		return nil
	}
	return &status.Failure{
		Reason: v1alpha1.ReasonRejected, Counts: true,
		Message: fmt.Sprintf("the grants of %s allow %s at the most (spec.grants[].maxValidity), and certificates of Autopilot clusters last whole days", p.account.object, most),
	}
}

// longestAgreed is the longest validity that may be asked for; zero: no bound of ours.
func (p *pass) longestAgreed() time.Duration {
	if p.agreed == nil {
		return 0
	}
	return p.agreed.MaxValidity
}

// exceeds says whether a certificate lasts longer than the grants allow; the cloud may round up a little.
func (p *pass) exceeds(notAfter time.Time) bool {
	most := p.longestAgreed()
	return most > 0 && notAfter.After(p.now.Add(most+rotation.CapSlack(most)))
}

// capNote tells that less is asked for than the spec says; empty: it is not.
func (p *pass) capNote() string {
	most := p.publishedTerms().MaxValidity
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

// capsDigest tells what validity grants allow to whom from what others do; empty: an account of one's own has no grants.
func capsDigest(o *accountObject) string {
	if o.kind != v1alpha1.KindClusterCloudAccount {
		return ""
	}
	var caps []string
	for _, g := range o.grants {
		text, err := json.Marshal(v1alpha1.AccountGrant{Namespaces: g.Namespaces, Clusters: g.Clusters, MaxValidity: g.MaxValidity})
		if err != nil {
			return "unreadable" // names, selectors and durations always marshal
		}
		caps = append(caps, string(text))
	}
	slices.Sort(caps)
	return digest(caps...)
}

// versionOf names all of an account that counts for a certificate, but for its grants.
func versionOf(o *accountObject) string {
	lent, isLent := o.Object.(*v1alpha1.ClusterCloudAccount)
	if !isLent {
		return fmt.Sprintf("%s/%d", o.GetUID(), o.GetGeneration())
	}
	spec := lent.Spec.DeepCopy()
	spec.Grants = nil
	text, err := json.Marshal(spec)
	if err != nil {
		return fmt.Sprintf("%s/%d", o.GetUID(), o.GetGeneration()) // it always marshals: it came as JSON
	}
	return fmt.Sprintf("%s/%s", o.GetUID(), digest(string(text)))
}

// grantsText names the grants for a namespace; empty: an account of one's own.
func (a account) grantsText() string {
	if a.object == nil || a.object.kind != v1alpha1.KindClusterCloudAccount {
		return ""
	}
	text, err := json.Marshal(a.granted)
	if err != nil {
		return "unreadable" // names, selectors and durations always marshal
	}
	return digest(string(text))
}

// capSince is since when the longest validity counts that the grants allow; zero: not known yet.
func (p *pass) capSince() time.Time {
	o := p.account.object
	if o == nil || !p.isLent() || o.status.GrantsChangedTime == nil || o.status.GrantsSeen != capsDigest(o) {
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
