// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// Guarded tries credentials whose server or proxy is a tenant's to choose: a tenant must not learn through the operator what
// is reachable from where it runs. Addresses that are local to its host are not connected to, and of a server that
// gives no answer no more is said than that. It shares the slots of p.
func (p *Prober) Guarded() *Guarded {
	options := p.options
	options.DialContext = (&net.Dialer{ControlContext: refuseLocal}).DialContext
	return &Guarded{prober: &Prober{options: options, slots: p.slots}}
}

// Guarded is a Prober for what tenants choose.
type Guarded struct{ prober *Prober }

// Try is that of a Prober.
func (g *Guarded) Try(ctx context.Context, c kubeconfig.Credential, fresh bool) Outcome {
	outcome := g.prober.Try(ctx, c, fresh)
	if outcome.Verdict == Unreachable {
		return Outcome{Verdict: Unreachable, ServerCertificate: outcome.ServerCertificate, Detail: "no answer of an API server at the address, or through the proxy, that spec.endpoint gives"}
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
	switch ip := parsed.Addr().Unmap(); {
	case ip.IsLoopback(), ip.IsUnspecified(), ip.IsLinkLocalUnicast(), ip.IsMulticast():
		return errLocal
	}
	return nil
}
