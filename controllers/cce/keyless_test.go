// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/hack/ccesim"
)

func TestEveryWayToAKeyIssuesWithItsIdentity(t *testing.T) {
	for name, user := range map[string]string{"pod identity": podAgency, "metadata": instanceAgency, "oidc": ""} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			access := keylessAccess(w.ways[name])
			access.ProjectID = "" // so that IAM is asked with the key too
			cloud := dial(t, w.dialer, access)
			var names []string
			for range 3 {
				issued, err := cloud.Issue(context.Background(), byDays)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, commonName(t, issued))
			}
			if names[0] == "" || names[1] != names[0] || names[2] != names[0] || user != "" && names[0] != user {
				t.Errorf("common names %v", names)
			}
			if n := len(w.sim.TemporaryKeys()); n != 1 {
				t.Errorf("%d keys for 4 calls", n)
			}
			s := cloud.(*account).source
			if left := time.Until(s.held.ends); left < 6*time.Hour-time.Minute || left > 6*time.Hour {
				t.Errorf("the SDK says that the key ends in %v", left)
			}
			w.assertNoSecret(t, printed(cloud)+printed(s)+printed(w.dialer))
			for operation, call := range operations {
				if err := call(context.Background(), cloud); err != nil {
					t.Errorf("%s: %v", operation, err)
				}
			}
		})
	}
}

func TestAFederatedUserIsNewAtEveryLogin(t *testing.T) {
	w := newKeylessWorld(t)
	cloud := w.dial(t, w.ways["oidc"])
	first, err := cloud.Issue(context.Background(), byDays)
	if err != nil {
		t.Fatal(err)
	}
	age(cloud, 6*time.Hour)
	second, err := cloud.Issue(context.Background(), byDays)
	if err != nil {
		t.Fatal(err)
	}
	if commonName(t, first) == commonName(t, second) {
		t.Error("two logins have one user")
	}
}

func TestFiftyCallsAtOnceFetchOneKey(t *testing.T) {
	for name := range waysTo("") {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() {
					cloud, err := w.dialer.Dial(keylessAccess(w.ways[name]))
					if err == nil {
						err = cloud.Check(context.Background())
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if n := w.sim.Requests()[string(w.ways[name].op)]; n != 1 || len(w.sim.TemporaryKeys()) != 1 {
				t.Errorf("%d requests for %d keys", n, len(w.sim.TemporaryKeys()))
			}
		})
	}
}

func TestRefreshesLeaveNothingBehind(t *testing.T) {
	w := newKeylessWorld(t)
	goroutines := runtime.NumGoroutine()
	for _, way := range w.ways {
		cloud := w.dial(t, way)
		for range 50 {
			if err := cloud.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			age(cloud, 6*time.Hour)
		}
	}
	if n := len(w.sim.TemporaryKeys()); n != 3*50 {
		t.Errorf("%d keys", n)
	}
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left", runtime.NumGoroutine()-goroutines)
		}
	}
}

func TestAKeyThatWasRevokedIsReplaced(t *testing.T) {
	w := newKeylessWorld(t)
	cloud := w.dial(t, w.ways["pod identity"])
	if err := cloud.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.sim.RevokeTemporaryKeys()
	age(cloud, 2*time.Minute)
	if e := fault(t, cloud.Check(context.Background())); e.Kind != issuer.Unauthorized || !e.Obtained {
		t.Errorf("%v %+v", e.Kind, e)
	}
	if err := cloud.Check(context.Background()); err != nil {
		t.Errorf("with another key: %v", err)
	}
}

func TestTheFirstMetadataServiceIsEnough(t *testing.T) {
	agency := ccesim.Agency{ID: instanceAgency}
	for name, instance := range map[string]ccesim.Instance{
		"404": {Agency: agency, NoTokens: 404}, "405": {Agency: agency, NoTokens: 405}, "tokens only": {Agency: agency, TokensOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t, func(c *ccesim.Config) { c.Instance = instance })
			if err := w.dial(t, w.ways["metadata"]).Check(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	w := newKeylessWorld(t, func(c *ccesim.Config) { c.Instance = ccesim.Instance{} })
	w.assertNoKey(t, w.ways["metadata"], w.dial(t, w.ways["metadata"]).Check(context.Background()))
}

func TestNoProxySeesATokenOfThePod(t *testing.T) {
	proxy := newFakeCloud(t, answer(500, "canary-remote"))
	w := newKeylessWorld(t)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	others := http.DefaultTransport.(*localTransport).others.(*http.Transport)
	others.Proxy = http.ProxyURL(address)
	defer func() { others.Proxy = nil }()
	for _, method := range []string{"pod identity", "metadata"} {
		if err := w.dial(t, w.ways[method]).Check(context.Background()); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	if n := len(proxy.requests()); n != 0 {
		t.Errorf("the proxy saw %d requests", n)
	}
}

// The SDK's clients would follow them, with the token of the Pod, and take what they find for a key.
func TestNoRedirectIsFollowedToAKey(t *testing.T) {
	w := newKeylessWorld(t)
	trap := newFakeCloud(t, answer(200, "{}"))
	moved := serveAt(t, http.RedirectHandler(trap.URL, http.StatusTemporaryRedirect))
	useAs(t, moved+ccesim.PodIdentityPath, moved)
	for _, method := range []string{"pod identity", "metadata"} {
		err := w.dial(t, w.ways[method]).Check(context.Background())
		w.assertNoKey(t, w.ways[method], err)
		if !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%s: %v", method, err)
		}
	}
	if n := len(trap.requests()); n != 0 {
		t.Errorf("%d requests followed it", n)
	}
}

// An answer without an end is read to its bound only.
func TestAnswersOfThePodAreBounded(t *testing.T) {
	w := newKeylessWorld(t)
	var sent atomic.Int64
	endless := serveAt(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for line := []byte(strings.Repeat(" ", 8<<10)); r.Context().Err() == nil; {
			n, err := rw.Write(line)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	useAs(t, endless+ccesim.PodIdentityPath, endless)
	for _, method := range []string{"pod identity", "metadata"} {
		w.assertNoKey(t, w.ways[method], w.dial(t, w.ways[method]).Check(context.Background()))
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

// The SDK would log in where a variable says.
func TestALoginFollowsNoVariable(t *testing.T) {
	trap := newFakeCloud(t, answer(500, ""))
	t.Setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", trap.URL)
	t.Setenv("HUAWEICLOUD_SDK_AK", "ENVKEY")
	t.Setenv("HUAWEICLOUD_SDK_SK", "env")
	t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "env")
	w := newKeylessWorld(t)
	for name, way := range w.ways {
		access := keylessAccess(way)
		access.ProjectID = ""
		if id, err := dial(t, w.dialer, access).Project(context.Background()); err != nil || id != testProject {
			t.Errorf("%s: %q %v", name, id, err)
		}
	}
	if n := len(trap.requests()); n != 0 {
		t.Errorf("%d requests followed a variable", n)
	}
}
