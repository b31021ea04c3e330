// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

const body = `{"duration":1}`

func TestWellSignedRequestsAreAccepted(t *testing.T) {
	for name, prepare := range map[string]func(s *sim, r *http.Request){
		"with the date alone signed":     func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now()) },
		"with the host signed":           func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now(), "host", "x-sdk-date") },
		"signed 15 minutes ago":          func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now().Add(-15*time.Minute)) },
		"signed 15 minutes ahead":        func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now().Add(15*time.Minute)) },
		"with an unsigned header":        func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now()); r.Header.Set("Accept", "*/*") },
		"without spaces after the comma": func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now()); edit(r, ", ", ",") },
		"as this SDK does it": func(s *sim, r *http.Request) {
			r.Header.Set("User-Agent", "huaweicloud-usdk-go/3.0")
			r.Header.Set("X-Project-Id", project)
			sign(r, body, key, s.clock.Now(), "user-agent", "x-project-id", "x-sdk-date")
		},
		"with the hash of the body stated": func(s *sim, r *http.Request) {
			r.Header.Set("X-Sdk-Content-Sha256", hash(body))
			sign(r, body, key, s.clock.Now(), "x-sdk-content-sha256", "x-sdk-date")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			r := s.request("POST", certPath, body)
			prepare(s, r)
			if got := s.mustSend(r); got.status != http.StatusOK {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestBadlySignedRequestsAreRefused(t *testing.T) {
	signedWith := func(change func(*ccesim.AccessKey)) func(*sim, *http.Request) {
		return func(s *sim, r *http.Request) {
			k := key
			change(&k)
			sign(r, body, k, s.clock.Now())
		}
	}
	tampered := func(change func(*http.Request)) func(*sim, *http.Request) {
		return func(s *sim, r *http.Request) {
			r.Header.Set("X-Project-Id", project)
			sign(r, body, key, s.clock.Now(), "x-project-id", "x-sdk-date")
			change(r)
		}
	}
	for name, tc := range map[string]struct {
		prepare func(*sim, *http.Request)
		want    string
	}{
		"another secret":                    {signedWith(func(k *ccesim.AccessKey) { k.Secret = "SK2" }), "APIGW.0301"},
		"an unknown access key":             {signedWith(func(k *ccesim.AccessKey) { k.ID = "AK2" }), "ak not exist"},
		"another body":                      {tampered(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"duration":2}`)) }), "does not match"},
		"another query":                     {tampered(func(r *http.Request) { r.URL.RawQuery = "a=b" }), "does not match"},
		"another cluster":                   {tampered(func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, cluster, autopilot, 1) }), "does not match"},
		"another signed header":             {tampered(func(r *http.Request) { r.Header.Set("X-Project-Id", elsewhere) }), "does not match"},
		"another date":                      {tampered(func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20260301T120001Z") }), "does not match"},
		"a signed header that is missing":   {tampered(func(r *http.Request) { r.Header.Del("X-Project-Id") }), "absent"},
		"a signature in capitals":           {tampered(func(r *http.Request) { capitals(r) }), "does not match"},
		"a date in another form":            {tampered(func(r *http.Request) { r.Header.Set("X-Sdk-Date", "2026-03-01T12:00:00Z") }), "X-Sdk-Date"},
		"no date":                           {tampered(func(r *http.Request) { r.Header.Del("X-Sdk-Date") }), "X-Sdk-Date"},
		"another algorithm":                 {tampered(func(r *http.Request) { edit(r, "SDK-HMAC-SHA256", "SDK-HMAC-SM3") }), "algorithm"},
		"no access key":                     {tampered(func(r *http.Request) { edit(r, "Access=AK1, ", "") }), "exactly"},
		"an empty access key":               {tampered(func(r *http.Request) { edit(r, "AK1", "") }), "malformed"},
		"a fourth field":                    {tampered(func(r *http.Request) { edit(r, "Access=AK1", "Access=AK1, Region=eu") }), "exactly"},
		"a field twice":                     {tampered(func(r *http.Request) { edit(r, "Access=AK1", "Access=AK1, Access=AK1") }), "malformed"},
		"signed headers out of order":       {tampered(func(r *http.Request) { edit(r, "x-project-id;x-sdk-date", "x-sdk-date;x-project-id") }), "sorted"},
		"a security token nobody asked for": {tampered(func(r *http.Request) { r.Header.Set("X-Security-Token", "T") }), "security token"},
		"the date not signed":               {func(s *sim, r *http.Request) { sign(r, body, key, s.clock.Now(), "host") }, "x-sdk-date is not signed"},
		"a date 15 minutes and a second old": {func(s *sim, r *http.Request) {
			sign(r, body, key, s.clock.Now().Add(-15*time.Minute-time.Second))
		}, "APIGW.0303"},
		"a date 15 minutes and a second ahead": {func(s *sim, r *http.Request) {
			sign(r, body, key, s.clock.Now().Add(15*time.Minute+time.Second))
		}, "APIGW.0303"},
		"a false hash of the body": {func(s *sim, r *http.Request) {
			r.Header.Set("X-Sdk-Content-Sha256", hash("another"))
			sign(r, "another", key, s.clock.Now(), "x-sdk-content-sha256", "x-sdk-date")
		}, "not the hash"},
		"a hash of the body that is not signed": {func(s *sim, r *http.Request) {
			r.Header.Set("X-Sdk-Content-Sha256", hash(body))
			sign(r, body, key, s.clock.Now())
		}, "not signed"},
		"neither signature nor token": {func(*sim, *http.Request) {}, "x-auth-token not found"},
		"an unknown token":            {func(_ *sim, r *http.Request) { r.Header.Set("X-Auth-Token", "nobody's") }, "decrypt token fail"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			r := s.request("POST", certPath, body)
			tc.prepare(s, r)
			got := s.mustSend(r)
			if got.status != http.StatusUnauthorized || !strings.Contains(got.body, tc.want) {
				t.Errorf("got %d %s, want 401 and %q", got.status, got.body, tc.want)
			}
			if !strings.Contains(got.body, `"error_code":"APIGW.030`) || !strings.Contains(got.body, got.header.Get("X-Request-Id")) {
				t.Errorf("not in the gateway's dialect, or without the request's ID: %s", got.body)
			}
			if e := s.Ledger()[0]; e.Minted() || e.Status != 401 || !e.Complete {
				t.Errorf("ledger: %+v", e)
			}
		})
	}
}

func edit(r *http.Request, old, new string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, -1))
}

func capitals(r *http.Request) {
	before, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	r.Header.Set("Authorization", before+"Signature="+strings.ToUpper(signature))
}

func TestTemporaryKeysNeedTheirSecurityTokenSigned(t *testing.T) {
	temporary := ccesim.AccessKey{ID: "AKT", Secret: "SKT", SecurityToken: "T1", UserID: "u"}
	for name, tc := range map[string]struct {
		token string
		names []string
		want  int
	}{
		"its own token, signed":     {"T1", []string{"x-sdk-date", "x-security-token"}, 200},
		"its own token, not signed": {"T1", []string{"x-sdk-date"}, 401},
		"another token":             {"T2", []string{"x-sdk-date", "x-security-token"}, 401},
		"no token":                  {"", []string{"x-sdk-date"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(c *ccesim.Config) { c.Keys = append(c.Keys, temporary) })
			r := s.request("POST", certPath, body)
			if tc.token != "" {
				r.Header.Set("X-Security-Token", tc.token)
			}
			sign(r, body, temporary, s.clock.Now(), tc.names...)
			if got := s.mustSend(r); got.status != tc.want {
				t.Errorf("got %d %.150s, want %d", got.status, got.body, tc.want)
			}
		})
	}
}

func TestSignaturesAreDatedByTheirOwnClockIfItIsSet(t *testing.T) {
	wall := time.Now()
	s := start(t, func(c *ccesim.Config) { c.SignatureClock = func() time.Time { return wall } })
	r := s.request("POST", certPath, body)
	sign(r, body, key, wall)
	leaf, _ := s.mustSend(r).kubeconfig(t).leaf(t)
	if !leaf.NotBefore.Equal(s.clock.Now()) {
		t.Errorf("the certificate begins %v, not at %v by Clock", leaf.NotBefore, s.clock.Now())
	}
}
