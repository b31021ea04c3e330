// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"fmt"
	"strings"

	"k8s.io/client-go/tools/clientcmd/api"
)

// offer is a usable context with the user that it links to.
type offer struct {
	context Context
	user    *api.AuthInfo
}

// flaw is why a context cannot be used; empty for one that can.
type flaw string

const (
	badName   flaw = "with a name that is empty or malformed"
	badLink   flaw = "without their cluster or user"
	badServer flaw = "without a server https://host:port"
	badCA     flaw = "with a CA that cannot be read"
)

// usable returns the offers in the order sent, at least one, or an error that
// counts what was wrong with the contexts.
func usable(sent document) ([]offer, error) {
	found := finder{config: sent.Config, authorities: map[string]authority{}}
	flaws := map[flaw]int{}
	var offers []offer
	for _, name := range sent.contextNames {
		offer, flaw := found.offer(name)
		if flaw != "" {
			flaws[flaw]++
			continue
		}
		offers = append(offers, offer)
	}
	if len(offers) > 0 {
		return offers, nil
	}
	var counts []string
	for _, flaw := range []flaw{badName, badLink, badServer, badCA} {
		if flaws[flaw] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", flaws[flaw], flaw))
		}
	}
	if counts == nil {
		return nil, invalid("the kubeconfig has no contexts")
	}
	return nil, invalid("the kubeconfig has no usable context: %s", strings.Join(counts, ", "))
}

// finder looks contexts up. Contexts may share a cluster, so it decodes a CA once.
type finder struct {
	config      *api.Config
	authorities map[string]authority
}

// authority is a decoded CA: nil without one or where verification is skipped.
type authority struct {
	pem []byte
	err error
}

func (f finder) offer(name string) (offer, flaw) {
	link := f.config.Contexts[name]
	if link == nil || !validName(name, maxContextName) {
		return offer{}, badName
	}
	cluster, user := f.config.Clusters[link.Cluster], f.config.AuthInfos[link.AuthInfo]
	if cluster == nil || user == nil {
		return offer{}, badLink
	}
	server, ok := normalServer(cluster.Server)
	if !ok {
		return offer{}, badServer
	}
	ca := f.authority(link.Cluster, cluster)
	if ca.err != nil {
		return offer{}, badCA
	}
	return offer{Context{Name: name, Server: server, CAPEM: ca.pem, Verified: ca.pem != nil}, user}, ""
}

func (f finder) authority(name string, cluster *api.Cluster) authority {
	if cluster.InsecureSkipTLSVerify || len(cluster.CertificateAuthorityData) == 0 {
		return authority{}
	}
	known, ok := f.authorities[name]
	if !ok {
		known.pem, known.err = normalAuthority(cluster.CertificateAuthorityData)
		f.authorities[name] = known
	}
	return known
}
