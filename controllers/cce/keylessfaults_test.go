// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

// faultsOfKeys are what may go wrong with a request for a key.
var faultsOfKeys = []ccesim.FaultName{
	ccesim.FaultForbidden, ccesim.FaultUnauthorized, ccesim.FaultThrottled, ccesim.FaultServerError, ccesim.FaultBadGateway, ccesim.FaultEmptyError,
	ccesim.FaultRedirect, ccesim.FaultNoContent, ccesim.FaultGarbage, ccesim.FaultEmptyObject, ccesim.FaultTruncated,
	ccesim.FaultDropBefore, ccesim.FaultDropAfter, ccesim.FaultCutOff,
}

func TestWhatGoesWrongWithAKeyIsToldAndFailsNoCallWhileOneIsGood(t *testing.T) {
	for name := range waysTo("") {
		for _, faultName := range faultsOfKeys {
			t.Run(name+" "+string(faultName), func(t *testing.T) {
				w := newKeylessWorld(t)
				way := w.ways[name]
				scripted := ccesim.Fault{Name: faultName, Op: way.op, Times: ccesim.Forever}
				cloud := w.dial(t, way)
				if err := cloud.Check(context.Background()); err != nil {
					t.Fatal(err)
				}
				if err := w.sim.Script(scripted); err != nil {
					t.Fatal(err)
				}
				age(cloud, 6*time.Hour-30*time.Minute)
				if err := cloud.Check(context.Background()); err != nil {
					t.Errorf("a good key, but %v", err)
				}
				settle(cloud)
				if w.sim.Requests()[string(way.op)] < 2 {
					t.Error("it was not tried")
				}
				age(cloud, time.Hour)
				err := cloud.Check(context.Background())
				w.assertNoKey(t, way, err)
			})
		}
	}
}

// The second call of a login goes wrong as the first one does.
func TestALoginThatGetsNoKeyIsTold(t *testing.T) {
	for _, faultName := range faultsOfKeys {
		t.Run(string(faultName), func(t *testing.T) {
			w := newKeylessWorld(t)
			if err := w.sim.Script(ccesim.Fault{Name: faultName, Op: ccesim.OpSecurityToken, Times: ccesim.Forever}); err != nil {
				t.Fatal(err)
			}
			cloud := w.dial(t, w.ways["oidc"])
			w.assertNoKey(t, w.ways["oidc"], cloud.Check(context.Background()))
			if n := w.sim.Requests()[string(ccesim.OpIDToken)]; n != 1 {
				t.Errorf("%d logins", n)
			}
		})
	}
}

// What pod identity answers with 200, and what is made of it.
func TestOnlyAWholeKeyIsTaken(t *testing.T) {
	good := map[string]string{
		"accessKeyId": "CANARYACCESSKEY", "secretAccessKey": "canary-secret", "securityToken": "canary-security-token",
		"expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}
	for name, test := range map[string]struct {
		field, value, text string // an empty text: accepted
	}{
		"a whole one":               {"accessKeyId", "CANARYACCESSKEY", ""},
		"no id":                     {"accessKeyId", "", "cannot be read"},
		"an id with a comma":        {"accessKeyId", "CANARYACCESSKEY,a=b", "cannot be read"},
		"no secret":                 {"secretAccessKey", "", "cannot be read"},
		"no security token":         {"securityToken", "", "cannot be read"},
		"a token with a line break": {"securityToken", "canary-security-token\r\nX: y", "cannot be read"},
		"an end that has been":      {"expiration", "2020-01-01T00:00:00Z", "has ended already by the clock of this machine"},
		"an end that is no time":    {"expiration", "canary-remote", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			body := maps.Clone(good)
			body[test.field] = test.value
			text, err := json.Marshal(map[string]any{"credentials": body})
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv(podIdentityURI, newFakeCloud(t, answer(200, string(text))).URL)
			s := w.dial(t, w.ways["pod identity"]).(*account).source
			key, err := s.key(context.Background())
			if test.text == "" {
				if err != nil || key.ID != "CANARYACCESSKEY" || string(key.SecurityToken) != "canary-security-token" {
					t.Errorf("%v", err)
				}
				return
			}
			if w.assertNoKey(t, w.ways["pod identity"], err); !strings.Contains(err.Error(), test.text) {
				t.Error(err)
			}
		})
	}
}

func TestASilentWayToAKeyHoldsUpNoCallThatHasOne(t *testing.T) {
	for name := range waysTo("") {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			way := w.ways[name]
			cloud := w.dial(t, way)
			if err := cloud.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := w.sim.Script(ccesim.Fault{Name: ccesim.FaultHang, Op: way.op, Times: ccesim.Forever}); err != nil {
				t.Fatal(err)
			}
			age(cloud, 6*time.Hour-30*time.Minute)
			for range 5 {
				if err := cloud.Check(context.Background()); err != nil {
					t.Errorf("a good key, but %v", err)
				}
			}
			age(cloud, time.Hour)
			ctx, end := newEnding(context.DeadlineExceeded)
			end()
			err := cloud.Check(ctx)
			w.assertNoKey(t, way, err)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Everything that the operator needs to find is missing, one by one.
func TestWhatIsMissingForAKeyIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		way    string
		change func(*testing.T, *keylessWorld)
		text   string
	}{
		"no address of pod identity":  {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityURI, "") }, "lacks a variable"},
		"no token of pod identity":    {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, "") }, "lacks a variable"},
		"a file that is missing":      {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, "/none") }, "token file cannot be read"},
		"an empty file":               {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, tokenFile(t, "")) }, "token file is empty"},
		"a file of two lines":         {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, tokenFile(t, "a\nb")) }, "something else than a token"},
		"a folder":                    {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, t.TempDir()) }, "no file of at most 64 KiB"},
		"an address that is none":     {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityURI, "http://canary-remote:x") }, "gives no key"},
		"an ID token that is missing": {"oidc", func(_ *testing.T, w *keylessWorld) { _ = os.Remove(w.ways["oidc"].keyless.TokenFile) }, "token file cannot be read"},
		"an ID token that is long": {"oidc", func(t *testing.T, w *keylessWorld) {
			_ = os.WriteFile(w.ways["oidc"].keyless.TokenFile, make([]byte, maxTokenFile+1), 0o600)
		}, "no file of at most 64 KiB"},
		"an ID token of another": {"oidc", func(t *testing.T, w *keylessWorld) {
			_ = os.WriteFile(w.ways["oidc"].keyless.TokenFile, []byte("canary-token-other"), 0o600)
		}, "IAM refuses the login"},
		"no metadata service": {"metadata", func(*testing.T, *keylessWorld) { metadataHost.Store(nil) }, "there was no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			test.change(t, w)
			err := w.dial(t, w.ways[test.way]).Check(context.Background())
			w.assertNoKey(t, w.ways[test.way], err)
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, want %q", err, test.text)
			}
			if n := len(w.sim.TemporaryKeys()); n != 0 {
				t.Errorf("%d keys", n)
			}
		})
	}
}

func TestNothingOfAWayToAKeyIsShown(t *testing.T) {
	for _, status := range []int{200, 201, 204, 302, 400, 401, 403, 404, 405, 429, 500, 503} {
		fake := newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Subject-Token", "canary-token")
			evil(status)(w, r)
		})
		file := tokenFile(t, idToken)
		useAs(t, fake.URL+"/pod", fake.URL)
		t.Setenv(podIdentityTokenFile, file)
		w := &keylessWorld{dialer: newDialer(t, Options{CCEEndpoint: fake.URL, IAMEndpoint: fake.URL}), ways: waysTo(file)}
		for name, way := range w.ways {
			cloud := w.dial(t, way)
			err := cloud.Check(context.Background())
			if err == nil {
				t.Fatalf("%s, %d: no error", name, status)
			}
			e := fault(t, err)
			assertNoCanary(t, printed(err)+printed(*e)+e.Code+e.RequestID+printed(cloud)+printed(cloud.(*account).source))
		}
	}
}
