// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/controllers/issuer"
)

// mark stands in everything that must not get out.
const mark = "HOSTILE"

func TestNothingOutsideTheAllowListGetsOut(t *testing.T) {
	exec := object{"apiVersion": "client.authentication.k8s.io/v1", "command": mark, "args": []string{mark}, "interactiveMode": "Never"}
	extension := []object{{"name": mark, "extension": object{"kind": mark, "x": mark}}}
	for name, change := range map[string]func(object){
		"exec":             inUser("exec", exec),
		"an auth provider": inUser("auth-provider", object{"name": mark, "config": object{"cmd-path": mark}}),
		"a token":          inUser("token", mark),
		"a token file":     inUser("tokenFile", "/"+mark),
		"a user name": func(d object) {
			inUser("username", mark)(d)
			inUser("password", mark)(d)
		},
		"impersonation": func(d object) {
			inUser("as", mark)(d)
			inUser("as-uid", mark)(d)
			inUser("as-groups", []string{mark})(d)
			inUser("as-user-extra", object{mark: []string{mark}})(d)
		},
		"files": func(d object) {
			inUser("client-certificate", "/"+mark)(d)
			inUser("client-key", "/"+mark)(d)
			inCluster("certificate-authority", "/"+mark)(d)
		},
		"a proxy":            inCluster("proxy-url", "http://"+mark+":3128"),
		"a TLS server name":  inCluster("tls-server-name", mark),
		"compression":        inCluster("disable-compression", true),
		"cluster extensions": inCluster("extensions", extension),
		"user extensions":    inUser("extensions", extension),
		"top extensions": func(d object) {
			d["extensions"], d["preferences"] = extension, object{"colors": true, "extensions": extension}
		},
		"unknown fields": func(d object) {
			d[mark], d["Port-ID"] = mark, mark
			inUser(mark, mark)(d)
			inCluster(mark, object{mark: mark})(d)
		},
		"a namespace": func(d object) { d["contexts"].([]object)[0]["context"].(object)["namespace"] = mark },
		"names of entries": func(d object) {
			d["contexts"] = append(d["contexts"].([]object), entry("x", "context", object{"cluster": mark, "user": "user"}))
			d["clusters"] = append(d["clusters"].([]object), verified(mark, "https://h:1"))
			d["contexts"].([]object)[1]["name"] = "x " + mark
		},
		"a current context": func(d object) { d["current-context"] = mark },
		"text in PEM": func(d object) {
			inCluster("certificate-authority-data", slices.Concat([]byte(mark+"\n"), testCA().certPEM(), []byte(mark)))(d)
			inUser("client-certificate-data", slices.Concat([]byte(mark+"\n"), testLeaf().certPEM(), []byte(mark)))(d)
			inUser("client-key-data", slices.Concat([]byte(mark+"\n"), testLeaf().keyPEM(), []byte(mark)))(d)
		},
		"headers in PEM":      inCluster("certificate-authority-data", bytes.Replace(testCA().certPEM(), []byte("-----\n"), []byte("-----\nX: "+mark+"\n\n"), 1)),
		"other blocks in PEM": inCluster("certificate-authority-data", slices.Concat([]byte("-----BEGIN "+mark+"-----\nAAAA\n-----END "+mark+"-----\n"), testLeaf().keyPEM(), testCA().certPEM())),
		"fields in other letters": func(d object) {
			inCluster("Server", "https://"+mark+":1")(d)
			d["Contexts"] = []object{context(mark, "internalCluster")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(raw(answer(change)), now)
			if err != nil {
				t.Fatal(err)
			}
			chosen, _, err := Choose(got.Contexts, Wish{})
			if err != nil {
				t.Fatal(err)
			}
			out := roundTrip(t, "fleet-prod-1", Credential{Endpoint: Endpoint{Server: chosen.Server, CAPEM: chosen.CAPEM}, Identity: got.Identity})
			// With the facts that go into status, and what is inside the base64.
			all := string(out) + fmt.Sprintf("%+v %s", got, got.Identity.CertPEM)
			for word := range strings.FieldsSeq(string(out)) {
				data, _ := base64.StdEncoding.DecodeString(word)
				all += string(data)
			}
			if strings.Contains(strings.ToUpper(all), mark) {
				t.Errorf("it got out:\n%s", all)
			}
			if diff := cmp.Diff(allowed, paths(t, out)); diff != "" {
				t.Errorf("fields (-allowed +written):\n%s", diff)
			}
		})
	}
}

// allowed are all fields of a kubeconfig of ours.
var allowed = []string{
	"apiVersion", "clusters.0.cluster.certificate-authority-data", "clusters.0.cluster.server", "clusters.0.name",
	"contexts.0.context.cluster", "contexts.0.context.user", "contexts.0.name", "current-context", "kind",
	"users.0.name", "users.0.user.client-certificate-data", "users.0.user.client-key-data",
}

// paths lists the fields of a document, sorted.
func paths(t testing.TB, document []byte) []string {
	t.Helper()
	var root any
	if err := yaml.UnmarshalStrict(document, &root); err != nil {
		t.Fatal(err)
	}
	var found []string
	var walk func(path []string, node any)
	walk = func(path []string, node any) {
		switch node := node.(type) {
		case map[string]any:
			for name, child := range node {
				walk(append(slices.Clone(path), name), child)
			}
		case []any:
			for i, child := range node {
				walk(append(slices.Clone(path), fmt.Sprint(i)), child)
			}
		default:
			found = append(found, strings.Join(path, "."))
		}
	}
	walk(nil, root)
	slices.Sort(found)
	return found
}

func TestYAMLThatIsTooCleverIsRefusedOrHarmless(t *testing.T) {
	data, err := yaml.JSONToYAML(raw(answer()))
	if err != nil {
		t.Fatal(err)
	}
	document := string(data)
	for name, test := range map[string]struct{ data, want string }{
		"an anchor without an alias is only a name": {"x: &x 1\n" + document, ""},
		"an alias":                              {"x: &x 1\ny: *x\n" + document, aliases},
		"a merge key with an alias":             {"x: &x {token: a}\n" + strings.Replace(document, "  user:\n", "  user:\n    <<: *x\n", 1), aliases},
		"a merge key with its own map":          {strings.Replace(document, "  user:\n    client-", "  user:\n    <<: {token: a}\n    client-", 1), ""},
		"an asterisk in JSON is text":           {string(raw(answer(func(d object) { d["x"] = "*a" }))), ""},
		"a tag":                                 {"x: !!python/object 1\n" + document, ""},
		"the last of two fields counts":         {"kind: Secret\n" + document, ""},
		"only the first document counts":        {document + "---\nkind: Secret\n", ""},
		"a list":                                {"- " + strings.ReplaceAll(document, "\n", "\n  "), notOne},
		"a map with a complex key":              {"? [a]\n: b\n" + document, notOne},
		"a wrong indent":                        {document + " x: y\n", notOne},
		"text in UTF-16 with aliases":           {"\xff\xfe*\x00a\x00", aliases},
		"a context that is not an entry":        {string(raw(answer(func(d object) { d["contexts"] = []any{nil, d["contexts"].([]object)[0]} }))), ""},
		"a context that is null, and no others": {string(raw(answer(func(d object) { d["contexts"] = []any{nil} }))), "the kubeconfig has no usable context: 1 with a name that is empty or malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(issuer.Sensitive(test.data), now)
			if diff := cmp.Diff(test.want, reason(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
