// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// ring is the watch of one Secret.
type ring struct {
	// synced says whether the first list was seen, and noted in version.
	synced cache.InformerSynced
	// patience is until when callers wait for that.
	patience time.Time
	stop     chan struct{}

	mu      sync.Mutex
	unread  bool   // somebody has left without an answer
	version string // what the watch showed last; empty: no Secret
	secret  Secret // what was read with version; zero: not read
}

func newRing(watches metadata.Interface, name types.NamespacedName, changed func()) *ring {
	only := fields.OneTermEqualSelector(metav1.ObjectNameField, name.Name).String()
	informer := metadatainformer.NewFilteredMetadataInformer(watches,
		corev1.SchemeGroupVersion.WithResource("secrets"), name.Namespace, 0, cache.Indexers{},
		func(options *metav1.ListOptions) { options.FieldSelector = only }).Informer()
	r := &ring{synced: informer.HasSynced, patience: time.Now().Add(syncTimeout), stop: make(chan struct{})}
	// What stands in the first list is not a change: whoever asked waits for it.
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, first bool) {
			if first {
				r.show(obj, func() {})
				return
			}
			r.show(obj, changed)
		},
		UpdateFunc: func(_, obj any) { r.show(obj, changed) },
		DeleteFunc: func(any) { r.show(nil, changed) },
	})
	if err == nil { // a handler can only be refused by an informer that has ended
		r.synced = handler.HasSynced
	}
	go informer.Run(r.stop)
	go r.makeUp(changed)
	return r
}

// makeUp calls changed once the first list was seen, if somebody has left without it.
func (r *ring) makeUp(changed func()) {
	if !cache.WaitForCacheSync(r.stop, r.synced) {
		return
	}
	r.mu.Lock()
	unread := r.unread
	r.mu.Unlock()
	if unread {
		changed()
	}
}

// show notes the version that the watch shows, and forgets a key of another one.
func (r *ring) show(obj any, changed func()) {
	version := versionOf(obj)
	r.mu.Lock()
	same := r.version == version
	r.version = version
	if r.secret.Version != version {
		r.secret = Secret{}
	}
	r.mu.Unlock()
	if !same {
		changed()
	}
}

func versionOf(obj any) string {
	if obj == nil {
		return ""
	}
	object, err := meta.Accessor(obj)
	if err != nil {
		return ""
	}
	return string(object.GetUID()) + "/" + object.GetResourceVersion()
}

// shown returns what the watch shows, once it shows anything. Only while the watch is
// new it is waited for.
func (r *ring) shown(ctx context.Context) (string, error) {
	if !r.synced() && !r.wait(ctx) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		return "", &Unread{Why: "the API server has not shown it yet"}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version, nil
}

// wait returns true once the first list was seen. Whoever leaves before is made up for:
// either it sees here that the list has come, or makeUp sees that it has left.
func (r *ring) wait(ctx context.Context) bool {
	ctx, cancel := context.WithDeadline(ctx, r.patience)
	defer cancel()
	if cache.WaitForCacheSync(ctx.Done(), r.synced) {
		return true
	}
	r.mu.Lock()
	r.unread = true
	r.mu.Unlock()
	return r.synced()
}

// kept returns the key that was read with the version.
func (r *ring) kept(version string) (Secret, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.secret, r.secret.Version == version
}

// keep keeps a key for as long as the watch shows its version.
func (r *ring) keep(secret Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if secret.Version == r.version {
		r.secret = secret
	}
}

func (r *ring) end() { close(r.stop) }
