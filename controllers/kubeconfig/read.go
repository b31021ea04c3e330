// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"encoding/json"
	"reflect"

	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/controllers/issuer"
)

// Read is the inverse of Render, for a stored Secret. It takes a document only if it
// says exactly what Render writes for the Credential that it returns, in whatever
// layout, under whatever name; anything more, less or other is an *Invalid. Times are
// not looked at: an expired credential is still readable.
func Read(data []byte) (Credential, error) {
	if text, ok := scan(data); ok {
		return Assemble(Endpoint{Server: text.server, CAPEM: text.ca}, text.certificate, text.key)
	}
	config, err := load(data)
	if err != nil {
		return Credential{}, err
	}
	name := config.CurrentContext
	cluster, user := config.Clusters[name], config.AuthInfos[name]
	if cluster == nil || user == nil {
		return Credential{}, invalid("the kubeconfig has no cluster and user with the name of its current context")
	}
	// Decided by the whole document and not by a list of what is forbidden, so that a
	// field that client-go learns tomorrow is refused as well.
	if !saysSame(data, name, cluster, user) {
		return Credential{}, invalid("the kubeconfig is not exactly one server, one CA, one certificate and one key, all inline")
	}
	return Assemble(endpointOf(cluster), user.ClientCertificateData, user.ClientKeyData)
}

func endpointOf(cluster *api.Cluster) Endpoint {
	return Endpoint{
		Server: cluster.Server, CAPEM: cluster.CertificateAuthorityData,
		TLSServerName: cluster.TLSServerName, ProxyURL: cluster.ProxyURL, Insecure: cluster.InsecureSkipTLSVerify,
	}
}

func saysSame(data []byte, name string, cluster *api.Cluster, user *api.AuthInfo) bool {
	rendered, err := Render(name, Credential{
		Endpoint: endpointOf(cluster),
		Identity: Identity{
			CertPEM: user.ClientCertificateData,
			KeyPEM:  issuer.Sensitive(user.ClientKeyData),
		},
	})
	if err != nil {
		return false
	}
	got, ok := tree(data)
	if !ok {
		return false
	}
	want, ok := tree(rendered)
	return ok && reflect.DeepEqual(got, want)
}

// tree returns what a YAML or JSON document says. It is false for a document that
// says something twice, or is followed by another one that decoders skip.
func tree(data []byte) (any, bool) {
	if bytes.Contains(data, []byte("\n---")) || bytes.Contains(data, []byte("\n...")) {
		return nil, false
	}
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, false
	}
	var said any
	return said, json.Unmarshal(text, &said) == nil
}
