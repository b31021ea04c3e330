// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// address is where the published kubeconfig shall point to, of what the cloud is known
// to offer. Where nothing is known of that, what is stored stays.
func (p *pass) address() (string, v1alpha1.Access, error) {
	stored := p.stored()
	contexts := p.contexts()
	if len(contexts) == 0 && stored != nil && p.wish().Context == "" {
		return p.storedAddress(stored)
	}
	choice, access, err := kubeconfig.Choose(contextsOf(contexts), p.wish())
	if err != nil {
		return "", "", err
	}
	return choice.Server, v1alpha1.Access(access), nil
}

func (p *pass) storedAddress(stored *storedFacts) (string, v1alpha1.Access, error) {
	access, wished := p.cc.Status.Access, p.wish().Access
	if wished != kubeconfig.Auto && string(wished) != string(access) {
		return "", "", fmt.Errorf("the address for spec.endpoint.access %s is not known", wished)
	}
	return stored.server, access, nil
}

// contexts are what the cloud is known to offer: found in this pass, or recorded.
func (p *pass) contexts() []v1alpha1.OfferedContext {
	switch {
	case len(p.offer) > 0:
		return p.offer
	case len(p.marks().Source.Contexts) > 0:
		return p.marks().Source.Contexts
	default:
		return p.cc.Status.Contexts
	}
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
	}
	return wish
}

// keptAccess is the access of the stored address, or, where that is not known, the one
// that status tells.
func (p *pass) keptAccess() kubeconfig.Access {
	if stored := p.stored(); stored != nil {
		for _, offered := range p.contexts() {
			if offered.Server == stored.server && offered.Verified {
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
	return string(firstOf(endpoint.Access, v1alpha1.AccessAuto)) + "/" + endpoint.Context
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
