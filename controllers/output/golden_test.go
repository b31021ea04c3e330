// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files")

// golden is what a Secret of each format looks like.
var golden = map[string]v1alpha1.Output{
	"kubeconfig": {SecretName: "s"},
	"argocd": {SecretName: "s", Format: v1alpha1.FormatArgoCD, ArgoCD: &v1alpha1.ArgoCDOptions{
		Project: "fleet", Namespaces: []string{"a", "b"}, ClusterResources: new(false),
	}},
	"clusterapi": {SecretName: "prod-1-kubeconfig", Format: v1alpha1.FormatClusterAPI},
	"istio":      {SecretName: "s", Format: v1alpha1.FormatIstio},
	"kubevela":   {SecretName: "s", Format: v1alpha1.FormatKubeVela},
	"tls":        {SecretName: "s", Format: v1alpha1.FormatTLS},
	"template": {SecretName: "s", Format: v1alpha1.FormatTemplate, Template: &v1alpha1.OutputTemplate{Data: map[string]v1alpha1.TemplateText{
		"url": "{{ .server }}", "login": "{{ .certPEM | b64enc }},{{ .keyPEM | b64enc }}", "ca": "{{ .caPEM | b64enc }}",
	}}},
}

// The bytes of a Secret change with its certificate only, not with the version of the operator.
func TestEveryFormatIsAsItsGoldenFile(t *testing.T) {
	c := credential(t)
	c.CAPEM = credential(t).CAPEM // to tell it from the certificate
	for name, o := range golden {
		rendered, err := Render(c, o, testFacts)
		if err != nil {
			t.Fatal(name, err)
		}
		data := map[string]string{}
		for key, value := range rendered.Data {
			data[key] = string(value.Reveal())
		}
		got, err := yaml.Marshal(map[string]any{
			"type": rendered.Type, "labels": rendered.Labels, "annotations": rendered.Annotations, "data": data,
		})
		if err != nil {
			t.Fatal(err)
		}
		// What differs with every run, since no key is committed.
		for placeholder, data := range map[string][]byte{"<CA>": c.CAPEM, "<CERTIFICATE>": c.CertPEM, "<KEY>": c.KeyPEM.Reveal()} {
			got = bytes.ReplaceAll(got, []byte(base64.StdEncoding.EncodeToString(data)), []byte(placeholder))
			got = bytes.ReplaceAll(got, indented(data), []byte("    "+placeholder+"\n"))
		}
		file := filepath.Join("testdata", name+".golden.yaml")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: run with -update if this is meant: it rewrites every Secret (-want +got):\n%s", name, diff)
		}
	}
}

// indented is a PEM block as YAML has it.
func indented(pem []byte) []byte {
	var lines []byte
	for line := range bytes.Lines(pem) {
		lines = append(append(lines, "    "...), line...)
	}
	return lines
}
