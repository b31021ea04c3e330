// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pemSeed is a client certificate, its key, and a CA, in whatever state.
type pemSeed struct{ certificate, key, ca []byte }

func pemSeeds() []pemSeed {
	leaf, ca := testLeaf(), testCA()
	other := ca.issue(ed25519Key())
	certificate, key, authority := leaf.certPEM(), leaf.keyPEM(), ca.certPEM()
	withHeader := bytes.Replace(key, []byte("-----\n"), []byte("-----\nProc-Type: 4,ENCRYPTED\n\n"), 1)
	return []pemSeed{
		{certificate, key, authority},
		{slices.Concat(certificate, authority), key, slices.Concat(authority, authority)},
		{slices.Concat([]byte(dump), certificate), slices.Concat([]byte(dump), key), slices.Concat([]byte(dump), authority)},
		{bytes.ReplaceAll(certificate, []byte("\n"), []byte("\r\n")), key, slices.Concat(key, authority)},
		{other.certPEM(), other.keyPEM(), newCA("kubernetes").certPEM()},
		{certificate, other.keyPEM(), authority},
		{certificate, slices.Concat(key, key), certificate},
		{certificate, withHeader, certificate[:len(certificate)-40]},
		{authority, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(ca.key)}), nil},
		{certificate, nil, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
		{nil, key, bytes.Repeat(authority, maxCertificates+1)},
	}
}

// FuzzPEM reads any text as certificate, key and CA. The oracle is the standard library:
// what is taken is taken by crypto/tls and x509.CertPool too, says what the first certificate
// says, is pure PEM, and reads back as itself.
func FuzzPEM(f *testing.F) {
	for _, seed := range pemSeeds() {
		f.Add(seed.certificate, seed.key, seed.ca)
	}
	f.Fuzz(func(t *testing.T, certificate, key, ca []byte) {
		id, err := NewIdentity(certificate, key)
		if err != nil {
			checkFuzzError(t, err)
		} else {
			checkIdentity(t, id, certificate)
		}
		checkAuthority(t, id, ca)
	})
}

func TestThePEMSeedsReachBothSides(t *testing.T) {
	var identities, authorities sides
	for _, seed := range pemSeeds() {
		_, err := NewIdentity(seed.certificate, seed.key)
		identities.count(err == nil)
		_, err = normalAuthority(seed.ca)
		authorities.count(err == nil)
	}
	identities.check(t, 5, 6)
	authorities.check(t, 7, 4)
}

func checkIdentity(t *testing.T, id Identity, text []byte) {
	t.Helper()
	again, err := NewIdentity(id.CertPEM, id.KeyPEM.Reveal())
	if diff := cmp.Diff(id, again); err != nil || diff != "" {
		t.Fatalf("read back: %v (-first +again):\n%s", err, diff)
	}
	if _, err := tls.X509KeyPair(id.CertPEM, id.KeyPEM.Reveal()); err != nil {
		t.Fatalf("crypto/tls refuses it: %v", err)
	}
	first := firstCertificate(t, text)
	digest := sha256.Sum256(first.Raw)
	if id.Fingerprint != hex.EncodeToString(digest[:]) || id.CommonName != first.Subject.CommonName || !id.NotAfter.Equal(first.NotAfter) {
		t.Fatalf("it says other facts than the certificate: %+v", id)
	}
	checkPurePEM(t, id.CertPEM, "CERTIFICATE")
	if blocks := checkPurePEM(t, id.KeyPEM.Reveal(), ""); blocks != 1 {
		t.Fatalf("%d keys", blocks)
	}
}

func checkAuthority(t *testing.T, id Identity, ca []byte) {
	t.Helper()
	normal, err := normalAuthority(ca)
	if err != nil {
		checkFuzzError(t, err)
		if SameCA(ca, ca) || ChainsTo(id, ca) || CABearsIssuerOf(id, ca) {
			t.Fatal("what cannot be read is the same as something, or has issued something")
		}
		return
	}
	again, err := normalAuthority(normal)
	if err != nil || !bytes.Equal(normal, again) {
		t.Fatalf("the normal form has another normal form (%v)", err)
	}
	if !SameCA(ca, normal) || !SameCA(normal, ca) {
		t.Fatal("the normal form is another CA")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(normal) {
		t.Fatal("crypto/x509 finds no certificate in it")
	}
	checkPurePEM(t, normal, "CERTIFICATE")
	for block, rest := pem.Decode(normal); block != nil; block, rest = pem.Decode(rest) {
		if bytes.Contains(rest, pem.EncodeToMemory(block)) {
			t.Fatal("a certificate stands twice in the normal form")
		}
	}
	chains := ChainsTo(id, ca)
	if chains != ChainsTo(id, normal) {
		t.Fatal("the text around the CA says who has issued")
	}
	if chains && !CABearsIssuerOf(id, ca) {
		t.Fatal("signed by a CA that has another name than the issuer")
	}
}

func firstCertificate(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	t.Fatal("an identity without a certificate")
	return nil
}

// checkPurePEM holds that nothing but blocks of one type, without headers, gets out.
func checkPurePEM(t *testing.T, text []byte, blockType string) (blocks int) {
	t.Helper()
	var written bytes.Buffer
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		blocks++
		if len(block.Headers) > 0 || blockType != "" && block.Type != blockType {
			t.Fatalf("a block %q with headers %v", block.Type, block.Headers)
		}
		if err := pem.Encode(&written, block); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(written.Bytes(), text) {
		t.Fatal("there is text between the blocks")
	}
	return blocks
}

// sides counts what seeds come to, so that a target that refuses everything is found out.
type sides struct{ accepted, rejected int }

func (s *sides) count(accepted bool) {
	if accepted {
		s.accepted++
	} else {
		s.rejected++
	}
}

func (s *sides) check(t *testing.T, accepted, rejected int) {
	t.Helper()
	if s.accepted != accepted || s.rejected != rejected {
		t.Errorf("%d seeds are accepted and %d rejected, want %d and %d", s.accepted, s.rejected, accepted, rejected)
	}
}
