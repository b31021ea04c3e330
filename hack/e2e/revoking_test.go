// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clustercredential/operator/hack/stack"
)

// revokingServer is the API server of a cluster that does not believe certificates that the cloud has revoked: kube-apiserver knows no
// such list. It answers all others as the real one does, for their user, and returns its URL.
func (w *world) revokingServer() string {
	w.t.Helper()
	ca, caKey, _ := w.Kube.ClientCA()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	w.must(err)
	clients := x509.NewCertPool()
	clients.AddCert(ca)
	server := httptest.NewUnstartedServer(w.unlessRevoked(w.forUsers()))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: clients, MinVersion: tls.VersionTLS12,
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	w.t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// unlessRevoked answers 401 in Kubernetes' words to whoever shows no certificate, or one that is revoked.
func (w *world) unlessRevoked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		revoked, err := w.revoked()
		if shown := r.TLS.PeerCertificates; err == nil && len(shown) > 0 && !slices.Contains(revoked, stack.SerialOf(shown[0])) {
			next.ServeHTTP(answer, r)
			return
		}
		answer.Header().Set("Content-Type", "application/json")
		answer.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(answer, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`)
	})
}

// forUsers passes requests on to the real API server, as the user of the certificate.
func (w *world) forUsers() http.Handler {
	w.t.Helper()
	upstream, err := url.Parse(w.Kube.Config().Host)
	w.must(err)
	transport, err := rest.TransportFor(w.Kube.Config())
	w.must(err)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			user := r.In.TLS.PeerCertificates[0].Subject
			r.SetURL(upstream)
			r.Out.Header.Set("Impersonate-User", user.CommonName)
			r.Out.Header["Impersonate-Group"] = user.Organization
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
}
