// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/clustercredential/operator/controllers/issuer"
)

// Bounds on facts that go into status. RFC 5280 allows serial numbers of 20 octets
// and common names of 64 characters; some issuers exceed both, none by this much.
const (
	maxSerialOctets = 64
	maxCommonName   = 256
	maxIssuerName   = 1024
)

// clockSkew is how far in the future a certificate may begin. Issuers backdate for
// clocks that are behind (Kubernetes' own signer by 5 minutes, pkg/controller/
// certificates/signer/signer.go); the same allowance serves one whose clock is ahead.
const clockSkew = 5 * time.Minute

// NewIdentity checks a client certificate (leaf first) and its key, both PEM, and
// returns them in normal form with the facts. Whether it is valid now is for validAt. The error is an *Invalid.
func NewIdentity(certificateText, keyText []byte) (Identity, error) {
	identity, _, err := decodeIdentity(certificateText, keyText)
	return identity, err
}

// pair is what an Identity was decoded from.
type pair struct {
	chain []*x509.Certificate // the leaf first
	key   crypto.Signer
}

func decodeIdentity(certificateText, keyText []byte) (Identity, pair, error) {
	if len(certificateText) == 0 {
		return Identity{}, pair{}, invalid("the kubeconfig holds no inline client certificate")
	}
	chain, err := decodeCertificates("the client certificate", certificateText, maxCertificateBytes)
	if err != nil {
		return Identity{}, pair{}, err
	}
	leaf := chain[0]
	if err := checkLeaf(leaf); err != nil {
		return Identity{}, pair{}, err
	}
	key, keyPEM, err := decodeKey(keyText)
	if err != nil {
		return Identity{}, pair{}, err
	}
	if !belongs(key, leaf) {
		return Identity{}, pair{}, invalid("the client key does not belong to the client certificate")
	}
	return describe(chain, keyPEM), pair{chain, key}, nil
}

func describe(chain []*x509.Certificate, keyPEM []byte) Identity {
	leaf := chain[0]
	digest := sha256.Sum256(leaf.Raw)
	return Identity{
		CertPEM:      encodeCertificates(chain),
		KeyPEM:       issuer.Sensitive(keyPEM),
		SerialNumber: serialHex(leaf.SerialNumber),
		Fingerprint:  hex.EncodeToString(digest[:]),
		CommonName:   leaf.Subject.CommonName,
		IssuerName:   leaf.Issuer.String(),
		NotBefore:    leaf.NotBefore.UTC(),
		NotAfter:     leaf.NotAfter.UTC(),
	}
}

// checkLeaf says whether a certificate can serve as a Kubernetes client certificate.
func checkLeaf(leaf *x509.Certificate) error {
	if err := checkPublicKey(leaf.PublicKey); err != nil {
		return err
	}
	switch {
	case leaf.BasicConstraintsValid && leaf.IsCA:
		return invalid("the client certificate is a CA certificate")
	case !forClients(leaf):
		return invalid("the client certificate is not meant for clients (no clientAuth in its extended key usage)")
	case !leaf.NotAfter.After(leaf.NotBefore):
		return invalid("the client certificate ends before it begins")
	case leaf.SerialNumber.Sign() < 0 || leaf.SerialNumber.BitLen() > maxSerialOctets*8:
		return invalid("the client certificate has a serial number that is negative or too long")
	case leaf.Subject.CommonName == "":
		// kube-apiserver takes the user from it (CommonNameUserConversion in k8s.io/apiserver)
		// and refuses a certificate without one.
		return invalid("the client certificate has no common name, so Kubernetes would not know its user")
	case !presentable(leaf.Subject.CommonName, maxCommonName) || !presentable(leaf.Issuer.String(), maxIssuerName):
		return invalid("the client certificate has names that are too long or not printable")
	}
	return nil
}

// forClients holds what kube-apiserver's x509 authenticator asks of Verify: the usage
// clientAuth or any, or no extended key usage at all, which RFC 5280 and Go read as
// no restriction. A cloud that leaves it out makes certificates that work.
func forClients(leaf *x509.Certificate) bool {
	if len(leaf.ExtKeyUsage) == 0 && len(leaf.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) ||
		slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// validAt says whether a certificate just issued is valid at now, give or take clockSkew.
func (i Identity) validAt(now time.Time) error {
	if !now.Before(i.NotAfter) {
		return invalid("the client certificate has expired")
	}
	if i.NotBefore.After(now.Add(clockSkew)) {
		return invalid("the client certificate is not valid yet (it begins more than %s from now)", clockSkew)
	}
	return nil
}

func presentable(name string, longest int) bool {
	return len(name) <= longest && !strings.ContainsFunc(name, func(r rune) bool {
		return r == unicode.ReplacementChar || !unicode.IsPrint(r)
	})
}

// serialHex writes whole octets, zero as 00, as openssl x509 -serial does.
func serialHex(serial *big.Int) string {
	octets := serial.Bytes()
	if len(octets) == 0 {
		octets = []byte{0}
	}
	return strings.ToUpper(hex.EncodeToString(octets))
}
