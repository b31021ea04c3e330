// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestATemporaryKeyIsGoodUntilItEnds(t *testing.T) {
	for name, test := range map[string]struct {
		obtain   func(keyless) temporary
		user     string // empty: a new one
		lifetime time.Duration
	}{
		"pod identity": {keyless.ofPod, podAgency, 2 * time.Hour},
		"metadata":     {func(k keyless) temporary { return k.ofInstance() }, instanceAgency, 2 * time.Hour},
		"login":        {keyless.ofLogin, "", time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			k := startKeyless(t, func(c *ccesim.Config) { c.TemporaryLifetime = 2 * time.Hour })
			key := test.obtain(k)
			if ends, err := time.Parse(time.RFC3339, key.ExpiresAt); err != nil || !ends.Equal(k.clock.Now().Add(test.lifetime)) {
				t.Errorf("ends %q, %v", key.ExpiresAt, err)
			}
			leaf, _ := k.issueWith(key).kubeconfig(t).leaf(t)
			if cn := leaf.Subject.CommonName; cn == "" || test.user != "" && cn != test.user {
				t.Errorf("common name %q", cn)
			}
			if all := k.TemporaryKeys(); len(all) != 1 || all[0].ID != key.Access || all[0].SecurityToken != key.SecurityToken {
				t.Errorf("given out: %v", all)
			}
			bare := key
			bare.SecurityToken = "other"
			if got := k.issueWith(bare); got.status != 401 {
				t.Errorf("with another security token: %d", got.status)
			}
			k.clock.advance(test.lifetime - time.Second)
			if got := k.issueWith(key); got.status != 200 {
				t.Errorf("a second before its end: %d %s", got.status, got.body)
			}
			k.clock.advance(time.Second)
			if got := k.issueWith(key); got.status != 401 || !strings.Contains(got.body, "expired") {
				t.Errorf("at its end: %d %s", got.status, got.body)
			}
		})
	}
}

func TestRevokedTemporaryKeysAreUnknown(t *testing.T) {
	k := startKeyless(t)
	key := k.ofPod()
	k.RevokeTemporaryKeys()
	if got := k.issueWith(key); got.status != 401 || !strings.Contains(got.body, "ak not exist") {
		t.Errorf("%d %s", got.status, got.body)
	}
	k.SetTemporaryLifetime(time.Minute)
	if got := k.issueWith(k.ofPod()); got.status != 200 {
		t.Errorf("a new one: %d %s", got.status, got.body)
	}
}

func TestEveryLoginIsAnotherUser(t *testing.T) {
	k := startKeyless(t)
	seen := map[string]bool{}
	for range 3 {
		leaf, _ := k.issueWith(k.ofLogin()).kubeconfig(t).leaf(t)
		seen[leaf.Subject.CommonName] = true
		if fmt.Sprint(leaf.Subject.Organization) != "[federated]" {
			t.Errorf("groups %v", leaf.Subject.Organization)
		}
	}
	if len(seen) != 3 {
		t.Errorf("users %v", seen)
	}
}

func TestTheMetadataServiceWithAndWithoutTokens(t *testing.T) {
	instance := ccesim.Instance{Agency: ccesim.Agency{ID: instanceAgency}}
	k := startKeyless(t)
	token := k.metadataToken("60")
	if k.ofInstance("X-Metadata-Token", token).Access == "" {
		t.Error("no key for a token")
	}
	k.clock.advance(time.Minute)
	if got := k.ask("GET", k.metadata+securityKeyPath, "", "X-Metadata-Token", token); got.status != 401 {
		t.Errorf("a token that has ended: %d", got.status)
	}
	instance.TokensOnly = true
	if err := k.SetInstance(instance); err != nil {
		t.Fatal(err)
	}
	if got := k.ask("GET", k.metadata+securityKeyPath, ""); got.status != 401 {
		t.Errorf("without a token: %d", got.status)
	}
	if k.ofInstance("X-Metadata-Token", k.metadataToken("21600")).Access == "" {
		t.Error("no key for a token")
	}
	for _, status := range []int{404, 405, 503} {
		if err := k.SetInstance(ccesim.Instance{Agency: instance.Agency, NoTokens: status}); err != nil {
			t.Fatal(err)
		}
		if got := k.ask("PUT", k.metadata+metadataTokenPath, "", "X-Metadata-Token-Ttl-Seconds", "60"); got.status != status {
			t.Errorf("asked for a token: %d, not %d", got.status, status)
		}
		if k.ofInstance().Access == "" {
			t.Error("no key of the first version")
		}
	}
	if err := k.SetInstance(ccesim.Instance{}); err != nil {
		t.Fatal(err)
	}
	if got := k.ask("GET", k.metadata+securityKeyPath, ""); got.status != 401 || !strings.Contains(got.body, "Please configure Cloud Service Agency first") {
		t.Errorf("without an agency: %d %s", got.status, got.body)
	}
	if k.SetInstance(ccesim.Instance{NoTokens: 403}) == nil {
		t.Error("an instance that cannot be was taken")
	}
}

func TestRequestsForTemporaryKeysAreCheckedStrictly(t *testing.T) {
	k := startKeyless(t)
	pods, tokens, login, keys := k.pods+ccesim.PodIdentityPath, k.metadata+metadataTokenPath, k.url+idTokenPath, k.url+securityTokenPath
	const json, typed = "application/json", "Content-Type"
	with := func(id string) string {
		return `{"auth":{"identity":{"methods":["token"],"token":{"id":"` + id + `"}}}}`
	}
	for name, test := range map[string]struct {
		method, url, body string
		headers           []string
		status            int
	}{
		"a pod without a token":                {"POST", pods, "{}", []string{typed, json}, 401},
		"a pod with an unknown token":          {"POST", pods, "{}", []string{typed, json, "Authorization", "other"}, 401},
		"a pod with a scheme":                  {"POST", pods, "{}", []string{typed, json, "Authorization", "Bearer pod-token-1"}, 401},
		"a pod without a body":                 {"POST", pods, "", []string{typed, json, "Authorization", "pod-token-1"}, 400},
		"a pod with another body":              {"POST", pods, `{"a":1}`, []string{typed, json, "Authorization", "pod-token-1"}, 400},
		"a pod without a content type":         {"POST", pods, "{}", []string{"Authorization", "pod-token-1"}, 400},
		"a pod with another method":            {"GET", pods, "", []string{"Authorization", "pod-token-1"}, 404},
		"a pod with another path":              {"POST", k.pods + "/", "{}", []string{typed, json, "Authorization", "pod-token-1"}, 404},
		"a token of no time":                   {"PUT", tokens, "", nil, 400},
		"a token of too long a time":           {"PUT", tokens, "", []string{"X-Metadata-Token-Ttl-Seconds", "21601"}, 400},
		"a token with a body":                  {"PUT", tokens, "{}", []string{"X-Metadata-Token-Ttl-Seconds", "60"}, 400},
		"a token with another method":          {"GET", tokens, "", []string{"X-Metadata-Token-Ttl-Seconds", "60"}, 404},
		"a security key with an unknown token": {"GET", k.metadata + securityKeyPath, "", []string{"X-Metadata-Token", "other"}, 401},
		"a security key with a body":           {"GET", k.metadata + securityKeyPath, "{}", nil, 400},
		"a login without a provider":           {"POST", login, idTokenBody, []string{typed, json}, 400},
		"a login with an unknown provider":     {"POST", login, idTokenBody, []string{typed, json, "X-Idp-Id", "other"}, 404},
		"a login with another token":           {"POST", login, `{"auth":{"id_token":{"id":"other"}}}`, []string{typed, json, "X-Idp-Id", "idp-1"}, 401},
		"a login without a token":              {"POST", login, `{"auth":{}}`, []string{typed, json, "X-Idp-Id", "idp-1"}, 400},
		"a login with an unknown field":        {"POST", login, `{"auth":{"id_token":{"id":"id-token-1"},"scope":{}}}`, []string{typed, json, "X-Idp-Id", "idp-1"}, 400},
		"a login without a content type":       {"POST", login, idTokenBody, []string{"X-Idp-Id", "idp-1"}, 400},
		"a login with another method":          {"PUT", login, idTokenBody, []string{typed, json, "X-Idp-Id", "idp-1"}, 404},
		"a key for no token":                   {"POST", keys, `{"auth":{"identity":{"methods":["token"]}}}`, []string{typed, json}, 401},
		"a key for an unknown token":           {"POST", keys, with("other"), []string{typed, json}, 401},
		"a key by another method":              {"POST", keys, `{"auth":{"identity":{"methods":["password"]}}}`, []string{typed, json}, 400},
		"a key for too short a time": {"POST", keys,
			`{"auth":{"identity":{"methods":["token"],"token":{"id":"` + k.logIn() + `","duration_seconds":899}}}}`, []string{typed, json}, 400},
		"a key without a content type": {"POST", keys, with(k.logIn()), nil, 400},
		"a key by X-Auth-Token":        {"POST", keys, `{"auth":{"identity":{"methods":["token"]}}}`, []string{typed, json, "X-Auth-Token", k.logIn()}, 201},
	} {
		t.Run(name, func(t *testing.T) {
			if got := k.ask(test.method, test.url, test.body, test.headers...); got.status != test.status {
				t.Errorf("%d %s, not %d", got.status, got.body, test.status)
			}
		})
	}
}

func TestTemporaryKeysCanGoWrongToo(t *testing.T) {
	k := startKeyless(t)
	for op, ask := range map[ccesim.Op]func() reply{
		ccesim.OpPodIdentity:   func() reply { return k.ask("POST", k.pods+ccesim.PodIdentityPath, "{}") },
		ccesim.OpMetadataToken: func() reply { return k.ask("PUT", k.metadata+metadataTokenPath, "") },
		ccesim.OpSecurityKey:   func() reply { return k.ask("GET", k.metadata+securityKeyPath, "") },
		ccesim.OpIDToken:       func() reply { return k.ask("POST", k.url+idTokenPath, idTokenBody) },
		ccesim.OpSecurityToken: func() reply { return k.ask("POST", k.url+securityTokenPath, "{}") },
	} {
		k.script(ccesim.Fault{Name: ccesim.FaultUnavailable, Op: op}, ccesim.Fault{Name: ccesim.FaultEmptyObject, Op: op})
		if got := ask(); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", op, got.status, got.body)
		}
		if got := ask(); got.status != http.StatusOK || got.body != "{}" {
			t.Errorf("%s: %d %s", op, got.status, got.body)
		}
		if n := k.Requests()[string(op)]; n != 2 {
			t.Errorf("%s: %d requests", op, n)
		}
	}
}

func TestIdentitiesThatCannotBeAreRefused(t *testing.T) {
	for reason, cfg := range map[string]ccesim.Config{
		"TemporaryLifetime is -1s":       {TemporaryLifetime: -time.Second},
		"a pod identity needs a token":   {PodIdentities: map[string]ccesim.Agency{"t": {}}},
		"has no ID":                      {IdentityProviders: []ccesim.IdentityProvider{{}}},
		"identity provider a has no ID":  {IdentityProviders: []ccesim.IdentityProvider{{ID: "a"}, {ID: "a"}}},
		"NoTokens of the instance":       {Instance: ccesim.Instance{NoTokens: 200}},
		"gives no tokens and asks for":   {Instance: ccesim.Instance{NoTokens: 404, TokensOnly: true}},
		"identity provider  has no ID, ": {IdentityProviders: []ccesim.IdentityProvider{{IDTokens: []string{"hidden"}}}},
	} {
		if _, err := ccesim.New(cfg); err == nil || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", reason, err)
		}
	}
}
