// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

const (
	podAgency      = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	instanceAgency = "ffeeddccbbaa00998877665544332211"

	idTokenPath       = "/v3.0/OS-AUTH/id-token/tokens"
	securityTokenPath = "/v3.0/OS-CREDENTIAL/securitytokens"
	metadataTokenPath = "/meta-data/latest/api/token"
	securityKeyPath   = "/openstack/latest/securitykey"

	idTokenBody = `{"auth":{"id_token":{"id":"id-token-1"}}}`
)

// keyless is a simulator with all ways to temporary keys, and where they are.
type keyless struct {
	*sim
	pods, metadata string
}

func startKeyless(t *testing.T, changes ...func(*ccesim.Config)) keyless {
	t.Helper()
	s := start(t, append([]func(*ccesim.Config){func(c *ccesim.Config) {
		c.PodIdentities = map[string]ccesim.Agency{"pod-token-1": {ID: podAgency}}
		c.Instance = ccesim.Instance{Agency: ccesim.Agency{ID: instanceAgency}}
		c.IdentityProviders = []ccesim.IdentityProvider{{ID: "idp-1", IDTokens: []string{"id-token-1"}, Groups: []string{"federated"}}}
	}}, changes...)...)
	beside := func(h http.Handler) string {
		listener := httptest.NewServer(h)
		t.Cleanup(func() { s.http.CloseIdleConnections(); listener.Close() })
		return listener.URL
	}
	return keyless{s, beside(s.PodIdentityHandler()), beside(s.MetadataHandler())}
}

// ask sends a request to any of the addresses, with these headers.
func (k keyless) ask(method, url, body string, headers ...string) reply {
	k.t.Helper()
	r, err := http.NewRequestWithContext(k.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return k.mustSend(r)
}

// temporary is a key in either of the forms that it comes in.
type temporary struct {
	Access, Secret, SecurityToken            string
	AccessKeyID, SecretAccessKey, Expiration string
	ExpiresAt                                string `json:"expires_at"`
}

func (k keyless) ofPod() temporary {
	k.t.Helper()
	got := k.ask("POST", k.pods+ccesim.PodIdentityPath, "{}", "Authorization", "pod-token-1", "Content-Type", "application/json; charset=utf-8")
	c := read[struct{ Credentials temporary }](k.t, got).Credentials
	return temporary{Access: c.AccessKeyID, Secret: c.SecretAccessKey, SecurityToken: c.SecurityToken, ExpiresAt: c.Expiration}
}

func (k keyless) ofInstance(headers ...string) temporary {
	k.t.Helper()
	return read[struct{ Credential temporary }](k.t, k.ask("GET", k.metadata+securityKeyPath, "", headers...)).Credential
}

func (k keyless) metadataToken(seconds string) string {
	k.t.Helper()
	return k.ask("PUT", k.metadata+metadataTokenPath, "", "X-Metadata-Token-Ttl-Seconds", seconds).body
}

func (k keyless) logIn() (subjectToken string) {
	k.t.Helper()
	got := k.ask("POST", k.url+idTokenPath, idTokenBody, "X-Idp-Id", "idp-1", "Content-Type", "application/json;charset=utf8")
	if got.status != http.StatusCreated || !strings.Contains(got.body, `"expires_at"`) {
		k.t.Fatalf("%d %s", got.status, got.body)
	}
	return got.header.Get("X-Subject-Token")
}

func (k keyless) ofLogin() temporary {
	k.t.Helper()
	body := fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q,"duration_seconds":3600}}}}`, k.logIn())
	got := k.ask("POST", k.url+securityTokenPath, body, "Content-Type", "application/json")
	if got.status != http.StatusCreated {
		k.t.Fatalf("%d %s", got.status, got.body)
	}
	got.status = http.StatusOK
	return read[struct{ Credential temporary }](k.t, got).Credential
}

// issueWith asks for a certificate with a temporary key.
func (k keyless) issueWith(key temporary) reply {
	k.t.Helper()
	const body = `{"duration":1}`
	r := k.request("POST", certPath, body)
	r.Header.Set("X-Security-Token", key.SecurityToken)
	sign(r, body, ccesim.AccessKey{ID: key.Access, Secret: key.Secret}, k.clock.Now(), "x-sdk-date", "x-security-token")
	return k.mustSend(r)
}
