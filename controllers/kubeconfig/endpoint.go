// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// check returns an *Invalid where a part is missing, too large or not in normal form. It does not look into the CA.
func (e Endpoint) check() error {
	if server, ok := normalServer(e.Server); !ok || server != e.Server {
		return invalid("the server is not https://host:port")
	}
	if name, ok := NormalServerName(e.TLSServerName); e.TLSServerName != "" && (!ok || name != e.TLSServerName) {
		return invalid("the TLS server name is not a DNS name or an IP address")
	}
	if proxy, ok := NormalProxy(e.ProxyURL); e.ProxyURL != "" && (!ok || proxy != e.ProxyURL) {
		return invalid("the proxy is not http://host:port, https://host:port or socks5://host:port")
	}
	switch {
	case e.Insecure && len(e.CAPEM) > 0:
		return invalid("the credential has a CA, and its server is not to be verified")
	case !e.Insecure && len(e.CAPEM) == 0:
		return invalid("the credential has no CA")
	case len(e.CAPEM) > maxCABytes:
		return invalid("the CA is larger than %d KiB", maxCABytes>>10)
	}
	return nil
}

// Host is the host of the server, without port and brackets.
func (e Endpoint) Host() string {
	host, _ := e.split()
	return host
}

// Port is the port of the server, in decimal digits.
func (e Endpoint) Port() string {
	_, port := e.split()
	return port
}

func (e Endpoint) split() (host, port string) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(e.Server, "https://"))
	if err != nil {
		return "", ""
	}
	return host, port
}

// defaultPorts are those of the schemes that a server or a proxy may have.
var defaultPorts = map[string]string{"https": "443", "http": "80", "socks5": "1080"}

// NormalServer returns a server that a user wrote as https://host:port, in the form that Endpoint asks for; without a port
// it is 443. It is false where it has a path, user information or anything else.
func NormalServer(raw string) (string, bool) {
	return normalServer(withPort(raw))
}

// NormalProxy returns the URL of a proxy that a user wrote, as http, https or socks5 with host and port, in the form that
// Endpoint asks for; without a port it is 80, 443 or 1080. It is false where it has a path, user information (a password
// has no place in a kubeconfig that is published widely) or anything else.
func NormalProxy(raw string) (string, bool) {
	scheme, rest, ok := strings.Cut(withPort(raw), "://")
	if !ok || !slices.Contains([]string{"http", "https", "socks5"}, scheme) {
		return "", false
	}
	normal, ok := normalServer("https://" + rest)
	return scheme + strings.TrimPrefix(normal, "https"), ok
}

func withPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Port() != "" || u.Host == "" || strings.HasSuffix(u.Host, ":") || u.Path != "" && u.Path != "/" {
		return raw
	}
	port, known := defaultPorts[u.Scheme]
	if !known {
		return raw
	}
	return strings.TrimSuffix(raw, "/") + ":" + port
}

// NormalServerName returns a DNS name in lower case, or an IP address as netip writes it; false where it is neither.
func NormalServerName(raw string) (string, bool) {
	if address, err := netip.ParseAddr(raw); err == nil {
		return address.String(), address.Zone() == ""
	}
	name := strings.ToLower(raw)
	return name, validHost(name)
}
