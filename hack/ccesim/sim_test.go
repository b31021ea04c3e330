// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

const (
	project   = "0123456789abcdef0123456789abcdef"
	elsewhere = "fedcba9876543210fedcba9876543210"
	cluster   = "11111111-2222-3333-4444-555555555555"
	autopilot = "99999999-2222-3333-4444-555555555555"
	certPath  = "/api/v3/projects/" + project + "/clusters/" + cluster + "/clustercert"
)

var key = ccesim.AccessKey{ID: "AK1", Secret: "SK1", UserID: "0c97ac3cb280f4d91fa7c0096739e1f8", Groups: []string{"group-1"}}

// clock is moved by tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sim is a simulator that listens, and a client of it with its own signer.
type sim struct {
	*ccesim.Server
	t     *testing.T
	url   string
	clock *clock
	http  *http.Client
}

// start runs a simulator with one project, one cluster of each type and one key.
func start(t *testing.T, changes ...func(*ccesim.Config)) *sim {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	cfg := ccesim.Config{
		Clock:    c.Now,
		Keys:     []ccesim.AccessKey{key},
		Projects: []ccesim.Project{{ID: project, Name: "ap-southeast-3"}, {ID: elsewhere, Name: "eu-west-101"}},
		Clusters: []ccesim.Cluster{
			{ID: cluster, Name: "prod", ProjectID: project, InternalURL: "https://192.168.1.7:5443"},
			{ID: autopilot, Name: "pilot", ProjectID: project, Type: ccesim.Autopilot},
		},
		KeyAlgorithm: ccesim.EC,
	}
	for _, change := range changes {
		change(&cfg)
	}
	server, err := ccesim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	client := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() { client.CloseIdleConnections(); listener.Close() })
	return &sim{Server: server, t: t, url: listener.URL, clock: c, http: client}
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

func (s *sim) request(method, path, body string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (s *sim) send(r *http.Request) (reply, error) {
	answer, err := s.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(body)}, err
}

func (s *sim) mustSend(r *http.Request) reply {
	s.t.Helper()
	got, err := s.send(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return got
}

// call signs a request with the first key and sends it.
func (s *sim) call(method, path, body string) reply {
	s.t.Helper()
	return s.mustSend(s.signed(method, path, body))
}

func (s *sim) signed(method, path, body string) *http.Request {
	s.t.Helper()
	r := s.request(method, path, body)
	sign(r, body, key, s.clock.Now())
	return r
}

// issue asks for a certificate that lasts some days.
func (s *sim) issue(days int) reply {
	s.t.Helper()
	return s.call("POST", certPath, fmt.Sprintf(`{"duration":%d}`, days))
}

func (s *sim) script(faults ...ccesim.Fault) {
	s.t.Helper()
	if err := s.Script(faults...); err != nil {
		s.t.Fatal(err)
	}
}
