// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// newTLSCloud answers every request over TLS, with a certificate that nobody knows.
func newTLSCloud(t *testing.T, handler http.HandlerFunc) (*httptest.Server, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestAnAccountsAuthoritiesAreItsOwn(t *testing.T) {
	server, caPEM := newTLSCloud(t, answer(200, `{"kind":"List","items":[]}`))
	_, otherPEM := newPrivateCA(t)
	d := newDialer(t, Options{})
	check := func(caPEM string) error {
		access := testAccess()
		access.Endpoints = issuer.Endpoints{CCE: server.URL, CAPEM: caPEM}
		return dial(t, d, access).Check(context.Background())
	}
	for range 2 { // the second time there is a TLS session that could be resumed
		if err := check(caPEM); err != nil {
			t.Error(err)
		}
		for name, wrong := range map[string]string{"those of the system": "", "others": otherPEM} {
			e := fault(t, check(wrong))
			if !strings.Contains(e.Message, "--ca-bundle") || !strings.Contains(e.Message, "spec.endpoints.caBundle of a ClusterCloudAccount") {
				t.Errorf("%s: %v %+v", name, e.Kind, e)
			}
		}
	}
	if err := check(otherPEM + "\n" + caPEM); err != nil {
		t.Errorf("one of two: %v", err)
	}
	if n := len(d.transports.values); n != 3 {
		t.Errorf("%d transports", n)
	}
	sessions := map[tls.ClientSessionCache]bool{d.transport.TLSClientConfig.ClientSessionCache: true}
	for _, transport := range d.transports.values {
		sessions[transport.TLSClientConfig.ClientSessionCache] = true
	}
	if len(sessions) != 4 {
		t.Error("TLS sessions are shared")
	}
}

func TestAnAccountsTransportIsLikeTheDialers(t *testing.T) {
	server, caPEM := newTLSCloud(t, answer(200, `{"kind":"List","items":[]}`))
	var dialed []string
	d := newDialer(t, Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}})
	access := testAccess()
	access.Endpoints = issuer.Endpoints{CCE: "https://example.com", CAPEM: caPEM} // httptest's certificate has this name
	for range 2 {
		if err := dial(t, d, access).Check(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(dialed) != "[example.com:443 example.com:443]" {
		t.Errorf("dialed %v", dialed)
	}
}

func TestOnlyWholeCertificatesAreAuthorities(t *testing.T) {
	key, good := newPrivateCA(t)
	for name, test := range map[string]struct {
		text, wrong string
	}{
		"one":                      {good, ""},
		"two, with blanks":         {"\n" + good + "\n\n" + good + " ", ""},
		"as openssl shows it":      {"Certificate:\n    Data:\n        Version: 3 (0x2)\n" + good, ""},
		"words around it":          {"# CA\n" + good + "# the other one\n" + good + "# end", ""},
		"white space":              {" \n", "there is none"},
		"a text":                   {"canary-remote", "there is none"},
		"a key":                    {key, "nothing else"},
		"a key behind":             {good + key, "nothing else"},
		"a cut one":                {good[:len(good)/2], "not whole"},
		"a cut one before another": {good[:len(good)/2] + "\n" + good, "not whole"},
		"other bytes":              {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"},
		"too much":                 {strings.Repeat(good, maxCAPEM/len(good)+1), "64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			access := testAccess()
			access.Endpoints.CAPEM = test.text
			_, err := newDialer(t, Options{}).Dial(access)
			if test.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := fault(t, err)
			if e.Kind != issuer.Rejected || !strings.Contains(e.Message, "spec.endpoints.caBundle: ") || !strings.Contains(e.Message, test.wrong) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			assertNoCanary(t, err.Error())
		})
	}
}

func TestALoginTrustsTheAccountsAuthorities(t *testing.T) {
	w := newKeylessWorld(t)
	server, caPEM := newTLSCloud(t, w.sim.ServeHTTP)
	access := keylessAccess(w.ways["oidc"])
	access.Endpoints = issuer.Endpoints{CCE: server.URL, IAM: server.URL, CAPEM: caPEM}
	issued, err := dial(t, newDialer(t, Options{}), access).Issue(context.Background(), byDays)
	if err != nil || commonName(t, issued) == "" {
		t.Fatal(err)
	}
	access.Endpoints.CAPEM = ""
	err = dial(t, newDialer(t, Options{}), access).Check(context.Background())
	if w.assertNoKey(t, w.ways["oidc"], err); !strings.Contains(err.Error(), "spec.endpoints.caBundle") {
		t.Error(err)
	}
	if n := w.sim.Requests()["id-token"]; n != 1 {
		t.Errorf("%d logins", n)
	}
}

// newPrivateCA makes an authority that nobody knows, as PEM.
func newPrivateCA(t *testing.T) (keyPEM, certPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
