// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"reflect"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// Context is one way in that the cloud offers.
type Context struct {
	// Name is the context's name, 1 to 128 letters, digits and -._:@/ between them.
	Name string
	// Server is https://host:port in the form that is published: lower case, no path.
	Server string
	// CAPEM are the certificates of the CA in normal form; nil if there are none, or if
	// the context asks to skip verification.
	CAPEM []byte
	// Verified is true when the context has a CA and does not skip verification.
	Verified bool
}

// Identity is a client certificate with its key, and the facts that stand in the
// certificate. It comes from Parse or Read, which check that the two belong together.
type Identity struct {
	// CertPEM is the leaf, then its chain if there is one: CERTIFICATE blocks only.
	CertPEM []byte
	// KeyPEM is one block that holds the unencrypted key of the leaf.
	KeyPEM issuer.Sensitive
	// SerialNumber is upper-case hex with an even number of digits, as
	// openssl x509 -serial prints it, such as 0A. It is never negative.
	SerialNumber string
	// Fingerprint is lower-case hex of SHA-256 over the DER of the leaf.
	Fingerprint string
	// CommonName is the user that Kubernetes sees: printable, 1 to 256 bytes.
	CommonName string
	// IssuerName is the issuer as RFC 2253 writes it: printable, at most 1024 bytes.
	IssuerName string
	// NotBefore and NotAfter are the validity, whole seconds in UTC, NotBefore first.
	NotBefore, NotAfter time.Time
}

// Answer is what a cloud sent, checked.
type Answer struct {
	// Contexts are the usable ones in the order sent, 1 to 64.
	Contexts []Context
	// Identity is the one that all of them share.
	Identity Identity
}

// Endpoint is how a client reaches the API server.
type Endpoint struct {
	// Server is https://host:port, as in Context.
	Server string
	// CAPEM is the CA that the server is verified against, in normal form; nil if and only if Insecure.
	CAPEM []byte
	// TLSServerName is the DNS name or IP address that the server's certificate is verified for. Empty: the host of Server.
	TLSServerName string
	// ProxyURL is http://host:port, https://host:port or socks5://host:port, in normal form. Empty: none is named, and a
	// client takes what its environment says.
	ProxyURL string
	// Insecure is true where the server is not verified at all.
	Insecure bool
}

// Credential is what is published: one way to one server, and one identity.
type Credential struct {
	Endpoint
	Identity
}

// Check returns an *Invalid unless Read would give exactly this Credential back:
// everything is in normal form, the key belongs to the certificate, and the facts
// are those of the certificate. Time is not looked at. It costs as much as Read;
// what came from Parse with a verified context, or from Read, always passes.
func (c Credential) Check() error {
	_, _, err := c.decode()
	return err
}

// ForTLS is the certificate with its key, and the CA as roots, nil where the server is not verified. It checks as Check does, and costs
// no more.
func (c Credential) ForTLS() (tls.Certificate, *x509.CertPool, error) {
	own, authority, err := c.decode()
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	certificate := tls.Certificate{PrivateKey: own.key, Leaf: own.chain[0]}
	for _, each := range own.chain {
		certificate.Certificate = append(certificate.Certificate, each.Raw)
	}
	if c.Insecure {
		return certificate, nil, nil
	}
	roots := x509.NewCertPool()
	for _, each := range authority {
		roots.AddCert(each)
	}
	return certificate, roots, nil
}

func (c Credential) decode() (own pair, authority []*x509.Certificate, err error) {
	got, own, authority, err := assemble(c.Endpoint, c.CertPEM, c.KeyPEM.Reveal())
	if err == nil && !reflect.DeepEqual(got, c) {
		err = invalid("the credential says other facts than its certificate")
	}
	return own, authority, err
}

// Assemble makes a Credential of its parts, which must be in normal form already, as Read gives them. The error is an *Invalid.
func Assemble(endpoint Endpoint, certificate, key []byte) (Credential, error) {
	c, _, _, err := assemble(endpoint, certificate, key)
	return c, err
}

func assemble(endpoint Endpoint, certificate, key []byte) (c Credential, own pair, authority []*x509.Certificate, err error) {
	if err := endpoint.check(); err != nil {
		return Credential{}, pair{}, nil, err
	}
	if !endpoint.Insecure {
		if authority, err = decodeAuthority(endpoint.CAPEM); err != nil {
			return Credential{}, pair{}, nil, err
		}
		normalCA := encodeCertificates(authority)
		if !bytes.Equal(normalCA, endpoint.CAPEM) {
			return Credential{}, pair{}, nil, invalid("the CA holds more than PEM blocks of its kind")
		}
		endpoint.CAPEM = normalCA
	}
	identity, own, err := decodeIdentity(certificate, key)
	if err != nil {
		return Credential{}, pair{}, nil, err
	}
	if !bytes.Equal(identity.CertPEM, certificate) || !bytes.Equal(identity.KeyPEM.Reveal(), key) {
		return Credential{}, pair{}, nil, invalid("the certificate or the key holds more than PEM blocks of its kind")
	}
	return Credential{Endpoint: endpoint, Identity: identity}, own, authority, nil
}
