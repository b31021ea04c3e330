// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

// admin sends a request to the admin API from the same machine.
func (s *sim) admin(method, path, body string) reply {
	s.t.Helper()
	return s.adminFrom("127.0.0.1:40000", method, path, body)
}

func (s *sim) adminFrom(remote, method, path, body string) reply {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = remote
	w := httptest.NewRecorder()
	s.AdminHandler().ServeHTTP(w, r)
	return reply{w.Code, w.Header(), strings.TrimSpace(w.Body.String())}
}

func (s *sim) mustAdmin(method, path, body string) {
	s.t.Helper()
	if got := s.admin(method, path, body); got.status != http.StatusNoContent {
		s.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
}

func TestAdminShowsTheLedgerFromAnIndexOn(t *testing.T) {
	s := start(t)
	s.issue(1)
	s.issue(1)
	type page struct {
		Next    int
		Entries []ccesim.Entry
	}
	got := read[page](t, s.admin("GET", "/_sim/ledger?since=1", ""))
	if want := s.Ledger()[1]; got.Next != 2 || len(got.Entries) != 1 || !got.Entries[0].Time.Equal(want.Time) || got.Entries[0].Serial != want.Serial {
		t.Errorf("got %+v", got)
	}
	if got := s.admin("GET", "/_sim/ledger?since=2", ""); got.body != `{"next":2,"entries":[]}` {
		t.Errorf("at the end: %s", got.body)
	}
	if got := s.admin("GET", "/_sim/ledger?since=x", ""); got.status != 400 {
		t.Errorf("no number: %d", got.status)
	}
}

func TestAdminShowsEmptyListsWhereThereIsNothing(t *testing.T) {
	s := start(t)
	for path, want := range map[string]string{
		"/_sim/ledger": `{"next":0,"entries":[]}`, "/_sim/script": `{"faults":[]}`, "/_sim/requests": `{}`,
	} {
		if got := s.admin("GET", path, ""); got.body != want {
			t.Errorf("%s: got %s, want %s", path, got.body, want)
		}
	}
}

func TestAdminHoldsNoPrivateKeyAndNoSecret(t *testing.T) {
	s := start(t)
	s.issue(1)
	for _, path := range []string{"/_sim/ledger", "/_sim/requests", "/_sim/script", "/_sim/clusters/" + cluster} {
		if got := s.admin("GET", path, ""); got.status != 200 || strings.Contains(got.body, "PRIVATE") || strings.Contains(got.body, key.Secret) || strings.Contains(got.body, "LS0t") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := s.admin("GET", "/_sim/keys", ""); got.status != 405 {
		t.Errorf("keys can be read: %d %s", got.status, got.body)
	}
}

func TestAdminScriptsFaults(t *testing.T) {
	s := start(t)
	s.mustAdmin("POST", "/_sim/script", `{"faults":[{"name":"throttled","times":2,"retryAfter":56.818},{"name":"hang","op":"show-cluster","times":-1}]}`)
	if got := s.issue(1); got.status != 429 || got.header.Get("Retry-After") != "56.818" {
		t.Errorf("got %d %v", got.status, got.header)
	}
	const left = `{"faults":[{"name":"throttled","op":"clustercert","times":1,"retryAfter":56.818},{"name":"hang","op":"show-cluster","times":-1}]}`
	if got := s.admin("GET", "/_sim/script", ""); got.body != left {
		t.Errorf("left %s, want %s", got.body, left)
	}
	s.mustAdmin("DELETE", "/_sim/script", "")
	if got := s.issue(1); got.status != 200 {
		t.Errorf("after DELETE: %d %s", got.status, got.body)
	}
}

func TestAdminListsTheFaults(t *testing.T) {
	got := read[[]ccesim.FaultDoc](t, start(t).admin("GET", "/_sim/faults", ""))
	if len(got) != len(ccesim.Faults()) || got[0] != ccesim.Faults()[0] {
		t.Errorf("got %+v", got)
	}
}

func TestAdminRefusesWhatItDoesNotUnderstand(t *testing.T) {
	s := start(t)
	for name, tc := range map[string]struct{ method, path, body string }{
		"an unknown field":               {"POST", "/_sim/script", `{"faults":[{"name":"hang","often":1}]}`},
		"an unknown fault":               {"POST", "/_sim/script", `{"faults":[{"name":"flood"}]}`},
		"no body":                        {"POST", "/_sim/script", ``},
		"two bodies":                     {"PUT", "/_sim/latency", `{"duration":"1s"}{}`},
		"a bracket too many":             {"PUT", "/_sim/latency", `{"duration":"1s"}}`},
		"a number for a duration":        {"PUT", "/_sim/granted-lifetime", `{"duration":40}`},
		"a negative duration":            {"PUT", "/_sim/granted-lifetime", `{"duration":"-40s"}`},
		"a negative limit":               {"PUT", "/_sim/writes-per-minute", `{"writesPerMinute":-1}`},
		"a cluster under another's path": {"PUT", "/_sim/clusters/" + cluster, `{"id":"` + autopilot + `","name":"n","projectID":"` + project + `"}`},
		"a cluster of no project":        {"PUT", "/_sim/clusters/" + cluster, `{"name":"n"}`},
		"a patch of an unknown field":    {"PATCH", "/_sim/clusters/" + cluster, `{"state":"x"}`},
		"a body where none belongs":      {"DELETE", "/_sim/script", `{"faults":[]}`},
		"a key without a secret":         {"PUT", "/_sim/keys", `{"keys":[{"id":"a","userID":"u"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.admin(tc.method, tc.path, tc.body); got.status != 400 || got.body == "" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestAdminAnswersTheSameMachineOnly(t *testing.T) {
	s := start(t)
	for remote, want := range map[string]int{
		"127.0.0.1:1": 200, "[::1]:1": 200, "127.9.9.9:1": 200,
		"192.0.2.1:1": 403, "[2001:db8::1]:1": 403, "": 403, "localhost:1": 403,
	} {
		if got := s.adminFrom(remote, "GET", "/_sim/requests", ""); got.status != want {
			t.Errorf("%q: got %d, want %d", remote, got.status, want)
		}
	}
}

func TestTheAdminAPIIsNotPartOfTheCloud(t *testing.T) {
	s := start(t)
	if got := s.call("GET", "/_sim/ledger", ""); got.status != 404 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
