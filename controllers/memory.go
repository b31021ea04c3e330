// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// memory is what passes remember of each other. All of it can be lost: a restart
// reads the Secrets again, and asks for nothing.
type memory struct {
	mu         sync.Mutex
	objects    map[types.UID]*remembered
	names      map[types.NamespacedName]types.UID
	preflights map[string]time.Time
	// swept is when preflights were last freed of those that count no more.
	swept time.Time
	// offered are the contexts that the cloud has offered of clusters, by their ids. The slices are never changed.
	offered map[string][]v1alpha1.OfferedContext
}

// remembered is what is remembered of one ClusterCredential.
type remembered struct {
	// written is the resourceVersion of our last status write, writtenAt when that was.
	written   string
	writtenAt time.Time
	// facts are those of the primary Secret, as it was last read or written.
	facts *secretFacts
	// copies are what was last known of the Secrets of the further outputs. The map is never changed.
	copies map[types.NamespacedName]copyFacts
	// movedTo is an address that the cloud lists and that is not published yet, movedAt when it was first seen.
	movedTo string
	movedAt time.Time
	// gone are Secrets that status tells of and that were found to be there no more, or not ours. The map is never changed.
	gone map[types.NamespacedName]bool
	// held is a certificate that could not be stored yet.
	held *held
	// unposted is an intent whose write failed, so that nothing was asked for.
	unposted string
	// unreported is an attempt whose outcome could not be written to status yet.
	unreported *status.Attempt
}

// held is an issued certificate with everything that it takes to publish it.
type held struct {
	issuance   v1alpha1.Issuance
	credential kubeconfig.Credential
	// chains is true where the certificate was found to be signed by the credential's CA.
	chains bool
	marks  target.Marks
	// adopted is true where it was not issued, but found in a Secret that is taken over.
	adopted bool
	// untried is true where it must be accepted by the cluster before it is published, and was not tried yet.
	untried bool
	// began is the issuance id that the Secret carried before, beganWith the fingerprint of its certificate.
	began, beganWith string
}

func newMemory() *memory {
	return &memory{
		objects:    map[types.UID]*remembered{},
		names:      map[types.NamespacedName]types.UID{},
		preflights: map[string]time.Time{},
		offered:    map[string][]v1alpha1.OfferedContext{},
	}
}

// mostOffered bounds of how many clusters it is remembered what the cloud offers.
const mostOffered = 50_000

func (m *memory) offeredOf(clusterID string) []v1alpha1.OfferedContext {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.offered[clusterID]
}

// offers notes what the cloud was last known to offer of a cluster.
func (m *memory) offers(clusterID string, contexts []v1alpha1.OfferedContext) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.offered) >= mostOffered {
		clear(m.offered) // the next lists tell
	}
	if clusterID != "" && len(contexts) > 0 && !slices.Equal(m.offered[clusterID], contexts) {
		m.offered[shared.same(clusterID)] = contexts
	}
}

// of returns a copy of what is remembered of an object.
func (m *memory) of(uid types.UID) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.objects[uid]; known != nil {
		return *known
	}
	return remembered{}
}

// update changes what is remembered of an object.
func (m *memory) update(cc *v1alpha1.ClusterCredential, change func(*remembered)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.objects[cc.UID]
	if known == nil {
		known = &remembered{}
		m.objects[cc.UID] = known
		m.names[types.NamespacedName{Namespace: cc.Namespace, Name: cc.Name}] = cc.UID
	}
	change(known)
}

// noteGone notes that a Secret that status tells of, and the spec does not name, is not there any more. One that comes back of the
// object's class is shown by the watch.
func (m *memory) noteGone(cc *v1alpha1.ClusterCredential, key types.NamespacedName) {
	m.update(cc, func(known *remembered) {
		gone := maps.Clone(known.gone)
		if gone == nil {
			gone = map[types.NamespacedName]bool{}
		}
		gone[key] = true
		known.gone = gone
	})
}

// replaced returns the UID of another object that was known under the name of this one,
// and drops it: deleted and created again, it may come as one event. Empty: none.
func (m *memory) replaced(cc *v1alpha1.ClusterCredential) types.UID {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := types.NamespacedName{Namespace: cc.Namespace, Name: cc.Name}
	before := m.names[name]
	if before == cc.UID {
		return ""
	}
	delete(m.objects, before)
	delete(m.names, name)
	return before
}

// hasSeen says whether a pass over the object of that name knows a version of its Secrets, which it has read, written or been
// shown. No two have the same.
func (m *memory) hasSeen(owner types.NamespacedName, version string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.objects[m.names[owner]]
	if known == nil || version == "" {
		return false
	}
	for _, c := range known.copies {
		if c.version == version {
			return true
		}
	}
	return known.facts != nil && known.facts.version == version
}

// knows says whether anything is remembered of an object of that name.
func (m *memory) knows(name types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, known := m.names[name]
	return known
}

// forget drops an object that is gone and returns its UID; empty: it was not known.
func (m *memory) forget(name types.NamespacedName) types.UID {
	m.mu.Lock()
	defer m.mu.Unlock()
	uid := m.names[name]
	delete(m.objects, uid)
	delete(m.names, name)
	return uid
}

// wrote notes our last write of the object's status.
func (m *memory) wrote(cc *v1alpha1.ClusterCredential, version string, now time.Time) {
	m.update(cc, func(known *remembered) { known.written, known.writtenAt = version, now })
}

// staleFor is how long a cache may lag behind our own write. After that the write is not
// coming: the API server was put back to an earlier state.
const staleFor = 30 * time.Second

// isStale says whether the object is older than our own last write of its status.
func (m *memory) isStale(cc *v1alpha1.ClusterCredential, now time.Time) bool {
	known := m.of(cc.UID)
	if known.written == "" || now.Sub(known.writtenAt) > staleFor {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(cc.ResourceVersion, known.written)
	return err == nil && order < 0
}

// isOwnWrite says whether the object is exactly what we wrote last.
func (m *memory) isOwnWrite(uid types.UID, version string) bool {
	return m.of(uid).written == version
}

// preflightLasts is how long a namespace that takes our Secrets is believed to do so.
const preflightLasts = 10 * time.Minute

func (m *memory) preflightPassed(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, passed := m.preflights[key]
	return passed && now.Sub(at) < preflightLasts
}

func (m *memory) passPreflight(key string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.swept) >= preflightLasts { // not each time: there may be one for each of very many namespaces
		maps.DeleteFunc(m.preflights, func(_ string, at time.Time) bool { return now.Sub(at) >= preflightLasts })
		m.swept = now
	}
	m.preflights[key] = now
}

func (m *memory) failPreflight(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.preflights, key)
}
