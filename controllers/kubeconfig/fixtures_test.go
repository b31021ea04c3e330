// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"
)

// Keys are made at run time: none is committed.

// now is the time of every test.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// signer is a CA, or a leaf with its key.
type signer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (s signer) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Raw})
}

// keyPEM is the key in PKCS#8.
func (s signer) keyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(s.key)})
}

func newKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// rsaKeys are slow to make, so each size is made once.
var rsaKeys sync.Map

func rsaKey(bits int) crypto.Signer {
	make := sync.OnceValue(func() crypto.Signer {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return key
	})
	known, _ := rsaKeys.LoadOrStore(bits, make)
	return known.(func() crypto.Signer)()
}

func ed25519Key() crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func newCA(name string) signer {
	key := newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(240 * time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return sign(template, signer{template, key}, key)
}

// issue makes a client certificate of 30 days, changed by the functions.
func (s signer) issue(key crypto.Signer, changes ...func(*x509.Certificate)) signer {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0a1b), Subject: pkix.Name{CommonName: "0c97ac3cb280f4d91fa7c0096739e1f8"},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(720 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, change := range changes {
		change(template)
	}
	return sign(template, s, key)
}

func sign(template *x509.Certificate, parent signer, key crypto.Signer) signer {
	der, err := x509.CreateCertificate(rand.Reader, template, parent.certificate, key.Public(), parent.key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return signer{certificate, key}
}

// testCA and testLeaf are for tests that only need some CA and some leaf.
var (
	testCA   = sync.OnceValue(func() signer { return newCA("kubernetes") })
	testLeaf = sync.OnceValue(func() signer { return testCA().issue(newKey()) })
)

// The types behind the signers, for the encoders that want them.
type (
	ecKey      = *ecdsa.PrivateKey
	rsaKeyType = *rsa.PrivateKey
)

func key[K any](s signer) K { return s.key.(K) }

func pkcs8(key crypto.Signer) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return der
}

// negativeSerial flips the sign of the serial number 0x0A1B in a certificate, which
// crypto/x509 refuses to write.
func negativeSerial(t testing.TB, leaf signer) []byte {
	t.Helper()
	der := bytes.Replace(leaf.certificate.Raw, []byte{2, 2, 0x0a, 0x1b}, []byte{2, 2, 0x8a, 0x1b}, 1)
	if bytes.Equal(der, leaf.certificate.Raw) {
		t.Fatal("the serial number was not found")
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
