// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

func TestAThousandDialsLeaveNothingBehind(t *testing.T) {
	var open atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answer(200, kubeconfigAnswer)(w, r)
			return
		}
		answer(200, `{"kind":"List","items":[]}`)(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	d := newDialer(t, Options{CCEEndpoint: server.URL})
	goroutines := runtime.NumGoroutine()
	for range 1000 {
		cloud := dial(t, d, testAccess())
		if err := cloud.Check(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := cloud.Issue(context.Background(), byDays); err != nil {
			t.Fatal(err)
		}
	}
	left := func() int { return runtime.NumGoroutine() - goroutines }
	for end := time.Now().Add(20 * time.Second); open.Load() > 0 || left() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections and %d goroutines are left", open.Load(), left())
		}
	}
}

// A server that says more than it announced has the rest printed by net/http, if the
// connection is kept.
func TestNothingIsLoggedOfAnAnswer(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	for name, call := range operations {
		fake := newFakeCloud(t, func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}canary-remote")
			time.Sleep(20 * time.Millisecond)
			_ = connection.Close()
		})
		if err := call(context.Background(), cloudAt(t, fake.URL)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	time.Sleep(20 * time.Millisecond)
	if logged.Len() > 0 {
		t.Errorf("logged: %s", logged.String())
	}
}

func TestAProxyThatRefusesIsTold(t *testing.T) {
	for name, proxy := range map[string]http.HandlerFunc{
		"with a login":  answer(407, "canary-remote"),
		"with a page":   answer(503, "<html>canary-remote</html>"),
		"by hanging up": hangUp,
	} {
		t.Run(name, func(t *testing.T) {
			address, err := url.Parse(newFakeCloud(t, proxy).URL)
			if err != nil {
				t.Fatal(err)
			}
			d := newDialer(t, Options{CCEEndpoint: "https://cce.example"})
			d.transport.Proxy = http.ProxyURL(address)
			_, err = dial(t, d, testAccess()).Issue(context.Background(), byDays)
			if e := fault(t, err); e.Kind != issuer.Unavailable || e.MayHaveIssued || !strings.Contains(e.Message, "proxy") {
				t.Errorf("%v %+v", e.Kind, e)
			}
			assertNoCanary(t, err.Error())
		})
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(200, `{"kind":"List","items":[]}`))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	otherName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	for name, test := range map[string]struct {
		options Options
		text    string // empty: accepted
	}{
		"a known authority":             {Options{CCEEndpoint: server.URL, RootCAs: known}, ""},
		"the authorities of the system": {Options{CCEEndpoint: server.URL}, "--ca-bundle"},
		"another authority":             {Options{CCEEndpoint: server.URL, RootCAs: x509.NewCertPool()}, "--ca-bundle"},
		"another name":                  {Options{CCEEndpoint: otherName, RootCAs: known}, "another name"},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := dial(t, newDialer(t, test.options), testAccess())
			err := cloud.Check(context.Background())
			if test.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := fault(t, err); e.Kind != issuer.Unavailable || !strings.Contains(e.Message, test.text) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			_, err = cloud.Issue(context.Background(), byDays)
			if e := fault(t, err); e.MayHaveIssued {
				t.Errorf("nothing was sent, but %+v", e)
			}
		})
	}
}

const unknownName = "cce.example"

// dialExcept is the usual dialer, but says that one name is not known: the resolver of
// a test machine may take long for that.
func dialExcept(unknown string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, unknown) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: unknown, IsNotFound: true}}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

func TestNothingIsSentWithoutAConnection(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, never speaks TLS
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deaf.Close() })
	plain := newFakeCloud(t, answer(200, "{}"))

	for name, test := range map[string]struct {
		address, text string
		timeout       bool
	}{
		"a closed port":            {"http://" + closed.Addr().String(), "no connection to CCE", false},
		"a handshake that hangs":   {"https://" + deaf.Addr().String(), "no connection to CCE in time", true},
		"a server without TLS":     {strings.Replace(plain.URL, "http:", "https:", 1), "does not speak TLS", false},
		"a name that is not known": {"https://" + unknownName, "cannot be resolved", false},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{CCEEndpoint: test.address}
			if test.timeout {
				options.Timeout = 100 * time.Millisecond
			}
			d := newDialer(t, options)
			d.transport.DialContext = dialExcept(unknownName)
			_, err := dial(t, d, testAccess()).Issue(context.Background(), byDays)
			e := fault(t, err)
			if e.Kind != issuer.Unavailable || e.MayHaveIssued || !strings.Contains(e.Message, test.text) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			if errors.Is(err, context.DeadlineExceeded) != test.timeout {
				t.Errorf("deadline: %v", e.Err)
			}
			if strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("the text has an address: %v", err)
			}
		})
	}
}
