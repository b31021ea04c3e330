// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// RSA keys below 2048 bits are refused by TLS policies everywhere; above 8192 bits
// by Go's own TLS server (crypto/tls, checkKeySize), which kube-apiserver uses.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// decodeKey returns the one private key in PEM text, and its block in normal form.
// Blocks of other types are left out (openssl writes EC PARAMETERS before the key).
func decodeKey(text []byte) (crypto.Signer, []byte, error) {
	if len(text) == 0 {
		return nil, nil, invalid("the kubeconfig holds no inline client key")
	}
	if len(text) > maxKeyBytes {
		return nil, nil, invalid("the client key is larger than %d KiB", maxKeyBytes>>10)
	}
	var found *pem.Block
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if found != nil {
			return nil, nil, invalid("the client key holds more than one private key")
		}
		found = block
	}
	if found == nil {
		return nil, nil, invalid("the client key holds no private key in PEM form")
	}
	if found.Type == "ENCRYPTED PRIVATE KEY" || found.Headers["Proc-Type"] != "" || found.Headers["DEK-Info"] != "" {
		return nil, nil, invalid("the client key is encrypted")
	}
	key := parseKey(found)
	if key == nil {
		return nil, nil, invalid("the client key is not an RSA, ECDSA or Ed25519 key in PKCS#1, PKCS#8 or SEC 1 form")
	}
	// The DER is kept as it is: only labels and line breaks become ours.
	return key, pem.EncodeToMemory(&pem.Block{Type: found.Type, Bytes: found.Bytes}), nil
}

// parseKey tries the forms whatever the label says, as tls.X509KeyPair does, but
// takes only the labels of these forms. It returns nil for anything else.
func parseKey(block *pem.Block) crypto.Signer {
	switch block.Type {
	case "RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY":
	default:
		return nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key
	case *ecdsa.PrivateKey:
		return key
	case ed25519.PrivateKey:
		return key
	}
	return nil
}

// checkPublicKey says whether Kubernetes takes a client certificate with this key.
func checkPublicKey(key crypto.PublicKey) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return invalid("the client certificate has an RSA key of %d bits; %d to %d are usable", bits, minRSABits, maxRSABits)
		}
		return nil
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return nil
	}
	return invalid("the client certificate has a key that is neither RSA, ECDSA nor Ed25519")
}

// belongs tells whether key is the private half of the certificate's key. It is the
// comparison of tls.X509KeyPair, without parsing everything a second time.
func belongs(key crypto.Signer, certificate *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(certificate.PublicKey)
}
