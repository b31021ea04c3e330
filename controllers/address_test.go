// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
)

func withEndpoint(e v1alpha1.Endpoint) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = &e }
}

func TestAnAddressOfTheSpecsOwnCostsNoCertificate(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(five()...))
	offered := w.Get("prod-1").Status.Server
	for _, e := range []v1alpha1.Endpoint{
		{Server: "https://prod-1.example.com"}, {Server: "https://prod-1.example.com", TLSServerName: "kubernetes"},
		{ProxyURL: "socks5://proxy.example.com"}, {Server: "https://10.1.2.3:6443", Access: v1alpha1.AccessInternal},
	} {
		w.Change("prod-1", withEndpoint(e))
		w.Settle("prod-1")
		wantPosts(t, w, 1)
		wantCarried(t, w)
		wantConditions(t, w.Get("prod-1"), healthy)
	}
	if got := w.Get("prod-1").Status; got.Server != "https://10.1.2.3:6443" || got.Access != v1alpha1.AccessCustom {
		t.Errorf("status: %s through %s", got.Server, got.Access)
	}
	w.Change("prod-1", newValue("1")) // a renewal keeps it
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
	if got := w.Get("prod-1").Status.Server; got != "https://10.1.2.3:6443" {
		t.Errorf("after a renewal the server is %s", got)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = nil })
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
	if got := w.Get("prod-1").Status.Server; got != offered {
		t.Errorf("without it the server is %s, want %s", got, offered)
	}
}

func TestAnAddressThatNoClientTakesIsSaidAndWhatIsPublishedStays(t *testing.T) {
	t.Parallel()
	w := established(t)
	before := w.Get("prod-1").Status.Server
	w.Change("prod-1", withEndpoint(v1alpha1.Endpoint{Server: "https://prod-1.example.com:99999"}))
	w.Pass("prod-1")
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	if message := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionIssued); !strings.Contains(message, "spec.endpoint.server is no address: write https://host:port") {
		t.Errorf("Issued says %q", message)
	}
	if got := w.Get("prod-1").Status.Server; got != before {
		t.Errorf("the server is %s, want %s", got, before)
	}
}

// insecure is the external address of a cluster whose certificate does not name it.
func insecureContext(access v1alpha1.Access, context string) v1alpha1.Endpoint {
	return v1alpha1.Endpoint{Access: access, Context: context, AllowInsecureTLS: true}
}

func TestWithoutTLSVerificationNothingIsPublishedUnlessBothAllowIt(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1", withEndpoint(insecureContext("", "external"))))
	w.Pass("prod-1")
	w.Pass("prod-1")
	if got := conditions(w.Get("prod-1")); got["Issued"] != "False/InsecureEndpoint" || got["Ready"] != "False/InsecureEndpoint" {
		t.Errorf("without the flag: %v", got)
	}
	if message := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionIssued); !strings.Contains(message, "--allow-insecure-tls") {
		t.Errorf("without the flag Issued says %q", message)
	}
	asked := w.Posts()
	w.AllowInsecureTLS()
	w.Advance(2 * time.Hour)
	w.Settle("prod-1")
	wantPosts(t, w, asked+1)
	wantConditions(t, w.Get("prod-1"), healthy)
	text := string(w.Secret("prod-1-kubeconfig").Data["value"])
	if !strings.Contains(text, "insecure-skip-tls-verify: true") || strings.Contains(text, "certificate-authority") {
		t.Error("it is not published without verification and without a CA")
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = nil })
	w.Settle("prod-1")
	wantPosts(t, w, asked+2) // no CA is stored to verify with
	wantConditions(t, w.Get("prod-1"), healthy)
	if text := string(w.Secret("prod-1-kubeconfig").Data["value"]); strings.Contains(text, "insecure") || !strings.Contains(text, "certificate-authority-data") {
		t.Error("it is not verified again")
	}
}
