// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
)

func TestLocalAddressesAreNotConnectedTo(t *testing.T) {
	for address, local := range map[string]bool{
		"127.0.0.1:443": true, "127.9.9.9:443": true, "[::1]:443": true, "0.0.0.0:443": true, "[::]:443": true,
		"169.254.169.254:80": true, "[fe80::1%eth0]:443": true, "[::ffff:127.0.0.1]:443": true, "[::ffff:169.254.169.254]:80": true,
		"[64:ff9b::169.254.169.254]:80": true, "[64:ff9b:1::7f00:1]:80": true, "[64:ff9b::203.0.113.7]:443": false,
		"224.0.0.1:443": true, "[ff02::1]:443": true,
		"10.0.0.1:443": false, "192.168.0.10:5443": false, "203.0.113.7:5443": false, "[2001:db8::1]:443": false,
	} {
		if err := refuseLocal(t.Context(), "tcp", address, nil); errors.Is(err, errLocal) != local {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A listener that would answer is not even connected to, by whatever name; and how it fails is not told.
func TestATenantLearnsNothingOfWhatIsLocal(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	var connected atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connected.Add(1)
			_ = conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	guarded := New(Options{}).Guarded()
	details := map[string]bool{}
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "127.0.0.1:1"} {
		outcome := guarded.Try(t.Context(), at(t, "https://"+host), false)
		if outcome.Verdict != Unreachable || outcome.Code != 0 || outcome.ServerCertificate {
			t.Errorf("%s: %+v", host, outcome)
		}
		details[outcome.Detail] = true
	}
	for _, proxy := range []string{"http://127.0.0.1:" + port, "https://localhost:" + port, "socks5://127.0.0.1:" + port, "http://127.0.0.1:1"} {
		credential := at(t, "https://198.51.100.1:5443")
		credential.ProxyURL = proxy
		outcome := guarded.Try(t.Context(), credential, false)
		if outcome.Verdict != Unreachable || outcome.Code != 0 || outcome.ServerCertificate {
			t.Errorf("by the proxy %s: %+v", proxy, outcome)
		}
		details[outcome.Detail] = true
	}
	if n := connected.Load(); n > 0 || len(details) != 1 {
		t.Errorf("%d connections, %d ways to say it", n, len(details))
	}
}

// A proxy of the environment could reach what the guard does not let be connected to.
func TestWhatATenantChoosesDoesNotGoThroughTheProxyOfTheEnvironment(t *testing.T) {
	server := fakeServer(t, kubeLike)
	for guarded, want := range map[bool]bool{false: true, true: false} {
		proxy := newProxy(t, server.URL, false, signer{})
		prober := New(Options{})
		if prober.options.environment = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }; guarded {
			prober = prober.Guarded().prober
		}
		_ = prober.Try(t.Context(), at(t, "https://prod-1.example.invalid:443"), false)
		if asked := len(proxy.named) > 0; asked != want {
			t.Errorf("guarded: %v, the proxy was asked: %v", guarded, asked)
		}
	}
}
