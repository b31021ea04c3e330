// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

const otherCloud = "https://cce.eu-de.otc.t-systems.com"

func TestAddressesOfAnAccountWinOverThoseOfTheDialer(t *testing.T) {
	for name, test := range map[string]struct {
		options  Options
		own      issuer.Endpoints
		cce, iam string
	}{
		"IAM stands beside its CCE": {Options{}, issuer.Endpoints{CCE: otherCloud}, otherCloud, "https://iam.eu-de.otc.t-systems.com"},
		"its cloud is not that of the Dialer": {Options{CCEEndpoint: "https://cce.one.example", IAMEndpoint: "https://iam.one.example"},
			issuer.Endpoints{CCE: otherCloud}, otherCloud, "https://iam.eu-de.otc.t-systems.com"},
		"no IAM is known beside some": {Options{IAMEndpoint: "https://iam.one.example"}, issuer.Endpoints{CCE: "https://other.example"}, "https://other.example", ""},
		"both are given": {Options{CCEEndpoint: "https://cce.one.example"}, issuer.Endpoints{CCE: otherCloud, IAM: "https://iam.example"},
			otherCloud, "https://iam.example"},
		"only IAM is given": {Options{CCEEndpoint: "https://cce.one.example", IAMEndpoint: "https://iam.one.example"},
			issuer.Endpoints{IAM: "https://iam.example"}, "https://cce.one.example", "https://iam.example"},
	} {
		t.Run(name, func(t *testing.T) {
			if cce, iam := newDialer(t, test.options).endpoints("cn-north-4", test.own); cce != test.cce || iam != test.iam {
				t.Errorf("%s and %s, want %s and %s", cce, iam, test.cce, test.iam)
			}
		})
	}
}

func TestDialNamesTheAddressThatIsWrong(t *testing.T) {
	d := newDialer(t, Options{})
	for name, test := range map[string]struct {
		change func(*issuer.Access)
		field  string
	}{
		"a path":                  {func(a *issuer.Access) { a.Endpoints.CCE = "https://cce.example/canary-remote" }, "spec.endpoints.cce: "},
		"a user":                  {func(a *issuer.Access) { a.Endpoints.IAM = "https://canary-secret@iam.example" }, "spec.endpoints.iam: "},
		"http":                    {func(a *issuer.Access) { a.Endpoints.CCE = "http://10.0.0.1" }, "spec.endpoints.cce: "},
		"no IAM to look up":       {func(a *issuer.Access) { a.ProjectID, a.Endpoints.CCE = "", "https://other.example" }, "spec.endpoints.iam "},
		"no IAM to log in":        {func(a *issuer.Access) { a.Endpoints.CCE, a.Key = "https://other.example", oidcKey("/token") }, "spec.endpoints.iam "},
		"a way that is none":      {func(a *issuer.Access) { a.Key = issuer.Key{Keyless: issuer.Keyless{Method: "x"}} }, "podIdentity, instanceMetadata or oidc"},
		"a provider without way":  {func(a *issuer.Access) { a.Key = issuer.Key{Keyless: issuer.Keyless{IdpID: "x"}} }, "podIdentity, instanceMetadata or oidc"},
		"a key beside a way":      {func(a *issuer.Access) { a.Key.Keyless.Method = issuer.PodIdentity }, "not both"},
		"a token beside a way":    {func(a *issuer.Access) { a.Key = oidcKey("/t"); a.Key.Token = issuer.Sensitive("x") }, "not both"},
		"a provider elsewhere":    {func(a *issuer.Access) { a.Key = oidcKey("/t"); a.Key.Keyless.Method = issuer.PodIdentity }, "for oidc only"},
		"no provider":             {func(a *issuer.Access) { a.Key = oidcKey("/t"); a.Key.Keyless.IdpID = "" }, "identity provider"},
		"a provider with a break": {func(a *issuer.Access) { a.Key = oidcKey("/t"); a.Key.Keyless.IdpID = "a\r\nX: y" }, "identity provider"},
		"no token file":           {func(a *issuer.Access) { a.Key = oidcKey("") }, "token file"},
		"a token file elsewhere":  {func(a *issuer.Access) { a.Key = oidcKey("/var/run/secrets/../../etc/token") }, "token file"},
		"a relative token file":   {func(a *issuer.Access) { a.Key = oidcKey("token") }, "token file"},
	} {
		t.Run(name, func(t *testing.T) {
			access := testAccess()
			test.change(&access)
			_, err := d.Dial(access)
			if e := fault(t, err); e.Kind != issuer.Rejected || !strings.Contains(e.Message, test.field) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			assertNoCanary(t, err.Error())
		})
	}
}

func oidcKey(file string) issuer.Key {
	return issuer.Key{Keyless: issuer.Keyless{Method: issuer.OIDC, IdpID: "idp-1", TokenFile: file}}
}

func TestTwoCloudsShareNothing(t *testing.T) {
	serve := func(project string) *fakeCloud {
		return newFakeCloud(t, answer(200, `{"kind":"List","items":[],"projects":[`+projectJSON(project, testRegion)+`]}`))
	}
	dialers, one, two := serve(strings.Repeat("d", 32)), serve(testProject), serve(otherProject)
	d := newDialer(t, Options{CCEEndpoint: dialers.URL, IAMEndpoint: dialers.URL})
	for name, key := range map[string]issuer.Key{"an access key": testKey(), "a token": {Token: issuer.Sensitive("canary-token")}} {
		for range 2 {
			for project, fake := range map[string]*fakeCloud{testProject: one, otherProject: two} {
				access := issuer.Access{Region: testRegion, Key: key, Endpoints: issuer.Endpoints{CCE: fake.URL, IAM: fake.URL}}
				cloud := dial(t, d, access)
				if id, err := cloud.Project(context.Background()); err != nil || id != project {
					t.Errorf("%s: project %s, %v, not %s", name, id, err, project)
				}
				if err := cloud.Check(context.Background()); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for _, fake := range []*fakeCloud{one, two} {
		if n := len(fake.requests()); n != 2*(1+2) {
			t.Errorf("%d requests", n)
		}
	}
	if n := len(dialers.requests()); n != 0 {
		t.Errorf("the Dialer's own cloud saw %d requests", n)
	}
}

func TestSourcesAreSharedByThoseOnlyWhoWouldAskAlike(t *testing.T) {
	_, caPEM := newPrivateCA(t)
	d := newDialer(t, Options{})
	sourceOf := func(change func(*issuer.Access)) *source {
		access := testAccess()
		access.Key = oidcKey("/token")
		change(&access)
		return dial(t, d, access).(*account).source
	}
	first := sourceOf(func(*issuer.Access) {})
	if first == nil || sourceOf(func(a *issuer.Access) { a.ProjectID = otherProject }) != first {
		t.Error("two accounts with one way have two sources")
	}
	for name, change := range map[string]func(*issuer.Access){
		"another IAM":      func(a *issuer.Access) { a.Endpoints.IAM = "https://iam.example" },
		"another cloud":    func(a *issuer.Access) { a.Endpoints.CCE = otherCloud },
		"another CA":       func(a *issuer.Access) { a.Endpoints.CAPEM = caPEM },
		"another file":     func(a *issuer.Access) { a.Key = oidcKey("/other") },
		"another provider": func(a *issuer.Access) { a.Key.Keyless.IdpID = "other" },
		"another way":      func(a *issuer.Access) { a.Key.Keyless = issuer.Keyless{Method: issuer.PodIdentity} },
	} {
		if sourceOf(change) == first {
			t.Errorf("%s shares the source", name)
		}
	}
	if dial(t, d, testAccess()).(*account).source != nil {
		t.Error("an access key has a source")
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	kept := bounded[int, int]{limit: 8}
	for i := range 100 {
		if got, err := kept.get(i, func() (int, error) { return -i, nil }); err != nil || got != -i {
			t.Errorf("%d %v", got, err)
		}
		if got, err := kept.get(i, func() (int, error) { return 1, nil }); err != nil || got != -i {
			t.Errorf("it was not kept: %d %v", got, err)
		}
	}
	if _, err := kept.get(-1, func() (int, error) { return 0, errors.New("no") }); err == nil {
		t.Error("no error")
	}
	if n := len(kept.values); n != 8 {
		t.Errorf("%d are kept", n)
	}
}
