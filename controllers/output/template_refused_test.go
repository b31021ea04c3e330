// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// refusedAs renders what must be refused, and returns the text of the error.
func refusedAs(t *testing.T, c kubeconfig.Credential, o v1alpha1.Output) string {
	t.Helper()
	r, err := renderTemplate(c, o, someFacts)
	e, ok := errors.AsType[*TemplateError](err)
	if !ok {
		t.Fatalf("got a %T: %v", err, err)
	}
	if r.Data != nil {
		t.Error("an error, and yet something to publish")
	}
	canaryOf(c).check(t, e.Error()+e.Key+e.Detail+fmt.Sprintf("%#v", e))
	return e.Error()
}

// canary are all runs of 8 bytes of the key, in the forms that templates can give it.
type canary map[string]bool

func canaryOf(c kubeconfig.Credential) canary {
	key, found := string(c.KeyPEM.Reveal()), canary{}
	inner := strings.Join(strings.Split(key, "\n")[1:3], "\n") // in small letters, "private key" is a word of ours
	for _, form := range []string{key, base64.StdEncoding.EncodeToString([]byte(key)), strings.ToLower(inner), fmt.Sprintf("%q", key)} {
		for i := 0; i+8 <= len(form); i++ {
			found[form[i:i+8]] = true
		}
	}
	return found
}

func (c canary) check(t *testing.T, text string) {
	t.Helper()
	for i := 0; i+8 <= len(text); i++ {
		if c[text[i:i+8]] {
			t.Fatalf("the text shows a part of the key at byte %d", i)
		}
	}
}

func TestWhatATemplateMustNotDoIsRefused(t *testing.T) {
	c := credential(t)
	someInputs := strings.Join(inputNames, ", ")
	const (
		beyondTheEnd = "the text ends before that, or the first number is after the second; look at its len first"
		notWhole     = "numbers are whole here, and not larger than the machine's; write one such as 10, or a text in quotes"
		noNil        = `nil is no text; write "" for an empty one`
	)
	for name, test := range map[string]struct{ template, want string }{
		"an input that does not exist":     {"{{ .sever }}", "line 1, column 3, at .sever: there is no such input; write one of " + someInputs},
		"one in a branch that is not run":  {"\n{{ if .proxyURL }}{{ .x }}{{ end }}", "line 2, column 21, at .x: there is no such input; write one of " + someInputs},
		"one through $":                    {"{{ $.x }}", "line 1, column 4, at $.x: there is no such input; write one of " + someInputs},
		"a field of an input":              {"{{ .server.host }}", "line 1, column 10, at .server.host: inputs are texts without fields; write .server"},
		"a field of a result":              {"{{ (lower .server).x }}", "line 1, column 18, at (lower .server).x: inputs and results are texts without fields; write the name of an input, such as .server"},
		"a field of a variable":            {"{{ $x := .server }}{{ $x.y }}", "line 1, column 24, at $x.y: variables are texts without fields; write the variable alone"},
		"all inputs":                       {"{{ . }}", "line 1, column 3, at .: all inputs at once are no text; write one of them, such as .server"},
		"all inputs through $":             {"{{ index $ \"keyPEM\" }}", "line 1, column 9, at $: all inputs at once are no text; write one of them, such as $.server"},
		"all inputs after with":            {"{{ with .server }}{{ . }}{{ else }}{{ . }}{{ end }}", "line 1, column 38, at .: all inputs at once are no text; write one of them, such as .server"},
		"an input inside with":             {"{{ with .proxyURL }}{{ .server }}{{ end }}", "line 1, column 23, at .server: inside with, the dot is the value of with; write $.server"},
		"range":                            {"{{ range .server }}x{{ end }}", "line 1, column 9, at .server: range is not for use here, since nothing may loop; write what is wanted once for each"},
		"range over a number":              {"{{ range 1000000000 }}{{ break }}{{ end }}", "line 1, column 9, at 1000000000: range is not for use here, since nothing may loop; write what is wanted once for each"},
		"define":                           {`{{ define "x" }}x{{ end }}`, "define and block are not for use here; write the text where it is wanted"},
		"define of the template itself":    {`{{ define "t" }}{{ template "t" . }}{{ end }}`, "define and block are not for use here; write the text where it is wanted"},
		"block":                            {`{{ block "x" . }}x{{ end }}`, "define and block are not for use here; write the text where it is wanted"},
		"template":                         {`{{ template "t" }}`, `line 1, column 12, at {{template "t"}}: template is not for use here; write the text where it is wanted`},
		"break outside of range":           {"{{ break }}", "it cannot be read as a template: line 1: {{break}} outside {{range}}"},
		"printf":                           {`{{ printf "%999999999d" 1 }}`, `it cannot be read as a template: line 1: function "printf" not defined`},
		"print":                            {`{{ print .server }}`, `it cannot be read as a template: line 1: function "print" not defined`},
		"call":                             {`{{ call .server }}`, `it cannot be read as a template: line 1: function "call" not defined`},
		"html":                             {`{{ html .server }}`, `it cannot be read as a template: line 1: function "html" not defined`},
		"env":                              {`{{ env "HOME" }}`, `it cannot be read as a template: line 1: function "env" not defined`},
		"now":                              {`{{ now }}`, `it cannot be read as a template: line 1: function "now" not defined`},
		"a brace too few":                  {"{{ .server }", `it cannot be read as a template: line 1: unexpected "}" in operand`},
		"a variable that is not set":       {"{{ $x }}", `it cannot be read as a template: line 1: undefined variable "$x"`},
		"an argument too few":              {"{{ replace .keyPEM }}", "line 1, column 3, at replace: wrong number of args for replace: want 3 got 1"},
		"an argument too many":             {"{{ b64enc .keyPEM .keyPEM }}", "line 1, column 3, at b64enc: wrong number of args for b64enc: want 1 got 2"},
		"a number for a text":              {"{{ b64enc (len .server) }}", "line 1, column 11, at len .server: b64enc takes a text there, and this is a number"},
		"a text for a number":              {"{{ indent .keyPEM .keyPEM }}", "line 1, column 10, at .keyPEM: indent takes a number there, and this is a text"},
		"a truth value from a pipe":        {"{{ not .keyPEM | lower }}", "line 1, column 17, at lower: lower takes a text there, and this is a truth value"},
		"an input with an argument":        {"{{ .server .keyPEM }}", "line 1, column 3, at .server: it is no function and takes no argument; write one before it"},
		"an input after a pipe":            {"{{ .keyPEM | .server }}", "line 1, column 13, at .server: it is no function and takes no argument; write one before it"},
		"an index beyond the end":          {"{{ index .keyPEM 99999 }}", "line 1, column 3, at index .keyPEM 99999: the text ends before that; look at its len first"},
		"an index of a byte":               {"{{ index .keyPEM 0 0 }}", "line 1, column 3, at index .keyPEM 0 0: index takes a text and a number"},
		"an index of text":                 {"{{ index .server .keyPEM }}", "line 1, column 3, at index .server .keyPEM: index takes a text and a number"},
		"a slice beyond the end":           {"{{ slice .keyPEM 0 99999 }}", "line 1, column 3, at slice .keyPEM 0 99999: " + beyondTheEnd},
		"a slice before the beginning":     {"{{ slice .keyPEM -1 }}", "line 1, column 3, at slice .keyPEM -1: " + beyondTheEnd},
		"a slice the wrong way round":      {"{{ slice .keyPEM 3 2 }}", "line 1, column 3, at slice .keyPEM 3 2: " + beyondTheEnd},
		"a slice up to a text":             {"{{ slice .keyPEM 0 .server }}", "line 1, column 3, at slice .keyPEM 0 .server: slice takes a text and at most two numbers"},
		"a slice of three numbers":         {"{{ slice .keyPEM 0 1 2 }}", "line 1, column 3, at slice .keyPEM 0 1 2: slice takes a text and at most two numbers"},
		"a text compared with a number":    {"{{ eq .keyPEM 1 }}", "line 1, column 3, at eq .keyPEM 1: only texts are compared with texts, and numbers with numbers"},
		"an order of truth values":         {"{{ lt true false }}", "line 1, column 3, at lt true false: only texts are compared with texts, and numbers with numbers"},
		"nothing to compare with":          {"{{ eq .keyPEM }}", "line 1, column 3, at eq: wrong number of args for eq: want at least 2 got 1"},
		"a broken number":                  {"{{ 1.5 }}", "line 1, column 3, at 1.5: " + notWhole},
		"a whole number with an exponent":  {"{{ 1e3 }}", "line 1, column 3, at 1e3: " + notWhole},
		"a number of sixteen with a sign":  {"{{ -0xE }}", "line 1, column 3, at -0xE: " + notWhole},
		"a number that is too large":       {"{{ 9223372036854775808 }}", "line 1, column 3, at 9223372036854775808: " + notWhole},
		"a variable that is only set":      {"{{ $x = .keyPEM }}", "line 1, column 3, at $x: there is no such variable; write := in place of = where it gets its first value"},
		"another $":                        {"{{ $ := .server }}{{ $ }}", "line 1, column 3, at $: $ stands for the inputs; write another name, such as $x"},
		"$ for something else":             {"{{ $ = .server }}{{ $.server }}", "line 1, column 3, at $: $ stands for the inputs; write another name, such as $x"},
		"nil":                              {"{{ nil }}", "line 1, column 3, at nil: " + noNil},
		"nil as an argument":               {"{{ and .keyPEM nil }}", "line 1, column 15, at nil: " + noNil},
		"a width that is negative":         {"{{ indent -1 .keyPEM }}", "line 1, column 3, at indent -1 .keyPEM: indent and nindent take a width of 0 to 64"},
		"a width that is large":            {"{{ nindent 999999999 .keyPEM }}", "line 1, column 3, at nindent 999999999 .keyPEM: indent and nindent take a width of 0 to 64"},
		"replacing nothing":                {`{{ replace "" "x" .keyPEM }}`, `line 1, column 3, at replace "" "x" .keyPEM: replace needs a text to look for; write one that is not empty`},
		"a host of no URL":                 {"{{ host .keyPEM }}", "line 1, column 3, at host .keyPEM: this is not a URL with a host; write one, such as .server"},
		"a port of no URL":                 {"{{ port .keyPEM }}", "line 1, column 3, at port .keyPEM: this is not a URL with a host; write one, such as .server"},
		"bytes as JSON":                    {`{{ pkcs12 "" | quote }}`, "line 1, column 15, at quote: these bytes are no text; write b64enc before it"},
		"a password without end":           {"{{ pkcs12 .kubeconfig }}", "line 1, column 3, at pkcs12 .kubeconfig: the password of pkcs12 is longer than 256 bytes; write a shorter one"},
		"a password of no plain letters":   {`{{ pkcs12 "😀" }}`, `line 1, column 3, at pkcs12 "😀": the PKCS#12 file cannot be written; write a password of plain letters, digits and signs`},
		"a kubeconfig of half a pair":      {`{{ kubeconfig "server" }}`, `line 1, column 3, at kubeconfig "server": kubeconfig takes pairs of a name and a text; write both, such as kubeconfig "clusterName" "prod-1"`},
		"a kubeconfig told twice":          {`{{ kubeconfig "server" "https://a" "server" "https://b" }}`, `line 1, column 3, at kubeconfig "server" "https://a" "server" "https://b": kubeconfig is told the same thing twice; write it once`},
		"a kubeconfig of another user":     {`{{ kubeconfig "token" .keyPEM }}`, `line 1, column 3, at kubeconfig "token" .keyPEM: kubeconfig can be told clusterName, server, proxyURL and tlsServerName; write one of these before each text`},
		"a kubeconfig without a server":    {`{{ kubeconfig "server" "" }}`, `line 1, column 3, at kubeconfig "server" "": the server of kubeconfig is not https://host:port; write it so`},
		"a kubeconfig of a strange server": {`{{ kubeconfig "server" .keyPEM }}`, `line 1, column 3, at kubeconfig "server" .keyPEM: the server of kubeconfig is not https://host:port; write it so`},
		"a kubeconfig of a strange proxy":  {`{{ kubeconfig "proxyURL" .keyPEM }}`, `line 1, column 3, at kubeconfig "proxyURL" .keyPEM: the proxyURL of kubeconfig is not http://host:port, https://host:port or socks5://host:port; write it so`},
		"a kubeconfig of a strange name":   {`{{ kubeconfig "tlsServerName" .keyPEM }}`, `line 1, column 3, at kubeconfig "tlsServerName" .keyPEM: the tlsServerName of kubeconfig is not a DNS name or an IP address; write one`},
		"a kubeconfig of strange entries":  {`{{ kubeconfig "clusterName" .keyPEM }}`, `line 1, column 3, at kubeconfig "clusterName" .keyPEM: the name for the kubeconfig's entries is not letters and digits with -._:@/ between them`},
	} {
		t.Run(name, func(t *testing.T) {
			want := `spec.outputs[].template.data["a"]: ` + test.want
			if diff := cmp.Diff(want, refusedAs(t, c, templateOutput(data{"a": v1alpha1.TemplateText(test.template)}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEntriesThatMakeNoSecretAreRefused(t *testing.T) {
	c := credential(t)
	many := data{}
	for i := range 33 {
		many[fmt.Sprint(i)] = "x"
	}
	const noKey = "the key does not come out as a Secret key; write at most 253 letters, digits, '-', '_' and '.', " +
		`with replace where an input has others, such as {{ .clusterName | replace "/" "-" }}`
	for name, test := range map[string]struct {
		data data
		want string
	}{
		"none":                      {nil, ": the format Template needs at least one entry; write one, such as kubeconfig: '{{ .kubeconfig }}'"},
		"too many":                  {many, ": there are 33 entries; write at most 32"},
		"values that are all empty": {data{"a": "", "{{ .name }}": "{{ .proxyURL }}"}, ": it gives no keys, since every value comes out empty; write a value that does not, such as {{ .kubeconfig }}"},
		"two keys that are one":     {data{"prod-1": "x", "{{ .name }}": "y"}, `["{{ .name }}"]: it gives the same key as "prod-1"; write keys that differ`},
		"an empty key":              {data{"{{ .proxyURL }}": "x"}, `["{{ .proxyURL }}"]: the key comes out empty and its value does not; write a key, or a template that gives one`},
		"a key of other characters": {data{"{{ .clusterName }}/x": "x"}, `["{{ .clusterName }}/x"]: ` + noKey},
		"a key of two dots":         {data{"..": "x"}, `[".."]: ` + noKey},
		"a key that comes out long": {data{`{{ .name }}` + strings.Repeat("x", 250): "x"}, `["{{ .name }}` + strings.Repeat("x", 50) + `…"]: ` + noKey},
		"a key that is long":        {data{strings.Repeat("é", 257): "x"}, `["` + strings.Repeat("é", 30) + `…"]: the key is longer than 512 bytes; write a shorter one`},
		"a key that cannot be read": {data{"{{": "x"}, `["{{"]: in the key, it cannot be read as a template: line 1: unclosed action`},
		"a key of the key":          {data{"{{ .keyPEM }}": "x"}, `["{{ .keyPEM }}"]: in the key, line 1, column 3, at .keyPEM: it holds the private key, and the names of keys are shown; write an input that does not, such as .clusterName`},
		"a key of all inputs":       {data{`{{ with 1 }}{{ index $ "keyPEM" }}{{ end }}`: "x"}, `["{{ with 1 }}{{ index $ \"keyPEM\" }}{{ end }}"]: in the key, line 1, column 21, at $: all inputs at once are no text; write one of them, such as $.server`},
		"a key of a function":       {data{`{{ pkcs12 "" }}`: "x"}, `["{{ pkcs12 \"\" }}"]: in the key, it cannot be read as a template: line 1: function "pkcs12" not defined`},
		"a key that fails":          {data{`{{ host .commonName }}`: "x"}, `["{{ host .commonName }}"]: in the key, line 1, column 3, at host .commonName: this is not a URL with a host; write one, such as .server`},
		"a key of many lines":       {data{"a\n\x00": "x"}, `["a  "]: ` + noKey},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff("spec.outputs[].template.data"+test.want, refusedAs(t, c, templateOutput(test.data))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	o := templateOutput(nil)
	o.Template = nil
	refusedAs(t, c, o)
}

// These would take time, memory or stack without end.
func TestWhatWouldTakeMuchIsRefused(t *testing.T) {
	c := credential(t)
	chain := func(n int, link string) v1alpha1.TemplateText {
		return v1alpha1.TemplateText("{{ .kubeconfig " + strings.Repeat(link, n) + "}}")
	}
	fill := func(unit string, close string) v1alpha1.TemplateText {
		n := maxTemplateBytes / (len(unit) + len(close))
		return v1alpha1.TemplateText(strings.Repeat(unit, n) + strings.Repeat(close, n))
	}
	spread := func(n int, text v1alpha1.TemplateText) data {
		d := data{}
		for i := range n {
			d[fmt.Sprintf("a%02d", i)] = text
		}
		return d
	}
	const each, all, deep = " more than 1024 KiB; write less", "the functions read and write more than 16 MiB together; write fewer",
		"parts stand in each other more than 64 deep; write fewer parentheses, if, else if and with"
	for name, test := range map[string]struct {
		data data
		want string
	}{
		"a template of 65 KiB":            {data{"a": v1alpha1.TemplateText(strings.Repeat("x", maxTemplateBytes+1))}, "the template is larger than 64 KiB; write less"},
		"templates of 257 KiB":            {spread(5, v1alpha1.TemplateText(strings.Repeat("x", maxTemplateBytes))), "the templates are larger than 256 KiB together; write less"},
		"parentheses that are not closed": {data{"a": "{{" + v1alpha1.TemplateText(strings.Repeat("(", maxTemplateBytes-2))}, "it cannot be read as a template: line 1: "},
		"parentheses that are closed":     {data{"a": "{{" + fill("(", ")")[2:maxTemplateBytes-3] + "}}"}, "it cannot be read as a template: line 1: "},
		"parentheses, 10000 deep":         {data{"a": v1alpha1.TemplateText("{{" + strings.Repeat("(", 9999) + "1" + strings.Repeat(")", 9999) + "}}")}, deep},
		"if in if":                        {data{"a": fill("{{if 1}}", "{{end}}")}, deep},
		"else if after else if":           {data{"a": "{{if 1}}" + fill("{{else if 1}}", "")[13:] + "{{end}}"}, deep},
		"with in with, not closed":        {data{"a": fill("{{with 1}}", "")}, "it cannot be read as a template: line 1: "},
		"range in range":                  {data{"a": fill("{{range .server}}", "{{end}}")}, "range is not for use here"},
		"define in define":                {data{"a": fill(`{{define "t"}}`, "{{end}}")}, "it cannot be read as a template: line 1: "},
		"a field of a field":              {data{"a": "{{" + fill(".a", "")[4:] + "}}"}, "there is no such input"},
		"an action after another":         {data{"a": fill("{{1}}", "")}, "the templates have more than 4096 parts together; write fewer"},
		"a pipe of many":                  {data{"a": chain(5000, "|trim")}, "the templates have more than 4096 parts together; write fewer"},
		"many parts in many templates":    {spread(32, chain(200, "|trim")), "the templates have more than 4096 parts together; write fewer"},
		"base64 of base64":                {data{"a": chain(60, "|b64enc")}, "b64enc would give" + each},
		"a replacement of every byte":     {data{"a": v1alpha1.TemplateText(`{{ "` + strings.Repeat("x", 60000) + `" | replace "x" .kubeconfig }}`)}, "replace would give" + each},
		"an indent of every byte":         {data{"a": v1alpha1.TemplateText("{{ indent 64 `" + strings.Repeat("\n", 60000) + "` }}")}, "indent would give" + each},
		"joining the joined":              {data{"a": v1alpha1.TemplateText("{{ $x := .kubeconfig }}" + strings.Repeat("{{ $x = pemJoin $x $x $x }}", 9))}, "pemJoin would give" + each},
		"quoting the quoted":              {data{"a": v1alpha1.TemplateText("{{ `" + strings.Repeat(`"`, 60000) + "`" + strings.Repeat("| quote", 20) + " }}")}, "quote would give" + each},
		"hashing again and again":         {data{"a": v1alpha1.TemplateText("{{ $x := `" + strings.Repeat("x", 60000) + "` }}" + strings.Repeat("{{ sha256sum $x }}", 300))}, all},
		"trimming again and again":        {data{"a": v1alpha1.TemplateText("{{ `" + strings.Repeat("x", 60000) + "`" + strings.Repeat("| trim", 300) + " }}")}, all},
		"writing a lot":                   {data{"a": v1alpha1.TemplateText("{{ $x := `" + strings.Repeat("x", 60000) + "` }}" + strings.Repeat("{{ $x }}", 9))}, "the keys and values come out larger than 512 KiB together; write less"},
		"writing a lot in many values":    {spread(18, v1alpha1.TemplateText("{{ $x := `"+strings.Repeat("x", 10000)+"` }}{{ $x }}{{ $x }}{{ $x }}")), "the keys and values come out larger than 512 KiB together; write less"},
		"many kubeconfigs":                {data{"a": v1alpha1.TemplateText(strings.Repeat("{{ kubeconfig }}", 17))}, "kubeconfig is called more than 16 times; put what it gives into a variable"},
		"many PKCS#12 files":              {spread(5, `{{ pkcs12 "x" }}`), "pkcs12 is called more than 4 times; put what it gives into a variable"},
	} {
		t.Run(name, func(t *testing.T) {
			if text := refusedAs(t, c, templateOutput(test.data)); !strings.Contains(text, test.want) || len(text) > 800 {
				t.Errorf("got %d bytes: %.800s", len(text), text)
			}
		})
	}
}

// Every function gets the key in every place here. What text/template makes of it is the same, but for its errors, which quote values.
func TestNoErrorShowsAValue(t *testing.T) {
	c := credential(t)
	canary, inputs := canaryOf(c), inputsFor(t, c)
	secrets := []string{".keyPEM", "(b64enc .keyPEM)", "(quote .keyPEM)", ".kubeconfig", ".argocdConfig", "(index .keyPEM 30)", "(slice .keyPEM 30)", "(lower .keyPEM)"}
	calls := []string{"kubeconfig", "pkcs12", "nosuch", ".server", "$x", "$", "1", `"x"`, "nil", "true"}
	for name := range (&work{}).functions(true) {
		calls = append(calls, name)
	}
	refused := 0
	for _, secret := range secrets {
		for _, call := range calls {
			for _, form := range []string{
				"{{ %s %s }}", "{{ %[2]s | %[1]s }}", "{{ %s %s 1 }}", "{{ %s 1 %s }}", "{{ %s %s %[2]s %[2]s %[2]s }}", "{{ %s %s 99999 }}", `{{ %s "x" %s }}`,
				`{{ %s "server" %s }}`, "{{ %s %s nil }}", "{{ %s %s true }}", "{{ with %[2]s }}{{ %[1]s . 1 }}{{ end }}", "{{ with %[2]s }}{{ .%[1]s }}{{ end }}",
				"{{ $x := %[2]s }}{{ %[1]s $x (len $x) }}", "{{ if %[1]s %[2]s -1 }}{{ end }}", "{{ (%[2]s).%[1]s }}", "{{ %[2]s.x | %[1]s }}",
			} {
				text := fmt.Sprintf(form, call, secret)
				for _, d := range []data{{"a": v1alpha1.TemplateText(text)}, {text: "x"}} {
					entries, err := parseEntries(&v1alpha1.OutputTemplate{Data: d})
					if err == nil {
						sameAsTextTemplate(t, c, entries)
						_, err = execute(entries, inputs, newWork(c, "fleet-prod-1"))
					}
					if err != nil {
						refused++
						canary.check(t, err.Error()+fmt.Sprintf("%#v", err))
					}
				}
			}
		}
	}
	if refused < 2000 {
		t.Errorf("only %d are refused", refused)
	}
}

func inputsFor(t testing.TB, c kubeconfig.Credential) map[string]string {
	t.Helper()
	inputs, err := inputsOf(c, v1alpha1.Output{}, someFacts)
	if err != nil {
		t.Fatal(err)
	}
	return inputs
}

func TestATemplateErrorNamesWhatItIsAbout(t *testing.T) {
	for name, test := range map[string]struct {
		err  TemplateError
		want string
	}{
		"everything":     {TemplateError{Detail: "x"}, "spec.outputs[].template.data: x"},
		"a key":          {TemplateError{Key: "a", Detail: "x"}, `spec.outputs[].template.data["a"]: x`},
		"a key of bytes": {TemplateError{Key: "a\xff\n\u202e", Detail: "x"}, `spec.outputs[].template.data["a?  "]: x`},
		"a key that is cut": {TemplateError{Key: strings.Repeat("€", 30), Detail: "x"},
			`spec.outputs[].template.data["` + strings.Repeat("€", 20) + `…"]: x`},
	} {
		if diff := cmp.Diff(test.want, test.err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
