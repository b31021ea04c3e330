// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/testkit"
)

func withEndpoint(e *v1alpha1.Endpoint) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Endpoint = e }
}

// wayOf is the way to the server that the Secrets of both outputs name.
func wayOf(t *testing.T, w *testkit.World) kubeconfig.Endpoint {
	t.Helper()
	var ways [2]kubeconfig.Endpoint
	for i, o := range w.Get("prod-1").Spec.Outputs {
		c, err := output.Read(w.Secret(o.SecretName).Data, o, output.Facts{Namespace: w.Namespace, Name: "prod-1"})
		w.Must(err)
		ways[i] = c.Endpoint
	}
	if ways[0].Server != ways[1].Server || ways[0].TLSServerName != ways[1].TLSServerName || ways[0].ProxyURL != ways[1].ProxyURL ||
		ways[0].Insecure != ways[1].Insecure || string(ways[0].CAPEM) != string(ways[1].CAPEM) {
		t.Errorf("two ways: %+v and %+v", ways[0], ways[1])
	}
	return ways[0]
}

func TestAnAddressOfOnesOwnCostsNoCertificate(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "argo", Format: v1alpha1.FormatArgoCD}))
	before := wayOf(t, w)
	w.Change("prod-1", withEndpoint(&v1alpha1.Endpoint{
		Server: "https://Prod-1.example.com", TLSServerName: "kubernetes.default.svc", ProxyURL: "http://proxy.example.com:3128",
	}))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
	got := wayOf(t, w)
	if got.Server != "https://prod-1.example.com:443" || got.TLSServerName != "kubernetes.default.svc" || got.ProxyURL != "http://proxy.example.com:3128" ||
		got.Insecure || string(got.CAPEM) != string(before.CAPEM) {
		t.Errorf("the way is %+v", got)
	}
	if status := w.Get("prod-1").Status; status.Access != v1alpha1.AccessCustom || status.Server != got.Server {
		t.Errorf("status tells of %s through %s", status.Server, status.Access)
	}
	w.Change("prod-1", withEndpoint(nil))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
	if after := wayOf(t, w); after.Server != before.Server || after.TLSServerName != "" || after.ProxyURL != "" {
		t.Errorf("without the address of one's own the way is %+v", after)
	}
}

func TestWithoutVerificationIsAllowedTwiceAndThereIsNoCA(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1", withEndpoint(&v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true}),
		withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "argo", Format: v1alpha1.FormatArgoCD})))
	w.Settle("prod-1")
	if got := conditions(w.Get("prod-1")); got["Issued"] != "False/InsecureEndpoint" {
		t.Errorf("allowed once: Issued is %s", got["Issued"])
	}
	posts := w.Posts()
	w.Reconciler.AllowInsecureTLS = true
	w.Change("prod-1", withEndpoint(&v1alpha1.Endpoint{Context: "external", AllowInsecureTLS: true, Access: v1alpha1.AccessExternal}))
	w.Settle("prod-1")
	wantPosts(t, w, posts+1)
	wantConditions(t, w.Get("prod-1"), healthy)
	if got := wayOf(t, w); !got.Insecure || len(got.CAPEM) > 0 {
		t.Errorf("the way is %+v", got)
	}
	w.Change("prod-1", withEndpoint(nil)) // there is no CA to verify with
	w.Settle("prod-1")
	wantPosts(t, w, posts+2)
	wantConditions(t, w.Get("prod-1"), healthy)
	if got := wayOf(t, w); got.Insecure || len(got.CAPEM) == 0 {
		t.Errorf("the way is %+v", got)
	}
}
