// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// authority signs client certificates and is what kubeconfigs show.
type authority struct {
	cert     *x509.Certificate
	key      crypto.Signer
	shownPEM []byte
	dump     string // text that precedes the PEM of clusters with CATextPrefix
}

func firstAuthority(cfg Config) (*authority, error) {
	if cfg.CACert != nil {
		return useAuthority(cfg.CACert, cfg.CAKey, cfg.ServerCAPEM)
	}
	made, err := newAuthority("ccesim")
	if err != nil {
		return nil, err
	}
	return useAuthority(made.cert, made.key, cfg.ServerCAPEM)
}

func useAuthority(cert *x509.Certificate, key crypto.Signer, serverCAPEM []byte) (*authority, error) {
	if cert == nil || key == nil {
		return nil, errors.New("certificate and key are both needed")
	}
	public, comparable := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !cert.IsCA:
		return nil, fmt.Errorf("%q is not a certificate authority", cert.Subject)
	case !comparable || !public.Equal(cert.PublicKey):
		return nil, fmt.Errorf("the key does not belong to %q", cert.Subject)
	}
	shown, shownPEM := cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	if serverCAPEM != nil {
		block, _ := pem.Decode(serverCAPEM)
		if block == nil {
			return nil, errors.New("ServerCAPEM holds no PEM block")
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("ServerCAPEM: %w", err)
		}
		shown, shownPEM = parsed, serverCAPEM
	}
	return &authority{cert: cert, key: key, shownPEM: shownPEM, dump: textDump(shown)}, nil
}

// newAuthority makes a self-signed one that outlives every certificate.
func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"CCE simulator"}},
		NotBefore:             now.AddDate(-1, 0, 0), // clocks of tests run back and ahead
		NotAfter:              now.AddDate(100, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign %q: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read %q back: %w", name, err)
	}
	return useAuthority(cert, key, nil)
}

// shown is the certificate authority as a kubeconfig of the cluster holds it.
func (a *authority) shown(withDump bool) []byte {
	if withDump {
		return append([]byte(a.dump), a.shownPEM...)
	}
	return a.shownPEM
}

// textDump resembles what "openssl x509 -text" prints: a reader of PEM has to
// skip it.
func textDump(cert *x509.Certificate) string {
	var b strings.Builder
	b.WriteString("Certificate:\n    Data:\n")
	fmt.Fprintf(&b, "        Version: %d (0x%x)\n", cert.Version, cert.Version-1)
	fmt.Fprintf(&b, "        Serial Number: %d (0x%x)\n", cert.SerialNumber, cert.SerialNumber)
	fmt.Fprintf(&b, "    Signature Algorithm: %s\n", cert.SignatureAlgorithm)
	fmt.Fprintf(&b, "        Issuer: %s\n        Validity\n", cert.Issuer)
	fmt.Fprintf(&b, "            Not Before: %s\n", cert.NotBefore.UTC().Format("Jan _2 15:04:05 2006 GMT"))
	fmt.Fprintf(&b, "            Not After : %s\n", cert.NotAfter.UTC().Format("Jan _2 15:04:05 2006 GMT"))
	fmt.Fprintf(&b, "        Subject: %s\n", cert.Subject)
	fmt.Fprintf(&b, "    Signature Value:\n        % x\n", cert.Signature)
	return b.String()
}
