// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/hack/realkube"
)

// What a kube-apiserver answers, with anonymous visitors allowed (its default) and not.
func TestARealAPIServerIsUnderstood(t *testing.T) {
	for name, test := range map[string]struct {
		start           func(*testing.T) *realkube.Cluster
		version, review int // without a certificate
	}{
		"anonymous visitors are let in": {func(t *testing.T) *realkube.Cluster { return realkube.Shared(t) }, 200, 403},
		"anonymous visitors are not":    {withoutAnonymous, 401, 401},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := test.start(t)
			certificate, key, _ := cluster.ClientCA()
			ca := signer{certificate, key}
			cases := map[string]struct {
				client  signer
				verdict Verdict
				words   string
				code    int
			}{
				"a certificate of the client CA is accepted":          {ca.client(), Accepted, "accepts the certificate", 201},
				"one of another CA is refused":                        {newCA("elsewhere").client(), Refused, "does not accept", 401},
				"one of another CA with the same name is refused":     {newCA(certificate.Subject.CommonName).client(), Refused, "does not accept", 401},
				"one that has expired is refused":                     {ca.client(expired), Refused, "does not accept", 401},
				"one that begins later is refused":                    {ca.client(notYet), Refused, "does not accept", 401},
				"one for servers and clients is accepted":             {ca.client(alsoForServers), Accepted, "accepts the certificate", 201},
				"one whose user calls itself anonymous is not enough": {ca.client(named(anonymous)), Refused, "anonymous", 403},
			}
			for name, test := range cases {
				endpoint := kubeconfig.Endpoint{Server: cluster.URL(), CAPEM: cluster.ServerCA()}
				got := patient().Try(t.Context(), credential(t, endpoint, test.client), false)
				t.Run(name, func(t *testing.T) {
					want(t, got, test.verdict, test.words)
					if got.Code != test.code {
						t.Errorf("code %d, want %d", got.Code, test.code)
					}
				})
			}
			wantVersionRefusesToo(t, cluster)
			wantWithout(t, cluster, test.version, test.review)
		})
	}
}

// withoutAnonymous lets anonymous visitors see the health only, since envtest waits for that as one. The flag
// --anonymous-auth=false has no exceptions.
func withoutAnonymous(t *testing.T) *realkube.Cluster {
	t.Helper()
	file := filepath.Join(t.TempDir(), "authentication.yaml")
	if err := os.WriteFile(file, []byte(`apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions: [{path: /readyz}, {path: /healthz}, {path: /livez}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	return realkube.ForTest(t, realkube.Options{APIServerArgs: map[string][]string{"authentication-config": {file}}})
}

// The version is readable by anybody, but not with a certificate that is not believed. The fallback stands on it.
func wantVersionRefusesToo(t *testing.T, cluster *realkube.Cluster) {
	t.Helper()
	certificate, key, _ := cluster.ClientCA()
	for _, test := range []struct {
		client signer
		code   int
	}{
		{signer{certificate, key}.client(), http.StatusOK},
		{newCA("elsewhere").client(), http.StatusUnauthorized},
		{signer{certificate, key}.client(expired), http.StatusUnauthorized},
	} {
		endpoint := kubeconfig.Endpoint{Server: cluster.URL(), CAPEM: cluster.ServerCA()}
		target, err := newTarget(credential(t, endpoint, test.client))
		if err != nil {
			t.Fatal(err)
		}
		x := &exchange{target: target}
		if err := patient().send(t.Context(), x, http.MethodGet, versionPath, ""); err != nil || x.code != test.code {
			t.Errorf("the version: %d, %v, want %d", x.code, err, test.code)
		}
	}
}

// Why the certificate is shown whatever authorities the server names: crypto/tls keeps back what they have not signed, and
// then the version is there all the same, and a 403 on the review.
func wantWithout(t *testing.T, cluster *realkube.Cluster, version, review int) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cluster.ServerCA())
	kept := []tls.Certificate{newCA("elsewhere").client().forTLS()}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: kept}}}
	defer client.CloseIdleConnections()
	first, err := client.Get(cluster.URL() + versionPath)
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Body.Close()
	second, err := client.Post(cluster.URL()+reviewPath, "application/json", strings.NewReader(reviewBody))
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Body.Close()
	if first.StatusCode != version || second.StatusCode != review {
		t.Errorf("without a certificate: %d and %d, want %d and %d", first.StatusCode, second.StatusCode, version, review)
	}
}

// A cluster before 1.28 has no such API. The answer is 404 to all who may review themselves, which is everybody with a
// certificate (system:basic-user).
func TestARealAPIServerWithoutReviewsIsUnderstood(t *testing.T) {
	cluster := realkube.ForTest(t, realkube.Options{
		APIServerArgs: map[string][]string{"runtime-config": {"authentication.k8s.io/v1=false"}},
	})
	certificate, key, _ := cluster.ClientCA()
	ca := signer{certificate, key}
	for name, test := range map[string]struct {
		client  signer
		verdict Verdict
		words   string
	}{
		"an administrator is accepted":      {ca.client(administrator), Accepted, "cannot say for whom (HTTP 200)"},
		"a user without rights is accepted": {ca.client(), Accepted, "cannot say for whom (HTTP 200)"},
		"another CA is refused":             {newCA("elsewhere").client(administrator), Refused, "(HTTP 401)"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := kubeconfig.Endpoint{Server: cluster.URL(), CAPEM: cluster.ServerCA()}
			want(t, patient().Try(t.Context(), credential(t, endpoint, test.client), false), test.verdict, test.words)
		})
	}
}

func administrator(c *x509.Certificate) { c.Subject.Organization = []string{"system:masters"} }

func alsoForServers(c *x509.Certificate) {
	c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
}

func named(user string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: user} }
}

func TestTheServerOfARealClusterIsVerified(t *testing.T) {
	cluster := realkube.Shared(t)
	certificate, key, _ := cluster.ClientCA()
	for name, test := range map[string]struct {
		endpoint kubeconfig.Endpoint
		verdict  Verdict
		words    string
		server   bool
	}{
		"another CA does not pass": {
			kubeconfig.Endpoint{CAPEM: testCA().certPEM()}, Unreachable, "not signed by the CA of the credential", true,
		},
		"a name that the certificate has not does not pass": {
			kubeconfig.Endpoint{CAPEM: cluster.ServerCA(), TLSServerName: "api.example.com"}, Unreachable, "not for api.example.com", true,
		},
		"an address that the certificate has not does not pass": {
			kubeconfig.Endpoint{CAPEM: cluster.ServerCA(), TLSServerName: "10.0.0.1"}, Unreachable, "not for 10.0.0.1", true,
		},
		"a name that it has passes": {
			kubeconfig.Endpoint{CAPEM: cluster.ServerCA(), TLSServerName: "kubernetes.default.svc"}, Accepted, "accepts", false,
		},
		"an IPv6 address that it has passes": {
			kubeconfig.Endpoint{CAPEM: cluster.ServerCA(), TLSServerName: "::1"}, Accepted, "accepts", false,
		},
		"nothing is verified where nothing is to be": {
			kubeconfig.Endpoint{Insecure: true}, Accepted, "accepts", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.endpoint.Server = cluster.URL()
			got := patient().Try(t.Context(), credential(t, test.endpoint, signer{certificate, key}.client()), false)
			want(t, got, test.verdict, test.words)
			if got.ServerCertificate != test.server {
				t.Errorf("server certificate: %v", got.ServerCertificate)
			}
		})
	}
}

// One prober for all: a session that was resumed would show the certificate before.
func TestEveryUserIsWhomItsCertificateSays(t *testing.T) {
	cluster := realkube.Shared(t)
	certificate, key, _ := cluster.ClientCA()
	endpoint := kubeconfig.Endpoint{Server: cluster.URL(), CAPEM: cluster.ServerCA()}
	prober := patient()
	for _, user := range []string{testUser, strings.Repeat("x", 200), "a \"user\", quoted", "ä"} {
		got := prober.Try(t.Context(), credential(t, endpoint, signer{certificate, key}.client(named(user))), false)
		want(t, got, Accepted, "the server accepts the certificate (HTTP 201)")
	}
}
