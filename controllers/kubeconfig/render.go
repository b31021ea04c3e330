// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Render writes the kubeconfig that is published: one cluster, one user and one
// context, all called name (1 to 512 letters, digits and -._:@/ between them), with
// inline data and nothing else. Equal arguments give equal bytes.
//
// It refuses parts that are missing or too large and a server that is not in normal
// form; it does not repeat the checks on certificate and key that Parse and Read made
// (Check does), since it runs once for every output.
func Render(name string, c Credential) ([]byte, error) {
	if !validName(name, maxEntryName) {
		return nil, invalid("the name for the kubeconfig's entries is not letters and digits with -._:@/ between them")
	}
	if err := c.CheckForm(); err != nil {
		return nil, err
	}
	if text, ok := write(name, c); ok {
		return text, nil
	}
	return encode(name, c)
}

// encode has clientcmd write it, whatever it is.
func encode(name string, c Credential) ([]byte, error) {
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{
		Server: c.Server, CertificateAuthorityData: c.CAPEM,
		TLSServerName: c.TLSServerName, ProxyURL: c.ProxyURL, InsecureSkipTLSVerify: c.Insecure,
	}
	config.AuthInfos[name] = &api.AuthInfo{ClientCertificateData: c.CertPEM, ClientKeyData: c.KeyPEM.Reveal()}
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return nil, invalid("the kubeconfig cannot be written")
	}
	return data, nil
}

// CheckForm returns an *Invalid where a part is missing or too large, or the endpoint is not in normal form. It does not look
// into certificates and key: Check does.
func (c Credential) CheckForm() error {
	if err := c.Endpoint.check(); err != nil {
		return err
	}
	for _, part := range []struct {
		name      string
		size, max int
	}{
		{"client certificate", len(c.CertPEM), maxCertificateBytes},
		{"client key", len(c.KeyPEM), maxKeyBytes},
	} {
		if part.size == 0 {
			return invalid("the credential has no %s", part.name)
		}
		if part.size > part.max {
			return invalid("the %s is larger than %d KiB", part.name, part.max>>10)
		}
	}
	return nil
}
