// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

func unresolved(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "canary-remote", IsNotFound: true}}
}

// place is a network of pipes in a bubble of virtual time, where everybody reaches the same server.
type place struct {
	ca   signer
	far  chan net.Conn
	stop chan struct{}
	// kept are the ends of connections that nobody serves.
	mu   sync.Mutex
	kept []net.Conn
}

func newPlace(t *testing.T) *place {
	p := &place{ca: newCA("kubernetes"), far: make(chan net.Conn), stop: make(chan struct{})}
	t.Cleanup(func() {
		close(p.stop)
		time.Sleep(time.Second) // for handlers to see that the client is gone; a goroutine that stays fails the test
	})
	return p
}

// hang takes connections and says nothing.
func (p *place) hang(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = append(p.kept, far)
	return near, nil
}

// dial hands the far end to serve.
func (p *place) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.far <- newEager(far):
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// eager is a connection whose writer does not wait for the reader, unlike that of a net.Pipe: in TLS both may write at a time.
type eager struct {
	net.Conn
	mu     sync.Mutex
	closed bool
	out    chan []byte
}

func newEager(conn net.Conn) *eager {
	e := &eager{Conn: conn, out: make(chan []byte, 1<<10)}
	go func() {
		for data := range e.out {
			_, _ = conn.Write(data)
		}
		_ = conn.Close()
	}()
	return e
}

func (e *eager) Write(data []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, net.ErrClosed
	}
	e.out <- bytes.Clone(data)
	return len(data), nil
}

// SetWriteDeadline does nothing: crypto/tls sets it to now as it closes, and what is under way would be lost.
func (e *eager) SetWriteDeadline(time.Time) error { return nil }

func (e *eager) SetDeadline(at time.Time) error { return e.SetReadDeadline(at) }

func (e *eager) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		close(e.out)
	}
	return nil
}

func (p *place) Accept() (net.Conn, error) {
	select {
	case conn := <-p.far:
		return conn, nil
	case <-p.stop:
		return nil, net.ErrClosed
	}
}

func (p *place) Close() error   { return nil }
func (p *place) Addr() net.Addr { return &net.TCPAddr{} }

// serve answers as a server with this certificate at the time of each connection.
func (p *place) serve(handler http.HandlerFunc, certificate func() signer) {
	config := &tls.Config{ClientAuth: tls.RequestClientCert, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair := certificate().forTLS()
		return &pair, nil
	}}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(tls.NewListener(p, config)) }()
}

const somewhere = "https://127.0.0.1:6443"

func TestAHungTargetEndsWithTheAttempt(t *testing.T) {
	for name, test := range map[string]struct {
		dial  func(*place) func(context.Context, string, string) (net.Conn, error)
		proxy string
		words string
	}{
		"it takes no connection": {
			func(*place) func(context.Context, string, string) (net.Conn, error) { return never }, "", "no connection to the server in time",
		},
		"it takes the connection and says nothing": {
			func(p *place) func(context.Context, string, string) (net.Conn, error) { return p.hang }, "", "no TLS handshake with the server in time",
		},
		"the proxy takes no connection": {
			func(*place) func(context.Context, string, string) (net.Conn, error) { return never }, "http://127.0.0.1:3128", "no connection to the proxy in time",
		},
		"the proxy says nothing": {
			func(p *place) func(context.Context, string, string) (net.Conn, error) { return p.hang }, "http://127.0.0.1:3128", "the proxy did not connect to the server in time",
		},
		"the proxy says nothing in TLS": {
			func(p *place) func(context.Context, string, string) (net.Conn, error) { return p.hang }, "https://127.0.0.1:3128", "the proxy did not connect to the server in time",
		},
		"the SOCKS proxy says nothing": {
			func(p *place) func(context.Context, string, string) (net.Conn, error) { return p.hang }, "socks5://127.0.0.1:1080", "the proxy did not connect to the server in time",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				prober := New(Options{DialContext: test.dial(p)})
				c := p.ca.at(t, somewhere, func(e *kubeconfig.Endpoint) { e.ProxyURL = test.proxy })
				start := time.Now()
				want(t, prober.Try(t.Context(), c, true), Unreachable, test.words)
				wantElapsed(t, start, defaultAttempt)
				p.wantClosed(t)
			})
		})
	}
}

func never(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func wantElapsed(t *testing.T, start time.Time, want time.Duration) {
	t.Helper()
	if took := time.Since(start); took != want {
		t.Errorf("it took %s, want %s", took, want)
	}
}

// wantClosed looks at once, and not after the minute that net/http gives a CONNECT.
func (p *place) wantClosed(t *testing.T) {
	t.Helper()
	synctest.Wait()
	for _, far := range p.kept {
		if _, err := far.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a connection stays open: %v", err)
		}
	}
}

func TestAServerThatAnswersTooSlowlyEndsWithTheAttempt(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"it thinks": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"it drips": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusCreated)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		},
		"it promises to continue": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusProcessing)
				time.Sleep(100 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				server := p.ca.server()
				p.serve(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body) // only then net/http notices that the client is gone
					handler(w, r)
				}, func() signer { return server })
				start := time.Now()
				want(t, New(Options{DialContext: p.dial}).Try(t.Context(), p.ca.at(t, somewhere), false), Unreachable, "the server did not answer in time")
				wantElapsed(t, start, defaultAttempt)
			})
		})
	}
}

func TestAFreshCertificateIsTriedAgain(t *testing.T) {
	refuse := answer(http.StatusUnauthorized, "")
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, test := range map[string]struct {
		// answers come one after the other, the last again and again.
		answers  []http.HandlerFunc
		fresh    bool
		verdict  Verdict
		attempts int64
		took     time.Duration
	}{
		"accepted at once":                      {[]http.HandlerFunc{kubeLike}, true, Accepted, 1, 0},
		"refused twice, then accepted":          {[]http.HandlerFunc{refuse, refuse, kubeLike}, true, Accepted, 3, 2 * defaultPause},
		"refused for good":                      {[]http.HandlerFunc{refuse}, true, Refused, 5, 4 * defaultPause},
		"refused, then no answer":               {[]http.HandlerFunc{refuse, drop}, true, Refused, 2, defaultPause},
		"no answer":                             {[]http.HandlerFunc{drop}, true, Unreachable, 1, 0},
		"an error":                              {[]http.HandlerFunc{answer(503, "")}, true, Unreachable, 1, 0},
		"forbidden":                             {[]http.HandlerFunc{forbidden(testUser)}, true, Accepted, 1, 0},
		"refused, and the certificate is older": {[]http.HandlerFunc{refuse, kubeLike}, false, Refused, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				var attempts atomic.Int64
				server := p.ca.server()
				p.serve(func(w http.ResponseWriter, r *http.Request) {
					n := attempts.Add(1)
					test.answers[min(int(n), len(test.answers))-1](w, r)
				}, func() signer { return server })
				start := time.Now()
				want(t, New(Options{DialContext: p.dial}).Try(t.Context(), p.ca.at(t, somewhere), test.fresh), test.verdict, "")
				wantElapsed(t, start, test.took)
				if attempts.Load() != test.attempts {
					t.Errorf("%d attempts, want %d", attempts.Load(), test.attempts)
				}
			})
		})
	}
}

func TestAFreshCertificateOfTheServerIsWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		before  func(signer) signer
		fresh   bool
		verdict Verdict
		took    time.Duration
	}{
		"without the name, then with it":      {func(ca signer) signer { return ca.leaf(0) }, true, Accepted, 2 * defaultPause},
		"not valid yet, then valid":           {func(ca signer) signer { return ca.server(notYet) }, true, Accepted, 2 * defaultPause},
		"of another CA, which is not late":    {func(signer) signer { return newCA("elsewhere").server() }, true, Unreachable, 0},
		"without the name, and nothing fresh": {func(ca signer) signer { return ca.leaf(0) }, false, Unreachable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				before, after, start := test.before(p.ca), p.ca.server(), time.Now()
				p.serve(kubeLike, func() signer {
					if time.Since(start) < 2*defaultPause {
						return before
					}
					return after
				})
				got := New(Options{DialContext: p.dial}).Try(t.Context(), p.ca.at(t, somewhere), test.fresh)
				want(t, got, test.verdict, "")
				wantElapsed(t, start, test.took)
				if got.ServerCertificate != (test.verdict == Unreachable) {
					t.Errorf("server certificate: %v", got.ServerCertificate)
				}
			})
		})
	}
}

func TestHungTargetsDoNotTakeEveryWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		prober := New(Options{DialContext: p.hang, Slots: 3})
		c := p.ca.at(t, somewhere)
		var tries sync.WaitGroup
		for range 3 {
			tries.Go(func() { want(t, prober.Try(t.Context(), c, false), Unreachable, "in time") })
		}
		synctest.Wait()
		start := time.Now()
		want(t, prober.Try(t.Context(), c, false), Busy, "not tried")
		wantElapsed(t, start, 0)
		want(t, prober.Try(t.Context(), c, true), Busy, "not tried") // a fresh one waits, and not for long
		wantElapsed(t, start, slotWait)
		time.Sleep(defaultAttempt - slotWait - slotWait/2)
		want(t, prober.Try(t.Context(), c, true), Unreachable, "in time") // it waits for the slot, and has its time then
		wantElapsed(t, start, 2*defaultAttempt)
		tries.Wait()
		want(t, prober.Try(t.Context(), c, false), Unreachable, "in time")
	})
}

func TestAFreshOneWaitsNoLongerThanItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		prober := New(Options{DialContext: p.hang, Slots: 1, Attempt: time.Minute, Total: 5 * time.Second})
		c := p.ca.at(t, somewhere)
		start := time.Now()
		var tries sync.WaitGroup
		tries.Go(func() { prober.Try(t.Context(), c, false) })
		synctest.Wait()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), slotWait/2)
		defer cancel()
		want(t, prober.Try(ctx, c, true), Busy, "not tried")
		wantElapsed(t, start, time.Second+slotWait/2)
		tries.Wait()
		wantElapsed(t, start, 5*time.Second)
	})
}

func TestACancelledTryEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		want(t, New(Options{DialContext: p.hang}).Try(ctx, p.ca.at(t, somewhere), true), Unreachable, "the try was cancelled")
		wantElapsed(t, start, time.Second)
		p.wantClosed(t)
	})
}
