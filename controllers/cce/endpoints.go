// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"

	"github.com/clustercredential/operator/controllers/issuer"
)

const (
	// maxCAPEM bounds the authorities of an account, as spec.endpoints.caBundle does.
	maxCAPEM = 64 << 10
	// maxTransports bounds the transports that are kept, each with up to 32 TLS sessions.
	maxTransports = 64
)

// place is the cloud that an account is of. What one place was shown or has told is of
// no use in another, though the region and the key have the same names there.
type place struct {
	cce, iam string
	// authorities is the hash of issuer.Endpoints.CAPEM; zero: those of the Dialer.
	authorities [sha256.Size]byte
}

// locate checks the addresses of an account and finds the transport of its place.
func (d *Dialer) locate(region string, own issuer.Endpoints) (place, *http.Transport, error) {
	var err error
	if own.CCE, err = parseEndpoint(own.CCE); err != nil {
		return place{}, nil, rejected("spec.endpoints.cce: " + err.Error())
	}
	if own.IAM, err = parseEndpoint(own.IAM); err != nil {
		return place{}, nil, rejected("spec.endpoints.iam: " + err.Error())
	}
	var at place
	at.cce, at.iam = d.endpoints(region, own)
	if own.CAPEM == "" {
		return at, d.transport, nil
	}
	at.authorities = sha256.Sum256([]byte(own.CAPEM))
	transport, err := d.transports.get(at.authorities, func() (*http.Transport, error) { return d.trusting(own.CAPEM) })
	if err != nil {
		return place{}, nil, rejected("spec.endpoints.caBundle: " + err.Error())
	}
	return at, transport, nil
}

// trusting makes a transport like the Dialer's that trusts these authorities only. It
// shares no TLS session with another, so that nothing hangs on how a resumed one is
// verified, which has changed between releases of Go.
func (d *Dialer) trusting(caPEM string) (*http.Transport, error) {
	authorities, err := parseCAs(caPEM)
	if err != nil {
		return nil, err
	}
	transport := newTransport(authorities)
	transport.DialContext, transport.Proxy = d.transport.DialContext, d.transport.Proxy
	return transport, nil
}

// parseCAs reads authorities in PEM. What stands between the certificates, such as what openssl says of them, is passed over. Within
// them it is strict, since x509.CertPool passes over what it cannot read: a certificate that was cut in two would be missed in
// a message of TLS.
func parseCAs(text string) (*x509.CertPool, error) {
	if len(text) > maxCAPEM {
		return nil, errors.New("write at most 64 KiB")
	}
	pool := x509.NewCertPool()
	rest, found := []byte(text), 0
	for ; ; found++ {
		begin := bytes.Index(rest, []byte("-----BEGIN"))
		if begin < 0 {
			break
		}
		rest = rest[begin:]
		if !bytes.HasPrefix(rest, []byte("-----BEGIN CERTIFICATE-----")) {
			return nil, errors.New("write certificates in PEM, and nothing else in PEM")
		}
		block, after := pem.Decode(rest)
		// What Decode cannot read it passes over, up to the next block.
		if block == nil || bytes.Count(rest[:len(rest)-len(after)], []byte("-----BEGIN")) != 1 {
			return nil, errors.New("a certificate is not whole: write it again")
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("a certificate cannot be read: write it again")
		}
		pool.AddCert(certificate)
		rest = after
	}
	if found == 0 {
		return nil, errors.New("write certificates in PEM: there is none")
	}
	return pool, nil
}
