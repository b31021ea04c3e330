// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// gate stands between managers and both of their servers. It names every request that changes something about a credential, in
// the order in which they come, and can let something befall the manager at one of them.
type gate struct {
	api, cloud *httptest.Server
	watches    *watches

	mu     sync.Mutex
	seen   []string
	strike *strike
}

// strike is what befalls a manager.
type strike struct {
	at    int  // the request, counted from 0 from the moment on that it was set
	after bool // once it was carried out, and before the answer; else before it is forwarded
	hit   func()
	done  chan struct{} // closed once it has hit
	// fatal is for one that the manager does not survive: what was not forwarded never is, and nobody hears an answer.
	fatal bool
	// goesOn, where it is set, holds up the request until it is closed.
	goesOn chan struct{}
}

// newGate stands before both servers of a world. The API server takes who comes through it for the operator.
func (w *world) newGate() *gate {
	w.t.Helper()
	upstream, err := url.Parse(w.roles.operator.Host)
	w.must(err)
	transport, err := rest.TransportFor(w.roles.operator)
	w.must(err)
	g := &gate{watches: newWatches()}
	g.api = httptest.NewServer(g.watches.guard(g.guard(changeOfCluster, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			w.ownLease(r.Out)
		},
		Transport:     transport,
		FlushInterval: -1, // watches
		ErrorLog:      log.New(io.Discard, "", 0),
	})))
	g.cloud = httptest.NewServer(g.guard(changeOfCloud, w.cloud.sim))
	w.gates = append(w.gates, g)
	return g
}

// close ends both servers, once the managers are gone: they would miss them.
func (g *gate) close() {
	for _, server := range []*httptest.Server{g.api, g.cloud} {
		server.CloseClientConnections()
		server.Close()
	}
}

// asUser is who managers are that go through the gate: it knows.
func (g *gate) asUser() *rest.Config { return &rest.Config{Host: g.api.URL} }

// guard counts what name names, and lets the strike hit.
func (g *gate) guard(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := name(r)
		if what == "" {
			next.ServeHTTP(w, r)
			return
		}
		if s := g.note(what); s != nil {
			s.serve(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve serves the request at which the strike hits. What is forwarded is carried out, whether or not anybody waits for it.
func (s *strike) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body) // with the body read, the server notices when the manager hangs up
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	forwarded := r.Clone(context.WithoutCancel(r.Context()))
	forwarded.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	if s.after {
		next.ServeHTTP(answer, forwarded)
	}
	s.hit()
	close(s.done)
	if s.fatal {
		panic(http.ErrAbortHandler)
	}
	if s.goesOn != nil {
		select {
		case <-s.goesOn:
		case <-r.Context().Done(): // what is on its way arrives, though nobody waits for the answer any more
		}
	}
	if !s.after {
		next.ServeHTTP(answer, forwarded)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // whoever has hung up does not want it
}

// note notes a request, and returns the strike if this is the one.
func (g *gate) note(what string) *strike {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, what)
	if s := g.strike; s != nil && s.at == len(g.seen)-1 {
		return s
	}
	return nil
}

// begin forgets what was seen, and sets what comes; nil: nothing.
func (g *gate) begin(s *strike) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.strike = nil, s
}

func (g *gate) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.seen)
}

// changeOfCluster names a request to the API server that changes something about a credential; empty: it does not. What is
// about accounts, and about leaders, comes at times of its own.
func changeOfCluster(r *http.Request) string {
	if r.Method == http.MethodGet || r.URL.Query().Has("dryRun") {
		return ""
	}
	for _, resource := range []string{"clustercredentials", "secrets", "events"} {
		if resource == "events" && strings.HasPrefix(r.URL.Path, "/api/") {
			continue // core events are the elector's
		}
		if _, rest, found := strings.Cut(r.URL.Path, "/"+resource); found {
			if strings.HasSuffix(rest, "/status") {
				resource += "/status"
			}
			return r.Method + " " + resource
		}
	}
	return ""
}

const postForCertificate = "POST clustercert"

// changeOfCloud names the call that makes a certificate.
func changeOfCloud(r *http.Request) string {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/clustercert") {
		return postForCertificate
	}
	return ""
}
