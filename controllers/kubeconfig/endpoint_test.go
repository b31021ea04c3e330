// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAUserWritesForAServerHasOneNormalForm(t *testing.T) {
	for raw, want := range map[string]string{
		"https://prod-1.example.com:6443":  "https://prod-1.example.com:6443",
		"https://Prod-1.Example.com":       "https://prod-1.example.com:443",
		"https://prod-1.example.com/":      "https://prod-1.example.com:443",
		"https://10.0.0.1":                 "https://10.0.0.1:443",
		"https://[2001:DB8::1]":            "https://[2001:db8::1]:443",
		"https://[2001:db8::1]:6443/":      "https://[2001:db8::1]:6443",
		"http://prod-1.example.com":        "",
		"prod-1.example.com":               "",
		"https://prod-1.example.com:":      "",
		"https://":                         "",
		"https://prod-1.example.com/k8s":   "",
		"https://a:b@prod-1.example.com":   "",
		"https://prod-1.example.com?a=b":   "",
		"https://prod-1.example.com#a":     "",
		"https://prod-1.example.com:65536": "",
		"https://prod 1.example.com":       "",
	} {
		if got, ok := NormalServer(raw); ok != (want != "") || ok && got != want {
			t.Errorf("NormalServer(%q) is %q, %v; want %q", raw, got, ok, want)
		}
	}
}

func TestWhatAUserWritesForAProxyHasOneNormalForm(t *testing.T) {
	for raw, want := range map[string]string{
		"http://proxy.example.com:3128":  "http://proxy.example.com:3128",
		"http://proxy.example.com":       "http://proxy.example.com:80",
		"https://proxy.example.com/":     "https://proxy.example.com:443",
		"socks5://127.0.0.1":             "socks5://127.0.0.1:1080",
		"ftp://proxy.example.com:21":     "",
		"proxy.example.com:3128":         "",
		"http://a:b@proxy.example.com:1": "",
		"http://proxy.example.com:1/x":   "",
	} {
		if got, ok := NormalProxy(raw); ok != (want != "") || ok && got != want {
			t.Errorf("NormalProxy(%q) is %q, %v; want %q", raw, got, ok, want)
		}
	}
}

func TestEveryEndpointIsReadBackAsItWasWritten(t *testing.T) {
	plain := credential(t, testLeaf())
	for name, change := range map[string]func(*Endpoint){
		"plain":             func(*Endpoint) {},
		"a TLS server name": func(e *Endpoint) { e.TLSServerName = "kubernetes.default" },
		"a TLS server IP":   func(e *Endpoint) { e.TLSServerName = "10.0.0.1" },
		"a proxy":           func(e *Endpoint) { e.ProxyURL = "socks5://proxy.example.com:1080" },
		"no verification":   func(e *Endpoint) { e.Insecure, e.CAPEM = true, nil },
		"everything": func(e *Endpoint) {
			e.Insecure, e.CAPEM, e.TLSServerName, e.ProxyURL = true, nil, "a.example", "http://p.example:3128"
		},
	} {
		c := plain
		change(&c.Endpoint)
		if out := roundTrip(t, "fleet-prod-1", c); c.Insecure != bytes.Contains(out, []byte("insecure-skip-tls-verify: true")) {
			t.Errorf("%s: the document says otherwise", name)
		}
	}
}

func TestAnEndpointThatContradictsItselfIsNeitherWrittenNorRead(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Endpoint)
		want   string
	}{
		"no CA":                     {func(e *Endpoint) { e.CAPEM = nil }, "the credential has no CA"},
		"a CA and no verification":  {func(e *Endpoint) { e.Insecure = true }, "the credential has a CA, and its server is not to be verified"},
		"a proxy with a password":   {func(e *Endpoint) { e.ProxyURL = "http://a:b@p.example:1" }, "the proxy is not http://host:port, https://host:port or socks5://host:port"},
		"a server name with a path": {func(e *Endpoint) { e.TLSServerName = "a/b" }, "the TLS server name is not a DNS name or an IP address"},
	} {
		c := credential(t, testLeaf())
		test.change(&c.Endpoint)
		_, rendered := Render("a", c)
		_, assembled := Assemble(c.Endpoint, c.CertPEM, c.KeyPEM.Reveal())
		if diff := cmp.Diff([]string{test.want, test.want}, []string{reason(rendered), reason(assembled)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
