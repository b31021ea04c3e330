// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"strings"
	"testing"
	"text/template"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// byTextTemplate has text/template run what run does.
func byTextTemplate(p program, inputs map[string]string, w *work) (string, error) {
	counted := func(name string, f func(string) (string, error)) func(string) (string, error) {
		return func(text string) (string, error) {
			result, err := f(text)
			if err != nil {
				return "", err
			}
			return result, w.room(name, len(text), len(result))
		}
	}
	functions := template.FuncMap{
		"b64enc": counted("b64enc", b64enc), "sha256sum": counted("sha256sum", sha256sum), "lower": counted("lower", lower),
		"trim": counted("trim", trim), "toJson": counted("toJson", jsonText), "quote": counted("quote", jsonText),
		"urlquery": counted("urlquery", urlquery), "host": counted("host", hostOf), "port": counted("port", portOf),
		"indent": w.indent, "nindent": w.nindent, "replace": w.replace, "trimSuffix": w.trimSuffix, "pemJoin": w.pemJoin,
		"default": orDefault, "kubeconfig": w.kubeconfig, "pkcs12": w.pkcs12,
	}
	t, err := template.New(treeName).Option("missingkey=error").Funcs(functions).AddParseTree(treeName, p.tree)
	if err != nil {
		return "", err
	}
	var out writer
	err = t.Execute(&out, inputs)
	if err == nil {
		err = (&written{work: w}).write(out.text.String())
	}
	return out.text.String(), err
}

// writer takes as much as could ever be published, and a little more.
type writer struct{ text strings.Builder }

func (w *writer) Write(p []byte) (int, error) {
	if w.text.Len()+len(p) > maxOutputBytes+1 {
		return 0, refusal("too much")
	}
	return w.text.Write(p)
}

// sameAsTextTemplate runs templates in both ways.
func sameAsTextTemplate(t *testing.T, c kubeconfig.Credential, entries []entry) {
	t.Helper()
	inputs := inputsFor(t, c)
	ours, theirs := newWork(c, "fleet-prod-1"), newWork(c, "fleet-prod-1")
	for _, e := range entries {
		for _, p := range []program{e.key, e.value} {
			got, err := p.run(inputs, ours)
			want, refused := byTextTemplate(p, inputs, theirs)
			if (err == nil) != (refused == nil) {
				t.Fatalf("%q is refused by one only: here with %v, by text/template: %t", e.source, err, refused != nil)
			}
			if err != nil {
				return // what is left to do is another number then
			}
			if got != want {
				t.Fatalf("%q gives another text", e.source)
			}
		}
	}
}

// meanings are about what text/template makes of its language.
var meanings = []string{
	// Variables: those of a branch end with it, and an assignment reaches the innermost of a name.
	`{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ $x := "c" }}{{ $x = "d" }}{{ $x }}{{ end }}{{ $x }}`,
	`{{ $x := 1 }}{{ with $y := "a" }}{{ $y }}{{ $x = 2 }}{{ . }}{{ else }}{{ $y }}{{ end }}{{ $x }}`,
	`{{ if $x := "" }}a{{ else if $y := len $x }}b{{ else }}{{ len $x }}{{ $y }}{{ end }}`,
	`{{ $x := "a" }}{{ $x := len $x }}{{ $x }}{{ ($x) }}`, `{{ ($x := "a") }}{{ $x }}`, `{{ lower ($x := "A") }}{{ $x }}`,
	`{{ $x = 1 }}`, `{{ with $x = 1 }}{{ end }}`, `{{ and 0 ($x = 1) }}{{ $x }}`, `{{ and 0 ($x := 1) }}{{ $x }}`,
	// What is true, and what and, or give.
	`{{ if 0 }}a{{ else if "" }}b{{ else if false }}c{{ else if 0x0 }}d{{ else if index "\x00" 0 }}e{{ else }}f{{ end }}`,
	`{{ and 1 "a" }}{{ and "" 1 }}{{ or 0 "" false }}{{ or 0 "b" (index "" 9) }}{{ and false (index "" 9) }}{{ not 1 }}{{ not "" }}`,
	`{{ "a" | and 1 }}{{ "a" | and 0 }}{{ "" | or 0 }}{{ 1 | or "a" }}{{ and true | not }}`,
	// Comparisons.
	`{{ eq 1 2 1 }}{{ eq "a" "b" "a" }}{{ eq true false true }}{{ eq (index "a" 0) 97 }}{{ eq 'a' (index "a" 0) }}{{ ne "a" "b" }}`,
	`{{ lt 1 2 }}{{ lt "a" "b" }}{{ le 2 2 }}{{ gt 2 1 }}{{ ge 2 3 }}{{ lt -1 (index "a" 0) }}{{ gt (index "b" 0) (index "a" 0) }}`,
	`{{ eq 1 "a" }}`, `{{ eq 1 1 "a" }}`, `{{ lt true true }}`, `{{ ne "a" }}`, `{{ eq true 1 }}`, `{{ le "a" 1 }}`, `{{ ge false "" }}`, `{{ ne true true }}`,
	// Parts of texts.
	`{{ index "abc" 1 }}{{ index "abc" (index "\x01" 0) }}{{ index 3 }}{{ index true }}{{ slice "abc" }}{{ slice "abc" 1 }}{{ slice "abc" 1 1 }}{{ slice "abc" 3 }}`,
	`{{ index "a" 1 }}`, `{{ index 1 0 }}`, `{{ index "a" "a" }}`, `{{ index "a" 0 0 }}`, `{{ slice "abc" 2 1 }}`, `{{ slice "abc" 0 4 }}`, `{{ slice 1 }}`,
	`{{ slice "abc" 0 1 2 }}`, `{{ slice "abc" true }}`, `{{ len 1 }}`, `{{ len (index "a" 0) }}`, `{{ index "a" -1 }}`,
	// Numbers and arguments.
	`{{ 0x1F }}{{ 0b11 }}{{ 0o17 }}{{ 1_000 }}{{ -7 }}{{ +7 }}{{ 'a' }}{{ '\n' }}{{ true }}{{ "a" }}{{ len "é" }}`, `{{ 9223372036854775807 }}`,
	`{{ indent (index "\x02" 0) "a" }}`, `{{ indent (len "ab") "a" }}`, `{{ indent 'a' "b" }}`, `{{ "a" | indent 2 }}`, `{{ 2 | indent "a" }}`, `{{ lower 1 }}`, `{{ 1 | lower }}`,
	`{{ lower }}`, `{{ lower "a" "b" }}`, `{{ "a" | lower "b" }}`, `{{ and }}`, `{{ or | not }}`, `{{ pemJoin }}{{ pemJoin "a" "b" | len }}`, `{{ pemJoin "a" 1 }}`, `{{ replace "a" "b" }}`,
	`{{ "A" | lower | len }}`, `{{ lower | len }}`, `{{ lower (trim " A ") }}`, `{{ len (kubeconfig) }}{{ len kubeconfig }}`, `{{ kubeconfig "server" }}`, `{{ .server | .server }}`,
	`{{ "a" "b" }}`, `{{ $x := "a" }}{{ $x "b" }}`, `{{ (lower "A") "b" }}`, `{{ "a" | (lower "A") }}`, `{{ .server "a" }}`, `{{ with "a" }}{{ . "b" }}{{ end }}`, `{{ true false }}`,
	// Where the dot is.
	`{{ with .proxyURL }}{{ . }}{{ else with .region }}{{ . }}{{ with 1 }}{{ . }}{{ end }}{{ . }}{{ end }}{{ .region }}`, `{{ with "a" }}{{ if . }}{{ . }}{{ $.region }}{{ end }}{{ end }}`,
	// Blanks and comments.
	"a {{- /* c */ -}} b {{- 1 -}} c\n{{ 2 }}", `{{ "" }}`, "",
}

func TestTemplatesMeanWhatTextTemplateMakesOfThem(t *testing.T) {
	c := credential(t)
	for _, text := range meanings {
		entries, err := parseEntries(&v1alpha1.OutputTemplate{Data: data{"a": v1alpha1.TemplateText(text)}})
		if err != nil {
			t.Fatal(err)
		}
		sameAsTextTemplate(t, c, entries)
	}
}

func TestAFunctionThatPanicsIsARefusal(t *testing.T) {
	got, err := guarded(func([]value) (value, error) { panic("a value") }, nil)
	if got != nil || err != refusal(cannotRun) { //nolint:errorlint // it is exactly this one
		t.Errorf("got %v, %v", got, err)
	}
}

// FuzzTemplateMeaning has any two templates run after each other.
func FuzzTemplateMeaning(f *testing.F) {
	for _, text := range meanings {
		f.Add(text, "{{ .kubeconfig | b64enc }}")
	}
	for _, seed := range templateSeeds {
		f.Add(seed.value, seed.key)
	}
	c := credential(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		entries, err := parseEntries(&v1alpha1.OutputTemplate{Data: data{"a": v1alpha1.TemplateText(a), "b": v1alpha1.TemplateText(b)}})
		if err == nil {
			sameAsTextTemplate(t, c, entries)
		}
	})
}
