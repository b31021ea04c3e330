// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watches stands between managers and what the API server lets them watch. All other requests pass.
type watches struct {
	mu     sync.Mutex
	frozen map[string]chan struct{} // by resource, closed with the thaw
	held   map[string]int           // events that came while it was frozen
	open   map[*watching]bool
	gone   map[string]int // watches that will be answered with 410 Gone
	anew   map[string]int // lists and streamed lists
	asked  bool           // 410 comes as the answer, and not as an event
}

// watching is one watch.
type watching struct {
	http.ResponseWriter
	*watches
	resource string
	ctx      context.Context // of the request
	end      context.CancelFunc
}

func newWatches() *watches {
	return &watches{
		frozen: map[string]chan struct{}{}, held: map[string]int{}, open: map[*watching]bool{},
		gone: map[string]int{}, anew: map[string]int{},
	}
}

// guard lets watches pass through.
func (s *watches) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, resource := r.URL.Query(), path.Base(r.URL.Path)
		isWatch, lists := query.Get("watch") == "true", query.Get("sendInitialEvents") == "true"
		if r.Method != http.MethodGet || !isWatch && resource != "clustercredentials" && resource != "secrets" {
			next.ServeHTTP(w, r)
			return
		}
		if lists || !isWatch {
			s.count(s.anew, resource, 1)
		}
		switch {
		case !isWatch:
			next.ServeHTTP(w, r)
		case !lists && s.isGone(resource):
			s.answerGone(w)
		default:
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			one := &watching{ResponseWriter: w, watches: s, resource: resource, ctx: ctx, end: cancel}
			s.track(one, true)
			defer s.track(one, false)
			next.ServeHTTP(one, r.WithContext(ctx))
		}
	})
}

// Write lets an event pass, once nothing is frozen.
func (one *watching) Write(event []byte) (int, error) {
	for {
		one.mu.Lock()
		thaw := one.frozen[one.resource]
		if thaw != nil {
			one.held[one.resource]++
		}
		one.mu.Unlock()
		if thaw == nil {
			return one.ResponseWriter.Write(event)
		}
		select {
		case <-thaw:
		case <-one.ctx.Done():
			return 0, one.ctx.Err()
		}
	}
}

// Unwrap lets the proxy flush.
func (one *watching) Unwrap() http.ResponseWriter { return one.ResponseWriter }

// freeze holds whatever the watches of a resource show from now on.
func (s *watches) freeze(resource string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen[resource], s.held[resource] = make(chan struct{}), 0
}

// thaw lets all of it go.
func (s *watches) thaw(resource string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.frozen[resource])
	delete(s.frozen, resource)
}

// expire loses what was held, as an API server does that has compacted it: the watches end, and whoever takes one up is told
// 410 Gone, as the answer or as an event, and has to list.
func (s *watches) expire(resource string, asAnswer bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.anew[resource] = asAnswer, 0
	for one := range s.open {
		if one.resource == resource {
			s.gone[resource]++
			one.end()
		}
	}
	delete(s.frozen, resource) // those that wait have ended
}

func (s *watches) isGone(resource string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone[resource] == 0 {
		return false
	}
	s.gone[resource]--
	return true
}

func (s *watches) answerGone(w http.ResponseWriter) {
	gone := apierrors.NewResourceExpired("too old resource version").Status()
	gone.Kind, gone.APIVersion = "Status", "v1"
	w.Header().Set("Content-Type", "application/json")
	if s.asked {
		w.WriteHeader(http.StatusGone)
		_ = json.NewEncoder(w).Encode(gone)
		return
	}
	_ = json.NewEncoder(w).Encode(struct {
		Type   watch.EventType `json:"type"`
		Object metav1.Status   `json:"object"`
	}{watch.Error, gone})
}

func (s *watches) track(one *watching, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if open {
		s.open[one] = true
		return
	}
	delete(s.open, one)
}

func (s *watches) count(what map[string]int, resource string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what[resource] += n
}

// waits says how many events are held, and lists how often the resource was listed since it expired.
func (s *watches) waits(resource string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[resource]
}

func (s *watches) lists(resource string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.anew[resource]
}
