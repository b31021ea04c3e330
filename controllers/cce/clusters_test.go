// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

// clusterJSON is a cluster as the API shows it, with fields that are not read.
func clusterJSON(id, name, alias, phase, endpoints string) string {
	return `{"kind":"Cluster","apiVersion":"v3","metadata":{"name":"` + name + `","uid":"` + id + `","alias":"` + alias +
		`","creationTimestamp":"2026-01-01"},"spec":{"version":"v1.30","unheardOf":{"x":[1]}},"status":{"phase":"` + phase +
		`","endpoints":` + endpoints + `}}`
}

const listedEndpoints = `[{"url":"https://192.168.0.7:5443","type":"Internal"},{"url":"https://1.2.3.4:5443","type":"External"}]`

func bothEndpoints() []issuer.Endpoint {
	return []issuer.Endpoint{{URL: "https://192.168.0.7:5443"}, {URL: "https://1.2.3.4:5443", External: true}}
}

func TestClusterByID(t *testing.T) {
	full := issuer.Cluster{ID: testCluster, Name: "hub", Alias: "the-hub", Phase: "Available", Endpoints: bothEndpoints()}
	for name, test := range map[string]struct {
		body string
		want issuer.Cluster
	}{
		"as documented": {clusterJSON(testCluster, "hub", "the-hub", "Available", listedEndpoints), full},
		"as Open Telekom Cloud writes the endpoints": {clusterJSON(testCluster, "hub", "the-hub", "Available",
			`{"internal":"https://192.168.0.7:5443","external":"https://1.2.3.4:5443","external_otc":"https://x"}`), full},
		"with other types in fields that are not read": {`{"kind":"Cluster","metadata":{"name":"hub","uid":"` + testCluster +
			`","labels":[],"annotations":"x"},"spec":[],"status":{"phase":"Error","isLocked":"no"}}`,
			issuer.Cluster{ID: testCluster, Name: "hub", Phase: "Error"}},
		"without a status":     {`{"metadata":{"uid":"` + testCluster + `"},"status":null}`, issuer.Cluster{ID: testCluster}},
		"with empty endpoints": {clusterJSON(testCluster, "hub", "", "Creating", `[{},{"url":null}]`), issuer.Cluster{ID: testCluster, Name: "hub", Phase: "Creating"}},
		"with null endpoints":  {clusterJSON(testCluster, "hub", "", "Creating", `null`), issuer.Cluster{ID: testCluster, Name: "hub", Phase: "Creating"}},
		"with endpoints that are none": {clusterJSON(testCluster, "hub", "", "Available",
			`[{"url":"http://a"},{"url":"https://u:p@a"},{"url":"nonsense"},{"url":"https://a:5443/x?y","type":"external"}]`),
			issuer.Cluster{ID: testCluster, Name: "hub", Phase: "Available", Endpoints: []issuer.Endpoint{{URL: "https://a:5443", External: true}}}},
		"with words that are none": {clusterJSON(testCluster, "a b", "x\\ny", "<script> ok", `[]`), issuer.Cluster{ID: testCluster}},
	} {
		for clusterType, path := range map[issuer.ClusterType]string{issuer.Standard: standardPath, issuer.Autopilot: autopilotPath} {
			t.Run(name+", "+string(clusterType), func(t *testing.T) {
				fake := newFakeCloud(t, answer(200, test.body))
				got, err := cloudAt(t, fake.URL).ClusterByID(context.Background(), clusterType, testCluster)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("got  %+v\nwant %+v", got, test.want)
				}
				if uri := fake.requests()[0].uri; uri != path+"/"+testCluster+"?errorStatus=true" {
					t.Errorf("asked %s", uri)
				}
			})
		}
	}
}

func TestAnAnswerAboutAnotherClusterIsInvalid(t *testing.T) {
	for name, body := range map[string]string{
		"another id":  clusterJSON(otherUUID, "hub", "", "Available", "[]"),
		"no id":       `{"metadata":{"name":"hub"}}`,
		"no metadata": `{"kind":"Cluster"}`,
		"nothing":     ``, "null": `null`, "a list": `[]`, "a page": `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeCloud(t, answer(200, body))
			_, err := cloudAt(t, fake.URL).ClusterByID(context.Background(), issuer.Standard, testCluster)
			if e := fault(t, err); e.Kind != issuer.InvalidResponse || e.MayHaveIssued || e.Status != 200 {
				t.Errorf("%v %+v", e.Kind, e)
			}
		})
	}
}

func TestClusterByName(t *testing.T) {
	hub := clusterJSON(testCluster, "hub", "one", "Error", listedEndpoints)
	other := clusterJSON(otherUUID, "other", "hub", "Available", `{"internal":"https://10.0.0.1:5443"}`)
	twin := clusterJSON("0f3a0000-0000-4000-8000-000000000009", "hub", "two", "Available", "[]")
	for name, test := range map[string]struct {
		items      string
		kind       issuer.Kind
		candidates []string
		found      bool
	}{
		"found among others":                  {hub + "," + other, 0, nil, true},
		"an alias does not count":             {other, issuer.NotFound, nil, false},
		"no cluster at all":                   {"", issuer.NotFound, nil, false},
		"several, told in order":              {hub + "," + other + "," + twin, issuer.Ambiguous, []string{"0f3a0000-0000-4000-8000-000000000009", testCluster}, false},
		"clusters without a word are skipped": {`{},{"metadata":null},{"metadata":{}},` + hub, 0, nil, true},
		"one without an id":                   {`{"metadata":{"name":"hub"}}`, issuer.InvalidResponse, nil, false},
		"one with an id that is none":         {`{"metadata":{"name":"hub","uid":"../x"}}`, issuer.InvalidResponse, nil, false},
		"no prefix and no other case":         {clusterJSON(otherUUID, "hub2", "", "", "[]") + "," + clusterJSON(otherUUID, "Hub", "", "", "[]"), issuer.NotFound, nil, false},
	} {
		for clusterType, path := range map[issuer.ClusterType]string{issuer.Standard: standardPath, issuer.Autopilot: autopilotPath} {
			t.Run(name+", "+string(clusterType), func(t *testing.T) {
				fake := newFakeCloud(t, answer(200, `{"kind":"Cluster","apiVersion":"v3","items":[`+test.items+`]}`))
				got, err := cloudAt(t, fake.URL).ClusterByName(context.Background(), clusterType, "hub")
				if uri := fake.requests()[0].uri; uri != path+"?errorStatus=true" {
					t.Errorf("asked %s", uri)
				}
				if test.found {
					want := issuer.Cluster{ID: testCluster, Name: "hub", Alias: "one", Phase: "Error", Endpoints: bothEndpoints()}
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("got %+v, %v", got, err)
					}
					return
				}
				e := fault(t, err)
				if e.Kind != test.kind || !reflect.DeepEqual(e.Candidates, test.candidates) {
					t.Errorf("%v %+v", e.Kind, e)
				}
			})
		}
	}
}

func TestAListThatIsNoneIsInvalid(t *testing.T) {
	for body, kind := range map[string]issuer.Kind{
		`{}`: issuer.InvalidResponse, `null`: issuer.InvalidResponse, ``: issuer.InvalidResponse, `{"items":{}}`: issuer.InvalidResponse,
		`{"kind":"Cluster","apiVersion":"v3","items":null}`: issuer.NotFound, `{"items":[]}`: issuer.NotFound,
	} {
		fake := newFakeCloud(t, answer(200, body))
		_, err := cloudAt(t, fake.URL).ClusterByName(context.Background(), issuer.Standard, "hub")
		if e := fault(t, err); e.Kind != kind {
			t.Errorf("%s: %v %+v", body, e.Kind, e)
		}
		if err := cloudAt(t, fake.URL).Check(context.Background()); (err == nil) != (kind == issuer.NotFound) {
			t.Errorf("%s: Check says %v", body, err)
		}
	}
}

func TestAReadOfAClusterThatCannotBeAsked(t *testing.T) {
	fake := newFakeCloud(t, answer(200, `{"kind":"List","items":[]}`))
	cloud := cloudAt(t, fake.URL)
	_, noName := cloud.ClusterByName(context.Background(), issuer.Standard, "")
	_, noType := cloud.ClusterByName(context.Background(), "", "hub")
	_, noTypeByID := cloud.ClusterByID(context.Background(), "standard", testCluster)
	for _, err := range []error{noName, noType, noTypeByID} {
		if fault(t, err).Kind != issuer.Rejected {
			t.Error(err)
		}
	}
	if n := len(fake.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestCheckMakesOneSmallSignedRead(t *testing.T) {
	fake := newFakeCloud(t, answer(200, `{"kind":"List","items":[]}`))
	if err := cloudAt(t, fake.URL).Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	all := fake.requests()
	if len(all) != 1 || all[0].method != http.MethodGet || all[0].uri != standardPath+"?status=Creating" {
		t.Errorf("%+v", all)
	}
	if !strings.HasPrefix(all[0].header.Get("Authorization"), "SDK-HMAC-SHA256 Access=CANARYACCESSKEY, SignedHeaders=") {
		t.Errorf("%+v", all[0].header)
	}
}

func TestKeysAreSentAsTheAPIWantsThem(t *testing.T) {
	fake := newFakeCloud(t, answer(200, `{"kind":"List","items":[]}`))
	d := newDialer(t, Options{CCEEndpoint: fake.URL, UserAgent: "clustercredential-operator/1.2.3"})
	access := testAccess()
	access.Key.SecurityToken = issuer.Sensitive("security")
	token := testAccess()
	token.Key = issuer.Key{Token: issuer.Sensitive("token")}
	for _, a := range []issuer.Access{access, token} {
		if err := dial(t, d, a).Check(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	all := fake.requests()
	signed, tokened := all[0].header, all[1].header
	if signed.Get("X-Security-Token") != "security" || !strings.Contains(signed.Get("Authorization"), "x-security-token") || signed.Get("X-Auth-Token") != "" {
		t.Errorf("temporary key: %v", signed)
	}
	if tokened.Get("X-Auth-Token") != "token" || tokened.Get("Authorization") != "" || tokened.Get("X-Project-Id") != testProject {
		t.Errorf("token: %v", tokened)
	}
	for _, header := range []http.Header{signed, tokened} {
		if !strings.HasSuffix(header.Get("User-Agent"), "clustercredential-operator/1.2.3") {
			t.Errorf("user agent %q", header.Get("User-Agent"))
		}
	}
}
