// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// byPath answers a review and the version, each in its way.
func byPath(review, version http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + r.URL.Path {
		case http.MethodPost + reviewPath:
			review(w, r)
		case http.MethodGet + versionPath:
			version(w, r)
		default:
			http.Error(w, "asked for something else", http.StatusTeapot)
		}
	}
}

func TestEveryAnswerHasItsVerdict(t *testing.T) {
	var (
		missing = answer(404, `{"kind":"Status","reason":"NotFound"}`)
		version = answer(200, `{"gitVersion":"v1.25.3"}`)
		never   = answer(418, "")
	)
	for name, test := range map[string]struct {
		review, version http.HandlerFunc
		verdict         Verdict
		words           string
		code            int
	}{
		"the user is known":                              {reviewOf(testUser), never, Accepted, "accepts the certificate (HTTP 201)", 201},
		"the user is another":                            {reviewOf("admin"), never, Accepted, "another user than its common name", 201},
		"the user is anonymous":                          {reviewOf(anonymous), never, Refused, "anonymous (HTTP 201)", 201},
		"401":                                            {answer(401, "Unauthorized"), never, Refused, "does not accept the certificate (HTTP 401)", 401},
		"403 in Kubernetes' words":                       {forbidden(testUser), never, Accepted, "may not ask", 403},
		"403 for an anonymous user":                      {forbidden(anonymous), never, Refused, "anonymous (HTTP 403)", 403},
		"403 of something else, and a version":           {answer(403, "<html>"), version, Accepted, "cannot say for whom", 200},
		"403 of something else, and no version":          {answer(403, "<html>"), answer(403, "<html>"), Unreachable, "something before", 403},
		"403 of something else, and 401":                 {answer(403, "<html>"), answer(401, ""), Refused, "does not accept", 401},
		"no such API, and a version":                     {missing, version, Accepted, "cannot say for whom (HTTP 200)", 200},
		"no such method, and a version":                  {answer(405, ""), version, Accepted, "cannot say for whom", 200},
		"no such API, and 401":                           {missing, answer(401, ""), Refused, "does not accept", 401},
		"no such API, and 403 in Kubernetes' words":      {missing, forbidden(testUser), Accepted, "may not ask", 403},
		"no such API, and 403 for an anonymous user":     {missing, forbidden(anonymous), Refused, "anonymous", 403},
		"no such API, and no version":                    {missing, missing, Unreachable, "neither yes nor no", 404},
		"no such API, and a page":                        {missing, answer(200, "<html>"), Unreachable, "not a Kubernetes API server", 200},
		"no such API, and another document":              {missing, answer(200, `{}`), Unreachable, "not a Kubernetes API server", 200},
		"no such API, and an error":                      {missing, answer(500, ""), Unreachable, "cannot answer now", 500},
		"no such API, and a redirect":                    {missing, answer(302, ""), Unreachable, "points elsewhere", 302},
		"a redirect":                                     {answer(301, ""), never, Unreachable, "points elsewhere", 301},
		"400":                                            {answer(400, ""), never, Unreachable, "neither yes nor no", 400},
		"429":                                            {answer(429, ""), never, Unreachable, "limits its requests", 429},
		"500":                                            {answer(500, ""), never, Unreachable, "cannot answer now (HTTP 500)", 500},
		"503":                                            {answer(503, ""), never, Unreachable, "cannot answer now", 503},
		"a page":                                         {answer(200, "<html>"), never, Unreachable, "not a Kubernetes API server", 200},
		"nothing":                                        {answer(201, ""), never, Unreachable, "not a Kubernetes API server", 201},
		"another kind":                                   {answer(201, `{"kind":"Pod","status":{"userInfo":{"username":"x"}}}`), never, Unreachable, "not a Kube", 201},
		"a review without a user":                        {reviewOf(""), never, Unreachable, "not a Kubernetes API server", 201},
		"a review of other types":                        {answer(201, `{"kind":"SelfSubjectReview","status":[]}`), never, Unreachable, "not a Kubernetes", 201},
		"a review that is larger than what is read":      {answer(201, strings.Repeat(" ", maxBody)+"{}"), never, Unreachable, "larger than 64 KiB", 0},
		"a huge 401":                                     {answer(401, strings.Repeat("x", 1<<20)), never, Refused, "does not accept", 401},
		"a huge 403, and a version":                      {answer(403, strings.Repeat("x", 1<<20)), version, Accepted, "cannot say for whom", 200},
		"a header that is larger than what is read":      {hugeHeader, never, Unreachable, "broke off", 0},
		"something that is no HTTP":                      {says("SSH-2.0-OpenSSH_9.9\r\n\r\n"), never, Unreachable, "does not speak HTTP", 0},
		"an end before the answer":                       {says(""), never, Unreachable, "broke off", 0},
		"an end within the answer":                       {says("HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"), never, Unreachable, "broke off", 0},
		"another protocol":                               {says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), never, Unreachable, "neither", 101},
		"an end within a 401, which says enough by then": {says("HTTP/1.1 401 Unauthorized\r\nContent-Length: 99\r\n\r\n{"), never, Refused, "not accept", 401},
	} {
		t.Run(name, func(t *testing.T) {
			server := fakeServer(t, byPath(test.review, test.version))
			got := patient().Try(t.Context(), at(t, server.URL), false)
			want(t, got, test.verdict, test.words)
			if got.Code != test.code || got.ServerCertificate {
				t.Errorf("code %d, want %d; server certificate: %v", got.Code, test.code, got.ServerCertificate)
			}
		})
	}
}

func hugeHeader(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Huge", strings.Repeat("x", 2*maxHeader))
	w.WriteHeader(http.StatusCreated)
}

// says writes to the bare connection and closes it.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(connection, text)
		_ = connection.Close()
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var asked atomic.Int64
	elsewhere := fakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		kubeLike(w, r)
	})
	server := fakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	want(t, patient().Try(t.Context(), at(t, server.URL), false), Unreachable, "points elsewhere")
	if asked.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestTLSThatFailsIsNamed(t *testing.T) {
	serving := func(s signer) func(*tls.Config) {
		return func(c *tls.Config) { c.Certificates = []tls.Certificate{s.forTLS()} }
	}
	for name, test := range map[string]struct {
		server  func(*tls.Config)
		verdict Verdict
		words   string
		code    int
		flagged bool
	}{
		"a certificate of another CA":            {serving(newCA("elsewhere").server()), Unreachable, "TLS: the certificate of the server is not signed by the CA", 0, true},
		"a certificate that has expired":         {serving(testCA().server(expired)), Unreachable, "TLS: the certificate of the server has expired or", 0, true},
		"a certificate that begins later":        {serving(testCA().server(notYet)), Unreachable, "not valid yet", 0, true},
		"a certificate for another name":         {serving(testCA().leaf(x509.ExtKeyUsageServerAuth)), Unreachable, "is not for 127.0.0.1", 0, true},
		"a certificate for clients":              {serving(testCA().client(forLoopback)), Unreachable, "TLS: the certificate of the server does not pass", 0, true},
		"an old version of TLS":                  {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }, Unreachable, "TLS handshake", 0, false},
		"a server that asks for no certificate":  {func(c *tls.Config) { c.ClientAuth = tls.NoClientCert }, Unreachable, "does not ask for a client certificate", 201, false},
		"a server that believes another CA only": {requiring(newCA("elsewhere")), Unreachable, "refuses the certificate during TLS", 0, false},
		"the same in TLS 1.2": {func(c *tls.Config) {
			requiring(newCA("elsewhere"))(c)
			c.MaxVersion = tls.VersionTLS12
		}, Unreachable, "TLS handshake", 0, false},
		"a server that believes our CA":  {requiring(testCA()), Accepted, "accepts", 201, false},
		"a server that names other CAs":  {func(c *tls.Config) { c.ClientCAs = newPool(newCA("elsewhere")) }, Accepted, "accepts", 201, false},
		"a server with sessions of 1.2":  {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, Accepted, "accepts", 201, false},
		"a server that prefers HTTP/2":   {func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }, Accepted, "accepts", 201, false},
		"a server whose chain is in CAs": {serving(testCA().server()), Accepted, "accepts", 201, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := fakeServer(t, kubeLike, test.server)
			got := patient().Try(t.Context(), at(t, server.URL), false)
			want(t, got, test.verdict, test.words)
			if got.ServerCertificate != test.flagged || got.Code != test.code {
				t.Errorf("server certificate: %v, code %d", got.ServerCertificate, got.Code)
			}
		})
	}
}

// What asks for no certificate has not looked at ours, and its 401 is no reason for another one.
func TestA401OfAServerThatAsksForNoCertificateIsNoRefusal(t *testing.T) {
	server := fakeServer(t, answer(401, ""), func(c *tls.Config) { c.ClientAuth = tls.NoClientCert })
	want(t, patient().Try(t.Context(), at(t, server.URL), false), Unreachable, "does not ask for a client certificate")
}

func forLoopback(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }

func newPool(ca signer) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	return pool
}

func requiring(ca signer) func(*tls.Config) {
	return func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, newPool(ca) }
}

func TestAPlaceWithoutAServerIsNamed(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(kubeLike))
	defer plain.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	for name, test := range map[string]struct{ server, words string }{
		"nobody listens":          {"https://" + free.Addr().String(), "the server refuses the connection"},
		"it does not speak TLS":   {strings.Replace(plain.URL, "http:", "https:", 1), "the server does not speak TLS"},
		"its name does not exist": {"https://nowhere.localhost.invalid:6443", "the name of the server cannot be resolved"},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{}
			if strings.Contains(test.server, "invalid") {
				options.DialContext = unresolved
				test.server = "https://127.0.0.1:6443" // past the proxy of the environment
			}
			got := New(options).Try(t.Context(), at(t, test.server), true)
			want(t, got, Unreachable, test.words)
		})
	}
}

func TestACredentialThatIsNotInFormIsNotTried(t *testing.T) {
	good := at(t, "https://127.0.0.1:6443")
	for name, change := range map[string]func(*kubeconfig.Credential){
		"nothing":     func(c *kubeconfig.Credential) { *c = kubeconfig.Credential{} },
		"no CA":       func(c *kubeconfig.Credential) { c.CAPEM = nil },
		"a path":      func(c *kubeconfig.Credential) { c.Server += "/path" },
		"another key": func(c *kubeconfig.Credential) { c.KeyPEM = testCA().client().keyPEM() },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			want(t, patient().Try(t.Context(), c, true), Unreachable, "the credential cannot be used: ")
		})
	}
}
