// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

func TestNewChecksItsOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		wrong   string // part of the error; empty: accepted
	}{
		"nothing given is fine":                {Options{}, ""},
		"https with a port is fine":            {Options{CCEEndpoint: "https://cce.example:8443"}, ""},
		"a trailing slash is fine":             {Options{CCEEndpoint: "https://cce.example/"}, ""},
		"http on 127.0.0.1 is fine":            {Options{CCEEndpoint: "http://127.0.0.1:80"}, ""},
		"http on ::1 is fine":                  {Options{IAMEndpoint: "http://[::1]:80"}, ""},
		"http on localhost is fine":            {Options{IAMEndpoint: "http://localhost:80"}, ""},
		"http elsewhere is refused":            {Options{CCEEndpoint: "http://cce.example"}, "CCE endpoint"},
		"http on a private address is refused": {Options{IAMEndpoint: "http://10.0.0.1"}, "IAM endpoint"},
		"a name that looks local is refused":   {Options{IAMEndpoint: "http://127.0.0.1.example"}, "IAM endpoint"},
		"a path is refused":                    {Options{CCEEndpoint: "https://cce.example/api"}, "CCE endpoint"},
		"a query is refused":                   {Options{CCEEndpoint: "https://cce.example?a=b"}, "CCE endpoint"},
		"an empty query is refused":            {Options{CCEEndpoint: "https://cce.example?"}, "CCE endpoint"},
		"a fragment is refused":                {Options{CCEEndpoint: "https://cce.example#a"}, "CCE endpoint"},
		"a user is refused":                    {Options{CCEEndpoint: "https://canary-secret@cce.example"}, "CCE endpoint"},
		"no scheme is refused":                 {Options{CCEEndpoint: "cce.example"}, "CCE endpoint"},
		"another scheme is refused":            {Options{CCEEndpoint: "ftp://cce.example"}, "CCE endpoint"},
		"no host is refused":                   {Options{CCEEndpoint: "https://"}, "CCE endpoint"},
		"only a port is refused":               {Options{CCEEndpoint: "https://:443"}, "CCE endpoint"},
		"a line break is refused":              {Options{CCEEndpoint: "https://cce.example\n"}, "CCE endpoint"},
		"a user agent with a break is refused": {Options{UserAgent: "a\r\nX: y"}, "user agent"},
		"a negative timeout is refused":        {Options{Timeout: -time.Second}, "timeout"},
		"a positive timeout is what it says":   {Options{Timeout: time.Second}, ""},
		"a user agent with a version is usual": {Options{UserAgent: "clustercredential-operator/1.0.0"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(test.options)
			switch {
			case test.wrong == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
				t.Errorf("err = %v, want one that names %q", err, test.wrong)
			case err != nil && strings.Contains(err.Error(), "canary"):
				t.Errorf("the error repeats the endpoint: %v", err)
			}
		})
	}
}

func TestDialChecksTheAccess(t *testing.T) {
	d := newDialer(t, Options{})
	for name, test := range map[string]struct {
		change  func(*issuer.Access)
		refused bool
	}{
		"an access key with project":     {func(*issuer.Access) {}, false},
		"no project, to be looked up":    {func(a *issuer.Access) { a.ProjectID = "" }, false},
		"a temporary key":                {func(a *issuer.Access) { a.Key.SecurityToken = issuer.Sensitive("x") }, false},
		"a token":                        {func(a *issuer.Access) { a.Key = issuer.Key{Token: issuer.Sensitive("x")} }, false},
		"no region":                      {func(a *issuer.Access) { a.Region = "" }, true},
		"a region that changes the host": {func(a *issuer.Access) { a.Region = "a.evil/x" }, true},
		"a region in capitals":           {func(a *issuer.Access) { a.Region = "EU-1" }, true},
		"a region that is too long":      {func(a *issuer.Access) { a.Region = strings.Repeat("a", 65) }, true},
		"a project with a slash":         {func(a *issuer.Access) { a.ProjectID = testProject[:30] + "/." }, true},
		"a project that is short":        {func(a *issuer.Access) { a.ProjectID = "abc" }, true},
		"a project in capitals":          {func(a *issuer.Access) { a.ProjectID = strings.ToUpper(testProject) }, true},
		"nothing to sign with":           {func(a *issuer.Access) { a.Key = issuer.Key{} }, true},
		"a key without its secret":       {func(a *issuer.Access) { a.Key.Secret = nil }, true},
		"a secret without its key":       {func(a *issuer.Access) { a.Key.ID = "" }, true},
		"a secret with a line break":     {func(a *issuer.Access) { a.Key.Secret = issuer.Sensitive("canary-secret\n") }, true},
		"an id with a line break":        {func(a *issuer.Access) { a.Key.ID = "CANARYACCESSKEY\r\n" }, true},
		"an id with a comma":             {func(a *issuer.Access) { a.Key.ID = "CANARYACCESSKEY, Signature=x" }, true},
		"an id that is not ASCII":        {func(a *issuer.Access) { a.Key.ID = "é" }, true},
		"a security token with a break":  {func(a *issuer.Access) { a.Key.SecurityToken = issuer.Sensitive("a\nb") }, true},
		"a token with a line break":      {func(a *issuer.Access) { a.Key = issuer.Key{Token: issuer.Sensitive("canary-token\n")} }, true},
		"a token and a key":              {func(a *issuer.Access) { a.Key.Token = issuer.Sensitive("x") }, true},
		"a security token without a key": {func(a *issuer.Access) { a.Key = issuer.Key{SecurityToken: issuer.Sensitive("x")} }, true},
		"a token with a security token": {func(a *issuer.Access) {
			a.Key = issuer.Key{Token: issuer.Sensitive("x"), SecurityToken: issuer.Sensitive("y")}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			access := testAccess()
			test.change(&access)
			cloud, err := d.Dial(access)
			if !test.refused {
				if err != nil || cloud == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if cloud != nil {
				t.Error("a cloud came with the error")
			}
			if e := fault(t, err); e.Kind != issuer.Rejected || e.MayHaveIssued {
				t.Errorf("got %v, %+v", e.Kind, e)
			}
			assertNoCanary(t, err.Error())
		})
	}
}

func TestACloudDoesNotChangeWithTheCallersBuffers(t *testing.T) {
	fake := newFakeCloud(t, answer(200, `{"kind":"List","items":[]}`))
	access := testAccess()
	access.Key = issuer.Key{Token: issuer.Sensitive("first-token")}
	cloud := dial(t, newDialer(t, Options{CCEEndpoint: fake.URL}), access)
	copy(access.Key.Token, "XXXXXXXXXXX")
	if err := cloud.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := fake.requests()[0].header.Get("X-Auth-Token"); got != "first-token" {
		t.Errorf("sent %q", got)
	}
}

// The SDK reads variables and ~/.huaweicloud, and writes an id there.
func TestTheSDKsVariablesAndFilesHaveNoEffect(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	trap := newFakeCloud(t, answer(500, ""))
	for name, value := range map[string]string{
		"HUAWEICLOUD_SDK_AK": "ENVKEY", "HUAWEICLOUD_SDK_SK": "env", "HUAWEICLOUD_SDK_PROJECT_ID": "env",
		"HUAWEICLOUD_SDK_SECURITY_TOKEN": "env", "HUAWEICLOUD_SDK_IAM_ENDPOINT": trap.URL,
		"HUAWEICLOUD_SDK_REGION_CCE_EU_TEST_1": trap.URL, "HUAWEICLOUD_SDK_REGIONS_FILE": filepath.Join(home, "none"),
	} {
		t.Setenv(name, value)
	}
	fake := newFakeCloud(t, answer(200, `{"kind":"List","items":[],"projects":[{"id":"`+testProject+`","name":"`+testRegion+`"}]}`))
	access := testAccess()
	access.ProjectID = ""
	cloud := dial(t, newDialer(t, Options{CCEEndpoint: fake.URL, IAMEndpoint: fake.URL}), access)
	if err := cloud.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := newDialer(t, Options{}).Dial(access); err != nil {
		t.Fatal(err)
	}
	for _, r := range fake.requests() {
		if !strings.Contains(r.header.Get("Authorization"), "Access=CANARYACCESSKEY,") {
			t.Errorf("signed as %q", r.header.Get("Authorization"))
		}
		if agent := r.header.Get("User-Agent"); !strings.Contains(agent, defaultUserAgent) || strings.Contains(agent, "application") {
			t.Errorf("user agent %q", agent)
		}
	}
	if n := len(trap.requests()); n != 0 {
		t.Errorf("%d requests followed a variable", n)
	}
	if left, _ := os.ReadDir(home); len(left) != 0 {
		t.Errorf("the home directory holds %v", left)
	}
}
