// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

const (
	clustersPath = "/api/v3/projects/" + project + "/clusters"
	clusterPath  = clustersPath + "/" + cluster
)

// described is a cluster as a client reads it.
type described struct {
	Kind, APIVersion string
	Metadata         struct {
		Name, UID, Alias, CreationTimestamp, UpdateTimestamp string
		Labels                                               map[string]string
	}
	Spec struct {
		Version              string
		CustomSan            []string
		EnableAutopilot      bool
		CertificateAuthority *struct{ Data []byte }
	}
	Status struct {
		Phase     string
		Endpoints []struct{ URL, Type string }
	}
}

func read[T any](t *testing.T, got reply) T {
	t.Helper()
	var v T
	if got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestShowDescribesTheCluster(t *testing.T) {
	s := start(t)
	if err := s.UpdateCluster(cluster, func(c *ccesim.Cluster) {
		c.Alias, c.ExternalURL, c.CustomSANs = "Production", "https://203.0.113.10:5443", []string{"api.example.com"}
		c.Labels = map[string]string{"team": "a"}
	}); err != nil {
		t.Fatal(err)
	}
	got := read[described](t, s.call("GET", clusterPath, ""))
	if m := got.Metadata; m.Name != "prod" || m.UID != cluster || m.Alias != "Production" || m.Labels["team"] != "a" || m.CreationTimestamp != "2026-03-01 12:00:00 +0000 UTC" {
		t.Errorf("metadata %+v", m)
	}
	if got.Kind != "Cluster" || got.APIVersion != "v3" || got.Spec.Version != "v1.30" || !slices.Equal(got.Spec.CustomSan, []string{"api.example.com"}) {
		t.Errorf("got %+v", got)
	}
	if want := "[{https://192.168.1.7:5443 Internal} {https://203.0.113.10:5443 External}]"; fmt.Sprint(got.Status.Endpoints) != want {
		t.Errorf("endpoints %v, want %v", got.Status.Endpoints, want)
	}
	if ca := got.Spec.CertificateAuthority; ca == nil || !parsePEM(t, ca.Data).Equal(parsePEM(t, s.ClientCAPEM())) {
		t.Errorf("certificate authority %v", ca)
	}
}

func TestAutopilotClustersAreShownByTheirOwnAPI(t *testing.T) {
	s := start(t)
	got := read[described](t, s.call("GET", "/autopilot/v3/projects/"+project+"/clusters/"+autopilot, ""))
	if got.Metadata.Name != "pilot" || !got.Spec.EnableAutopilot {
		t.Errorf("got %+v", got)
	}
}

func TestErrorIsReportedAsDeletingUnlessAskedFor(t *testing.T) {
	s := start(t)
	if err := s.UpdateCluster(cluster, func(c *ccesim.Cluster) { c.Phase = "Error" }); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{"": "Deleting", "?errorStatus=": "Deleting", "?errorStatus=true": "Error"} {
		if got := read[described](t, s.call("GET", clusterPath+query, "")).Status.Phase; got != want {
			t.Errorf("%q: phase %q, want %q", query, got, want)
		}
	}
}

func TestListHasTheProjectsClustersOfOneTypeAndFiltersThem(t *testing.T) {
	s := start(t, func(c *ccesim.Config) {
		c.Clusters = append(c.Clusters,
			ccesim.Cluster{ID: "22222222-2222-3333-4444-555555555555", Name: "asleep", ProjectID: project, Phase: "Hibernation", Version: "v1.28"},
			ccesim.Cluster{ID: "33333333-2222-3333-4444-555555555555", Name: "far", ProjectID: elsewhere})
	})
	for path, want := range map[string][]string{
		clustersPath: {"asleep", "prod"},
		"/autopilot/v3/projects/" + project + "/clusters": {"pilot"},
		"/api/v3/projects/" + elsewhere + "/clusters":     {"far"},
		clustersPath + "?status=Available":                {"prod"},
		clustersPath + "?status=available":                {"prod"},
		clustersPath + "?version=v1.28":                   {"asleep"},
		clustersPath + "?type=ARM64":                      {},
		clustersPath + "?name=prod":                       {"asleep", "prod"},
	} {
		list := read[struct{ Items []described }](t, s.call("GET", path, ""))
		names := []string{}
		for _, item := range list.Items {
			names = append(names, item.Metadata.Name)
			if item.Spec.CertificateAuthority != nil {
				t.Errorf("%s: the list shows a certificate authority", path)
			}
		}
		if !slices.Equal(names, want) || list.Items == nil {
			t.Errorf("%s: got %v, want %v", path, names, want)
		}
	}
}

func TestEndpointsAreThoseOfTheCluster(t *testing.T) {
	s := start(t)
	type view struct {
		Status struct{ PrivateEndpoint, PublicEndpoint string }
	}
	if got := read[view](t, s.call("GET", clusterPath+"/openapi", "")); got.Status.PrivateEndpoint != "https://192.168.1.7:5443" || got.Status.PublicEndpoint != "" {
		t.Errorf("got %+v", got)
	}
}

func TestClustersChangeWhileItRuns(t *testing.T) {
	s := start(t)
	const id = "44444444-2222-3333-4444-555555555555"
	path := clustersPath + "/" + id
	if err := s.AddCluster(ccesim.Cluster{ID: id, Name: "new", ProjectID: project}); err != nil {
		t.Fatal(err)
	}
	if got := s.call("POST", path+"/clustercert", body); got.status != 200 {
		t.Errorf("added: %d %s", got.status, got.body)
	}
	if err := s.UpdateCluster(id, func(c *ccesim.Cluster) { c.ProjectID = elsewhere }); err != nil {
		t.Fatal(err)
	}
	if got := s.call("GET", path, ""); got.status != 404 {
		t.Errorf("moved away: %d %s", got.status, got.body)
	}
	if got := read[struct{ Items []described }](t, s.call("GET", clustersPath, "")); len(got.Items) != 1 {
		t.Errorf("moved away, but the list has %d", len(got.Items))
	}
	if !s.RemoveCluster(id) || s.RemoveCluster(id) {
		t.Error("removing twice must succeed once")
	}
	if _, exists := s.Cluster(id); exists {
		t.Error("removed, but there")
	}
}

func TestChangesThatBreakTheRulesChangeNothing(t *testing.T) {
	s := start(t)
	before, _ := s.Cluster(cluster)
	for name, change := range map[string]func(*ccesim.Cluster){
		"another ID":         func(c *ccesim.Cluster) { c.ID = "55555555-2222-3333-4444-555555555555" },
		"no name":            func(c *ccesim.Cluster) { c.Name = "" },
		"an unknown project": func(c *ccesim.Cluster) { c.ProjectID = "ffffffffffffffffffffffffffffffff" },
		"an http address":    func(c *ccesim.Cluster) { c.ExternalURL = "http://203.0.113.10" },
		"an unknown type":    func(c *ccesim.Cluster) { c.Type = "turbo" },
	} {
		if err := s.UpdateCluster(cluster, change); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if after, _ := s.Cluster(cluster); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("got %+v, want %+v", after, before)
	}
	if err := s.UpdateCluster("66666666-2222-3333-4444-555555555555", func(*ccesim.Cluster) {}); err == nil {
		t.Error("a cluster that does not exist was changed")
	}
}

func TestVersionIsOpenToEveryone(t *testing.T) {
	s := start(t)
	got := read[struct{ Versions []struct{ ID, Status string } }](t, s.mustSend(s.request("GET", "/", "")))
	if len(got.Versions) != 1 || got.Versions[0].ID != "v3" {
		t.Errorf("got %+v", got)
	}
}
