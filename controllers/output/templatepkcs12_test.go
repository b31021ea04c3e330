// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"crypto/ecdsa"
	"crypto/tls"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// p12 is what a certificate of Jenkins holds.
func p12(t *testing.T, c kubeconfig.Credential, password string) string {
	t.Helper()
	return rendered(t, c, data{"certificate": v1alpha1.TemplateText("{{ pkcs12 `" + password + "` }}"), "password": "x"})["certificate"]
}

func TestAPKCS12FileHoldsCertificateKeyAndCA(t *testing.T) {
	c := credential(t)
	pair, err := tls.X509KeyPair(c.CertPEM, c.KeyPEM.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"", "changeit", "Grüße"} {
		key, certificate, others, err := pkcs12.DecodeChain([]byte(p12(t, c, password)), password)
		if err != nil {
			t.Fatal(err)
		}
		decoded, ok := key.(*ecdsa.PrivateKey)
		if !ok || !decoded.Equal(pair.PrivateKey) || !certificate.Equal(pair.Leaf) || len(others) != 1 || !others[0].Equal(pair.Leaf) {
			t.Error("it holds something else than key, certificate and CA")
		}
		if _, _, _, err := pkcs12.DecodeChain([]byte(p12(t, c, password)), password+"x"); err == nil {
			t.Error("it opens with another password")
		}
	}
	if _, _, others, err := pkcs12.DecodeChain([]byte(p12(t, insecure(c), "x")), "x"); err != nil || len(others) != 0 {
		t.Errorf("without a CA it holds %d others (%v)", len(others), err)
	}
}

// Salts and initialization vectors are another content's own: two files never share a key stream.
func TestAPKCS12FileHasTheSameBytesForTheSameContentOnly(t *testing.T) {
	c, other := credential(t), credential(t)
	seen := map[string]string{}
	for name, file := range map[string]string{
		"the file": p12(t, c, "a"), "of another password": p12(t, c, "b"), "without the CA": p12(t, insecure(c), "a"), "of another key": p12(t, other, "a"),
	} {
		if same, ok := seen[file]; ok {
			t.Errorf("%s and %s are the same", name, same)
		}
		seen[file] = name
	}
	first := p12(t, c, "a")
	for range 40 { // what leaves something to chance shows it in one of these
		if p12(t, c, "a") != first {
			t.Fatal("the same content has other bytes")
		}
	}
	salts := map[string]string{}
	for name, test := range map[string]struct {
		credential kubeconfig.Credential
		password   string
	}{"a": {c, "a"}, "b": {c, "b"}, "no CA": {insecure(c), "a"}, "another key": {other, "a"}} {
		reader, err := saltsFor(test.credential, test.password)
		if err != nil {
			t.Fatal(err)
		}
		salt := make([]byte, 16)
		if _, err := reader.Read(salt); err != nil {
			t.Fatal(err)
		}
		if same, ok := salts[string(salt)]; ok {
			t.Errorf("%s and %s have the same salt", name, same)
		}
		salts[string(salt)] = name
	}
}
