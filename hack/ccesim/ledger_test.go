// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestLedgerTellsWhatWasIssuedToWhom(t *testing.T) {
	s := start(t)
	got := s.issue(3)
	leaf, _ := got.kubeconfig(t).leaf(t)
	want := ccesim.Entry{
		Time: s.clock.Now(), Op: ccesim.OpIssue, AccessKey: "AK1", UserID: key.UserID, Project: project, Cluster: cluster,
		Status: 200, Serial: fmt.Sprintf("%X", leaf.SerialNumber.Bytes()), NotAfter: leaf.NotAfter,
		RequestID: got.header.Get("X-Request-Id"), Finished: true, Complete: true,
	}
	if e := s.Ledger()[0]; e != want {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
}

func TestLedgerCanBeReadFromAnIndexOn(t *testing.T) {
	s := start(t)
	for range 3 {
		s.issue(1)
	}
	for since, want := range map[int]int{0: 3, 1: 2, 3: 0, 99: 0, -1: 3} {
		if got := s.LedgerSince(since); len(got) != want || want > 0 && got[want-1].Index != 2 {
			t.Errorf("since %d: %+v", since, got)
		}
	}
}

func TestLedgerHasCallsThatAreStillOpen(t *testing.T) {
	s := start(t)
	s.script(ccesim.Fault{Name: ccesim.FaultHangAfter})
	ctx, leave := context.WithCancel(t.Context())
	r := s.signed("POST", certPath, body).WithContext(ctx)
	done := make(chan error, 1)
	go func() { _, err := s.send(r); done <- err }()
	e := s.until(func(e ccesim.Entry) bool { return e.Minted() })
	if e.Finished || e.Complete || e.Status != 0 {
		t.Errorf("got %+v", e)
	}
	leave()
	if err := <-done; err == nil {
		t.Error("the call was answered")
	}
	if e := s.until(func(e ccesim.Entry) bool { return e.Finished }); e.Complete || e.Status != 0 {
		t.Errorf("afterwards: %+v", e)
	}
}

func TestRequestsAreCountedByOperation(t *testing.T) {
	s := start(t)
	s.issue(1)
	s.issue(0)
	s.withWrongSecret()
	s.call("GET", clustersPath, "")
	s.call("GET", "/nowhere", "")
	if got, want := s.Requests(), map[string]int{"clustercert": 3, "list-clusters": 1, "unknown": 1}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRevokedCertificatesOfTheUserAreMarked(t *testing.T) {
	other := ccesim.AccessKey{ID: "AK2", Secret: "SK2", UserID: "u2"}
	s := start(t, func(c *ccesim.Config) { c.Keys = append(c.Keys, other) })
	s.issue(1)
	r := s.request("POST", certPath, body)
	sign(r, body, other, s.clock.Now())
	s.mustSend(r)
	if got := s.call("POST", clusterPath+"/clustercertrevoke", fmt.Sprintf(`{"userId":%q}`, key.UserID)); got.status != 200 || got.body != "" {
		t.Fatalf("revoke: %d %q", got.status, got.body)
	}
	s.issue(1)
	var revoked []bool
	for _, e := range s.Ledger() {
		revoked = append(revoked, e.Revoked)
	}
	if want := "[true false false false]"; fmt.Sprint(revoked) != want || s.Ledger()[2].Op != ccesim.OpRevoke {
		t.Errorf("got %v, want %v", revoked, want)
	}
}

func TestRevokeTakesExactlyOneUserOrAgencyWhichIsTheCaller(t *testing.T) {
	s := start(t)
	for name, tc := range map[string]struct {
		path, body string
		want       int
	}{
		"as an agency":             {clusterPath, fmt.Sprintf(`{"agencyId":%q}`, key.UserID), 200},
		"of another user":          {clusterPath, `{"userId":"somebody"}`, 403},
		"of both":                  {clusterPath, `{"userId":"a","agencyId":"a"}`, 400},
		"of nobody":                {clusterPath, `{}`, 400},
		"in the old sample's case": {clusterPath, fmt.Sprintf(`{"userID":%q}`, key.UserID), 400},
		"of a number":              {clusterPath, `{"userId":1}`, 400},
		"of Autopilot":             {"/autopilot/v3/projects/" + project + "/clusters/" + autopilot, fmt.Sprintf(`{"userId":%q}`, key.UserID), 404},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.call("POST", tc.path+"/clustercertrevoke", tc.body); got.status != tc.want {
				t.Errorf("got %d %s, want %d", got.status, got.body, tc.want)
			}
		})
	}
}

func TestEverythingMayHappenAtOnce(t *testing.T) {
	s := start(t, func(c *ccesim.Config) { c.WritesPerMinute = 1000 })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				_, _ = s.send(s.signed("POST", certPath, body))
				_, _ = s.send(s.signed("GET", clustersPath, ""))
			}
		})
	}
	all.Go(func() {
		for i := range 50 {
			s.SetGrantedLifetime(time.Duration(i) * time.Hour)
			s.SetLatency(time.Duration(i))
			_ = s.SetKeys(key)
			_ = s.UpdateCluster(cluster, func(c *ccesim.Cluster) { c.CustomSANs = append(c.CustomSANs, "a.example") })
			_ = s.Script(ccesim.Fault{Name: ccesim.FaultOtherCA})
			_ = s.Ledger()
			_ = s.Requests()
		}
	})
	all.Wait()
	if got := s.Requests(); got["clustercert"] != 80 || got["list-clusters"] != 80 {
		t.Errorf("got %v", got)
	}
	for _, e := range s.Ledger() {
		if e.Status != 200 || !e.Minted() {
			t.Errorf("got %+v", e)
		}
	}
}
