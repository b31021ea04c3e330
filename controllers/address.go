// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

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
	if !p.decision.OtherCluster {
		wish.Kept = kubeconfig.Access(p.cc.Status.Access)
	}
	if stored := p.stored(); stored != nil && wish.Kept == "" && !p.decision.OtherCluster {
		for _, offered := range p.contexts() {
			if offered.Server == stored.server && offered.Verified {
				wish.Kept = kubeconfig.AccessOf(offered.Name)
			}
		}
	}
	if endpoint := p.cc.Spec.Endpoint; endpoint != nil {
		wish.Context = endpoint.Context
		if endpoint.Access != "" {
			wish.Access = kubeconfig.Access(endpoint.Access)
		}
	}
	return wish
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
