// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync/atomic"
)

// KeyAlgorithm is the kind of the issued private keys. The documents do not
// say which one the cloud uses.
type KeyAlgorithm string

// The algorithms, with the PEM type that each comes in.
const (
	RSA2048 KeyAlgorithm = "rsa2048" // RSA PRIVATE KEY (PKCS #1); a fresh one takes about 65 ms
	EC      KeyAlgorithm = "ec"      // P-256, EC PRIVATE KEY (SEC 1)
	Ed25519 KeyAlgorithm = "ed25519" // PRIVATE KEY (PKCS #8)
)

// keyPair is a private key and its PEM.
type keyPair struct {
	signer crypto.Signer
	pem    []byte
}

// keySource hands out keys: fresh ones, or those of its pool in turn.
type keySource struct {
	algorithm KeyAlgorithm
	pool      []keyPair
	taken     atomic.Uint64
}

func newKeySource(algorithm KeyAlgorithm, pool int) (*keySource, error) {
	if algorithm == "" {
		algorithm = RSA2048
	}
	s := &keySource{algorithm: algorithm}
	if algorithm != RSA2048 && algorithm != EC && algorithm != Ed25519 {
		return nil, fmt.Errorf("key algorithm %q is none of %q, %q, %q", algorithm, RSA2048, EC, Ed25519)
	}
	for range pool {
		k, err := newKeyPair(algorithm)
		if err != nil {
			return nil, err
		}
		s.pool = append(s.pool, k)
	}
	return s, nil
}

func (s *keySource) next() (keyPair, error) {
	if len(s.pool) == 0 {
		return newKeyPair(s.algorithm)
	}
	return s.pool[(s.taken.Add(1)-1)%uint64(len(s.pool))], nil
}

func newKeyPair(algorithm KeyAlgorithm) (keyPair, error) {
	signer, block, err := generate(algorithm)
	if err != nil {
		return keyPair{}, fmt.Errorf("make a key: %w", err)
	}
	return keyPair{signer: signer, pem: pem.EncodeToMemory(block)}, nil
}

func generate(algorithm KeyAlgorithm) (crypto.Signer, *pem.Block, error) {
	switch algorithm {
	case EC:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalECPrivateKey(key)
		return key, &pem.Block{Type: "EC PRIVATE KEY", Bytes: der}, err
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return key, &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
	default:
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, nil, err
		}
		return key, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}, nil
	}
}
