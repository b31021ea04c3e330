// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"fmt"
	"net"
	"net/url"
)

// The wire form of a kubeconfig, as cce_02_0248 describes the answer.
type (
	kubeconfig struct {
		Kind           string         `json:"kind"`
		APIVersion     string         `json:"apiVersion"`
		Preferences    struct{}       `json:"preferences"`
		Clusters       []namedCluster `json:"clusters"`
		Users          []namedUser    `json:"users"`
		Contexts       []namedContext `json:"contexts"`
		CurrentContext string         `json:"current-context"`
	}
	namedCluster struct {
		Name    string     `json:"name"`
		Cluster serverInfo `json:"cluster"`
	}
	serverInfo struct {
		Server   string `json:"server"`
		CA       []byte `json:"certificate-authority-data,omitempty"`
		Insecure bool   `json:"insecure-skip-tls-verify,omitempty"`
	}
	namedUser struct {
		Name string   `json:"name"`
		User userInfo `json:"user"`
	}
	userInfo struct {
		Cert []byte `json:"client-certificate-data,omitempty"`
		Key  []byte `json:"client-key-data,omitempty"`
	}
	namedContext struct {
		Name    string      `json:"name"`
		Context contextInfo `json:"context"`
	}
	contextInfo struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	}
)

const userName = "user"

// newKubeconfig offers one context without an elastic IP and three with it, of
// which the current one is not verified; each custom SAN adds one. The names of
// the custom SANs' clusters are an assumption.
func newKubeconfig(c Cluster, ca []byte, cred credential) kubeconfig {
	k := kubeconfig{
		Kind:           "Config",
		APIVersion:     "v1",
		Users:          []namedUser{{userName, userInfo{Cert: cred.certPEM, Key: cred.keyPEM}}},
		CurrentContext: "internal",
	}
	k.offer("internal", "internalCluster", serverInfo{Server: c.InternalURL, CA: ca})
	if c.ExternalURL != "" {
		k.offer("external", "externalCluster", serverInfo{Server: c.ExternalURL, Insecure: true})
		k.offer("externalTLSVerify", "externalClusterTLSVerify", serverInfo{Server: c.ExternalURL, CA: ca})
		k.CurrentContext = "external"
	}
	for i, san := range c.CustomSANs {
		k.offer(fmt.Sprintf("customSAN-%d", i), fmt.Sprintf("customSANCluster-%d", i), serverInfo{Server: sanURL(san, c.InternalURL), CA: ca})
	}
	return k
}

func (k *kubeconfig) offer(context, cluster string, server serverInfo) {
	k.Clusters = append(k.Clusters, namedCluster{cluster, server})
	k.Contexts = append(k.Contexts, namedContext{context, contextInfo{Cluster: cluster, User: userName}})
}

// sanURL has the port of the internal address, 5443 on the real cloud.
func sanURL(san, internal string) string {
	port := "5443"
	if u, err := url.Parse(internal); err == nil && u.Port() != "" {
		port = u.Port()
	}
	return "https://" + net.JoinHostPort(san, port)
}
