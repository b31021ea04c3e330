// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// decodeAuthority returns the distinct certificates of a CA, in their order.
func decodeAuthority(text []byte) ([]*x509.Certificate, error) {
	certificates, err := decodeCertificates("the CA", text, maxCABytes)
	if err != nil {
		return nil, err
	}
	var distinct []*x509.Certificate
	for _, certificate := range certificates {
		if !slices.ContainsFunc(distinct, certificate.Equal) {
			distinct = append(distinct, certificate)
		}
	}
	return distinct, nil
}

// normalAuthority returns a CA in normal form: pure PEM, every certificate once.
func normalAuthority(text []byte) ([]byte, error) {
	certificates, err := decodeAuthority(text)
	if err != nil {
		return nil, err
	}
	return encodeCertificates(certificates), nil
}

// SameCA tells whether a and b (PEM) hold the same certificates, in whatever order
// and with whatever text around them. What cannot be read is the same as nothing.
func SameCA(a, b []byte) bool {
	first, err := decodeAuthority(a)
	if err != nil {
		return false
	}
	second, err := decodeAuthority(b)
	if err != nil || len(first) != len(second) {
		return false
	}
	// Both are free of duplicates and of equal length: one direction is enough.
	for _, certificate := range first {
		if !slices.ContainsFunc(second, certificate.Equal) {
			return false
		}
	}
	return true
}

// ChainsTo tells whether the leaf is signed by a certificate of the CA (PEM),
// directly or over the chain that came with it. It looks at names and signatures
// and at no times: the question is whose certificate it is, not whether it is valid.
func ChainsTo(id Identity, caPEM []byte) bool {
	chain, authority, ok := chainAndAuthority(id, caPEM)
	if !ok {
		return false
	}
	current := chain[0]
	// Every step uses up one certificate of the chain, so that a loop ends.
	for rest := chain[1:]; ; {
		if slices.ContainsFunc(authority, func(ca *x509.Certificate) bool { return signedBy(current, ca) }) {
			return true
		}
		next := slices.IndexFunc(rest, func(ca *x509.Certificate) bool { return signedBy(current, ca) })
		if next < 0 {
			return false
		}
		current = rest[next]
		rest = slices.Delete(slices.Clone(rest), next, next+1)
	}
}

// CABearsIssuerOf tells whether a certificate of the CA (PEM) has the name that
// issued the leaf, or a certificate of its chain: then the CA claims to be the
// issuer, and a leaf that does not chain to it is wrong.
func CABearsIssuerOf(id Identity, caPEM []byte) bool {
	chain, authority, ok := chainAndAuthority(id, caPEM)
	if !ok {
		return false
	}
	return slices.ContainsFunc(chain, func(certificate *x509.Certificate) bool {
		return slices.ContainsFunc(authority, func(ca *x509.Certificate) bool {
			return bytes.Equal(certificate.RawIssuer, ca.RawSubject)
		})
	})
}

func chainAndAuthority(id Identity, caPEM []byte) (chain, authority []*x509.Certificate, ok bool) {
	chain, err := decodeCertificates("the client certificate", id.CertPEM, maxCertificateBytes)
	if err != nil {
		return nil, nil, false
	}
	authority, err = decodeAuthority(caPEM)
	return chain, authority, err == nil
}

func signedBy(certificate, ca *x509.Certificate) bool {
	return bytes.Equal(certificate.RawIssuer, ca.RawSubject) && certificate.CheckSignatureFrom(ca) == nil
}
