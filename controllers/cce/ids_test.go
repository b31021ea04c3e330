// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"strings"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

// badIDs would reach another URL if the SDK put them into one.
var badIDs = map[string]string{
	"empty":             "",
	"a slash":           testCluster[:34] + "/x",
	"a way up":          "../../../../v3/projects/0123456789ab",
	"an escaped slash":  testCluster[:33] + "%2f",
	"a query":           testCluster[:35] + "?",
	"a fragment":        testCluster[:35] + "#",
	"a line break":      testCluster[:35] + "\n",
	"a trailing break":  testCluster + "\n",
	"capitals":          strings.ToUpper(testCluster),
	"misplaced hyphens": "1f3a000-00000-4000-8000-000000000001",
	"too long":          testCluster + "0",
	"a placeholder":     "{project_id}",
	"a null byte":       testCluster[:35] + "\x00",
}

func TestABadClusterIDMakesNoRequest(t *testing.T) {
	fake := newFakeCloud(t, answer(200, "{}"))
	cloud := cloudAt(t, fake.URL)
	for name, id := range badIDs {
		t.Run(name, func(t *testing.T) {
			_, err := cloud.ClusterByID(context.Background(), issuer.Standard, id)
			if e := fault(t, err); e.Kind != issuer.Rejected || e.MayHaveIssued {
				t.Errorf("ClusterByID: %v %+v", e.Kind, e)
			}
			_, err = cloud.Issue(context.Background(), issuer.Request{ClusterID: id, ClusterType: issuer.Standard, Days: 1})
			if e := fault(t, err); e.Kind != issuer.Rejected || e.MayHaveIssued {
				t.Errorf("Issue: %v %+v", e.Kind, e)
			}
		})
	}
	if n := len(fake.requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// A project and a region become parts of URLs, too.
func TestABadProjectOrRegionIsRefusedBeforeAnything(t *testing.T) {
	for name, id := range badIDs {
		if id == "" {
			continue // of a project: not known yet
		}
		t.Run(name, func(t *testing.T) {
			for what, change := range map[string]func(*issuer.Access){
				"the project": func(a *issuer.Access) { a.ProjectID = id },
				"the region":  func(a *issuer.Access) { a.Region = id + "/." },
			} {
				access := testAccess()
				change(&access)
				_, err := newDialer(t, Options{}).Dial(access)
				if err == nil {
					t.Errorf("%s is taken", what)
				} else if e := fault(t, err); e.Kind != issuer.Rejected {
					t.Errorf("%s: %v %+v", what, e.Kind, e)
				}
			}
		})
	}
}

func TestIDForms(t *testing.T) {
	if !isClusterID(testCluster) || !isProjectID(testProject) || !isRegion("ap-southeast-3") {
		t.Error("a good id is refused")
	}
	if isProjectID("") || isRegion("") || isClusterID("") {
		t.Error("an empty id is accepted")
	}
}
