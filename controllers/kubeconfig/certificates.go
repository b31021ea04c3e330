// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
)

const certificateBlock = "CERTIFICATE"

// decodeCertificates returns the certificates in PEM text, at least one. Text between
// the blocks (CCE puts an openssl dump before its CA) and blocks of other types, a
// stray key among them, are left out. what names the text in errors.
func decodeCertificates(what string, text []byte, maxBytes int) ([]*x509.Certificate, error) {
	if len(text) > maxBytes {
		return nil, invalid("%s is larger than %d KiB", what, maxBytes>>10)
	}
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != certificateBlock {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, invalid("%s holds a certificate that cannot be parsed", what)
		}
		certificates = append(certificates, certificate)
		if len(certificates) > maxCertificates {
			return nil, invalid("%s holds more than %d certificates", what, maxCertificates)
		}
	}
	if len(certificates) == 0 {
		return nil, invalid("%s holds no certificate in PEM form", what)
	}
	return certificates, nil
}

// encodeCertificates writes pure PEM: no text, no headers.
func encodeCertificates(certificates []*x509.Certificate) []byte {
	var text bytes.Buffer
	for _, certificate := range certificates {
		// Writing to a bytes.Buffer without headers cannot fail.
		_ = pem.Encode(&text, &pem.Block{Type: certificateBlock, Bytes: certificate.Raw})
	}
	return text.Bytes()
}
