// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// way is how the published credential shall reach the API server.
type way struct {
	server, tlsServerName, proxyURL string
	insecure                        bool
	access                          v1alpha1.Access
}

// text says the same as another way's where the two do not differ.
func (w way) text() string {
	return fmt.Sprintf("%s %s %s %v", w.server, w.tlsServerName, w.proxyURL, w.insecure)
}

// dress makes an endpoint go that way. An address that is not verified is published without the CA, which some clients would
// verify it with all the same.
func (w way) dress(e *kubeconfig.Endpoint) {
	e.Server, e.TLSServerName, e.ProxyURL = w.server, w.tlsServerName, w.proxyURL
	if w.insecure {
		e.Insecure, e.CAPEM = true, nil
	}
}

// way is the address that the cloud offers, with what the spec says instead and besides.
func (p *pass) way() (way, error) {
	if why := invalidEndpoint(p.cc.Spec.Endpoint); why != "" {
		return way{}, errors.New(why)
	}
	if !p.mayHaveOwnEndpoint() { // what is published stays as it is
		if stored := p.stored(); stored != nil {
			kept := stored.way
			kept.access = p.cc.Status.Access
			return kept, nil
		}
		return way{}, errors.New(p.endpointNotGranted())
	}
	server, verified, access, err := p.choice()
	if err != nil {
		return way{}, err
	}
	return p.ownWords(way{server: server, access: access, insecure: !verified}), nil
}

// ownWords puts what spec.endpoint says itself into a way.
func (p *pass) ownWords(w way) way {
	endpoint := p.cc.Spec.Endpoint
	if endpoint == nil {
		return w
	}
	if server, ok := kubeconfig.NormalServer(endpoint.Server); ok {
		w.server, w.access = server, v1alpha1.AccessCustom
	}
	if name, ok := kubeconfig.NormalServerName(endpoint.TLSServerName); ok {
		w.tlsServerName = name
	}
	if proxy, ok := kubeconfig.NormalProxy(endpoint.ProxyURL); ok {
		w.proxyURL = proxy
	}
	return w
}

// invalidEndpoint says what the schema lets through in spec.endpoint and no client would take; empty: nothing.
func invalidEndpoint(e *v1alpha1.Endpoint) string {
	if e == nil {
		return ""
	}
	_, server := kubeconfig.NormalServer(e.Server)
	_, name := kubeconfig.NormalServerName(e.TLSServerName)
	_, proxy := kubeconfig.NormalProxy(e.ProxyURL)
	switch {
	case e.Server != "" && !server:
		return "spec.endpoint.server is no address: write https://host:port, with a port of 1 to 65535"
	case e.TLSServerName != "" && !name:
		return "spec.endpoint.tlsServerName is neither a DNS name nor an IP address"
	case e.ProxyURL != "" && !proxy:
		return "spec.endpoint.proxyURL is no address: write http://host:port, https://host:port or socks5://host:port"
	}
	return ""
}

// choice is what of the addresses that the cloud is known to offer is taken. Where nothing is known of that, what is stored stays.
func (p *pass) choice() (server string, verified bool, access v1alpha1.Access, err error) {
	stored := p.stored()
	contexts := p.contexts()
	if len(contexts) == 0 && stored != nil && p.wish().Context == "" {
		server, access, err = p.storedAddress(stored)
		return server, !stored.way.insecure, access, err
	}
	choice, chosen, err := kubeconfig.Choose(contextsOf(contexts), p.wish())
	if err == nil && choice.Verified && p.hasNoCA() {
		err = errNoCA
	}
	return choice.Server, choice.Verified, v1alpha1.Access(chosen), err
}

// hasNoCA says whether the stored credential was published without verification, and so without a CA.
func (p *pass) hasNoCA() bool { return p.stored() != nil && p.stored().way.insecure }

// errNoCA asks for a certificate: what was published without verification has no CA to verify with.
var errNoCA = errors.New("the stored credential has no CA, which the address needs")

func (p *pass) storedAddress(stored *storedFacts) (string, v1alpha1.Access, error) {
	access, wished := p.cc.Status.Access, p.wish().Access
	if wished != kubeconfig.Auto && string(wished) != string(access) && p.ownServer() == "" {
		return "", "", fmt.Errorf("the address for spec.endpoint.access %s is not known", wished)
	}
	return stored.way.server, access, nil
}

// ownServer is the server that the spec gives itself; empty: none.
func (p *pass) ownServer() string {
	if p.cc.Spec.Endpoint == nil {
		return ""
	}
	return p.cc.Spec.Endpoint.Server
}

// contexts are what the cloud is known to offer: found in this pass, or recorded.
func (p *pass) contexts() []v1alpha1.OfferedContext {
	switch {
	case len(p.offer) > 0:
		return p.offer
	case len(p.marks().Source.Contexts) > 0:
		return p.confirmed(p.marks().Source.Contexts)
	default:
		return p.cc.Status.Contexts
	}
}

// confirmed marks what a Secret says of the addresses, which others may write too: the cloud has said it where status has it, or
// where this process remembers it.
func (p *pass) confirmed(said []v1alpha1.OfferedContext) []v1alpha1.OfferedContext {
	contexts := slices.Clone(said)
	for i := range contexts {
		contexts[i].Unconfirmed = false
		contexts[i].Unconfirmed = !slices.Contains(p.cc.Status.Contexts, contexts[i]) && !slices.Contains(p.offered, contexts[i])
	}
	return contexts
}

// isUnconfirmed says whether only the Secret says of an address that the cloud offers it.
func (p *pass) isUnconfirmed() bool {
	return slices.ContainsFunc(p.contexts(), func(o v1alpha1.OfferedContext) bool { return o.Unconfirmed })
}

// confirmedOf leaves out what only a Secret says.
func confirmedOf(contexts []v1alpha1.OfferedContext) []v1alpha1.OfferedContext {
	return slices.DeleteFunc(slices.Clone(contexts), func(o v1alpha1.OfferedContext) bool { return o.Unconfirmed })
}

// wish is what the spec says of the address. For Auto, the choice made before is kept.
func (p *pass) wish() kubeconfig.Wish {
	wish := kubeconfig.Wish{Access: kubeconfig.Auto}
	chosenBy := p.marks().Source.Wish
	if !p.decision.OtherCluster && (chosenBy == "" || chosenBy == p.wishText()) {
		wish.Kept = p.keptAccess()
	}
	if endpoint := p.cc.Spec.Endpoint; endpoint != nil {
		wish.Context = endpoint.Context
		if endpoint.Access != "" {
			wish.Access = kubeconfig.Access(endpoint.Access)
		}
		wish.AllowInsecure = p.allowance() != ""
		if endpoint.Server != "" && endpoint.Context == "" { // the CA is wanted, and it is the same everywhere
			wish.Access = kubeconfig.Auto
		}
	}
	return wish
}

// allowance tells apart whether the administrator lets count what the spec allows; empty where it allows nothing.
func (p *pass) allowance() string {
	if e := p.cc.Spec.Endpoint; e != nil && e.AllowInsecureTLS && p.insecureAllowed {
		return "insecure"
	}
	return ""
}

// keptAccess is the access of the stored address, or, where that is not known, the one
// that status tells.
func (p *pass) keptAccess() kubeconfig.Access {
	if stored := p.stored(); stored != nil {
		for _, offered := range p.contexts() {
			if offered.Server == stored.way.server && offered.Verified {
				return kubeconfig.AccessOf(offered.Name)
			}
		}
	}
	return kubeconfig.Access(p.cc.Status.Access)
}

// wishText is spec.endpoint in a word, to tell one wish from another.
func (p *pass) wishText() string {
	endpoint := p.cc.Spec.Endpoint
	if endpoint == nil {
		endpoint = &v1alpha1.Endpoint{}
	}
	return strings.TrimSuffix(string(firstOf(endpoint.Access, v1alpha1.AccessAuto))+"/"+endpoint.Context+"/"+p.allowance(), "/")
}

// offers says whether the cloud is known to offer an address.
func offers(offered []v1alpha1.OfferedContext, server string) bool {
	return slices.ContainsFunc(offered, func(o v1alpha1.OfferedContext) bool { return o.Server == server && !o.Unconfirmed })
}

// mergedOffer brings what the cloud was last known to offer up to date with what it
// says of the cluster's addresses. An address that its last answer had without TLS
// verification only is not taken for better.
func mergedOffer(known, said []v1alpha1.OfferedContext) []v1alpha1.OfferedContext {
	merged := slices.Clone(known)
	for _, o := range said {
		verified, insecure := false, false
		for _, k := range known {
			if k.Server == o.Server {
				verified, insecure = verified || k.Verified, insecure || !k.Verified
			}
		}
		o.Verified = verified || !insecure
		at := slices.IndexFunc(merged, func(k v1alpha1.OfferedContext) bool { return k.Name == o.Name })
		if at < 0 {
			merged = append(merged, o)
		} else {
			merged[at] = o
		}
	}
	return merged
}

func contextsOf(offered []v1alpha1.OfferedContext) []kubeconfig.Context {
	contexts := make([]kubeconfig.Context, len(offered))
	for i, o := range offered {
		contexts[i] = kubeconfig.Context{Name: o.Name, Server: o.Server, Verified: o.Verified}
	}
	return contexts
}

func offeredOf(contexts []kubeconfig.Context) []v1alpha1.OfferedContext {
	offered := make([]v1alpha1.OfferedContext, len(contexts))
	for i, c := range contexts {
		offered[i] = v1alpha1.OfferedContext{Name: c.Name, Server: c.Server, Verified: c.Verified}
	}
	return offered
}
