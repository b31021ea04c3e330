// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

const (
	// maxPassword is longer than any password that people write; deriving keys costs more with longer ones.
	maxPassword = 256
	// saltBytes is more than the encoder takes: two salts and two initialization vectors for certificates and key, and
	// the salt of the checksum, 16 bytes each.
	saltBytes = 256
)

// pkcs12 is certificate and key as a PKCS#12 file, with the chain of the certificate and the CA. Its bytes are no text.
func (w *work) pkcs12(password string) (string, error) {
	if w.pkcs12s--; w.pkcs12s < 0 {
		return "", refuse("pkcs12 is called more than %d times; put what it gives into a variable", maxPKCS12s)
	}
	if len(password) > maxPassword {
		return "", refuse("the password of pkcs12 is longer than %d bytes; write a shorter one", maxPassword)
	}
	data, err := encodePKCS12(w.credential, password)
	if err != nil {
		return "", err
	}
	return string(data), w.room("pkcs12", 0, len(data))
}

// encodePKCS12 names the encoder of 2023 and not the library's "modern" one, which a later release may change: the bytes in
// a Secret change with the credential and the spec alone.
func encodePKCS12(c kubeconfig.Credential, password string) ([]byte, error) {
	pair, err := tls.X509KeyPair(c.CertPEM, c.KeyPEM.Reveal())
	if err != nil {
		return nil, refusal("the certificate and its key cannot be read for pkcs12")
	}
	others, err := certificatesOf(pair.Certificate[1:], c.CAPEM)
	if err != nil {
		return nil, err
	}
	salts, err := saltsFor(c, password)
	if err != nil {
		return nil, err
	}
	data, err := pkcs12.Modern2023.WithRand(salts).Encode(pair.PrivateKey, pair.Leaf, others, password)
	if err != nil || salts.Len() == 0 { // having taken all, the encoder may have had too little, and nobody would have said so
		return nil, refusal("the PKCS#12 file cannot be written; write a password of plain letters, digits and signs")
	}
	return data, nil
}

// certificatesOf are the chain that came with a certificate, and the CA.
func certificatesOf(chain [][]byte, caPEM []byte) ([]*x509.Certificate, error) {
	for block, rest := pem.Decode(caPEM); block != nil; block, rest = pem.Decode(rest) {
		chain = append(chain, block.Bytes)
	}
	certificates := make([]*x509.Certificate, 0, len(chain))
	for _, der := range chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, refusal("the CA cannot be read for pkcs12")
		}
		certificates = append(certificates, certificate)
	}
	return certificates, nil
}

// saltsFor stands in for the chance that the encoder asks for: the same file has the same bytes, and so its Secret is not
// written again at every look. Salts and initialization vectors need not be secret; they must not be foreseen, and must not
// serve two different contents. Both hold: they are derived by HKDF from the private key, which nobody has who lacks the
// content, and from everything that goes into the file, so that another content has others. They tell nothing of the
// password to whoever lacks the key.
func saltsFor(c kubeconfig.Credential, password string) (*bytes.Reader, error) {
	content := sha256.New()
	for _, part := range [][]byte{c.CertPEM, c.CAPEM, []byte(password)} {
		// With its length, so that no two contents are written alike. Writing to a hash cannot fail.
		_, _ = content.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = content.Write(part)
	}
	salts, err := hkdf.Key(sha256.New, c.KeyPEM.Reveal(), content.Sum(nil), "clustercredential.dev pkcs12 2023", saltBytes)
	if err != nil {
		return nil, refusal("the PKCS#12 file cannot be written")
	}
	return bytes.NewReader(salts), nil
}
