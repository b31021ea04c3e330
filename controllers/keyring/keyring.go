// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrMissing is returned where the Secret does not exist.
var ErrMissing = errors.New("the Secret does not exist")

// Unread is returned where the API server has not shown the Secret yet, or does not let
// it be read. Its text carries nothing of the API server's answer but the reason.
type Unread struct {
	// Why is what the API server said, in a word or some of ours.
	Why string
}

// Error says that it could not be read, and why.
func (e *Unread) Error() string { return "the Secret could not be read: " + e.Why }

// Secret is the data of a Secret, and its version.
type Secret struct {
	// Data is the data; callers wrap what they take out of it and never print it.
	Data map[string][]byte
	// Version tells one state of the Secret from another: UID and resourceVersion.
	Version string
}

// Keyring watches the Secrets that accounts name. It is safe for several goroutines.
type Keyring struct {
	watches metadata.Interface
	live    client.Reader
	changed func(owner types.NamespacedName)

	mu     sync.Mutex
	owners map[types.NamespacedName]types.NamespacedName // account → Secret
	rings  map[types.NamespacedName]*ring                // Secret → watch
}

// New returns a keyring that watches through watches, reads through live, and calls
// changed for each account whose Secret has changed. changed must not block.
func New(watches metadata.Interface, live client.Reader, changed func(owner types.NamespacedName)) *Keyring {
	return &Keyring{
		watches: watches, live: live, changed: changed,
		owners: map[types.NamespacedName]types.NamespacedName{},
		rings:  map[types.NamespacedName]*ring{},
	}
}

// syncTimeout is how long callers wait for a new watch to show the Secret, counted from
// its beginning: one that is later must not hold up everybody who uses the key.
const syncTimeout = 2 * time.Second

// Get returns the Secret that owner names, and watches it from now on. It reads at the
// API server only where the watch shows a version that was not read yet. The error is
// ErrMissing, an *Unread, or that of ctx. changed is called once a watch shows what it did not in time.
func (k *Keyring) Get(ctx context.Context, owner, name types.NamespacedName) (Secret, error) {
	r := k.ringFor(owner, name)
	version, err := r.shown(ctx)
	if err != nil {
		return Secret{}, fmt.Errorf("watch Secret %s: %w", name, err)
	}
	if version == "" {
		return Secret{}, fmt.Errorf("%s: %w", name, ErrMissing)
	}
	if secret, ok := r.kept(version); ok {
		return secret, nil
	}
	return k.read(ctx, r, name)
}

func (k *Keyring) read(ctx context.Context, r *ring, name types.NamespacedName) (Secret, error) {
	var found corev1.Secret
	if err := k.live.Get(ctx, name, &found); err != nil {
		if apierrors.IsNotFound(err) {
			return Secret{}, fmt.Errorf("%s: %w", name, ErrMissing)
		}
		if ctx.Err() != nil {
			return Secret{}, fmt.Errorf("read Secret %s: %w", name, ctx.Err())
		}
		return Secret{}, fmt.Errorf("read Secret %s: %w", name, &Unread{Why: reasonOf(err)})
	}
	secret := Secret{Data: found.Data, Version: string(found.UID) + "/" + found.ResourceVersion}
	r.keep(secret)
	return secret, nil
}

// reasonOf is what the API server said, without its text.
func reasonOf(err error) string {
	if reason := apierrors.ReasonForError(err); reason != "" {
		return "the API server answered " + string(reason)
	}
	return "the API server could not be reached"
}

// Drop ends what owner names; a watch that nobody needs any more ends with it.
func (k *Keyring) Drop(owner types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(owner)
}

// Close ends all watches.
func (k *Keyring) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for owner := range k.owners {
		k.drop(owner)
	}
}

// ringFor returns the watch of the Secret that owner names, and begins it where there
// is none.
func (k *Keyring) ringFor(owner, name types.NamespacedName) *ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	if before, known := k.owners[owner]; known && before != name {
		k.drop(owner)
	}
	k.owners[owner] = name
	r := k.rings[name]
	if r == nil {
		r = newRing(k.watches, name, func() { k.tell(name) })
		k.rings[name] = r
	}
	return r
}

func (k *Keyring) drop(owner types.NamespacedName) {
	name, known := k.owners[owner]
	if !known {
		return
	}
	delete(k.owners, owner)
	for _, other := range k.owners {
		if other == name {
			return
		}
	}
	k.rings[name].end()
	delete(k.rings, name)
}

// tell calls changed for every account that names the Secret.
func (k *Keyring) tell(name types.NamespacedName) {
	k.mu.Lock()
	var owners []types.NamespacedName
	for owner, named := range k.owners {
		if named == name {
			owners = append(owners, owner)
		}
	}
	k.mu.Unlock()
	for _, owner := range owners {
		k.changed(owner)
	}
}
