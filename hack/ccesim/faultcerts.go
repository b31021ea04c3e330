// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/x509"
	"time"
)

// elsewhere is an address that resolves nowhere (RFC 6761).
const elsewhere = "https://elsewhere.invalid:5443"

func badKubeconfigs() []faultKind {
	simply := func(change func(*kubeconfig)) func(*Server, *kubeconfig) error {
		return func(_ *Server, k *kubeconfig) error { change(k); return nil }
	}
	return []faultKind{
		{name: FaultNoUser, about: "no users", rewrite: simply(func(k *kubeconfig) { k.Users = nil })},
		{name: FaultNoCertificate, about: "a user without a certificate", rewrite: simply(func(k *kubeconfig) { k.Users[0].User.Cert = nil })},
		{name: FaultNoKey, about: "a user without a key", rewrite: simply(func(k *kubeconfig) { k.Users[0].User.Key = nil })},
		{name: FaultNoContexts, about: "no contexts", rewrite: simply(func(k *kubeconfig) { k.Contexts = nil })},
		{name: FaultInsecureOnly, about: "only the context external, which verifies no server certificate", rewrite: simply(insecureOnly)},
		{name: FaultOtherServer, about: "every server is " + elsewhere, rewrite: simply(func(k *kubeconfig) {
			for i := range k.Clusters {
				k.Clusters[i].Cluster.Server = elsewhere
			}
		})},
		{name: FaultWrongKey, about: "the key belongs to another certificate", rewrite: func(s *Server, k *kubeconfig) error {
			other, err := newKeyPair(s.keys.algorithm)
			k.Users[0].User.Key = other.pem
			return err
		}},
	}
}

// insecureOnly keeps the external address, or the internal one if there is no
// other.
func insecureOnly(k *kubeconfig) {
	server := k.Clusters[min(1, len(k.Clusters)-1)].Cluster.Server
	k.Clusters, k.Contexts = nil, nil
	k.offer("external", "externalCluster", serverInfo{Server: server, Insecure: true})
	k.CurrentContext = "external"
}

func badCertificates() []faultKind {
	return []faultKind{
		{name: FaultExpired, about: "a certificate that expired a minute ago", alter: func(_ *Server, i *issuance) error {
			i.notBefore, i.notAfter = i.issued.Add(-time.Hour), i.issued.Add(-time.Minute)
			return nil
		}},
		{name: FaultNotYetValid, about: "a certificate that begins in an hour", alter: func(_ *Server, i *issuance) error {
			i.notBefore, i.notAfter = i.issued.Add(time.Hour), i.notAfter.Add(time.Hour)
			return nil
		}},
		{name: FaultOtherCA, about: "a certificate that another authority signed than the one shown", alter: func(s *Server, i *issuance) (err error) {
			i.signer, err = s.stranger()
			return err
		}},
		{name: FaultNoClientAuth, about: "a certificate for servers, not for clients", alter: func(_ *Server, i *issuance) error {
			i.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			return nil
		}},
	}
}
