// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"testing"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// benchOutputs are what people write; the template is that of docs/consumers.md.
var benchOutputs = []struct {
	name string
	v1alpha1.Output
}{
	{"kubeconfig", v1alpha1.Output{SecretName: "s"}},
	{"argocd", v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatArgoCD, Labels: map[string]v1alpha1.LabelValue{"env": "prod"}}},
	{"clusterapi", v1alpha1.Output{SecretName: "prod-1-kubeconfig", Format: v1alpha1.FormatClusterAPI}},
	{"istio", v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatIstio}},
	{"kubevela", v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatKubeVela}},
	{"tls", v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatTLS}},
	{"template", templateOutput(data{
		"client.pem":  `{{ pemJoin .certPEM .keyPEM }}`,
		"values.json": `{"server":{{ toJson .server }},"ca":{{ .caPEM | b64enc | quote }},"expires":{{ quote .notAfter }}}`,
		`{{ .clusterName | replace "/" "-" }}.yaml`: `{{ kubeconfig "clusterName" "prod" }}`,
	})},
	{"template-one-input", templateOutput(data{"server": "{{ .server }}"})},
	{"template-pkcs12", templateOutput(data{"store.p12": `{{ pkcs12 "changeit" }}`})},
}

func BenchmarkRender(b *testing.B) {
	c := credential(b)
	for _, test := range benchOutputs {
		b.Run("format="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Render(c, test.Output, someFacts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead is for the formats that hold the whole credential: where the output is known, and where it is not any more.
func BenchmarkRead(b *testing.B) {
	c := credential(b)
	for _, test := range benchOutputs {
		if !IsWhole(test.Output) {
			continue
		}
		r, err := Render(c, test.Output, someFacts)
		if err != nil {
			b.Fatal(err)
		}
		secret := stored(r)
		b.Run("format="+test.name+"/output=known", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(secret, test.Output, someFacts); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("format="+test.name+"/output=unknown", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, found := Recover(secret); !found {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
