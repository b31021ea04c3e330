// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// Guarded tries credentials whose server or proxy is a tenant's to choose: a tenant must not learn through the operator what
// is reachable from where it runs. Addresses that are local to its host are not connected to, the proxy of its environment is
// not taken, which could reach others, and of a server that gives no answer no more is said than that. It shares the slots of p.
func (p *Prober) Guarded() *Guarded {
	options := p.options
	options.environment = func(*http.Request) (*url.URL, error) { return nil, nil }
	options.DialContext = (&net.Dialer{ControlContext: refuseLocal}).DialContext
	return &Guarded{prober: &Prober{options: options, slots: p.slots}}
}

// Guarded is a Prober for what tenants choose.
type Guarded struct{ prober *Prober }

// Try is that of a Prober.
func (g *Guarded) Try(ctx context.Context, c kubeconfig.Credential, fresh bool) Outcome {
	outcome := g.prober.Try(ctx, c, fresh)
	if outcome.Verdict == Unreachable {
		return Outcome{Verdict: Unreachable, ServerCertificate: outcome.ServerCertificate, Detail: "no answer of an API server at an address, or through a proxy, that the cloud has not offered"}
	}
	return outcome
}

var errLocal = errors.New("the address is local to the operator")

// refuseLocal looks at the very address that is connected to, so that no name can say one thing first and another then.
func refuseLocal(_ context.Context, _, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address cannot be read: %w", err)
	}
	switch ip := reached(parsed.Addr()); {
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast():
		return errLocal
	}
	return nil
}

// translated are the IPv6 addresses that a NAT64 makes IPv4 ones of: the last four bytes are the address (RFC 6052, RFC 8215).
var translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48")}

// reached is the address that answers in the end.
func reached(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	for _, prefix := range translated {
		if bytes := ip.As16(); prefix.Contains(ip) {
			return netip.AddrFrom4([4]byte(bytes[12:]))
		}
	}
	return ip
}
