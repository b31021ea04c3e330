// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

const (
	// refreshAhead is how long before its end a temporary key is replaced, as by the SDK
	// (defaultExpirationThresholdSeconds of core/auth).
	refreshAhead = 40 * time.Minute
	// refreshPause is between two refreshes, for as long as one has failed or the key is good.
	refreshPause = time.Minute
	// refreshTimeout bounds a refresh. The SDK bounds those that know no context: the
	// metadata service by 3s for each of up to four requests, pod identity by 10s.
	refreshTimeout = 15 * time.Second
)

// temporaryKey is a key that ends.
type temporaryKey struct {
	key  issuer.Key
	ends time.Time
}

// source obtains temporary keys for all accounts that share a way to them, and holds
// the last one. The SDK does the same in every call, without a lock, and fails the call
// if it cannot. Here one refresh runs at a time, beside the calls: they wait for it only
// if there is no good key, and a key is used to its end, whatever its refreshes bring.
type source struct {
	method issuer.KeylessMethod
	// fetch obtains a new key. Its errors are *issuer.Error.
	fetch func(context.Context) (temporaryKey, error)

	mutex sync.Mutex
	held  temporaryKey
	// running is closed when the refresh under way has ended; nil: there is none.
	running chan struct{}
	// tried is when the last refresh ended, failure why it brought nothing; nil: it brought the key.
	tried   time.Time
	failure *issuer.Error
}

// Format keeps the key out of every fmt verb: fmt does not call the methods of fields
// that are not exported.
func (s *source) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "keys by "+string(s.method)) }

// key returns a good key. Without one it waits for the refresh, as long as the context
// lets it; a refresh that has failed is not repeated within refreshPause.
func (s *source) key(ctx context.Context) (issuer.Key, error) {
	key, running, err := s.look(ctx)
	if running == nil {
		return key, err
	}
	select {
	case <-running:
		return s.outcome()
	case <-ctx.Done():
		late := noKey(s.method, "it did not answer in time")
		late.Err = ctx.Err()
		return issuer.Key{}, late
	}
}

// look starts a refresh if one is due. It returns the key, or why there is none, or
// else what to wait for.
func (s *source) look(ctx context.Context) (issuer.Key, <-chan struct{}, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := time.Now()
	good := now.Before(s.held.ends)
	rested := now.Sub(s.tried) >= refreshPause || !good && s.failure == nil
	if s.running == nil && rested && s.held.ends.Sub(now) < refreshAhead {
		s.running = make(chan struct{})
		go s.refresh(context.WithoutCancel(ctx), s.running)
	}
	switch {
	case good:
		return s.held.key, nil, nil
	case s.running != nil:
		return issuer.Key{}, s.running, nil
	}
	return issuer.Key{}, nil, new(*s.failure)
}

// outcome is what a refresh that has ended leaves.
func (s *source) outcome() (issuer.Key, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case time.Now().Before(s.held.ends):
		return s.held.key, nil
	case s.failure != nil:
		return issuer.Key{}, new(*s.failure)
	}
	return issuer.Key{}, noKey(s.method, "the key that it gave has ended already")
}

// refresh obtains a key on behalf of all callers: the one that began it may leave.
func (s *source) refresh(ctx context.Context, done chan<- struct{}) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	fresh, err := s.fetched(ctx)

	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.running, s.tried, s.failure = nil, time.Now(), nil
	if err != nil {
		s.failure = s.failed(err)
	} else {
		s.held = fresh
	}
	close(done)
}

// fetched turns a panic into an error: it would end the process, and nobody would refresh after it.
func (s *source) fetched(ctx context.Context) (fresh temporaryKey, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return s.fetch(ctx)
}

// failed keeps a foreign text, such as one that quotes an answer, out of the errors.
func (s *source) failed(err error) *issuer.Error {
	if own, ok := errors.AsType[*issuer.Error](err); ok {
		return own
	}
	return noKey(s.method, "there was no answer")
}

// doubt drops a key that the cloud does not accept, such as one of an agency that was
// made anew: it would be used for hours. One that is younger than refreshPause is kept,
// since another would fare no better.
func (s *source) doubt(refused issuer.Key) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.held.key.ID == refused.ID && time.Since(s.tried) >= refreshPause {
		s.held = temporaryKey{}
	}
}
