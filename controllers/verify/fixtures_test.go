// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/hack/realkube"
)

// TestMain sets a proxy that is not there. It counts for no loopback address, and so in no test but its own.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"HTTPS_PROXY": "http://user:canary-password@127.0.0.1:1", "https_proxy": "", "NO_PROXY": "", "no_proxy": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(realkube.Main(m, realkube.Options{}))
}

// testUser is the user of every certificate, which has a form of CCE's.
const testUser = "0c97ac3cb280f4d91fa7c0096739e1f8"

// signer is a CA, or a leaf with its key. Keys are made at run time: none is committed.
type signer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (s signer) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Raw})
}

func (s signer) keyPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (s signer) forTLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{s.certificate.Raw}, PrivateKey: s.key}
}

func newCA(name string) signer {
	return sign(signer{}, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

// client makes a client certificate of testUser, changed by the functions.
func (s signer) client(changes ...func(*x509.Certificate)) signer {
	return s.leaf(x509.ExtKeyUsageClientAuth, changes...)
}

// server makes a certificate for 127.0.0.1 and kubernetes.example.com, changed by the functions.
func (s signer) server(changes ...func(*x509.Certificate)) signer {
	names := func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"kubernetes.example.com"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	return s.leaf(x509.ExtKeyUsageServerAuth, append([]func(*x509.Certificate){names}, changes...)...)
}

func (s signer) leaf(usage x509.ExtKeyUsage, changes ...func(*x509.Certificate)) signer {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: testUser}, ExtKeyUsage: []x509.ExtKeyUsage{usage}}
	for _, change := range changes {
		change(template)
	}
	return sign(s, template)
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
}

func notYet(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
}

func sign(parent signer, template *x509.Certificate) signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if parent.key == nil {
		parent = signer{template, key}
	}
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

// testCA signs everything where nothing else is said.
var testCA = sync.OnceValue(func() signer { return newCA("kubernetes") })

func credential(t testing.TB, endpoint kubeconfig.Endpoint, client signer) kubeconfig.Credential {
	t.Helper()
	c, err := kubeconfig.Assemble(endpoint, client.certPEM(), client.keyPEM())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// at is a credential of a CA for a server of the same.
func (s signer) at(t testing.TB, server string, changes ...func(*kubeconfig.Endpoint)) kubeconfig.Credential {
	t.Helper()
	endpoint := kubeconfig.Endpoint{Server: server, CAPEM: s.certPEM()}
	for _, change := range changes {
		change(&endpoint)
	}
	return credential(t, endpoint, s.client())
}

func at(t testing.TB, server string, changes ...func(*kubeconfig.Endpoint)) kubeconfig.Credential {
	t.Helper()
	return testCA().at(t, server, changes...)
}

// fakeServer is an API server of testCA that asks for certificates as kube-apiserver does, and believes all.
func fakeServer(t testing.TB, handler http.HandlerFunc, changes ...func(*tls.Config)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{testCA().server().forTLS()}, ClientAuth: tls.RequestClientCert}
	for _, change := range changes {
		change(server.TLS)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// kubeLike answers a review as an API server of 1.28 or later.
func kubeLike(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Path == reviewPath {
		reviewOf(testUser)(w, r)
		return
	}
	answer(http.StatusNotFound, `{"kind":"Status"}`)(w, r)
}

func reviewOf(user string) http.HandlerFunc {
	return answer(http.StatusCreated, `{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1","status":{"userInfo":{"username":"`+user+`"}}}`)
}

func forbidden(user string) http.HandlerFunc {
	return answer(http.StatusForbidden, `{"kind":"Status","reason":"Forbidden","message":"User \"`+user+`\" cannot"}`)
}

func answer(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// patient is for what does not hang, on a machine that may be busy.
func patient() *Prober { return New(Options{Attempt: 20 * time.Second, Total: 20 * time.Second}) }

// want checks the verdict and a part of the detail, and that the detail has its form.
func want(t *testing.T, got Outcome, verdict Verdict, words string) {
	t.Helper()
	if got.Verdict != verdict || !strings.Contains(got.Detail, words) {
		t.Errorf("%v: %q, want %v: …%s…", got.Verdict, got.Detail, verdict, words)
	}
	if got.Detail == "" || len(got.Detail) > 400 || strings.ContainsAny(got.Detail, "\r\n") {
		t.Errorf("the detail is not one line of at most 400 bytes: %q", got.Detail)
	}
}
