// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format ArgoCD: a cluster of Argo CD (argo-cd/docs/operator-manual/declarative-setup.md, "Clusters"). Argo CD reads
// the certificates from tlsClientConfig only, and ignores them anywhere else without a word.

const (
	labelArgoCDSecretType = "argocd.argoproj.io/secret-type"
	argoCDCluster         = "cluster"

	argoCDName      = "name"
	argoCDServer    = "server"
	argoCDConfig    = "config"
	argoCDProject   = "project"
	argoCDNamespace = "namespaces"
	argoCDResources = "clusterResources"
)

// argoCDClusterConfig is the part of Argo CD's ClusterConfig that we write, with its fields in the order in which Argo CD
// writes them (argo-cd/pkg/apis/application/v1alpha1/types.go).
type argoCDClusterConfig struct {
	TLSClientConfig argoCDTLSClientConfig `json:"tlsClientConfig"`
	ProxyURL        string                `json:"proxyUrl,omitempty"`
}

type argoCDTLSClientConfig struct {
	Insecure   bool   `json:"insecure"`
	ServerName string `json:"serverName,omitempty"`
	CertData   []byte `json:"certData,omitempty"` // encoding/json writes base64
	KeyData    []byte `json:"keyData,omitempty"`
	CAData     []byte `json:"caData,omitempty"`
}

func renderArgoCD(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (Rendered, error) {
	if err := c.CheckForm(); err != nil {
		return Rendered{}, err
	}
	config, err := argoCDConfigOf(c)
	if err != nil {
		return Rendered{}, err
	}
	data := map[string]issuer.Sensitive{
		argoCDName: issuer.Sensitive(facts.ClusterName(o)), argoCDServer: issuer.Sensitive(c.Server), argoCDConfig: config,
	}
	if options := o.ArgoCD; options != nil {
		addIfSet(data, argoCDProject, options.Project)
		addIfSet(data, argoCDNamespace, strings.Join(options.Namespaces, ","))
		if options.ClusterResources != nil {
			addIfSet(data, argoCDResources, strconv.FormatBool(*options.ClusterResources))
		}
	}
	return Rendered{
		Type: TypeOf(o), Data: data, Labels: map[string]string{labelArgoCDSecretType: argoCDCluster},
	}, nil
}

// argoCDConfigOf is the JSON of the key config. Argo CD refuses a CA beside insecure.
func argoCDConfigOf(c kubeconfig.Credential) (issuer.Sensitive, error) {
	return json.Marshal(argoCDClusterConfig{
		TLSClientConfig: argoCDTLSClientConfig{
			Insecure: c.Insecure, ServerName: c.TLSServerName, CertData: c.CertPEM, KeyData: c.KeyPEM.Reveal(), CAData: c.CAPEM,
		},
		ProxyURL: c.ProxyURL,
	})
}

func addIfSet(data map[string]issuer.Sensitive, key, value string) {
	if value != "" {
		data[key] = issuer.Sensitive(value)
	}
}

func readArgoCD(data map[string][]byte, _ v1alpha1.Output, _ Facts) (kubeconfig.Credential, error) {
	for _, key := range []string{argoCDServer, argoCDConfig} {
		if len(data[key]) == 0 {
			return kubeconfig.Credential{}, &MissingKeyError{Key: key}
		}
	}
	var config argoCDClusterConfig
	if err := json.Unmarshal(data[argoCDConfig], &config); err != nil {
		return kubeconfig.Credential{}, &UnreadableKeyError{Key: argoCDConfig} // err may quote what it read
	}
	tls := config.TLSClientConfig
	return kubeconfig.Assemble(kubeconfig.Endpoint{
		Server: string(data[argoCDServer]), CAPEM: tls.CAData, TLSServerName: tls.ServerName, ProxyURL: config.ProxyURL, Insecure: tls.Insecure,
	}, tls.CertData, tls.KeyData)
}
