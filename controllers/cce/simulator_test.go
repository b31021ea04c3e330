// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/hack/ccesim"
)

const pilotCluster = "99999999-2222-3333-4444-555555555555"

// simulate runs the simulator, which checks signatures, and a dialer for it.
func simulate(t *testing.T) (*ccesim.Server, *Dialer) {
	t.Helper()
	sim, err := ccesim.New(ccesim.Config{
		Keys: []ccesim.AccessKey{
			{ID: "CANARYACCESSKEY", Secret: "canary-secret", UserID: "user-1"},
			{ID: "TEMPORARY", Secret: "canary-secret", SecurityToken: "canary-security-token", UserID: "user-2"},
			{ID: "NARROW", Secret: "canary-secret", UserID: "user-3", Projects: []string{otherProject}},
		},
		Tokens:   map[string]ccesim.Token{"canary-token": {UserID: "user-4"}},
		Projects: []ccesim.Project{{ID: testProject, Name: testRegion}, {ID: otherProject, Name: "eu-test-2"}},
		Clusters: []ccesim.Cluster{
			{ID: testCluster, Name: "hub", Alias: "shown", ProjectID: testProject, ExternalURL: "https://1.2.3.4:5443"},
			{ID: otherUUID, Name: "broken", ProjectID: testProject, Phase: "Error"},
			{ID: pilotCluster, Name: "pilot", ProjectID: testProject, Type: ccesim.Autopilot},
		},
		KeyAlgorithm: ccesim.EC, KeyPool: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return sim, newDialer(t, Options{CCEEndpoint: server.URL, IAMEndpoint: server.URL})
}

func TestTheSimulatorAcceptsEveryKindOfKey(t *testing.T) {
	for name, key := range map[string]issuer.Key{
		"an access key":   testKey(),
		"a temporary key": {ID: "TEMPORARY", Secret: issuer.Sensitive("canary-secret"), SecurityToken: issuer.Sensitive("canary-security-token")},
		"a token":         {Token: issuer.Sensitive("canary-token")},
	} {
		for _, project := range []string{testProject, ""} {
			t.Run(name+" with project "+project, func(t *testing.T) {
				_, d := simulate(t)
				cloud := dial(t, d, issuer.Access{Region: testRegion, ProjectID: project, Key: key})
				if id, err := cloud.Project(context.Background()); err != nil || id != testProject {
					t.Errorf("Project: %q %v", id, err)
				}
				for operation, call := range operations {
					if err := call(context.Background(), cloud); err != nil {
						t.Errorf("%s: %v", operation, err)
					}
				}
			})
		}
	}
}

func TestTheSimulatorIssues(t *testing.T) {
	for name, test := range map[string]struct {
		request issuer.Request
		kind    issuer.Kind
		refused bool
	}{
		"days":                       {byDays, 0, false},
		"the longest":                {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, Days: -1}, 0, false},
		"an expiry":                  {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, ExpireAt: time.Now().Add(time.Hour)}, 0, false},
		"days of Autopilot":          {issuer.Request{ClusterID: pilotCluster, ClusterType: issuer.Autopilot, Days: 30}, 0, false},
		"the longest of Autopilot":   {issuer.Request{ClusterID: pilotCluster, ClusterType: issuer.Autopilot, Days: -1}, 0, false},
		"too many days":              {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, Days: 9999}, issuer.Rejected, true},
		"an expiry that is near":     {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, ExpireAt: time.Now().Add(time.Minute)}, issuer.Rejected, true},
		"the wrong type":             {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Autopilot, Days: 1}, issuer.NotFound, true},
		"an unknown cluster":         {issuer.Request{ClusterID: "00000000-0000-4000-8000-000000000000", ClusterType: issuer.Standard, Days: 1}, issuer.NotFound, true},
		"a cluster in another state": {issuer.Request{ClusterID: otherUUID, ClusterType: issuer.Standard, Days: 1}, issuer.NotAvailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			sim, d := simulate(t)
			issued, err := dial(t, d, testAccess()).Issue(context.Background(), test.request)
			ledger := sim.Ledger()
			if len(ledger) != 1 || ledger[0].Minted() == test.refused {
				t.Fatalf("ledger %+v, err %v", ledger, err)
			}
			if test.refused {
				if e := fault(t, err); e.Kind != test.kind || e.MayHaveIssued || e.RequestID != ledger[0].RequestID || e.Code == "" {
					t.Errorf("%v %+v", e.Kind, e)
				}
				return
			}
			if err != nil || issued.RequestID != ledger[0].RequestID || !strings.Contains(string(issued.Kubeconfig.Reveal()), `"client-key-data"`) {
				t.Errorf("%v, request %s of %+v", err, issued.RequestID, ledger[0])
			}
		})
	}
}

func TestTheSimulatorsRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*issuer.Access)
		kind   issuer.Kind
	}{
		"a wrong secret":          {func(a *issuer.Access) { a.Key.Secret = issuer.Sensitive("wrong") }, issuer.Unauthorized},
		"an unknown key":          {func(a *issuer.Access) { a.Key.ID = "UNKNOWN" }, issuer.Unauthorized},
		"a missing token":         {func(a *issuer.Access) { a.Key.ID = "TEMPORARY" }, issuer.Unauthorized},
		"a wrong token":           {func(a *issuer.Access) { a.Key = issuer.Key{Token: issuer.Sensitive("wrong")} }, issuer.Unauthorized},
		"a key of other projects": {func(a *issuer.Access) { a.Key.ID = "NARROW" }, issuer.Forbidden},
		"an unknown project":      {func(a *issuer.Access) { a.ProjectID = strings.Repeat("a", 32) }, issuer.NotFound},
		"an unknown region":       {func(a *issuer.Access) { a.ProjectID, a.Region = "", "nowhere-1" }, issuer.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			sim, d := simulate(t)
			access := testAccess()
			test.change(&access)
			for operation, call := range operations {
				if e := fault(t, call(context.Background(), dial(t, d, access))); e.Kind != test.kind || e.MayHaveIssued {
					t.Errorf("%s: %v %+v", operation, e.Kind, e)
				}
			}
			for _, entry := range sim.Ledger() {
				if entry.Minted() {
					t.Errorf("minted: %+v", entry)
				}
			}
		})
	}
}

func TestTheSimulatorsClusters(t *testing.T) {
	_, d := simulate(t)
	cloud := dial(t, d, testAccess())
	for name, test := range map[string]struct {
		clusterType issuer.ClusterType
		id, phase   string
		addresses   int
	}{
		"hub":    {issuer.Standard, testCluster, "Available", 2},
		"broken": {issuer.Standard, otherUUID, "Error", 1},
		"pilot":  {issuer.Autopilot, pilotCluster, "Available", 1},
	} {
		byName, err := cloud.ClusterByName(context.Background(), test.clusterType, name)
		if err != nil || byName.ID != test.id || byName.Phase != test.phase || len(byName.Endpoints) != test.addresses {
			t.Errorf("%s by name: %+v %v", name, byName, err)
		}
		byID, err := cloud.ClusterByID(context.Background(), test.clusterType, test.id)
		if err != nil || byID.Name != name || byID.Phase != test.phase || len(byID.Endpoints) != test.addresses {
			t.Errorf("%s by id: %+v %v", name, byID, err)
		}
	}
	_, byAlias := cloud.ClusterByName(context.Background(), issuer.Standard, "shown")
	if fault(t, byAlias).Kind != issuer.NotFound {
		t.Error(byAlias)
	}
}
