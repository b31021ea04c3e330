// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

const otherProject = "fedcba9876543210fedcba9876543210"

func projectJSON(id, name string) string {
	return `{"id":"` + id + `","name":"` + name + `","enabled":true}`
}

func lookUpAccess() issuer.Access {
	access := testAccess()
	access.ProjectID = ""
	return access
}

func TestProjectLookUp(t *testing.T) {
	ours := projectJSON(testProject, testRegion)
	for name, test := range map[string]struct {
		status int
		body   string
		kind   issuer.Kind
		text   string
		found  bool
	}{
		"the one of the region's name": {200, `{"projects":[` + ours + `],"links":{}}`, 0, "", true},
		"others are passed over":       {200, `{"projects":[` + projectJSON(otherProject, testRegion+"_sub") + `,` + ours + `]}`, 0, "", true},
		"none":                         {200, `{"projects":[]}`, issuer.NotFound, "projectID", false},
		"two of the name":              {200, `{"projects":[` + ours + `,` + projectJSON(otherProject, testRegion) + `]}`, issuer.Rejected, "several", false},
		"an id that is none":           {200, `{"projects":[` + projectJSON("../x", testRegion) + `]}`, issuer.InvalidResponse, "IAM", false},
		"an empty object, a panic in the SDK's own look-up": {200, `{}`, issuer.InvalidResponse, "IAM", false},
		"null":               {200, `null`, issuer.InvalidResponse, "IAM", false},
		"nothing":            {200, ``, issuer.InvalidResponse, "IAM", false},
		"a page":             {200, `<html>`, issuer.InvalidResponse, "IAM", false},
		"a wrong key":        {401, `{"error":{"code":401,"message":"canary-remote"}}`, issuer.Unauthorized, "IAM", false},
		"a key that may not": {403, `{"error_code":"IAM.0002"}`, issuer.Forbidden, "iam:projects:listProjects", false},
		"a wrong address":    {404, ``, issuer.NotFound, "IAM endpoint", false},
		"a limit":            {429, ``, issuer.Throttled, "IAM", false},
		"a failing server":   {500, ``, issuer.Unavailable, "IAM", false},
	} {
		t.Run(name, func(t *testing.T) {
			cce := newFakeCloud(t, answer(200, kubeconfigAnswer))
			iam := newFakeCloud(t, answer(test.status, test.body))
			d := newDialer(t, Options{CCEEndpoint: cce.URL, IAMEndpoint: iam.URL})
			cloud := dial(t, d, lookUpAccess())
			id, err := cloud.Project(context.Background())
			if test.found {
				if err != nil || id != testProject {
					t.Fatalf("%q, %v", id, err)
				}
			} else if e := fault(t, err); e.Kind != test.kind || e.MayHaveIssued || !strings.Contains(e.Message, test.text) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			// What needs the project fails alike, before anything is issued.
			_, err = cloud.Issue(context.Background(), byDays)
			if test.found != (err == nil) || err != nil && fault(t, err).MayHaveIssued {
				t.Errorf("Issue: %v", err)
			}
			wantIAM, wantCCE := 2, 0
			if test.found {
				wantIAM, wantCCE = 1, 1
			}
			if len(iam.requests()) != wantIAM || len(cce.requests()) != wantCCE {
				t.Errorf("%d requests to IAM and %d to CCE", len(iam.requests()), len(cce.requests()))
			}
			if r := iam.requests()[0]; r.method != http.MethodGet || r.uri != "/v3/projects?name="+testRegion {
				t.Errorf("asked %s %s", r.method, r.uri)
			}
		})
	}
}

func TestProjectsAreRememberedByAddressKeyAndRegion(t *testing.T) {
	regionOf := func(r *http.Request) string { return r.URL.Query().Get("name") }
	serve := func(id string) *fakeCloud {
		return newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"projects":[%s]}`, projectJSON(id, regionOf(r)))
		})
	}
	one, two := serve(testProject), serve(otherProject)
	first := newDialer(t, Options{CCEEndpoint: one.URL, IAMEndpoint: one.URL})
	second := newDialer(t, Options{CCEEndpoint: two.URL, IAMEndpoint: two.URL})
	ask := func(d *Dialer, access issuer.Access) string {
		t.Helper()
		id, err := dial(t, d, access).Project(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for range 3 {
		if id := ask(first, lookUpAccess()); id != testProject {
			t.Errorf("the first has %s", id)
		}
		if id := ask(second, lookUpAccess()); id != otherProject {
			t.Errorf("the second has the project of the first: %s", id)
		}
	}
	if len(one.requests()) != 1 || len(two.requests()) != 1 {
		t.Errorf("%d and %d look-ups", len(one.requests()), len(two.requests()))
	}
	for _, change := range []func(*issuer.Access){
		func(a *issuer.Access) { a.Region = "eu-test-2" },
		func(a *issuer.Access) { a.Key.ID = "OTHER" },
		func(a *issuer.Access) { a.Key = issuer.Key{Token: issuer.Sensitive("t1")} },
		func(a *issuer.Access) { a.Key = issuer.Key{Token: issuer.Sensitive("t2")} },
	} {
		access := lookUpAccess()
		change(&access)
		ask(first, access)
	}
	if n := len(one.requests()); n != 5 {
		t.Errorf("%d look-ups for 5 accounts", n)
	}
}

func TestTheProjectCacheIsBounded(t *testing.T) {
	var cache projectCache
	for i := range 3 * maxProjects {
		cache.put(projectKey{region: fmt.Sprint(i)}, testProject)
	}
	if n := len(cache.ids); n != maxProjects {
		t.Errorf("%d entries", n)
	}
	if cache.get(projectKey{region: fmt.Sprint(3*maxProjects - 1)}) == "" {
		t.Error("the newest is gone")
	}
}

func TestManyGoroutinesShareACloudAndADialer(t *testing.T) {
	fake := newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v3/projects":
			answer(200, `{"projects":[`+projectJSON(testProject, testRegion)+`]}`)(w, r)
		case r.Method == http.MethodPost:
			answer(200, kubeconfigAnswer)(w, r)
		case r.URL.Path == standardPath:
			answer(200, `{"kind":"List","items":[`+clusterJSON(testCluster, "hub", "", "Available", listedEndpoints)+`]}`)(w, r)
		default:
			answer(200, clusterJSON(testCluster, "hub", "", "Available", listedEndpoints))(w, r)
		}
	})
	d := newDialer(t, Options{CCEEndpoint: fake.URL, IAMEndpoint: fake.URL})
	shared := dial(t, d, lookUpAccess())
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			own, err := d.Dial(lookUpAccess())
			if err != nil {
				t.Error(err)
				return
			}
			for name, call := range operations {
				for _, cloud := range []issuer.Cloud{shared, own} {
					if err := call(context.Background(), cloud); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		})
	}
	group.Wait()
	posts := 0
	for _, r := range fake.requests() {
		if r.method == http.MethodPost {
			posts++
		}
	}
	if posts != 64 {
		t.Errorf("%d POSTs for 64 calls", posts)
	}
}
