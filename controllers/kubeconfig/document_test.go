// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
)

// JSON is read without the way through YAML, and means the same.
func TestJSONIsReadAsClientcmdReadsIt(t *testing.T) {
	for name, document := range map[string]string{
		"nothing in it":         `{"kind":"Config","apiVersion":"v1"}`,
		"no kind":               `{"apiVersion":"v1","current-context":"a"}`,
		"another kind":          `{"kind":"Pod","apiVersion":"v1"}`,
		"another version":       `{"kind":"Config","apiVersion":"v2"}`,
		"an empty document":     `{}`,
		"a default of a user":   `{"kind":"Config","apiVersion":"v1","users":[{"name":"a","user":{"exec":{"command":"sh","apiVersion":"client.authentication.k8s.io/v1beta1"}}}]}`,
		"no document":           `"text"`,
		"a list":                `[]`,
		"escapes":               `{"kind":"Config","apiVersion":"v1","current-context":"a\u0062\"\\\u00e9\n"}`,
		"fields that are null":  `{"kind":"Config","apiVersion":"v1","contexts":null,"clusters":null,"users":null}`,
		"unknown fields":        `{"kind":"Config","apiVersion":"v1","more":{"deep":[1,2.5,true,null]}}`,
		"fields in capitals":    `{"kind":"Config","apiVersion":"v1","Contexts":[{"name":"a","context":{"cluster":"c"}}],"CURRENT-CONTEXT":"a"}`,
		"a number for a text":   `{"kind":"Config","apiVersion":"v1","current-context":1}`,
		"a name twice":          `{"kind":"Config","apiVersion":"v1","contexts":[{"name":"a","context":{"cluster":"c"}},{"name":"a","context":{"cluster":"d"}}]}`,
		"data that is no data":  `{"kind":"Config","apiVersion":"v1","clusters":[{"name":"a","cluster":{"certificate-authority-data":"%%"}}]}`,
		"data":                  `{"kind":"Config","apiVersion":"v1","clusters":[{"name":"a","cluster":{"server":"https://a","certificate-authority-data":"YQ=="}}]}`,
		"a user with a command": `{"kind":"Config","apiVersion":"v1","users":[{"name":"a","user":{"exec":{"command":"sh","args":["-c"],"apiVersion":"client.authentication.k8s.io/v1"}}}]}`,
		"space around it":       " \n  {\"kind\":\"Config\",\"apiVersion\":\"v1\"}\n ",
		"more after it":         `{"kind":"Config","apiVersion":"v1"}{"kind":"Config","apiVersion":"v1"}`,
		"no end":                `{"kind":"Config","apiVersion":"v1"`,
		"YAML":                  "kind: Config\napiVersion: v1\ncurrent-context: a\n",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			got, gotErr := load([]byte(document))
			want, wantErr := clientcmd.Load([]byte(document))
			if (gotErr == nil) != (wantErr == nil) {
				t.Fatalf("error %v, and clientcmd's %v", gotErr, wantErr)
			}
			if diff := cmp.Diff(want, got.Config); gotErr == nil && diff != "" {
				t.Errorf("-clientcmd +ours:\n%s", diff)
			}
		})
	}
}

// clientcmd's own form of a kubeconfig is for no file. clientcmd takes it, as it happens.
func TestTheInternalFormIsRefused(t *testing.T) {
	for _, document := range []string{
		`{"kind":"Config","apiVersion":"__internal"}`,
		`{"kind":"Config","apiVersion":"__internal","clusters":{"a":null},"users":{"a":null},"contexts":{"a":null}}`,
		"kind: Config\napiVersion: __internal\nusers: {a: null}\n",
	} {
		if got, err := load([]byte(document)); err == nil {
			t.Errorf("%s was read as %+v", document, got.Config)
		}
	}
}
