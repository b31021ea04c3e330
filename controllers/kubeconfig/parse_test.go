// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/controllers/issuer"
)

const dump = "Certificate:\n    Data:\n        Version: 3 (0x2)\n        Issuer: CN = kubernetes\n"

func TestParseTakesEveryShapeOfCCE(t *testing.T) {
	ca := testCA().certPEM()
	internal := Context{Name: "internal", Server: "https://192.168.0.64:5443", CAPEM: ca, Verified: true}
	external := Context{Name: "external", Server: "https://203.0.113.7:5443"}
	externalTLS := Context{Name: "externalTLSVerify", Server: "https://203.0.113.7:5443", CAPEM: ca, Verified: true}
	for name, test := range map[string]struct {
		change func(object)
		want   []Context
	}{
		"a cluster without an EIP has the internal context only": {
			func(object) {}, []Context{internal},
		},
		"a cluster with an EIP has three, in the order sent, whatever the current context is": {
			withEIP, []Context{internal, external, externalTLS},
		},
		"custom SANs are contexts of their own": {
			func(d object) {
				d["clusters"] = append(d["clusters"].([]object), verified("a", "https://api.example.com:5443"), verified("b", "https://10.1.1.1:5443"))
				d["contexts"] = append(d["contexts"].([]object), context("customSAN-1", "b"), context("customSAN-0", "a"))
			},
			[]Context{
				internal,
				{Name: "customSAN-1", Server: "https://10.1.1.1:5443", CAPEM: ca, Verified: true},
				{Name: "customSAN-0", Server: "https://api.example.com:5443", CAPEM: ca, Verified: true},
			},
		},
		"an insecure external context alone is an answer, for the choice to refuse": {
			func(d object) {
				d["clusters"] = []object{insecure("externalCluster", "https://203.0.113.7:5443")}
				d["contexts"] = []object{context("external", "externalCluster")}
			},
			[]Context{external},
		},
		"a CA that begins with a text dump, and holds a certificate twice, becomes pure PEM": {
			inCluster("certificate-authority-data", []byte(dump+string(ca)+dump+string(ca))), []Context{internal},
		},
		"a final slash and capitals in the server go": {
			inCluster("server", "https://API.Example.com:5443/"),
			[]Context{{Name: "internal", Server: "https://api.example.com:5443", CAPEM: ca, Verified: true}},
		},
		"a cluster without a CA is not verified": {
			func(d object) { delete(d["clusters"].([]object)[0]["cluster"].(object), "certificate-authority-data") },
			[]Context{{Name: "internal", Server: "https://192.168.0.64:5443"}},
		},
		"skipping verification wins over a CA": {
			inCluster("insecure-skip-tls-verify", true), []Context{{Name: "internal", Server: "https://192.168.0.64:5443"}},
		},
		"a stray Port-ID, as the SDK's struct marshals it, is ignored": {
			func(d object) { d["Port-ID"] = "x" }, []Context{internal},
		},
	} {
		t.Run(name, func(t *testing.T) {
			document := raw(answer(test.change))
			got, err := Parse(document, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Contexts); diff != "" {
				t.Errorf("contexts (-want +got):\n%s", diff)
			}
			inYAML, err := yaml.JSONToYAML(document)
			if err != nil {
				t.Fatal(err)
			}
			fromYAML, err := Parse(inYAML, now)
			if diff := cmp.Diff(got, fromYAML); err != nil || diff != "" {
				t.Errorf("from YAML: %v (-JSON +YAML):\n%s", err, diff)
			}
		})
	}
}

func TestParseTellsTheFactsOfTheCertificate(t *testing.T) {
	leaf := testLeaf()
	got, err := Parse(raw(answer()), now)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(leaf.certificate.Raw)
	want := Identity{
		CertPEM: leaf.certPEM(), KeyPEM: leaf.keyPEM(),
		SerialNumber: "0A1B", Fingerprint: hex.EncodeToString(digest[:]),
		CommonName: "0c97ac3cb280f4d91fa7c0096739e1f8", IssuerName: "CN=kubernetes",
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(720 * time.Hour),
	}
	if diff := cmp.Diff(want, got.Identity); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Identity.NotAfter.Location() != time.UTC {
		t.Error("times are not in UTC")
	}
}

func TestParseLeavesUnusableContextsOut(t *testing.T) {
	document := answer(withEIP, func(d object) {
		d["clusters"] = append(d["clusters"].([]object),
			verified("plain", "http://1.2.3.4:5443"),
			entry("broken", "cluster", object{"server": "https://1.2.3.4:5443", "certificate-authority-data": []byte("no PEM")}))
		d["contexts"] = append([]object{
			context("no-cluster", "missing"), context("http", "plain"), context("bad-ca", "broken"), context("bad-ca-2", "broken"),
			entry("no-user", "context", object{"cluster": "internalCluster", "user": "other"}),
			context("with space", "internalCluster"), context("", "internalCluster"), context(strings.Repeat("n", 129), "internalCluster"),
		}, d["contexts"].([]object)...)
	})
	got, err := Parse(raw(document), now)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, context := range got.Contexts {
		names = append(names, context.Name)
	}
	if diff := cmp.Diff([]string{"internal", "external", "externalTLSVerify"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseRefusesWhatCannotBeUsed(t *testing.T) {
	many := func(d object) {
		for i := range maxContexts {
			d["contexts"] = append(d["contexts"].([]object), context(fmt.Sprint("customSAN-", i), "internalCluster"))
		}
	}
	for name, test := range map[string]struct {
		data issuer.Sensitive
		want string
	}{
		"nothing":             {nil, "the kubeconfig has no contexts"},
		"an empty object":     {raw(object{}), "the kubeconfig has no contexts"},
		"text":                {issuer.Sensitive("<html>"), "the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice"},
		"another kind":        {raw(answer(func(d object) { d["kind"] = "Secret" })), "the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice"},
		"wrong types":         {raw(answer(func(d object) { d["clusters"] = "x" })), "the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice"},
		"two of one name":     {raw(answer(func(d object) { d["users"] = append(d["users"].([]object), user(testLeaf())) })), "the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice"},
		"too many contexts":   {raw(answer(many)), "the kubeconfig has more than 64 contexts"},
		"10 MiB":              {issuer.Sensitive(strings.Repeat(" ", 10<<20)), "the kubeconfig is larger than 1024 KiB"},
		"no inline cert":      {raw(answer(inUser("client-certificate-data", ""))), "the kubeconfig holds no inline client certificate"},
		"no inline key":       {raw(answer(inUser("client-key-data", ""))), "the kubeconfig holds no inline client key"},
		"only broken links":   {raw(answer(func(d object) { d["clusters"] = []object{} })), "the kubeconfig has no usable context: 1 without their cluster or user"},
		"only a broken CA":    {raw(answer(inCluster("certificate-authority-data", []byte("x")))), "the kubeconfig has no usable context: 1 with a CA that cannot be read"},
		"only a plain server": {raw(answer(inCluster("server", "http://1.2.3.4:5443"))), "the kubeconfig has no usable context: 1 without a server https://host:port"},
		"two certificates of one key": {raw(answer(func(d object) {
			other := user(testCA().issue(testLeaf().key))
			other["name"] = "other"
			d["users"] = append(d["users"].([]object), other)
			d["contexts"] = append(d["contexts"].([]object), entry("second", "context", object{"cluster": "internalCluster", "user": "other"}))
		})), "the contexts of the kubeconfig have different client certificates or keys"},
		"two identities": {raw(answer(func(d object) {
			other := user(testCA().issue(newKey()))
			other["name"] = "other"
			d["users"] = append(d["users"].([]object), other)
			d["contexts"] = append(d["contexts"].([]object), entry("second", "context", object{"cluster": "internalCluster", "user": "other"}))
		})), "the contexts of the kubeconfig have different client certificates or keys"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(test.data, now)
			if diff := cmp.Diff(test.want, reason(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(Answer{}, got); diff != "" {
				t.Errorf("an answer besides the error:\n%s", diff)
			}
		})
	}
}
