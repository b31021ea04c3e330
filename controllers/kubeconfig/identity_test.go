// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parseWith gives the certificate and the key of a parse a content of their own.
func parseWith(certificate, key []byte) (Answer, error) {
	return Parse(raw(answer(inUser("client-certificate-data", certificate), inUser("client-key-data", key))), now)
}

func TestParseTakesTheKeysThatTLSTakes(t *testing.T) {
	block := func(kind string, der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	rsa, ec, ed := testCA().issue(rsaKey(2048)), testLeaf(), testCA().issue(ed25519Key())
	ecDER, err := x509.MarshalECPrivateKey(key[ecKey](ec))
	sec1 := block("EC PRIVATE KEY", ecDER, err)
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 0}})
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key[rsaKeyType](rsa)), nil)
	for name, test := range map[string]struct {
		leaf      signer
		key, want []byte
	}{
		"RSA in PKCS#1":                     {rsa, pkcs1, pkcs1},
		"RSA in PKCS#8":                     {rsa, rsa.keyPEM(), rsa.keyPEM()},
		"ECDSA in SEC 1":                    {ec, sec1, sec1},
		"ECDSA in PKCS#8":                   {ec, ec.keyPEM(), ec.keyPEM()},
		"Ed25519 in PKCS#8":                 {ed, ed.keyPEM(), ed.keyPEM()},
		"text and parameters before it go":  {ec, slices.Concat([]byte("Key:\n"), parameters, sec1, []byte("end")), sec1},
		"Windows line ends become our own":  {ec, []byte(strings.ReplaceAll(string(sec1), "\n", "\r\n")), sec1},
		"a certificate beside the key goes": {ec, slices.Concat(ec.certPEM(), sec1), sec1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseWith(test.leaf.certPEM(), test.key)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Identity.KeyPEM.Reveal()) != string(test.want) {
				t.Error("the key is not in its normal form")
			}
		})
	}
}

func TestParseRefusesKeysThatCannotServe(t *testing.T) {
	leaf := testLeaf()
	//nolint:staticcheck // Legacy PEM encryption is insecure, and exactly what must be recognised.
	legacy, err := x509.EncryptPEMBlock(rand.Reader, "PRIVATE KEY", []byte("x"), []byte("password"), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	unusable := "the client key is not an RSA, ECDSA or Ed25519 key in PKCS#1, PKCS#8 or SEC 1 form"
	for name, test := range map[string]struct {
		key  []byte
		want string
	}{
		"of another certificate": {testCA().keyPEM(), "the client key does not belong to the client certificate"},
		"of another algorithm":   {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(rsaKey(2048))}), "the client key does not belong to the client certificate"},
		"encrypted in PKCS#8":    {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}), "the client key is encrypted"},
		"encrypted with headers": {pem.EncodeToMemory(legacy), "the client key is encrypted"},
		"two of them":            {slices.Concat(leaf.keyPEM(), leaf.keyPEM()), "the client key holds more than one private key"},
		"no PEM":                 {[]byte("key"), "the client key holds no private key in PEM form"},
		"of OpenSSH":             {pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: pkcs8(leaf.key)}), unusable},
		"not DER":                {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), unusable},
		"too large":              {slices.Concat(leaf.keyPEM(), make([]byte, maxKeyBytes)), "the client key is larger than 16 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseWith(leaf.certPEM(), test.key)
			if diff := cmp.Diff(test.want, reason(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseChecksTheCertificate(t *testing.T) {
	usage := func(usages ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = usages }
	}
	times := func(from, to time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(from), now.Add(to) }
	}
	noClient := "the client certificate is not meant for clients (no clientAuth in its extended key usage)"
	names := "the client certificate has names that are too long or not printable"
	for name, test := range map[string]struct {
		change func(*x509.Certificate)
		want   string
	}{
		"client and server usage is taken": {usage(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth), ""},
		"any usage is taken":               {usage(x509.ExtKeyUsageAny), ""},
		"no usage is no restriction":       {usage(), ""},
		"server usage alone is refused":    {usage(x509.ExtKeyUsageServerAuth), noClient},
		"an unknown usage alone is refused": {func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 2, 3}}
		}, noClient},
		"a CA certificate is refused":        {func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true }, "the client certificate is a CA certificate"},
		"one second left is taken":           {times(-time.Hour, time.Second), ""},
		"at its end it has expired":          {times(-time.Hour, 0), "the client certificate has expired"},
		"long expired":                       {times(-48*time.Hour, -24*time.Hour), "the client certificate has expired"},
		"a clock ahead by 5 minutes is fine": {times(5*time.Minute, time.Hour), ""},
		"by more than that is not":           {times(5*time.Minute+time.Second, time.Hour), "the client certificate is not valid yet (it begins more than 5m0s from now)"},
		"an end before the beginning":        {times(time.Hour, time.Hour), "the client certificate ends before it begins"},
		"no common name":                     {func(c *x509.Certificate) { c.Subject.CommonName = "" }, "the client certificate has no common name, so Kubernetes would not know its user"},
		"a line break in the common name":    {func(c *x509.Certificate) { c.Subject.CommonName = "a\nb" }, names},
		"a common name of 257 bytes":         {func(c *x509.Certificate) { c.Subject.CommonName = strings.Repeat("a", 257) }, names},
		"a serial number of 65 octets": {
			func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 64*8) },
			"the client certificate has a serial number that is negative or too long",
		},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := testCA().issue(newKey(), test.change)
			_, err := parseWith(leaf.certPEM(), leaf.keyPEM())
			if diff := cmp.Diff(test.want, reason(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseChecksTheCertificateText(t *testing.T) {
	leaf, weak := testLeaf(), testCA().issue(rsaKey(1024))
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
	for name, test := range map[string]struct {
		certificate, key []byte
		want             string
	}{
		"text around it":      {slices.Concat([]byte(dump), leaf.certPEM(), []byte("end")), leaf.keyPEM(), ""},
		"a chain after it":    {slices.Concat(leaf.certPEM(), testCA().certPEM()), leaf.keyPEM(), ""},
		"the CA before it":    {slices.Concat(testCA().certPEM(), leaf.certPEM()), leaf.keyPEM(), "the client certificate is a CA certificate"},
		"a broken chain":      {slices.Concat(leaf.certPEM(), broken), leaf.keyPEM(), "the client certificate holds a certificate that cannot be parsed"},
		"a negative serial":   {negativeSerial(t, leaf), leaf.keyPEM(), "the client certificate holds a certificate that cannot be parsed"},
		"a key in its place":  {leaf.keyPEM(), leaf.keyPEM(), "the client certificate holds no certificate in PEM form"},
		"17 of them":          {slices.Repeat(leaf.certPEM(), 17), leaf.keyPEM(), "the client certificate holds more than 16 certificates"},
		"64 KiB":              {make([]byte, maxCertificateBytes+1), leaf.keyPEM(), "the client certificate is larger than 64 KiB"},
		"an RSA key too weak": {weak.certPEM(), weak.keyPEM(), "the client certificate has an RSA key of 1024 bits; 2048 to 8192 are usable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseWith(test.certificate, test.key)
			if diff := cmp.Diff(test.want, reason(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSerialNumbersAreWrittenAsOpenSSLDoes(t *testing.T) {
	for hex, want := range map[string]string{"0": "00", "a": "0A", "10": "10", "0ff": "FF", "100": "0100", "deadbeef01": "DEADBEEF01"} {
		serial, _ := new(big.Int).SetString(hex, 16)
		if got := serialHex(serial); got != want {
			t.Errorf("serialHex(0x%s) = %s, want %s", hex, got, want)
		}
	}
}
