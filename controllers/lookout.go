// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
)

const (
	// lookDeadline bounds one list of an account's clusters.
	lookDeadline = 15 * time.Second
	// movedFor is how long a new address waits to be verified: the certificate of the server is signed anew some minutes after
	// an address is bound.
	movedFor = 15 * time.Minute
)

// lookouts are the clusters of the accounts as the cloud listed them last: one list for all that use an account.
type lookouts struct {
	mu      sync.Mutex
	seen    map[lookoutKey]*lookout
	running map[lookoutKey]bool
}

// lookoutKey names a list: an account as it is now, and a type of clusters.
type lookoutKey struct {
	account     types.NamespacedName
	version     string
	clusterType issuer.ClusterType
}

// lookout is one list.
type lookout struct {
	at       time.Time // when it was made, or tried
	listed   bool
	listedAt time.Time                 // when it was made
	clusters map[string]issuer.Cluster // by id
	unasked  map[string]bool           // ids of which nothing is known: not listed, and too many to be asked for one by one
}

// found is what the cloud says of clusters.
type found struct {
	clusters []issuer.Cluster
	unasked  map[string]bool
}

func (l *lookouts) of(key lookoutKey) (lookout, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seen := l.seen[key]; seen != nil {
		return *seen, true
	}
	return lookout{}, false
}

// begin is false while the list is being made; stop ends that.
func (l *lookouts) begin(key lookoutKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[key] {
		return false
	}
	if l.running == nil {
		l.running, l.seen = map[lookoutKey]bool{}, map[lookoutKey]*lookout{}
	}
	l.running[key] = true
	return true
}

func (l *lookouts) stop(key lookoutKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, key)
}

// note keeps the list, and says whether it tells something else than the one before. A list that could not be had leaves the one
// before; one that was not made anew for as long as lasts is forgotten.
func (l *lookouts) note(key lookoutKey, at time.Time, list found, listed bool, lasts time.Duration) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := &lookout{at: at, listed: listed, listedAt: at, clusters: map[string]issuer.Cluster{}, unasked: list.unasked}
	for _, cluster := range list.clusters {
		next.clusters[cluster.ID] = cluster
	}
	before := l.seen[key]
	if !listed && before != nil {
		next.listed, next.listedAt, next.clusters, next.unasked = before.listed, before.listedAt, before.clusters, before.unasked
	}
	for other, seen := range l.seen { // of a former key or spec of the account, or of one that nobody uses any more
		if other.account == key.account && other.clusterType == key.clusterType || at.Sub(seen.at) > lasts {
			delete(l.seen, other)
		}
	}
	l.seen[key] = next
	if !listed || before == nil || !before.listed {
		return listed
	}
	return !reflect.DeepEqual(before.clusters, next.clusters) || !reflect.DeepEqual(before.unasked, next.unasked)
}

// lookOut takes what the cloud last listed of the cluster into the pass, and has it list anew when it is time.
func (r *CredentialReconciler) lookOut(ctx context.Context, p *pass, record *rotation.Record) {
	if r.ClusterInterval <= 0 || p.account.reason != "" || record == nil || p.stored() == nil || p.cc.Spec.Suspend {
		return
	}
	key := lookoutKey{
		account: accountName(p.cc), version: p.account.version,
		clusterType: issuer.ClusterType(firstOf(p.cc.Spec.Cluster.Type, v1alpha1.ClusterTypeStandard)),
	}
	seen, known := r.lookouts.of(key)
	due := seen.at.Add(r.ClusterInterval)
	switch {
	case known:
	case p.isUnconfirmed():
		due = p.now // status was lost
	default:
		due = r.began.Add(spread(key.account.String(), r.ClusterInterval))
	}
	p.listAt = due
	if !due.After(p.now) {
		p.listAt = p.now.Add(r.ClusterInterval)
		if r.lookouts.begin(key) {
			with, began := p.account, p.began // the pass goes on meanwhile
			r.beside(ctx, func(ctx context.Context) { r.listClusters(ctx, key, with, began) })
		}
	}
	p.untold = !known
	seen = p.sees(seen, record.ClusterID)
	if p.unseen = !seen.listed || !p.tellsOf(seen, r.ClusterInterval); !p.unseen {
		p.apply(seen, *record)
	}
}

// listLasts is how many intervals a list is believed where no newer one can be had.
const listLasts = 3

// tellsOf says whether a list is about what is published: it is younger than the certificate, and not too old.
func (p *pass) tellsOf(seen lookout, interval time.Duration) bool {
	issued := p.stored().certificate.NotBefore.Time
	if at := p.marks().Source.IssuedAt; at != nil {
		issued = at.Time
	}
	return seen.listedAt.After(issued) && p.now.Sub(seen.listedAt) < listLasts*interval
}

// listClusters asks the cloud beside the passes, and wakes the users of the account where it says something new.
func (r *CredentialReconciler) listClusters(ctx context.Context, key lookoutKey, a account, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lookDeadline)
	defer cancel()
	defer r.lookouts.stop(key)
	list, listed := r.clustersOf(ctx, key, a, now)
	if !r.lookouts.note(key, now, list, listed, listLasts*r.ClusterInterval) {
		return
	}
	r.KeyChanged(ctx, key.account) // whoever uses it looks again
}

func (r *CredentialReconciler) clustersOf(ctx context.Context, key lookoutKey, a account, now time.Time) (found, bool) {
	if held := r.Budget.Probe(now, a.budget); held.Hold != budget.None {
		return found{}, false // a key that is refused is not tried for this, and a cloud that is throttling is left alone
	}
	cloud, err := r.Dialer.Dial(a.access)
	if err != nil {
		return found{}, false
	}
	list := found{}
	list.clusters, err = cloud.Clusters(ctx, key.clusterType)
	if err == nil {
		before, _ := r.lookouts.of(key)
		err = r.addUnlisted(ctx, key, cloud, &list, before)
	}
	if err != nil {
		outcome := outcomeOf(issuer.As(err), false)
		r.Budget.Report(now, a.budget, outcome)
		if outcome.Refused {
			r.tellRefused(a)
		}
		return found{}, false
	}
	return list, true
}

// mostUnlisted bounds how many clusters are asked for one by one after a list. Of the others nothing is said.
const mostUnlisted = 20

// addUnlisted asks for the published clusters that are not in the list: it may leave out what the key may not list, and a
// cluster is gone only where the cloud says so of its id. Those that were gone before come last, and stay so until it says otherwise.
func (r *CredentialReconciler) addUnlisted(
	ctx context.Context, key lookoutKey, cloud issuer.Cloud, list *found, before lookout,
) error {
	unlisted, err := r.unlisted(ctx, key, list.clusters)
	if err != nil {
		return err
	}
	gone := func(id string) bool {
		_, there := before.clusters[id]
		return before.listed && !there && !before.unasked[id]
	}
	slices.Sort(unlisted)
	first := slices.DeleteFunc(slices.Clone(unlisted), gone)
	last := slices.DeleteFunc(unlisted, func(id string) bool { return slices.Contains(first, id) })
	unlisted = append(first, last...)
	for n, id := range unlisted {
		if n >= mostUnlisted {
			list.miss(id, gone(id))
			continue
		}
		cluster, err := cloud.ClusterByID(ctx, key.clusterType, id)
		if err != nil {
			list.miss(id, gone(id) || issuer.As(err).Kind == issuer.NotFound)
			continue
		}
		cluster.CAPEM = nil
		list.clusters = append(list.clusters, cluster)
	}
	return nil
}

// miss notes a cluster that could not be found; where it is not gone, nothing is known of it.
func (f *found) miss(id string, gone bool) {
	if gone {
		return
	}
	if f.unasked == nil {
		f.unasked = map[string]bool{}
	}
	f.unasked[id] = true
}

// unlisted are the published clusters of an account that a list leaves out.
func (r *CredentialReconciler) unlisted(ctx context.Context, key lookoutKey, clusters []issuer.Cluster) ([]string, error) {
	users, err := r.credentialsOf(ctx, key.account)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{"": true}
	for _, cluster := range clusters {
		known[cluster.ID] = true
	}
	var ids []string
	for i := range users {
		id := users[i].Status.ClusterID
		if known[id] || issuer.ClusterType(firstOf(users[i].Spec.Cluster.Type, v1alpha1.ClusterTypeStandard)) != key.clusterType {
			continue
		}
		known[id] = true
		ids = append(ids, id)
	}
	return ids, nil
}

// apply compares the list with what is published.
func (p *pass) apply(seen lookout, record rotation.Record) {
	cluster, there := seen.clusters[record.ClusterID]
	switch {
	case seen.unasked[record.ClusterID]:
		p.unseen = true
		return
	case !there:
		p.missingCluster(seen, record)
		return
	}
	p.phase = cluster.Phase
	if len(cluster.Endpoints) > 0 {
		p.listed = cluster
	}
}

// missingCluster is about a published cluster that is not listed any more: one of its name may have been made anew.
func (p *pass) missingCluster(seen lookout, record rotation.Record) {
	name := p.cc.Spec.Cluster.Name
	var named []string
	for id, cluster := range seen.clusters {
		if name != "" && cluster.Name == name {
			named = append(named, id)
		}
	}
	switch {
	case len(named) == 1:
		p.replacedBy = named[0]
	case len(named) == 0 && (name != "" || p.cc.Spec.Cluster.ID == record.ClusterID):
		p.unlisted = true
	}
}

// takeListed takes the addresses of the list for what the cloud offers now. A new one is published once it is verified, or has
// been there for a while; the address is moved then without a certificate.
func (r *CredentialReconciler) takeListed(ctx context.Context, p *pass) {
	if p.listed.ID == "" {
		return
	}
	before, err := p.way()
	known := p.contexts()
	offer := currentOffer(known, offerOf(p.listed))
	if slices.Equal(offer, known) {
		r.stays(p)
		return
	}
	p.offer = offer
	after, chosen := p.way()
	if err != nil || chosen != nil || after.server == before.server || after.server == p.stored().way.server {
		r.stays(p)
		return
	}
	if !r.mayMove(ctx, p, after, after.access != before.access) {
		p.offer = nil // not yet
	}
}

// stays forgets an address that was about to be published.
func (r *CredentialReconciler) stays(p *pass) {
	if p.remembered.movedTo != "" {
		r.memory.update(p.cc, func(m *remembered) { m.movedTo, m.movedAt = "", time.Time{} })
	}
}

// mayMove says whether the published credential may go another way now. Another access is not taken sooner because it works: an
// address may be gone for a moment only, and the choice stays.
func (r *CredentialReconciler) mayMove(ctx context.Context, p *pass, after way, otherAccess bool) bool {
	since := p.remembered.movedAt
	if p.remembered.movedTo != after.server {
		since = p.now
		r.memory.update(p.cc, func(m *remembered) { m.movedTo, m.movedAt = after.server, since })
	}
	if p.now.Sub(since) >= movedFor {
		return true
	}
	sooner := since.Add(movedFor)
	if !otherAccess && r.verification(p) != v1alpha1.VerificationDisabled {
		if r.triedMoved(ctx, p, after) {
			return true
		}
		sooner = p.now.Add(time.Minute)
	}
	p.lookSooner(sooner)
	return false
}

// triedMoved tries the stored credential at its new address.
func (r *CredentialReconciler) triedMoved(ctx context.Context, p *pass, after way) bool {
	if p.view == nil && !r.lookAgain(ctx, p) || p.view.credential == nil {
		return false
	}
	moved := *p.view.credential
	after.dress(&moved.Endpoint)
	ctx, cancel := context.WithTimeout(ctx, verifyDeadline)
	defer cancel()
	return r.judge(p, moved, r.try(ctx, offerOf(p.listed), moved, false)) && p.trial.accepted()
}

// currentOffer is what the cloud offers now: of what it was known to offer, custom contexts and the hosts that it still says,
// and whatever it says besides.
func currentOffer(known, said []v1alpha1.OfferedContext) []v1alpha1.OfferedContext {
	hosts := hostsOf(said)
	var still []v1alpha1.OfferedContext
	for _, o := range known {
		if host := hostsOf([]v1alpha1.OfferedContext{o}); len(host) == 1 {
			if !slices.Contains(hosts, host[0]) {
				continue
			}
			o.Unconfirmed = false
		}
		still = append(still, o)
	}
	return mergedOffer(still, said)
}

// clusterFailure says why no certificate is asked for now: for a cluster that is gone, or in a state in which none is issued;
// nil: it may be asked for. Near expiry it is asked for all the same. The next list wakes whoever waits.
func (p *pass) clusterFailure() *status.Failure {
	stored := p.stored()
	switch {
	case stored != nil && !p.now.Before(rotation.SafeLimit(stored.validity())):
		return nil
	case p.unlisted:
		failure := goneFailure()
		return &failure
	default:
		return p.phaseFailure()
	}
}

// wantedClusterFailure is that of the cluster that a certificate is about to be asked for.
func (p *pass) wantedClusterFailure() *status.Failure {
	if p.decision.OtherCluster { // nothing is known of its certificates
		return p.phaseFailure()
	}
	return p.clusterFailure()
}

// phaseFailure says in which state no certificate is issued; nil: it is none of those.
func (p *pass) phaseFailure() *status.Failure {
	if p.phase == "" || slices.Contains(servingPhases, p.phase) {
		return nil
	}
	return &status.Failure{
		Reason:  v1alpha1.ReasonClusterNotAvailable,
		Message: fmt.Sprintf("the cluster is in phase %s: a certificate is asked for once it is available again", p.phase),
	}
}

// isAsleep says whether the cluster hibernates, as far as the last list tells: somebody has sent it to sleep, and nothing is wrong with it.
func (p *pass) isAsleep() bool { return p.phase == "Hibernating" || p.phase == "Hibernation" }

// asleepBefore says whether a renewal waits for a cluster that was not available, or gone, when it was last listed.
func (p *pass) asleepBefore() bool {
	stored := p.stored()
	return stored != nil && p.now.Before(rotation.SafeLimit(stored.validity())) && p.cc.Status.Failures == 0 &&
		!p.decision.OtherCluster && (p.saidAlready(v1alpha1.ReasonClusterNotAvailable) || p.saidAlready(v1alpha1.ReasonClusterNotFound))
}

func goneFailure() status.Failure {
	return status.Failure{
		Reason:  v1alpha1.ReasonClusterNotFound,
		Message: "the cloud does not know the cluster any more; its Secrets stay: delete this object if the cluster is gone for good, or write another spec.cluster",
	}
}

// servingPhases are those in which the API server serves and no operation is under way that forbids a certificate
// (CCE's API reference, "Querying a Specified Cluster", status.phase).
var servingPhases = []string{"Available", "ScalingUp", "ScalingDown"}

// listLook is how soon a pass follows one that awaits the first list.
const listLook = 500 * time.Millisecond

// awaitsList says whether status was lost and the list is under way that confirms what the Secret says of addresses: status is
// written as it was, then.
func (p *pass) awaitsList() bool {
	return p.untold && p.decision.Trigger == "" && len(p.cc.Status.Contexts) == 0 && p.isUnconfirmed()
}

// spread gives equal names equal times within an interval.
func spread(name string, interval time.Duration) time.Duration {
	return time.Duration(hashOf(name) % uint64(max(interval, 1))) //nolint:gosec // less than interval
}

// sameAuthority says whether the cloud shows the published CA, as far as both are known.
func sameAuthority(stored, shown []byte) bool {
	return len(stored) == 0 || len(shown) == 0 || kubeconfig.SameCA(stored, shown)
}
