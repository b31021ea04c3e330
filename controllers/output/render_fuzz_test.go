// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// renderSeed is what an output and an answer say beside certificate and key.
type renderSeed struct{ clusterName, defaultName, key, server string }

var renderSeeds = []renderSeed{
	{"", "fleet-prod-1", "", "https://192.168.0.64:5443"}, {"prod", "x", "kubeconfig", "https://api.example.com:443"},
	{"null", "x", "value", "https://[2001:db8::1]:5443"}, {"12:30:45", "x", ".a", "https://a_b.c-d:65535"}, {"0x1F", "", "a", "https://a:1"},
	{"a:b@c/d.e_f", "", "a", "https://a:1"}, {"2026-11-24", "", "a", "https://a:1"},
	{"a\nb: c", "", "", "https://a:1"}, {"", "", "", "https://a:1"}, {"-a", "", "", "https://a:1"}, {"a: b", "", "", "https://a:1"},
	{"é", "", "", "https://a:1"}, {strings.Repeat("a", 513), "", "", "https://a:1"},
	{"a", "", "", "http://a:1"}, {"a", "", "", "https://a"}, {"a", "", "", "https://u@a:1"}, {"a", "", "", "https://A:1"},
	{"a", "", "", "https://a:1/x"}, {"a", "", "", "https://a:1\n    exec: x"}, {"a", "", "", "https://a:0"}, {"a", "", "", "https://1.2.3:1"},
}

// FuzzRender writes a sound certificate under any name, to any server. The oracle: an
// error, or a document in the allow-list grammar that says this server and reads back equal.
func FuzzRender(f *testing.F) {
	for _, seed := range renderSeeds {
		f.Add(seed.clusterName, seed.defaultName, seed.key, seed.server)
	}
	sound := credential(f)
	f.Fuzz(func(t *testing.T, clusterName, defaultName, key, server string) {
		c, o := sound, v1alpha1.Output{ClusterName: clusterName, Key: key}
		c.Server = server
		rendered, err := Render(c, o, Facts{Namespace: "fleet", Name: defaultName})
		if err != nil {
			checkReadError(t, err)
			if rendered.Data != nil {
				t.Fatal("an error, and yet something to publish")
			}
			return
		}
		checkRendered(t, c, o, Facts{Namespace: "fleet", Name: defaultName})
	})
}

func TestTheRenderSeedsReachBothSides(t *testing.T) {
	accepted, rejected := 0, 0
	sound := credential(t)
	for _, seed := range renderSeeds {
		c := sound
		c.Server = seed.server
		if _, err := Render(c, v1alpha1.Output{ClusterName: seed.clusterName, Key: seed.key}, Facts{Namespace: "fleet", Name: seed.defaultName}); err == nil {
			accepted++
		} else {
			rejected++
		}
	}
	if accepted != 7 || rejected != len(renderSeeds)-7 {
		t.Errorf("%d seeds are accepted and %d rejected", accepted, rejected)
	}
}

// checkGrammar says the whole grammar of what is published in another way than the code
// does: every field is named here, and nothing else may stand there.
func checkGrammar(t *testing.T, document []byte) {
	t.Helper()
	var got map[string]any
	if err := yaml.UnmarshalStrict(document, &got); err != nil {
		t.Fatalf("not strict YAML: %v", err)
	}
	name, _ := got["current-context"].(string)
	cluster, user := inner(got, "clusters", "cluster"), inner(got, "users", "user")
	server, ca := text(cluster, "server"), text(cluster, "certificate-authority-data")
	certificate, key := text(user, "client-certificate-data"), text(user, "client-key-data")
	entry := map[string]any{"server": server}
	for _, optional := range []string{"certificate-authority-data", "tls-server-name", "proxy-url", "insecure-skip-tls-verify"} {
		if value, ok := cluster[optional]; ok {
			entry[optional] = value
		}
	}
	want := map[string]any{
		"kind": "Config", "apiVersion": "v1", "current-context": name,
		"clusters": []any{map[string]any{"name": name, "cluster": entry}},
		"users":    []any{map[string]any{"name": name, "user": map[string]any{"client-certificate-data": certificate, "client-key-data": key}}},
		"contexts": []any{map[string]any{"name": name, "context": map[string]any{"cluster": name, "user": name}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("outside the grammar (-want +got):\n%s", diff)
	}
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "" {
		t.Fatalf("the server is %q", server)
	}
	if insecure, said := cluster["insecure-skip-tls-verify"]; said {
		if insecure != true || ca != "" {
			t.Fatal("verification is off in another way than by true and without a CA")
		}
	} else {
		checkBlocks(t, ca, "CERTIFICATE")
	}
	checkBlocks(t, certificate, "CERTIFICATE")
	checkBlocks(t, key, "PRIVATE KEY")
}

// inner is the content of the first entry of a list.
func inner(document map[string]any, list, kind string) map[string]any {
	entries, _ := document[list].([]any)
	if len(entries) == 0 {
		return nil
	}
	entry, _ := entries[0].(map[string]any)
	content, _ := entry[kind].(map[string]any)
	return content
}

func text(content map[string]any, field string) string {
	value, _ := content[field].(string)
	return value
}

// checkBlocks holds that data is PEM of one kind from its first to its last byte.
func checkBlocks(t *testing.T, encoded, kind string) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 {
		t.Fatalf("not base64: %v", err)
	}
	for len(data) > 0 {
		block, rest := pem.Decode(data)
		if block == nil || !strings.HasSuffix(block.Type, kind) || len(block.Headers) > 0 {
			t.Fatalf("not pure PEM of %s", kind)
		}
		data = rest
	}
}
