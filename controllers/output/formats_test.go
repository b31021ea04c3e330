// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// shape is all that a consumer goes by, besides what the keys hold.
type shape struct {
	Type                corev1.SecretType
	Keys                []string
	Labels, Annotations map[string]string
}

// Each consumer takes exactly these keys, by exactly this metadata.
func TestEveryFormatHasItsShape(t *testing.T) {
	tests := map[string]struct {
		output v1alpha1.Output
		want   shape
	}{
		"Kubeconfig": {
			v1alpha1.Output{SecretName: "s"},
			shape{Type: "Opaque", Keys: []string{"value"}},
		},
		"ArgoCD": {
			v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatArgoCD},
			shape{
				Type: "Opaque", Keys: []string{"config", "name", "server"},
				Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster"},
			},
		},
		"ArgoCD with every option and the labels of the user": {
			v1alpha1.Output{
				SecretName: "s", Format: v1alpha1.FormatArgoCD, Labels: map[string]v1alpha1.LabelValue{"env": "prod"},
				ArgoCD: &v1alpha1.ArgoCDOptions{Project: "p", Namespaces: []string{"a"}, ClusterResources: new(false)},
			},
			shape{
				Type: "Opaque", Keys: []string{"clusterResources", "config", "name", "namespaces", "project", "server"},
				Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster", "env": "prod"},
			},
		},
		"ClusterAPI": {
			v1alpha1.Output{SecretName: "prod-1-kubeconfig", Format: v1alpha1.FormatClusterAPI},
			shape{
				Type: "cluster.x-k8s.io/secret", Keys: []string{"value"},
				Labels: map[string]string{"cluster.x-k8s.io/cluster-name": "prod-1"},
			},
		},
		"Istio": {
			v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatIstio, ClusterName: "prod-1"},
			shape{
				Type: "Opaque", Keys: []string{"prod-1"},
				Labels:      map[string]string{"istio/multiCluster": "true"},
				Annotations: map[string]string{"networking.istio.io/cluster": "prod-1"},
			},
		},
		"KubeVela": {
			v1alpha1.Output{SecretName: "prod-1", Format: v1alpha1.FormatKubeVela},
			shape{
				Type: "Opaque", Keys: []string{"ca.crt", "endpoint", "tls.crt", "tls.key"},
				Labels: map[string]string{"cluster.core.oam.dev/cluster-credential-type": "X509Certificate"},
			},
		},
		"TLS": {
			v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatTLS},
			shape{Type: "kubernetes.io/tls", Keys: []string{"ca.crt", "tls.crt", "tls.key"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Render(credential(t), test.output, testFacts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, shapeOf(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Argo CD writes the same bytes when somebody edits the cluster there, so that the two do not take turns.
func TestArgoCDsConfigIsAsArgoCDWritesIt(t *testing.T) {
	c := credential(t)
	r, err := Render(c, v1alpha1.Output{SecretName: "s", Format: v1alpha1.FormatArgoCD}, testFacts)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	want := fmt.Sprintf(`{"tlsClientConfig":{"insecure":false,"certData":%q,"keyData":%q,"caData":%q}}`,
		b64(c.CertPEM), b64(c.KeyPEM.Reveal()), b64(c.CAPEM))
	if string(r.Data["config"].Reveal()) != want || string(r.Data["server"].Reveal()) != c.Server ||
		string(r.Data["name"].Reveal()) != "prod-1" {
		t.Error("config, server and name are not as Argo CD wants them")
	}
}

func TestWhatIsNotWholeIsNotRead(t *testing.T) {
	c := credential(t)
	for name, o := range formats {
		r, err := Render(c, o, testFacts)
		if err != nil {
			t.Fatal(err)
		}
		for key := range r.Data {
			data := stored(r)
			delete(data, key)
			_, err := Read(data, o, testFacts)
			missing, ok := errors.AsType[*MissingKeyError](err)
			// Without a CA, cluster-gateway does not verify; nobody but the operator reads such a thing back.
			optional := slices.Contains([]string{argoCDName, argoCDProject, argoCDNamespace, argoCDResources, caCertKey}, key)
			if optional != (err == nil) || !optional && (!ok || missing.Key != key) {
				t.Errorf("%s without %s: %v", name, key, err)
			}
		}
	}
	_, err := Read(nil, v1alpha1.Output{Format: v1alpha1.FormatTLS}, Facts{Name: "a"})
	if _, ok := errors.AsType[*PartialFormatError](err); !ok || IsWhole(v1alpha1.Output{Format: v1alpha1.FormatTLS}) || !IsWhole(v1alpha1.Output{}) {
		t.Errorf("TLS: %v", err)
	}
}

// What somebody else has put there is not taken for ours.
func TestAConfigThatIsNotOursIsNotRead(t *testing.T) {
	c := credential(t)
	for name, config := range map[string]string{
		"no JSON": "x", "raw PEM": `{"tlsClientConfig":{"certData":"-----BEGIN"}}`, "empty": "{}",
		"certificates at the top": `{"certData":"eA==","keyData":"eA==","caData":"eA=="}`,
	} {
		data := map[string][]byte{"server": []byte(c.Server), "config": []byte(config)}
		_, err := Read(data, v1alpha1.Output{Format: v1alpha1.FormatArgoCD}, Facts{Name: "a"})
		_, unreadable := errors.AsType[*UnreadableKeyError](err)
		_, invalid := errors.AsType[*kubeconfig.Invalid](err)
		if !unreadable && !invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryFormatCarriesTheWholeWayToTheServer(t *testing.T) {
	ways := map[string]func(*kubeconfig.Endpoint){
		"a proxy":         func(e *kubeconfig.Endpoint) { e.ProxyURL = "http://proxy.example.com:3128" },
		"no verification": func(e *kubeconfig.Endpoint) { e.Insecure, e.CAPEM = true, nil },
		"a server name":   func(e *kubeconfig.Endpoint) { e.TLSServerName = "kubernetes.default" },
	}
	for way, change := range ways {
		c := credential(t)
		change(&c.Endpoint)
		for name, o := range formats {
			r, err := Render(c, o, testFacts)
			if o.Format == v1alpha1.FormatKubeVela && c.TLSServerName != "" {
				if _, ok := errors.AsType[*UnsupportedError](err); !ok {
					t.Errorf("%s with %s: %v", name, way, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Read(stored(r), o, testFacts); err != nil || !reflect.DeepEqual(c, got) {
				t.Errorf("%s with %s is not read back (%v)", name, way, err)
			}
			if _, hasCA := r.Data[caCertKey]; c.Insecure && hasCA {
				t.Errorf("%s has a CA, which would turn verification on again", name)
			}
		}
	}
}

func TestWhateverHoldsTheWholeIsRecovered(t *testing.T) {
	c := credential(t)
	for name, o := range formats {
		r, err := Render(c, o, testFacts)
		if err != nil {
			t.Fatal(err)
		}
		if got, found := Recover(stored(r)); !found || !reflect.DeepEqual(c, got) {
			t.Errorf("%s is not recovered", name)
		}
	}
	if _, found := Recover(map[string][]byte{"server": []byte("https://a:1"), "config": []byte("{}"), "tls.crt": []byte("x")}); found {
		t.Error("something else is taken for a credential")
	}
}
