// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// target is a credential, made ready for net/http.
type target struct {
	server string
	// verifyFor is the name that the server's certificate has to be for.
	verifyFor  string
	serverName string
	insecure   bool
	roots      *x509.CertPool // nil if and only if insecure
	// proxy is nil where the environment counts.
	proxy      *url.URL
	client     tls.Certificate
	commonName string
}

// newTarget checks the credential first: so every text and name in it has a form and a length that are known. Its errors
// are safe to show.
func newTarget(c kubeconfig.Credential) (*target, error) {
	client, roots, err := c.ForTLS()
	if err != nil {
		return nil, err
	}
	t := &target{
		server: c.Server, serverName: c.TLSServerName, verifyFor: c.TLSServerName, insecure: c.Insecure,
		roots: roots, client: client, commonName: c.CommonName,
	}
	if t.verifyFor == "" {
		t.verifyFor = c.Host()
	}
	if c.ProxyURL != "" {
		if t.proxy, err = url.Parse(c.ProxyURL); err != nil {
			return nil, errors.New("its proxy cannot be read")
		}
	}
	return t, nil
}
