// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// templateSeeds are keys and values; half of them are refused.
var templateSeeds = []struct{ key, value string }{
	{"kubeconfig", "{{ .kubeconfig }}"}, {"{{ .clusterName }}", "{{ .keyPEM | b64enc | quote }}"}, {"{{- lower .region -}}.x", "{{/* a comment */}}x"},
	{"a", `{{ with .proxyURL }}{{ . }}{{ else with .caPEM }}{{ . | indent 2 }}{{ end }}`}, {"a", `{{ kubeconfig "clusterName" "x" "server" "https://a" }}`},
	{"a", `{{ pkcs12 "changeit" | b64enc }}`}, {"a", `{{ $x := .server }}{{ if eq (len $x) 3 4 }}{{ $x = "b" }}{{ else if not $x }}c{{ end }}{{ $x }}`},
	{"a", `{{ pemJoin .certPEM .keyPEM | replace "\n" "\\n" | toJson }}`}, {"a", "{{ slice .serial 0 1 }}{{ index .serial 0 }}{{ 'a' }}{{ 0x1F }}"}, {"a", "{{ 1e3 }}"}, {"a", "{{ 1i }}"},
	{"{{ if .caPEM }}a{{ end }}", `{{ .region | default "x" | trimSuffix "1" | trim | urlquery | sha256sum | nindent 3 }}`},
	{"a", "{{ or .proxyURL .tlsServerName (and .server .port) | host }}"}, {"a", "{{ host .server }}{{ port .server }}"},
	{"{{ .keyPEM }}", "x"}, {"a", ""}, {"", "x"}, {"a/b", "x"}, {"a", "{{ .nope }}"}, {"a", "{{ range .server }}{{ end }}"}, {"a", `{{ define "t" }}{{ template "t" }}{{ end }}`},
	{"a", `{{ block "t" . }}{{ end }}`}, {"a", "{{ . }}"}, {"a", `{{ index $ "keyPEM" }}`}, {"a", `{{ printf "%99999999d" 1 }}`}, {"a", "{{ slice .keyPEM 9 3 }}"},
	{"a", "{{ eq .keyPEM 1 }}"}, {"a", "{{ lt .keyPEM nil }}"}, {"a", "{{ (((((1))))) }}"}, {"a", "{{ indent 65 .keyPEM }}"}, {"a", "{{ 99999999999999999999 }}"},
	{"a", "{{ `" + ">: " + "` | host }}"}, {"a", "{{ .keyPEM\n}}\xff{{"}, {"a", "{{ $x.y }}"}, {"a", "{{ nil }}"}, {"a", "{{ true | quote }}"},
	{"a", `{{ replace "" "" .keyPEM }}`}, {"a", `{{ "` + strings.Repeat("x", 100) + `" | replace "x" .kubeconfig | replace "A" .kubeconfig }}`},
}

// FuzzTemplate runs any template as key and as value. The oracle: an error of ours that shows nothing of the key, or a Secret
// within bounds whose bytes are the same the second time.
func FuzzTemplate(f *testing.F) {
	for _, seed := range templateSeeds {
		f.Add(seed.key, seed.value)
	}
	c := credential(f)
	canary := canaryOf(c)
	f.Fuzz(func(t *testing.T, key, value string) {
		if strings.Contains(key+value, "PRIVATE") {
			t.Skip("the words of PEM are no part of the key")
		}
		o := templateOutput(data{key: v1alpha1.TemplateText(value), "{{ .name }}.fixed": "x"})
		r, err := renderTemplate(c, o, someFacts)
		if err != nil {
			e, ok := errors.AsType[*TemplateError](err)
			if !ok || r.Data != nil {
				t.Fatalf("an error of another type, or with data: %T", err)
			}
			if strings.ContainsFunc(e.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(e.Error()) || len(e.Error()) > 1000 {
				t.Fatalf("the text is not plain or long: %d bytes", len(e.Error()))
			}
			canary.check(t, e.Error())
			return
		}
		size := 0
		for name, content := range r.Data {
			canary.check(t, name)
			if size += len(name) + len(content); size > maxOutputBytes || len(content) == 0 || len(validation.IsConfigMapKey(name)) > 0 {
				t.Fatalf("%d bytes, of which %d are in a key of %d", size, len(content), len(name))
			}
		}
		first := stored(r)
		again, err := renderTemplate(c, o, someFacts)
		if err != nil || len(again.Data) != len(first) {
			t.Fatalf("the second time it differs (%v)", err)
		}
		for name, content := range stored(again) {
			if string(first[name]) != string(content) {
				t.Fatal("the second time it has other bytes")
			}
		}
	})
}

func TestTheTemplateSeedsReachBothSides(t *testing.T) {
	accepted, c := 0, credential(t)
	for _, seed := range templateSeeds {
		if _, err := renderTemplate(c, templateOutput(data{seed.key: v1alpha1.TemplateText(seed.value)}), someFacts); err == nil {
			accepted++
		}
	}
	if rejected := len(templateSeeds) - accepted; accepted < 10 || rejected < 20 {
		t.Errorf("%d seeds are accepted and %d rejected", accepted, rejected)
	}
}

// FuzzQuote holds that what is quoted is read back by JSON and by YAML.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a", "\"\\\n\t\x00\x7f", "\u0085\u2028\ufeff\ufffe\uffff", "\U0001F600", "- {a: *b}", "\xff", "<&>", "null", "' #"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := jsonText(text)
		if err != nil {
			if utf8.ValidString(text) {
				t.Fatalf("text is refused: %v", err)
			}
			return
		}
		var fromJSON, fromYAML string
		if err := json.Unmarshal([]byte(quoted), &fromJSON); err != nil || fromJSON != text {
			t.Fatalf("JSON reads %q from %s (%v)", fromJSON, quoted, err)
		}
		if err := yaml.Unmarshal([]byte(quoted), &fromYAML); err != nil || fromYAML != text {
			t.Fatalf("YAML reads %q from %s (%v)", fromYAML, quoted, err)
		}
	})
}
