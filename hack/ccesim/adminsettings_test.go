// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestAdminChangesClusters(t *testing.T) {
	s := start(t)
	const id = "88888888-2222-3333-4444-555555555555"
	at := "/_sim/clusters/" + id
	s.mustAdmin("PUT", at, `{"name":"late","projectID":"`+project+`"}`)
	s.mustAdmin("PATCH", at, `{"phase":"Hibernation","externalURL":"https://203.0.113.9:5443"}`)
	got, _ := s.Cluster(id)
	if got.Name != "late" || got.Phase != "Hibernation" || got.ExternalURL != "https://203.0.113.9:5443" {
		t.Errorf("after PATCH: %+v", got)
	}
	s.mustAdmin("PUT", at, `{"id":"`+id+`","name":"renamed","projectID":"`+project+`"}`)
	if got, _ := s.Cluster(id); got.Name != "renamed" || got.Phase != "Available" || got.ExternalURL != "" {
		t.Errorf("after PUT: %+v", got)
	}
	if shown := read[ccesim.Cluster](t, s.admin("GET", at, "")); shown.Name != "renamed" {
		t.Errorf("shown: %+v", shown)
	}
	s.mustAdmin("DELETE", at, "")
	for method, body := range map[string]string{"GET": "", "DELETE": "", "PATCH": "{}"} {
		if got := s.admin(method, at, body); got.status != 404 {
			t.Errorf("%s of a removed cluster: %d %s", method, got.status, got.body)
		}
	}
}

func TestAdminChangesSettings(t *testing.T) {
	s := start(t)
	s.mustAdmin("PUT", "/_sim/granted-lifetime", `{"duration":"40s"}`)
	leaf, _ := s.issue(1).kubeconfig(t).leaf(t)
	if want := s.clock.Now().Add(40 * time.Second); !leaf.NotAfter.Equal(want) {
		t.Errorf("ends %v, want %v", leaf.NotAfter, want)
	}
	s.mustAdmin("PUT", "/_sim/writes-per-minute", `{"writesPerMinute":1}`)
	s.issue(1)
	if got := s.issue(1); got.status != 429 {
		t.Errorf("above the limit: %d", got.status)
	}
	keys, err := json.Marshal(map[string]any{"keys": []ccesim.AccessKey{{ID: "AK9", Secret: "SK9", UserID: "u9"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.mustAdmin("PUT", "/_sim/keys", string(keys))
	if got := s.issue(1); got.status != 401 {
		t.Errorf("a key that was taken away: %d", got.status)
	}
}

func TestLatencyDelaysTheAnswerAndNotTheEffect(t *testing.T) {
	s := start(t)
	s.mustAdmin("PUT", "/_sim/latency", `{"duration":"1h"}`)
	r := s.signed("POST", certPath, body)
	go func() { _, _ = s.send(r) }() // ends with the context of the test
	if e := s.until(func(e ccesim.Entry) bool { return e.Minted() }); e.Finished {
		t.Errorf("got %+v", e)
	}
}
