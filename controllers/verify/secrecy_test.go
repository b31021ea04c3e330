// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

const canary = "canary-remote"

// evil says the canary wherever an answer has room for it.
func evil(code int, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Location", "Content-Type", "Retry-After", "Www-Authenticate", "Audit-Id", "Date"} {
			w.Header().Set(name, canary)
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"kind": kind, "reason": "Forbidden", "message": canary, "gitVersion": canary, "canary-remote": canary,
			"status": map[string]any{"userInfo": map[string]any{"username": canary, "groups": []string{canary}}},
		})
	}
}

func assertNoCanary(t *testing.T, got Outcome, c kubeconfig.Credential) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", got, got, got)
	words := []string{"canary", "BEGIN", c.CommonName, c.SerialNumber, c.Fingerprint}
	for _, block := range [][]byte{c.CertPEM, c.KeyPEM.Reveal(), c.CAPEM} {
		words = append(words, strings.Split(string(block), "\n")[1])
	}
	for _, word := range words {
		if strings.Contains(text, word) {
			t.Errorf("%q is in %q", word, text)
		}
	}
}

func TestNoOutcomeShowsAKeyOrAWordOfTheRemoteSide(t *testing.T) {
	for _, code := range []int{200, 201, 204, 302, 400, 401, 403, 404, 405, 407, 409, 429, 500, 503, 599} {
		for _, kind := range []string{"SelfSubjectReview", "Status", canary} {
			server := fakeServer(t, evil(code, kind))
			c := at(t, server.URL)
			assertNoCanary(t, patient().Try(t.Context(), c, false), c)
		}
		proxy := httptest.NewServer(evil(code, canary))
		c := at(t, somewhere, via(proxy.URL))
		assertNoCanary(t, patient().Try(t.Context(), c, false), c)
		proxy.Close()
	}
	for _, text := range []string{canary, "HTTP/1.1 canary-remote\r\n\r\n", "HTTP/1.1 201 canary-remote\r\ncanary-remote\r\n\r\n"} {
		c := at(t, fakeServer(t, says(text)).URL)
		assertNoCanary(t, patient().Try(t.Context(), c, false), c)
	}
}

func TestNoOutcomeShowsANameOfARemoteCertificate(t *testing.T) {
	names := func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.IPAddresses = canary, []string{canary + ".example.com"}, nil
	}
	for _, ca := range []signer{testCA(), newCA(canary)} {
		for _, change := range []func(*x509.Certificate){names, expired} {
			certificate := ca.server(names, change)
			server := fakeServer(t, kubeLike, func(c *tls.Config) { c.Certificates = []tls.Certificate{certificate.forTLS()} })
			c := at(t, server.URL)
			assertNoCanary(t, patient().Try(t.Context(), c, false), c)
		}
	}
}

func TestNoOutcomeShowsThePasswordOfAProxyOrANameOfTheNetwork(t *testing.T) {
	c := at(t, "https://192.0.2.1:6443")
	assertNoCanary(t, patient().Try(t.Context(), c, false), c)
	c = at(t, somewhere)
	assertNoCanary(t, New(Options{DialContext: unresolved}).Try(t.Context(), c, false), c)
}

// A server that says more than it announced has the rest printed by net/http, if the connection is kept.
func TestNothingIsLoggedOfAnAnswer(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	server := fakeServer(t, says("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}canary-remote"))
	want(t, patient().Try(t.Context(), at(t, server.URL), false), Unreachable, "")
	time.Sleep(20 * time.Millisecond)
	if logged.Len() > 0 {
		t.Errorf("logged: %s", logged.String())
	}
}

func TestManyTriesLeaveNothingBehind(t *testing.T) {
	server := fakeServer(t, kubeLike)
	hung := fakeServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	good, late := at(t, server.URL), at(t, hung.URL)
	prober := New(Options{Attempt: 50 * time.Millisecond})
	goroutines := runtime.NumGoroutine()
	for range 20 {
		prober.Try(t.Context(), good, false)
		want(t, prober.Try(t.Context(), late, false), Unreachable, "in time")
	}
	left := func() int { return runtime.NumGoroutine() - goroutines }
	for end := time.Now().Add(20 * time.Second); left() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left", left())
		}
	}
}
