// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// gate stands between the managers of one world and both of their servers. It names every request that changes something about
// a credential, in the order in which they come, and can let one of them be the last thing that a manager does.
type gate struct {
	api *httptest.Server

	mu    sync.Mutex
	seen  []string
	fatal *fall
}

// fall is the end of a manager.
type fall struct {
	at    int  // the request, counted from 0 from the moment on that it was set
	after bool // once it was carried out, and before the answer; else instead of being forwarded
	kill  func()
	done  chan struct{}
}

// newGate stands before the API server, as whoever config says; newCloud puts it before the cloud too.
func newGate(t *testing.T, config *rest.Config) *gate {
	t.Helper()
	upstream, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{}
	g.api = httptest.NewServer(g.guard(changeOfCluster, &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:     transport,
		FlushInterval: -1, // watches
		ErrorLog:      log.New(io.Discard, "", 0),
	}))
	t.Cleanup(func() { g.api.CloseClientConnections(); g.api.Close() })
	return g
}

// asUser is who managers are that go through the gate: it knows.
func (g *gate) asUser() *rest.Config { return &rest.Config{Host: g.api.URL} }

// guard counts what name names, and lets the fatal one be fatal.
func (g *gate) guard(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := name(r)
		if what == "" {
			next.ServeHTTP(w, r)
			return
		}
		f := g.note(what)
		if f == nil {
			next.ServeHTTP(w, r)
			return
		}
		if f.after {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		f.kill()
		close(f.done)
		panic(http.ErrAbortHandler) // nobody hears the answer
	})
}

// note notes a request, and returns the fall if this is the one.
func (g *gate) note(what string) *fall {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, what)
	if f := g.fatal; f != nil && f.at == len(g.seen)-1 {
		return f
	}
	return nil
}

// begin forgets what was seen, and sets what comes; nil: nothing.
func (g *gate) begin(f *fall) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.fatal = nil, f
}

func (g *gate) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.seen)
}

// changeOfCluster names a request to the API server that changes something about a credential; empty: it does not. What is
// about accounts comes at times of its own.
func changeOfCluster(r *http.Request) string {
	if r.Method == http.MethodGet || r.URL.Query().Has("dryRun") {
		return ""
	}
	for _, resource := range []string{"clustercredentials", "secrets", "events"} {
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
