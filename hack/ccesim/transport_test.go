// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

// overTLS makes the simulator listen with TLS, and its client use it.
func (s *sim) overTLS(http2 bool) {
	s.t.Helper()
	listener := httptest.NewUnstartedServer(s.Server)
	listener.EnableHTTP2 = http2
	listener.StartTLS()
	s.t.Cleanup(listener.Close)
	s.url, s.http = listener.URL, listener.Client()
}

func TestDroppedConnectionsAreReset(t *testing.T) {
	plain, secure := start(t), start(t)
	secure.overTLS(false)
	for name, s := range map[string]*sim{"without TLS": plain, "with TLS": secure} {
		for _, fault := range []ccesim.FaultName{ccesim.FaultDropBefore, ccesim.FaultDropAfter} {
			s.script(ccesim.Fault{Name: fault})
			if got, err := s.send(s.signed("POST", certPath, body)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s, %s: got %+v, %v", name, fault, got, err)
			}
		}
	}
}

func TestDroppingAnHTTP2ConnectionFailsLoudly(t *testing.T) {
	s := start(t)
	s.overTLS(true)
	s.script(ccesim.Fault{Name: ccesim.FaultDropAfter})
	if got := s.issue(1); got.status != http.StatusNotImplemented || !strings.Contains(got.body, "HTTP/1") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestBodiesAboveTheLimitAreRefused(t *testing.T) {
	s := start(t)
	for size, want := range map[int]int{1 << 20: 200, 1<<20 + 1: 413} {
		padded := body + strings.Repeat(" ", size-len(body))
		if got := s.call("POST", certPath, padded); got.status != want {
			t.Errorf("%d bytes: got %d %.100s, want %d", size, got.status, got.body, want)
		}
	}
}

func TestProjectsAndTokensCanBeAddedWhileItRuns(t *testing.T) {
	s := start(t)
	const added = "abababababababababababababababab"
	if err := s.AddProject(ccesim.Project{ID: added, Name: "eu-west-0"}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetTokens(map[string]ccesim.Token{"tok": {UserID: "u", Projects: []string{added}}}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/api/v3/projects/" + added + "/clusters": 200, clustersPath: 403} {
		r := s.request("GET", path, "")
		r.Header.Set("X-Auth-Token", "tok")
		if got := s.mustSend(r); got.status != want {
			t.Errorf("%s: got %d %s, want %d", path, got.status, got.body, want)
		}
	}
}
