// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

const kubeconfigAnswer = `{"kind":"Config","apiVersion":"v1","preferences":{"colors":true},"Port-ID":"x",
"clusters":[{"name":"internalCluster","cluster":{"server":"https://192.168.1.7:5443","certificate-authority-data":"Q0E="}},
{"name":"externalCluster","cluster":{"server":"https://1.2.3.4:5443","insecure-skip-tls-verify":true}}],
"users":[{"name":"user","user":{"client-certificate-data":"Q1JU","client-key-data":"S0VZ"}}],
"contexts":[{"name":"internal","context":{"cluster":"internalCluster","user":"user"}}],"current-context":"internal"}`

const kubeconfigWanted = `{"kind":"Config","apiVersion":"v1",
"clusters":[{"name":"internalCluster","cluster":{"server":"https://192.168.1.7:5443","certificate-authority-data":"Q0E="}},
{"name":"externalCluster","cluster":{"server":"https://1.2.3.4:5443","insecure-skip-tls-verify":true}}],
"users":[{"name":"user","user":{"client-certificate-data":"Q1JU","client-key-data":"S0VZ"}}],
"contexts":[{"name":"internal","context":{"cluster":"internalCluster","user":"user"}}],"current-context":"internal"}`

func TestIssueSendsOnePOST(t *testing.T) {
	inParis := time.FixedZone("CEST", 2*60*60)
	for name, test := range map[string]struct {
		request   issuer.Request
		uri, body string
	}{
		"days": {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, Days: 30},
			standardPath + "/" + testCluster + "/clustercert", `{"duration":30}`},
		"the longest": {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, Days: -1},
			standardPath + "/" + testCluster + "/clustercert", `{"duration":-1}`},
		"an expiry, in UTC and whole seconds": {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard,
			ExpireAt: time.Date(2027, 1, 2, 1, 4, 5, 999, inParis)},
			standardPath + "/" + testCluster + "/clustercert", `{"expire_at":"2027-01-01 23:04:05 +0000 UTC"}`},
		"days of an Autopilot cluster": {issuer.Request{ClusterID: testCluster, ClusterType: issuer.Autopilot, Days: 30},
			autopilotPath + "/" + testCluster + "/clustercert", `{"duration":30}`},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeCloud(t, answer(200, kubeconfigAnswer, "Port-ID", "port-1"))
			issued, err := cloudAt(t, fake.URL).Issue(context.Background(), test.request)
			if err != nil {
				t.Fatal(err)
			}
			if issued.RequestID != testRequest {
				t.Errorf("request id %q", issued.RequestID)
			}
			assertSameJSON(t, string(issued.Kubeconfig.Reveal()), kubeconfigWanted)
			all := fake.requests()
			if len(all) != 1 {
				t.Fatalf("%d requests", len(all))
			}
			got := all[0]
			if got.method != "POST" || got.uri != test.uri || strings.TrimSpace(got.body) != test.body {
				t.Errorf("%s %s %s", got.method, got.uri, got.body)
			}
			if got.header.Get("Content-Type") != "application/json" || got.header.Get("X-Project-Id") != testProject {
				t.Errorf("header %v", got.header)
			}
		})
	}
}

func assertSameJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestIssueRefusesWhatCannotBeAsked(t *testing.T) {
	fake := newFakeCloud(t, answer(200, kubeconfigAnswer))
	cloud := cloudAt(t, fake.URL)
	later := time.Now().Add(time.Hour)
	for name, request := range map[string]issuer.Request{
		"an expiry for Autopilot": {ClusterID: testCluster, ClusterType: issuer.Autopilot, ExpireAt: later},
		"no validity":             {ClusterID: testCluster, ClusterType: issuer.Standard},
		"a negative validity":     {ClusterID: testCluster, ClusterType: issuer.Standard, Days: -2},
		"days and an expiry":      {ClusterID: testCluster, ClusterType: issuer.Standard, Days: 1, ExpireAt: later},
		"no type":                 {ClusterID: testCluster, Days: 1},
		"an unknown type":         {ClusterID: testCluster, ClusterType: "Turbo", Days: 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cloud.Issue(context.Background(), request)
			if e := fault(t, err); e.Kind != issuer.Rejected || e.MayHaveIssued {
				t.Errorf("%v %+v", e.Kind, e)
			}
		})
	}
	if n := len(fake.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Some of these make the SDK panic, take another decoder, or say success without a word.
func TestAnAnswerThatCannotBeUsedMayHaveIssued(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		header []string
	}{
		"no content":                  {204, "", nil},
		"nothing":                     {200, "", nil},
		"an empty object":             {200, "{}", nil},
		"null, a panic in the SDK":    {200, "null", nil},
		"a list":                      {200, "[]", nil},
		"a text":                      {200, `"canary-remote"`, nil},
		"a page":                      {200, "<html>canary-remote</html>", nil},
		"cut off within the key":      {200, `{"users":[{"name":"user","user":{"client-key-data":"canary-remote`, nil},
		"fields of another type":      {200, `{"clusters":"canary-remote"}`, nil},
		"XML, which the SDK accepts":  {200, "<a>canary-remote</a>", []string{"Content-Type", "application/xml"}},
		"BSON, which the SDK accepts": {200, "\x05\x00\x00\x00\x00", []string{"Content-Type", "application/bson"}},
		"only a kind":                 {200, `{"kind":"Config"}`, nil},
		"accepted for later":          {202, "", nil},
		"nested without end":          {200, strings.Repeat("[", 100000), nil},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeCloud(t, answer(test.status, test.body, test.header...))
			issued, err := cloudAt(t, fake.URL).Issue(context.Background(), byDays)
			e := fault(t, err)
			if e.Kind != issuer.InvalidResponse || !e.MayHaveIssued || e.Status != test.status || e.RequestID != testRequest {
				t.Errorf("%v %+v", e.Kind, e)
			}
			if issued.Kubeconfig != nil || issued.RequestID != "" {
				t.Error("something came with the error")
			}
			assertNoCanary(t, err.Error())
		})
	}
}

func TestAnAnswerCutOffByTheServerIsUnavailable(t *testing.T) {
	fake := newFakeCloud(t, answer(200, kubeconfigAnswer, "Content-Length", "100000"))
	_, err := cloudAt(t, fake.URL).Issue(context.Background(), byDays)
	if e := fault(t, err); e.Kind != issuer.Unavailable || !e.MayHaveIssued || e.Status != 200 {
		t.Errorf("%v %+v", e.Kind, e)
	}
}

func TestTheContentTypeDoesNotChooseTheDecoder(t *testing.T) {
	for _, contentType := range []string{"application/xml", "application/bson", "application/octet-stream", "text/html", "canary"} {
		fake := newFakeCloud(t, answer(200, kubeconfigAnswer, "Content-Type", contentType))
		if _, err := cloudAt(t, fake.URL).Issue(context.Background(), byDays); err != nil {
			t.Errorf("%s: %v", contentType, err)
		}
	}
}

func TestPartsMayBeMissingInAKubeconfig(t *testing.T) {
	for _, body := range []string{
		`{"clusters":[]}`, `{"users":[{}]}`, `{"contexts":[{"name":null,"context":null}]}`,
		`{"clusters":[{"cluster":{}}],"users":[{"user":{}}]}`,
	} {
		fake := newFakeCloud(t, answer(201, body))
		if _, err := cloudAt(t, fake.URL).Issue(context.Background(), byDays); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}
