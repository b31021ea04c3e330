// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// temporaries are the keys and tokens that were given out. They grow without bound, about
// a kilobyte each: what has ended stays, so that it can be refused as such.
type temporaries struct {
	mu       sync.Mutex
	lifetime time.Duration
	keys     map[string]temporaryKey
	order    []string             // of keys
	logins   map[string]login     // by X-Subject-Token
	metadata map[string]time.Time // tokens of the metadata service, with their ends
}

type temporaryKey struct {
	AccessKey
	ends time.Time
}

// login is a token of IAM that a federated user has.
type login struct {
	who  principal
	ends time.Time
}

// agencyKeyLifetime is how long the keys of agencies live. The documents name no figure
// for pod identity; ECS gives new ones an hour or more before the old ones end.
const agencyKeyLifetime = 24 * time.Hour

func newTemporaries(lifetime time.Duration) *temporaries {
	if lifetime == 0 {
		lifetime = agencyKeyLifetime
	}
	return &temporaries{
		lifetime: lifetime, keys: map[string]temporaryKey{}, logins: map[string]login{}, metadata: map[string]time.Time{},
	}
}

// TemporaryKeys returns every temporary key that was given out so far, in order. Tests
// look for their secrets where they must not be.
func (s *Server) TemporaryKeys() []AccessKey {
	t := s.temporaries
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]AccessKey, 0, len(t.order))
	for _, id := range t.order {
		all = append(all, t.keys[id].AccessKey)
	}
	return all
}

// LoginTokens returns every token that a login gave out so far, in any order, for the same use.
func (s *Server) LoginTokens() []string {
	t := s.temporaries
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.logins))
}

// SetTemporaryLifetime is Config.TemporaryLifetime from now on; 0 or less: its default.
func (s *Server) SetTemporaryLifetime(d time.Duration) {
	if d <= 0 {
		d = agencyKeyLifetime
	}
	s.temporaries.mu.Lock()
	defer s.temporaries.mu.Unlock()
	s.temporaries.lifetime = d
}

// RevokeTemporaryKeys makes the keys that were given out so far unknown, as when an
// agency is deleted and made anew.
func (s *Server) RevokeTemporaryKeys() {
	s.temporaries.mu.Lock()
	defer s.temporaries.mu.Unlock()
	clear(s.temporaries.keys)
	s.temporaries.order = nil
}

// ofAgency gives an agency a key with the lifetime of the configuration.
func (t *temporaries) ofAgency(a Agency, now time.Time) temporaryKey {
	t.mu.Lock()
	lifetime := t.lifetime
	t.mu.Unlock()
	return t.give(a.principal(), now, lifetime)
}

func (t *temporaries) give(who principal, now time.Time, lifetime time.Duration) temporaryKey {
	k := temporaryKey{
		AccessKey: AccessKey{
			ID:            "HST" + strings.ToUpper(randomHex(10))[:17],
			Secret:        randomHex(20),
			SecurityToken: randomText(300),
			UserID:        who.userID, Groups: who.groups, Projects: who.allowed,
		},
		ends: now.Add(lifetime).UTC().Truncate(time.Second),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys[k.ID] = k
	t.order = append(t.order, k.ID)
	return k
}

func (t *temporaries) key(id string) (temporaryKey, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.keys[id]
	return k, ok
}

// logIn gives a new user a token.
func (t *temporaries) logIn(p IdentityProvider, now time.Time) (token string, l login) {
	l = login{
		who:  principal{userID: randomHex(16), groups: p.Groups, allowed: p.Projects},
		ends: now.Add(24 * time.Hour),
	}
	token = randomText(600)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logins[token] = l
	return token, l
}

func (t *temporaries) login(token string) (login, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.logins[token]
	return l, ok
}

func (t *temporaries) metadataToken(now time.Time, lifetime time.Duration) string {
	token := randomText(40)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metadata[token] = now.Add(lifetime)
	return token
}

func (t *temporaries) isMetadataToken(token string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.metadata[token])
}

// randomText has the form of the tokens of IAM: base64 of so many bytes.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, says its document
	return base64.StdEncoding.EncodeToString(b)
}
