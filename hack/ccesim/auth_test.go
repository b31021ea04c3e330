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

func (s *sim) withWrongSecret() reply {
	s.t.Helper()
	r := s.request("POST", certPath, body)
	k := key
	k.Secret = "wrong"
	sign(r, body, k, s.clock.Now())
	return s.mustSend(r)
}

const lockedMessage = "AK access failed to reach the limit,forbidden."

func TestAnAccessKeyIsLockedForFiveMinutesByTheSixthFailureInARow(t *testing.T) {
	s := start(t)
	for range 6 {
		if got := s.withWrongSecret(); got.status != 401 || strings.Contains(got.body, lockedMessage) {
			t.Fatalf("locked too early: %d %s", got.status, got.body)
		}
	}
	if got := s.issue(1); got.status != 401 || !strings.Contains(got.body, lockedMessage) {
		t.Errorf("after six failures: %d %s", got.status, got.body)
	}
	s.clock.advance(5*time.Minute - time.Nanosecond)
	if got := s.issue(1); got.status != 401 {
		t.Errorf("a moment before five minutes: %d %.100s", got.status, got.body)
	}
	s.clock.advance(time.Nanosecond)
	if got := s.issue(1); got.status != 200 {
		t.Errorf("after five minutes: %d %s", got.status, got.body)
	}
}

func TestASuccessEndsARowOfFailures(t *testing.T) {
	s := start(t)
	for range 5 {
		s.withWrongSecret()
	}
	if got := s.issue(1); got.status != 200 {
		t.Fatalf("after five failures: %d %s", got.status, got.body)
	}
	for range 5 {
		s.withWrongSecret()
	}
	if got := s.issue(1); got.status != 200 {
		t.Errorf("after five more: %d %s", got.status, got.body)
	}
}

func TestALockedKeyLocksNoOther(t *testing.T) {
	other := ccesim.AccessKey{ID: "AK2", Secret: "SK2", UserID: "u2"}
	s := start(t, func(c *ccesim.Config) { c.Keys = append(c.Keys, other) })
	for range 6 {
		s.withWrongSecret()
	}
	r := s.request("POST", certPath, body)
	sign(r, body, other, s.clock.Now())
	if got := s.mustSend(r); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestTokensAuthenticateUntilTheyExpire(t *testing.T) {
	s := start(t, func(c *ccesim.Config) {
		c.Tokens = map[string]ccesim.Token{"tok": {UserID: "token-user", Expires: c.Clock().Add(time.Hour)}}
	})
	ask := func() reply {
		r := s.request("POST", certPath, body)
		r.Header.Set("X-Auth-Token", "tok")
		return s.mustSend(r)
	}
	leaf, _ := ask().kubeconfig(t).leaf(t)
	if leaf.Subject.CommonName != "token-user" {
		t.Errorf("common name %q", leaf.Subject.CommonName)
	}
	s.clock.advance(time.Hour)
	if got := ask(); got.status != 401 || !strings.Contains(got.body, "APIGW.0307") {
		t.Errorf("after its end: %d %s", got.status, got.body)
	}
}

func TestProjectsAndClustersOfOthersAreOutOfReach(t *testing.T) {
	s := start(t, func(c *ccesim.Config) { c.Keys[0].Projects = []string{project} })
	if err := s.AddCluster(ccesim.Cluster{ID: "77777777-2222-3333-4444-555555555555", Name: "far", ProjectID: elsewhere}); err != nil {
		t.Fatal(err)
	}
	const unknown = "00000000-2222-3333-4444-555555555555"
	const nowhere = "00000000000000000000000000000000"
	for name, tc := range map[string]struct {
		path   string
		status int
		code   string
	}{
		"an unknown cluster":                       {"/api/v3/projects/" + project + "/clusters/" + unknown, 404, `"error_code":"CCE_CM.0003"`},
		"a cluster of another project":             {"/api/v3/projects/" + project + "/clusters/77777777-2222-3333-4444-555555555555", 404, `"errorCode":"CCE.01404001"`},
		"an Autopilot cluster by the standard API": {"/api/v3/projects/" + project + "/clusters/" + autopilot, 404, "CCE.01404001"},
		"a standard cluster by the Autopilot API":  {"/autopilot/v3/projects/" + project + "/clusters/" + cluster, 404, "CCE.01404001"},
		"an unknown project":                       {"/api/v3/projects/" + nowhere + "/clusters", 404, "CCE.01404001"},
		"a project that is not granted":            {"/api/v3/projects/" + elsewhere + "/clusters", 403, `"errorCode":"CCE.01403001"`},
		"a path that does not exist":               {"/api/v3/projects/" + project + "/nodes", 404, `"error_code":"APIGW.0101"`},
		"a path with a slash too many":             {"/api/v3/projects/" + project + "/clusters/", 404, "APIGW.0101"},
		"the discarded GET of clustercert":         {certPath, 404, "APIGW.0101"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.call("GET", tc.path, "")
			if got.status != tc.status || !strings.Contains(got.body, tc.code) {
				t.Errorf("got %d %s, want %d and %s", got.status, got.body, tc.status, tc.code)
			}
		})
	}
}

func TestProjectOfTheHeaderMustBeThatOfThePath(t *testing.T) {
	s := start(t)
	r := s.request("GET", "/api/v3/projects/"+project+"/clusters", "")
	r.Header.Set("X-Project-Id", elsewhere)
	sign(r, "", key, s.clock.Now())
	if got := s.mustSend(r); got.status != http.StatusForbidden {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestKeysCanBeReplacedWhileItRuns(t *testing.T) {
	s := start(t)
	if err := s.SetKeys(ccesim.AccessKey{ID: "AK9", Secret: "SK9", UserID: "u9"}); err != nil {
		t.Fatal(err)
	}
	if got := s.issue(1); got.status != 401 || !strings.Contains(got.body, "ak not exist") {
		t.Errorf("the old key: %d %s", got.status, got.body)
	}
}

func TestSecretsOfAKeyAreNotPrinted(t *testing.T) {
	k := ccesim.AccessKey{ID: "AK", Secret: "hidden", SecurityToken: "hidden"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, []ccesim.AccessKey{k}); strings.Contains(got, "hidden") || !strings.Contains(got, "AK") {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}
