// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

// hangUp reads the request and closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset and not an end
	}
	_ = connection.Close()
}

func TestNoRequestIsSentTwiceWhenTheConnectionBreaks(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			var warm atomic.Bool
			warm.Store(true)
			fake := newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
				if warm.Load() {
					answer(200, `{"kind":"List","items":[]}`)(w, r)
					return
				}
				hangUp(w, r)
			})
			cloud := cloudAt(t, fake.URL)
			if err := cloud.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			warm.Store(false)
			e := fault(t, call(context.Background(), cloud))
			if e.Kind != issuer.Unavailable || e.Status != 0 || e.MayHaveIssued != (name == "Issue") {
				t.Errorf("%v %+v", e.Kind, e)
			}
			if n := len(fake.requests()); n != 2 {
				t.Errorf("%d requests reached the cloud, want the first and this one", n)
			}
		})
	}
}

// The same with the parts: it shows that http.Transport by itself does send twice, and
// that an attempt does not, not even on a kept connection.
func TestAnAttemptKeepsTheTransportFromRepeating(t *testing.T) {
	for name, test := range map[string]struct {
		method  string
		guarded bool
		want    int64
	}{
		"a GET by itself is repeated":          {http.MethodGet, false, 3},
		"a GET as an attempt is not repeated":  {http.MethodGet, true, 2},
		"a POST as an attempt is not repeated": {http.MethodPost, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var count atomic.Int64
			fake := newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
				if count.Add(1) == 1 {
					_, _ = io.WriteString(w, "{}")
					return
				}
				hangUp(w, r)
			})
			transport := &http.Transport{} // keeps connections, as ours does not
			defer transport.CloseIdleConnections()
			for range 2 {
				r := httptest.NewRequest(test.method, fake.URL, nil)
				r.RequestURI, r.Body, r.GetBody = "", http.NoBody, func() (io.ReadCloser, error) { return http.NoBody, nil }
				var carrier http.RoundTripper = transport
				if test.guarded {
					carrier = &attempt{ctx: context.Background(), transport: transport}
				}
				if res, err := carrier.RoundTrip(r); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
			}
			if n := count.Load(); n != test.want {
				t.Errorf("%d requests reached the server, want %d", n, test.want)
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	trap := newFakeCloud(t, answer(200, `{"kind":"List","items":[]}`))
	for _, status := range []int{301, 302, 303, 304, 307, 308} {
		for _, target := range []string{trap.URL, "http://[broken", ""} {
			fake := newFakeCloud(t, answer(status, "", "Location", target))
			for name, call := range operations {
				e := fault(t, call(context.Background(), cloudAt(t, fake.URL)))
				if e.Kind != issuer.InvalidResponse || e.Status != status || e.MayHaveIssued != (name == "Issue") {
					t.Errorf("%s, %d to %q: %v %+v", name, status, target, e.Kind, e)
				}
			}
			if n := len(fake.requests()); n != len(operations) {
				t.Errorf("%d requests for %d calls", n, len(operations))
			}
		}
	}
	if n := len(trap.requests()); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}
