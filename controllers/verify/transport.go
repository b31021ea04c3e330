// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
)

// newTransport makes the transport of one exchange, since every credential has its own CA and certificate. What it opens
// ends with ctx: http.Transport by itself lets a dial, a CONNECT or a handshake go on after its request was given up,
// and a hung target would collect them.
//
// HTTP/2, compression and kept connections are off, as for calls to the cloud. Neither are TLS sessions resumed: a
// server does not ask for the certificate again then.
func (p *Prober) newTransport(ctx context.Context, x *exchange) *http.Transport {
	http1 := &http.Protocols{}
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) { return x.findProxy(r, p.options.environment) },
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			x.enter(dialing)
			conn, err := p.options.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			x.connected()
			return conn, nil
		},
		OnProxyConnectResponse: x.proxyAnswered,
		TLSClientConfig:        x.tlsConfig(),
		Protocols:              http1,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		WriteBufferSize:        maxRequest,
		ReadBufferSize:         maxRequest,
	}
}

// tlsConfig never trusts the system's authorities. An https proxy is verified, and shown the certificate, like the
// server: so client-go does, and a proxy that it would not pass is none that the credential works with.
func (x *exchange) tlsConfig() *tls.Config {
	return &tls.Config{
		RootCAs:            x.target.roots,
		ServerName:         x.target.serverName,
		InsecureSkipVerify: x.target.insecure, //nolint:gosec // asked for by the user, and allowed by the administrator
		MinVersion:         tls.VersionTLS12,
		// Given in tls.Config.Certificates, it would be kept back from a server that names other authorities, as a
		// kube-apiserver with another client CA does, and an anonymous visitor may read the version.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			x.asked.Store(true)
			return &x.target.client, nil
		},
	}
}

func (x *exchange) findProxy(r *http.Request, environment func(*http.Request) (*url.URL, error)) (*url.URL, error) {
	proxy, err := x.target.proxy, error(nil)
	if proxy == nil {
		proxy, err = environment(r)
	}
	if err != nil {
		x.enter(atProxy)
		return nil, err
	}
	x.proxied.Store(proxy != nil)
	x.proxyTLS.Store(proxy != nil && proxy.Scheme == "https")
	return proxy, nil
}

// proxyAnswered notes the code of a CONNECT, of which http.Transport's error only has the words. What an https proxy
// asked for in TLS does not count for the server.
func (x *exchange) proxyAnswered(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	x.proxyCode.Store(int32(answer.StatusCode)) //nolint:gosec // net/http reads three digits
	x.asked.Store(false)
	if answer.StatusCode == http.StatusOK {
		x.enter(handshaking)
	}
	return nil
}

// phase is how far an exchange came.
type phase int32

const (
	starting phase = iota
	dialing
	resolving
	connecting
	atProxy
	handshaking
	answering
)

// enter never goes back: of two addresses that are dialed side by side, one may be late.
func (x *exchange) enter(p phase) {
	for {
		now := x.phase.Load()
		if now >= int32(p) || x.phase.CompareAndSwap(now, int32(p)) {
			return
		}
	}
}

func (x *exchange) reached() phase { return phase(x.phase.Load()) }

func (x *exchange) connected() {
	if x.proxied.Load() {
		x.enter(atProxy)
		return
	}
	x.enter(handshaking)
}

func (x *exchange) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { x.enter(resolving) },
		ConnectStart: func(string, string) { x.enter(connecting) },
		TLSHandshakeStart: func() {
			// With an https proxy there are two handshakes, and the first is with the proxy.
			if x.proxyCode.Load() != 0 || !x.proxyTLS.Load() {
				x.enter(handshaking)
			}
		},
		GotConn: func(httptrace.GotConnInfo) { x.enter(answering) },
	})
}
