// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// proxy passes a CONNECT on to the server, whatever it names, and notes what was named.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	named []string
}

func newProxy(t *testing.T, server string, secure bool, certificate signer) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.named = append(p.named, r.Method+" "+r.Host)
		p.mu.Unlock()
		through(w, server)
	}))
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		p.TLS = &tls.Config{Certificates: []tls.Certificate{certificate.forTLS()}, ClientAuth: tls.RequestClientCert}
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

func through(w http.ResponseWriter, server string) {
	far, err := net.Dial("tcp", strings.TrimPrefix(server, "https://"))
	if err != nil {
		http.Error(w, "canary-remote", http.StatusBadGateway)
		return
	}
	defer func() { _ = far.Close() }()
	near, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = near.Close() }()
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	pass(near, far)
}

// pass copies both ways until one side ends.
func pass(near, far net.Conn) {
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

func via(proxy string) func(*kubeconfig.Endpoint) {
	return func(e *kubeconfig.Endpoint) { e.ProxyURL = proxy }
}

func TestTheProxyIsTakenAndAskedForTheServer(t *testing.T) {
	for name, test := range map[string]struct {
		secure  bool
		proxy   signer
		server  func(*tls.Config)
		verdict Verdict
		words   string
		asked   bool
	}{
		"an http proxy":  {false, signer{}, func(*tls.Config) {}, Accepted, "accepts", true},
		"an https proxy": {true, testCA().server(), func(*tls.Config) {}, Accepted, "accepts", true},
		"an https proxy that asks for a certificate, before a server that does not": {
			true, testCA().server(), func(c *tls.Config) { c.ClientAuth = tls.NoClientCert }, Unreachable, "the server does not ask", true,
		},
		"an https proxy of another CA": {true, newCA("elsewhere").server(), func(*tls.Config) {}, Unreachable, "the certificate of the proxy", false},
		"a server of another CA behind a proxy": {false, signer{}, func(c *tls.Config) {
			c.Certificates = []tls.Certificate{newCA("elsewhere").server().forTLS()}
		}, Unreachable, "the certificate of the server is not signed", true},
		"a server of another CA behind an https proxy": {true, testCA().server(), func(c *tls.Config) {
			c.Certificates = []tls.Certificate{newCA("elsewhere").server().forTLS()}
		}, Unreachable, "the certificate of the server is not signed", true},
	} {
		t.Run(name, func(t *testing.T) {
			server := fakeServer(t, kubeLike, test.server)
			proxy := newProxy(t, server.URL, test.secure, test.proxy)
			// No loopback address, so that only a proxy that is named goes there.
			c := at(t, "https://kubernetes.example.com:6443", via(proxy.URL))
			got := patient().Try(t.Context(), c, false)
			want(t, got, test.verdict, test.words)
			if asked := fmt.Sprint(proxy.named) == "[CONNECT kubernetes.example.com:6443]"; asked != test.asked {
				t.Errorf("the proxy was asked for %v", proxy.named)
			}
			if behind := strings.Contains(test.words, "of the server"); got.ServerCertificate != behind {
				t.Errorf("server certificate: %v", got.ServerCertificate)
			}
		})
	}
}

// A proxy that says 401 has not seen the certificate.
func TestWhatAProxyRefusesIsNotTheServers(t *testing.T) {
	for code, words := range map[int]string{
		401: "the proxy does not connect to the server (HTTP 401)",
		403: "the proxy does not connect to the server (HTTP 403)",
		407: "the proxy wants a login (HTTP 407)",
		502: "the proxy does not connect to the server (HTTP 502)",
		204: "the proxy does not connect to the server (HTTP 204)",
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			proxy := httptest.NewServer(answer(code, ""))
			defer proxy.Close()
			got := patient().Try(t.Context(), at(t, somewhere, via(proxy.URL)), true)
			want(t, got, Unreachable, words)
			if got.Code != 0 {
				t.Errorf("the code of the proxy stands for the server's: %d", got.Code)
			}
		})
	}
}

func TestAProxyThatIsNoneIsNamed(t *testing.T) {
	server := fakeServer(t, kubeLike)
	for name, test := range map[string]struct{ proxy, words string }{
		"it is not there":               {"http://127.0.0.1:1", "the proxy refuses the connection"},
		"it speaks TLS":                 {strings.Replace(server.URL, "https:", "http:", 1), "the proxy did not connect to the server: check its"},
		"it is a server":                {server.URL, "the proxy does not connect to the server (HTTP 404)"},
		"it speaks no SOCKS":            {strings.Replace(server.URL, "https:", "socks5:", 1), "the proxy did not connect to the server in time"},
		"a SOCKS proxy is not there":    {"socks5://127.0.0.1:1", "the proxy refuses the connection"},
		"a SOCKS proxy leads elsewhere": {socks(t, server.URL, 5), "the proxy did not connect to the server: check its"},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, New(Options{}).Try(t.Context(), at(t, somewhere, via(test.proxy)), false), Unreachable, test.words)
		})
	}
}

func TestASOCKSProxyIsTaken(t *testing.T) {
	server := fakeServer(t, kubeLike)
	c := at(t, "https://kubernetes.example.com:6443", via(socks(t, server.URL, 0)))
	want(t, patient().Try(t.Context(), c, false), Accepted, "accepts")
	other := at(t, "https://api.example.com:6443", via(socks(t, server.URL, 0)))
	want(t, patient().Try(t.Context(), other, false), Unreachable, "the certificate of the server is not for api.example.com")
}

// socks answers RFC 1928 with the reply, and passes on to the server if that is 0.
func socks(t *testing.T, server string, reply byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go socksOnce(near, server, reply)
		}
	}()
	return "socks5://" + listener.Addr().String()
}

func socksOnce(near net.Conn, server string, reply byte) {
	defer func() { _ = near.Close() }()
	greeting := make([]byte, 3)
	_, _ = io.ReadFull(near, greeting)
	_, _ = near.Write([]byte{5, 0})
	if _, err := near.Read(make([]byte, 512)); err != nil {
		return
	}
	_, _ = near.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
	far, err := net.Dial("tcp", strings.TrimPrefix(server, "https://"))
	if err != nil || reply != 0 {
		return
	}
	defer func() { _ = far.Close() }()
	pass(near, far)
}

// TestMain names a proxy that is not there.
func TestTheProxyOfTheEnvironmentCountsWhereNoneIsNamed(t *testing.T) {
	got := patient().Try(t.Context(), at(t, "https://192.0.2.1:6443"), false)
	want(t, got, Unreachable, "the proxy refuses the connection")
	server := fakeServer(t, kubeLike)
	proxy := newProxy(t, server.URL, false, signer{})
	named := at(t, "https://192.0.2.1:6443", via(proxy.URL), func(e *kubeconfig.Endpoint) { e.TLSServerName = "kubernetes.example.com" })
	want(t, patient().Try(t.Context(), named, false), Accepted, "accepts")
}
