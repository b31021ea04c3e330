// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

var someFacts = Facts{
	ClusterID: "1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f", ProjectID: "0f2b", Region: "eu-west-101", Access: "Internal",
	Name: "prod-1", Namespace: "fleet",
}

type data = map[string]v1alpha1.TemplateText

func templateOutput(d data) v1alpha1.Output {
	return v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatTemplate, Template: &v1alpha1.OutputTemplate{Data: d}}
}

func rendered(t testing.TB, c kubeconfig.Credential, d data) map[string]string {
	t.Helper()
	r, err := renderTemplate(c, templateOutput(d), someFacts)
	if err != nil {
		t.Fatal(err)
	}
	if r.Type != corev1.SecretTypeOpaque || r.Labels != nil || r.Annotations != nil {
		t.Errorf("type %s, labels %v, annotations %v", r.Type, r.Labels, r.Annotations)
	}
	got := map[string]string{}
	for key, value := range r.Data {
		got[key] = string(value.Reveal())
	}
	return got
}

// sameTexts compares without showing the values.
func sameTexts(t testing.TB, want, got map[string]string) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("the value of %s is another one", key)
		}
	}
}

func proxied(c kubeconfig.Credential) kubeconfig.Credential {
	c.ProxyURL, c.TLSServerName = "http://proxy.example.com:3128", "kubernetes.default"
	return c
}

func insecure(c kubeconfig.Credential) kubeconfig.Credential {
	c.Insecure, c.CAPEM = true, nil
	return c
}

func TestTemplatesFeedTheConsumersThatHaveNoFormat(t *testing.T) {
	c := credential(t)
	ca, certificate, key := string(c.CAPEM), string(c.CertPEM), string(c.KeyPEM.Reveal())
	named := func(name string) string {
		text, err := kubeconfig.Render(name, c)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, test := range map[string]struct {
		credential kubeconfig.Credential
		data       data
		want       map[string]string
	}{
		"a secret file of Jenkins": {
			c, data{"filename": "kubeconfig", "data": "{{ .kubeconfig }}"},
			map[string]string{"filename": "kubeconfig", "data": named("fleet-prod-1")},
		},
		"an x509ClientCert of Jenkins": {
			c, data{"clientCertificate": "{{ .certPEM }}", "clientKeySecret": "{{ .keyPEM }}", "serverCaCertificate": "{{ .caPEM }}"},
			map[string]string{"clientCertificate": certificate, "clientKeySecret": key, "serverCaCertificate": ca},
		},
		"a member cluster of KubeAdmiral": {
			c, data{"certificate-authority-data": "{{ .caPEM }}", "client-certificate-data": "{{ .certPEM }}", "client-key-data": "{{ .keyPEM }}"},
			map[string]string{"certificate-authority-data": ca, "client-certificate-data": certificate, "client-key-data": key},
		},
		"a key of the cluster's name": {
			c, data{"{{ .clusterName }}": "{{ .kubeconfig }}"},
			map[string]string{"fleet-prod-1": named("fleet-prod-1")},
		},
		"a key that is put together": {
			c, data{`{{ .host | replace "." "-" }}.{{ .region }}`: "x"},
			map[string]string{"192-168-0-64.eu-west-101": "x"},
		},
		"no CA where nothing is verified": {
			insecure(c), data{"ca.crt": "{{ .caPEM }}", "tls.crt": "{{ .certPEM }}", "{{ .proxyURL }}": "{{ .caPEM }}"},
			map[string]string{"tls.crt": certificate},
		},
		"certificate and key in one file": {
			c, data{"pem": "{{ pemJoin .certPEM .keyPEM }}", "chain": `{{ pemJoin (trim .certPEM) "" .caPEM }}`, "none": "{{ pemJoin .proxyURL }}"},
			map[string]string{"pem": certificate + key, "chain": certificate + ca},
		},
		"a kubeconfig of another name": {
			c, data{"value": `{{ kubeconfig "clusterName" "x" }}`}, map[string]string{"value": named("x")},
		},
		"JSON of one's own": {
			c, data{"config": `{"caData":{{ .caPEM | b64enc | quote }},"name":{{ toJson .clusterName }}}`},
			map[string]string{"config": `{"caData":"` + b64(ca) + `","name":"fleet-prod-1"}`},
		},
		"YAML of one's own": {
			c, data{"values.yaml": "ca: |\n{{ trim .caPEM | indent 2 }}\nkey:{{ .serial | nindent 1 }}"},
			map[string]string{"values.yaml": "ca: |\n  " + strings.ReplaceAll(strings.TrimSpace(ca), "\n", "\n  ") + "\nkey:\n 0A"},
		},
		"all that branches": {
			proxied(c), data{"a": `{{ if .proxyURL }}{{ host .proxyURL }} {{ port .proxyURL }}{{ else }}none{{ end }}`,
				"b": `{{ with .proxyURL }}{{ . }} {{ $.server }}{{ end }}`, "c": `{{ $x := .region }}{{ if eq $x "eu-west-101" "b" }}{{ $x = "eu" }}{{ end }}{{ $x }}`,
				"d": `{{ if and .caPEM (not .clusterID) }}a{{ else if or .caPEM .certPEM }}b{{ end }}`, "e": `{{ if gt (len .server) 3 }}{{ slice .server 0 5 }}{{ end }}`},
			map[string]string{"a": "proxy.example.com 3128", "b": "http://proxy.example.com:3128 https://192.168.0.64:5443", "c": "eu", "d": "b", "e": "https"},
		},
		"the other functions": {
			c, data{"a": `{{ lower "AbC" }}{{ trimSuffix ":5443" .server }}`, "b": `{{ .proxyURL | default "none" }} {{ default "none" .region }}`,
				"c": `{{ sha256sum "" }}`, "d": `{{ urlquery "a b&c" }}`, "e": `{{ host .proxyURL }}{{ port .proxyURL }}`, "f": `{{ port "socks5://a" }} {{ port "https://a" }} {{ port "http://a" }} {{ port "x://a" }} {{ host "https://[::1]" }}`,
				"g": `{{ quote "<\"\n\u0085\u2028\U0001F600" }}`, "h": `{{ replace "a" "" "banana" }}`},
			map[string]string{
				"a": "abchttps://192.168.0.64", "b": "none eu-west-101",
				"c": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "d": "a+b%26c", "f": "1080 443 80  ::1",
				"g": `"<\"\n\u0085\u2028` + "\U0001F600\"", "h": "bnn",
			},
		},
		"what stands inside with and after it": {
			c, data{"a": `{{ with .proxyURL }}{{ . }}{{ else with .region }}{{ . }}{{ else }}{{ .server }}{{ end }}{{ .port }}`},
			map[string]string{"a": "eu-west-1015443"},
		},
	} {
		t.Run(name, func(t *testing.T) { sameTexts(t, test.want, rendered(t, test.credential, test.data)) })
	}
}

func TestEveryInputIsDefined(t *testing.T) {
	c := proxied(credential(t))
	all := data{}
	for _, name := range inputNames {
		all[name] = v1alpha1.TemplateText("{{ ." + name + " }}")
	}
	text, err := kubeconfig.Render("fleet-prod-1", c)
	if err != nil {
		t.Fatal(err)
	}
	config, err := argoCDConfigOf(c)
	if err != nil {
		t.Fatal(err)
	}
	got := rendered(t, c, all)
	fromJSON, err := kubeconfig.Read([]byte(got[inputKubeconfigJSON]))
	if err != nil || !reflect.DeepEqual(c, fromJSON) || !json.Valid([]byte(got[inputKubeconfigJSON])) {
		t.Errorf("the kubeconfig in JSON is another one (%v)", err)
	}
	sameTexts(t, map[string]string{
		"server": c.Server, "host": "192.168.0.64", "port": "5443", "caPEM": string(c.CAPEM), "certPEM": string(c.CertPEM),
		"keyPEM": string(c.KeyPEM.Reveal()), "tlsServerName": "kubernetes.default", "proxyURL": "http://proxy.example.com:3128",
		"kubeconfig": string(text), inputKubeconfigJSON: got[inputKubeconfigJSON], "argocdConfig": string(config.Reveal()),
		"clusterName": "fleet-prod-1", "clusterID": someFacts.ClusterID, "projectID": "0f2b", "region": "eu-west-101", "access": "Internal",
		"name": "prod-1", "namespace": "fleet", "notBefore": c.NotBefore.Format(time.RFC3339), "notAfter": c.NotAfter.Format(time.RFC3339),
		"serial": "0A", "fingerprintSHA256": c.Fingerprint, "commonName": "0c97ac3cb280f4d91fa7c0096739e1f8",
	}, got)

	// Nothing known beside the credential: everything is still defined.
	if _, err := renderTemplate(insecure(credential(t)), templateOutput(all), Facts{Namespace: "fleet", Name: "prod-1"}); err != nil {
		t.Error(err)
	}
	o := templateOutput(data{"a": "{{ .clusterName }}"})
	o.ClusterName = "prod"
	if r, err := renderTemplate(c, o, Facts{}); err != nil || string(r.Data["a"].Reveal()) != "prod" {
		t.Errorf("the cluster's name of the output is not taken (%v)", err)
	}
}

func TestAKubeconfigTakesOverrides(t *testing.T) {
	c := proxied(credential(t))
	for name, test := range map[string]struct {
		call   v1alpha1.TemplateText
		entry  string
		change func(*kubeconfig.Endpoint)
	}{
		"none":                   {`kubeconfig`, "fleet-prod-1", func(*kubeconfig.Endpoint) {}},
		"a name":                 {`kubeconfig "clusterName" "x"`, "x", func(*kubeconfig.Endpoint) {}},
		"a server":               {`kubeconfig "server" "https://API.example.com/"`, "fleet-prod-1", func(e *kubeconfig.Endpoint) { e.Server = "https://api.example.com:443" }},
		"a proxy and no name":    {`kubeconfig "proxyURL" "socks5://p" "tlsServerName" ""`, "fleet-prod-1", func(e *kubeconfig.Endpoint) { e.ProxyURL, e.TLSServerName = "socks5://p:1080", "" }},
		"no proxy and some name": {`kubeconfig "proxyURL" "" "tlsServerName" "A.b"`, "fleet-prod-1", func(e *kubeconfig.Endpoint) { e.ProxyURL, e.TLSServerName = "", "a.b" }},
	} {
		t.Run(name, func(t *testing.T) {
			want := c
			test.change(&want.Endpoint)
			text, err := kubeconfig.Render(test.entry, want)
			if err != nil {
				t.Fatal(err)
			}
			sameTexts(t, map[string]string{"a": string(text)}, rendered(t, c, data{"a": "{{ " + test.call + " }}"}))
		})
	}
}

func TestTheSameTemplatesGiveTheSameBytes(t *testing.T) {
	c, all := credential(t), data{"jenkins": `{{ pkcs12 "changeit" }}`, "k": `{{ kubeconfig "clusterName" "x" }}`}
	for _, name := range inputNames {
		all[name] = v1alpha1.TemplateText("{{ ." + name + " }}")
	}
	first := rendered(t, c, all)
	for range 5 {
		sameTexts(t, first, rendered(t, c, maps.Clone(all)))
	}
}

func TestATemplateOfNothingButTheSpecLeavesTheArgumentsAlone(t *testing.T) {
	c := credential(t)
	key, ca := bytes.Clone(c.KeyPEM.Reveal()), bytes.Clone(c.CAPEM)
	o := templateOutput(data{"a": "{{ .keyPEM }}"})
	r, err := renderTemplate(c, o, someFacts)
	if err != nil {
		t.Fatal(err)
	}
	clear(r.Data["a"].Reveal())
	if !bytes.Equal(key, c.KeyPEM.Reveal()) || !bytes.Equal(ca, c.CAPEM) || o.Template.Data["a"] != "{{ .keyPEM }}" {
		t.Error("the arguments were changed through what was rendered")
	}
}

func TestACredentialThatCannotBePublishedIsNotRenderedByTemplates(t *testing.T) {
	c := credential(t)
	c.CertPEM = nil
	r, err := renderTemplate(c, templateOutput(data{"a": "x"}), someFacts)
	if err == nil || err.Error() != "the credential has no client certificate" || r.Data != nil {
		t.Errorf("got %v", err)
	}
}
