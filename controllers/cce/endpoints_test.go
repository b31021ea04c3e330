// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

// newTLSCloud answers every request over TLS, with a certificate that nobody knows.
func newTLSCloud(t *testing.T, handler http.HandlerFunc) (*httptest.Server, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestAnAccountsAuthoritiesAreItsOwn(t *testing.T) {
	server, caPEM := newTLSCloud(t, answer(200, `{"kind":"List","items":[]}`))
	_, otherPEM := newPrivateCA(t)
	d := newDialer(t, Options{})
	check := func(caPEM string) error {
		access := testAccess()
		access.Endpoints = issuer.Endpoints{CCE: server.URL, CAPEM: caPEM}
		return dial(t, d, access).Check(context.Background())
	}
	for range 2 { // the second time there is a TLS session that could be resumed
		if err := check(caPEM); err != nil {
			t.Error(err)
		}
		for name, wrong := range map[string]string{"those of the system": "", "others": otherPEM} {
			e := fault(t, check(wrong))
			if !strings.Contains(e.Message, "--ca-bundle") || !strings.Contains(e.Message, "spec.endpoints.caBundle of a ClusterCloudAccount") {
				t.Errorf("%s: %v %+v", name, e.Kind, e)
			}
		}
	}
	if err := check(otherPEM + "\n" + caPEM); err != nil {
		t.Errorf("one of two: %v", err)
	}
	if n := len(d.transports.values); n != 3 {
		t.Errorf("%d transports", n)
	}
}

func TestAnAccountsTransportIsLikeTheDialers(t *testing.T) {
	server, caPEM := newTLSCloud(t, answer(200, `{"kind":"List","items":[]}`))
	var dialed []string
	d := newDialer(t, Options{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}})
	access := testAccess()
	access.Endpoints = issuer.Endpoints{CCE: "https://example.com", CAPEM: caPEM} // httptest's certificate has this name
	for range 2 {
		if err := dial(t, d, access).Check(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(dialed) != "[example.com:443 example.com:443]" {
		t.Errorf("dialed %v", dialed)
	}
}

func TestOnlyWholeCertificatesAreAuthorities(t *testing.T) {
	key, good := newPrivateCA(t)
	for name, test := range map[string]struct {
		text, wrong string
	}{
		"one":                      {good, ""},
		"two, with blanks":         {"\n" + good + "\n\n" + good + " ", ""},
		"white space":              {" \n", "nothing else"},
		"a text":                   {"canary-remote", "nothing else"},
		"a comment before":         {"# CA\n" + good, "nothing else"},
		"a comment behind":         {good + "# CA", "nothing else"},
		"a key":                    {key, "nothing else"},
		"a key behind":             {good + key, "nothing else"},
		"a cut one":                {good[:len(good)/2], "not whole"},
		"a cut one before another": {good[:len(good)/2] + "\n" + good, "not whole"},
		"other bytes":              {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"},
		"too much":                 {strings.Repeat(good, maxCAPEM/len(good)+1), "64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			access := testAccess()
			access.Endpoints.CAPEM = test.text
			_, err := newDialer(t, Options{}).Dial(access)
			if test.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := fault(t, err)
			if e.Kind != issuer.Rejected || !strings.Contains(e.Message, "spec.endpoints.caBundle: ") || !strings.Contains(e.Message, test.wrong) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			assertNoCanary(t, err.Error())
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

func TestALoginTrustsTheAccountsAuthorities(t *testing.T) {
	w := newKeylessWorld(t)
	server, caPEM := newTLSCloud(t, w.sim.ServeHTTP)
	access := keylessAccess(w.ways["oidc"])
	access.Endpoints = issuer.Endpoints{CCE: server.URL, IAM: server.URL, CAPEM: caPEM}
	issued, err := dial(t, newDialer(t, Options{}), access).Issue(context.Background(), byDays)
	if err != nil || commonName(t, issued) == "" {
		t.Fatal(err)
	}
	access.Endpoints.CAPEM = ""
	err = dial(t, newDialer(t, Options{}), access).Check(context.Background())
	if w.assertNoKey(t, w.ways["oidc"], err); !strings.Contains(err.Error(), "spec.endpoints.caBundle") {
		t.Error(err)
	}
	if n := w.sim.Requests()["id-token"]; n != 1 {
		t.Errorf("%d logins", n)
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

// newPrivateCA makes an authority that nobody knows, as PEM.
func newPrivateCA(t *testing.T) (keyPEM, certPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
