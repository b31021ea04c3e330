// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// issuance is what a client certificate is going to say. Faults change it
// before it is signed.
type issuance struct {
	subject             pkix.Name
	issued              time.Time
	notBefore, notAfter time.Time
	usages              []x509.ExtKeyUsage
	signer              *authority
}

// credential is a signed certificate and its key.
type credential struct {
	certPEM  []byte
	keyPEM   []byte
	serial   string // upper-case hexadecimal
	notAfter time.Time
}

// plan is the honest issuance: the user's ID as common name (cce_02_0249), its
// groups as organizations (an assumption), life capped by GrantedLifetime, and not below the least one.
func (s *Server) plan(c *call, notAfter time.Time) issuance {
	if granted := time.Duration(s.granted.Load()); granted > 0 && notAfter.After(c.now.Add(granted)) {
		notAfter = c.now.Add(granted)
	}
	if least := time.Duration(s.least.Load()); least > 0 && notAfter.Before(c.now.Add(least)) {
		notAfter = c.now.Add(least)
	}
	return issuance{
		subject:   pkix.Name{CommonName: c.who.userID, Organization: c.who.groups},
		issued:    c.now,
		notBefore: c.now.Add(-time.Duration(s.backdate.Load())),
		notAfter:  notAfter,
		usages:    []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		signer:    s.authority.Load(),
	}
}

func (s *Server) sign(i issuance) (credential, error) {
	key, err := s.keys.next()
	if err != nil {
		return credential{}, err
	}
	serial, err := newSerial()
	if err != nil {
		return credential{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               i.subject,
		NotBefore:             i.notBefore.UTC().Truncate(time.Second),
		NotAfter:              i.notAfter.UTC().Truncate(time.Second),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           i.usages,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.signer.cert, key.signer.Public(), i.signer.key)
	if err != nil {
		return credential{}, fmt.Errorf("sign a certificate: %w", err)
	}
	return credential{
		certPEM:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:   key.pem,
		serial:   fmt.Sprintf("%X", serial.Bytes()),
		notAfter: template.NotAfter,
	}, nil
}

// newSerial is positive and has 128 random bits.
func newSerial() (*big.Int, error) {
	top := new(big.Int).Lsh(big.NewInt(1), 128)
	n, err := rand.Int(rand.Reader, top)
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}
