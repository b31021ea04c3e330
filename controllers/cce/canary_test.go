// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

func assertNoCanary(t *testing.T, text string) {
	t.Helper()
	for _, canary := range canaries {
		if strings.Contains(text, canary) {
			t.Errorf("%q is in %q", canary, text)
		}
	}
}

// printed gives a value in every way that prints it.
func printed(v any) string {
	text := fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v)
	encoded, _ := json.Marshal(v)
	return text + string(encoded)
}

// evil repeats in every place what it was sent, and words of its own.
func evil(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		echo := r.Header.Get("Authorization") + r.Header.Get("X-Auth-Token") + r.Header.Get("X-Security-Token") +
			" CANARYACCESSKEY canary-secret canary-remote"
		for _, name := range []string{"X-Request-Id", "Retry-After", "Location", "Port-ID", "Content-Type", "Date"} {
			w.Header().Set(name, echo)
		}
		w.WriteHeader(status)
		words := map[string]any{"message": echo, "kind": "canary-remote"}
		for _, name := range []string{
			"errorCode", "errorMessage", "error_code", "error_msg", "code", "request_id", "reason", "clusters", "items", "projects", "metadata",
		} {
			words[name] = echo
		}
		words["error"] = map[string]any{"code": echo, "message": echo, "request_id": "CANARYACCESSKEY"}
		_ = json.NewEncoder(w).Encode(words)
	}
}

func TestNoErrorShowsAKeyOrAWordOfTheCloud(t *testing.T) {
	for _, key := range []issuer.Key{
		{ID: "CANARYACCESSKEY", Secret: issuer.Sensitive("canary-secret"), SecurityToken: issuer.Sensitive("canary-security-token")},
		{Token: issuer.Sensitive("canary-token")},
	} {
		for _, status := range []int{200, 204, 302, 400, 401, 403, 404, 405, 407, 409, 418, 429, 500, 503} {
			fake := newFakeCloud(t, evil(status))
			for _, project := range []string{testProject, ""} {
				d := newDialer(t, Options{CCEEndpoint: fake.URL, IAMEndpoint: fake.URL})
				cloud := dial(t, d, issuer.Access{Region: testRegion, ProjectID: project, Key: key})
				for name, call := range operations {
					err := call(context.Background(), cloud)
					if err == nil {
						t.Fatalf("%s, %d: no error", name, status)
					}
					e := fault(t, err)
					assertNoCanary(t, err.Error()+printed(err)+printed(*e)+e.Code+e.RequestID)
				}
				assertNoCanary(t, printed(cloud))
			}
		}
	}
}

func TestNoValueShowsAKey(t *testing.T) {
	fake := newFakeCloud(t, answer(200, `{"users":[{"user":{"client-key-data":"canary-remote"}}]}`))
	d := newDialer(t, Options{CCEEndpoint: fake.URL})
	access := testAccess()
	access.Key.SecurityToken = issuer.Sensitive("canary-security-token")
	cloud := dial(t, d, access)
	issued, err := cloud.Issue(context.Background(), byDays)
	if err != nil {
		t.Fatal(err)
	}
	assertNoCanary(t, printed(cloud))
	assertNoCanary(t, printed(cloud.(*account)))
	assertNoCanary(t, printed(issued))
	assertNoCanary(t, fmt.Sprintf("%v %+v %#v", d, d, d))
	assertNoCanary(t, printed(&tokenCredential{token: issuer.Sensitive("canary-token")}))
}
