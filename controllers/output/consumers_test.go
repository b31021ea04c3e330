// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"crypto/tls"
	"encoding/json"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

const consumerDir = "../../config/samples/consumers"

type texts = map[string]string

// reading is what a consumer does with the Secret.
type reading func(t *testing.T, c kubeconfig.Credential, data map[string][]byte)

// expected is what the consumer of an output needs, and where its repository says so (repository: path).
type expected struct {
	shape
	read    reading
	sources []string
}

// Each consumer of config/samples/consumers gets a Secret of the type, with the keys, labels and annotations by which it finds
// and reads it. A Secret that only carries the primary credential has no source.
var consumers = map[string]map[string]expected{
	"admiralty.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "config"), oneKubeconfig("config", "jobs-prod-1"),
		[]string{"admiraltyio/admiralty: pkg/config/agent/agent.go", "admiraltyio/admiralty: pkg/apis/multicluster/v1alpha1/target_types.go"},
	}},
	"argocd.yaml": {"cluster-prod-1": {
		opaque(texts{"argocd.argoproj.io/secret-type": "cluster", "env": "prod"}, nil, "config", "name", "project", "server"), argoCD("prod-1"),
		[]string{"argoproj/argo-cd: util/db/cluster.go", "argoproj/argo-cd: docs/operator-manual/declarative-setup.md"},
	}},
	"cluster-api.yaml": {"prod-1-kubeconfig": {
		shape{"cluster.x-k8s.io/secret", []string{"value"}, texts{"cluster.x-k8s.io/cluster-name": "prod-1"}, nil}, oneKubeconfig("value", "prod-1"),
		[]string{"kubernetes-sigs/cluster-api: util/secret/consts.go", "kubernetes-sigs/cluster-api: util/kubeconfig/kubeconfig.go"},
	}},
	"cluster-profile.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "value"), oneKubeconfig("value", "cluster-inventory-prod-1"),
		[]string{"kubernetes-sigs/cluster-inventory-api: plugins/kubeconfig-secretreader/cmd/plugin/main.go"},
	}},
	"crossplane.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "kubeconfig"), oneKubeconfig("kubeconfig", "crossplane-system-prod-1"),
		[]string{"crossplane-contrib/provider-kubernetes: pkg/kube/client/client.go"},
	}},
	"external-secrets.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "kubeconfig"), oneKubeconfig("kubeconfig", "external-secrets-prod-1"),
		[]string{"external-secrets/external-secrets: apis/externalsecrets/v1/secretstore_kubernetes_types.go"},
	}},
	"flux.yaml": {"prod-1-kubeconfig": {
		opaque(texts{"reconcile.fluxcd.io/watch": "Enabled"}, nil, "value"), oneKubeconfig("value", "apps-prod-1"),
		[]string{"fluxcd/pkg: runtime/client/impersonator.go", "fluxcd/kustomize-controller: docs/spec/v1/kustomizations.md"},
	}},
	"headlamp.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "config"), oneKubeconfig("config", "prod-1"),
		[]string{"kubernetes-sigs/headlamp: backend/pkg/kubeconfig/watcher.go"},
	}},
	"istio.yaml": {"istio-remote-secret-prod-1": {
		opaque(texts{"istio/multiCluster": "true"}, texts{"networking.istio.io/cluster": "prod-1"}, "prod-1"), oneKubeconfig("prod-1", "prod-1"),
		[]string{"istio/istio: pkg/kube/multicluster/secretcontroller.go", "istio/istio: istioctl/pkg/multicluster/remote_secret.go"},
	}},
	"jenkins.yaml": {
		"prod-1-kubeconfig": {opaque(nil, nil, "value"), oneKubeconfig("value", "jenkins-prod-1"), nil},
		"prod-1-file": {
			opaque(texts{"jenkins.io/credentials-type": "secretFile"}, texts{"jenkins.io/credentials-description": "kubeconfig of prod-1"}, "data", "filename"),
			oneKubeconfig("data", "jenkins-prod-1"),
			[]string{"jenkinsci/kubernetes-credentials-provider-plugin: docs/examples/secretFile.yaml"},
		},
		"prod-1-x509": {
			opaque(texts{"jenkins.io/credentials-type": "x509ClientCert"}, texts{"jenkins.io/credentials-description": "client certificate of prod-1"},
				"clientCertificate", "clientKeySecret", "serverCaCertificate"),
			pemFilesUnder("clientCertificate", "clientKeySecret", "serverCaCertificate"),
			[]string{"jenkinsci/kubernetes-credentials-provider-plugin: docs/examples/x509-client-certificate.yaml"},
		},
		"prod-1-pkcs12": {
			opaque(texts{"jenkins.io/credentials-type": "certificate"}, texts{"jenkins.io/credentials-description": "client certificate of prod-1 (PKCS#12)"},
				"certificate", "password"),
			pkcs12File,
			[]string{"jenkinsci/kubernetes-credentials-provider-plugin: docs/examples/certificate.yaml"},
		},
	},
	"kubeadmiral.yaml": {
		"prod-1-kubeconfig": {opaque(nil, nil, "value"), oneKubeconfig("value", "kube-admiral-system-prod-1"), nil},
		"prod-1": {
			opaque(nil, nil, "certificate-authority-data", "client-certificate-data", "client-key-data"),
			pemFilesUnder("client-certificate-data", "client-key-data", "certificate-authority-data"),
			[]string{"kubewharf/kubeadmiral: pkg/util/cluster/client.go"},
		},
	},
	"kubevela.yaml": {"prod-1": {
		opaque(texts{"cluster.core.oam.dev/cluster-credential-type": "X509Certificate", "cluster.core.oam.dev/cluster-endpoint-type": "Const"}, nil,
			"ca.crt", "endpoint", "tls.crt", "tls.key"),
		pemFilesUnder("tls.crt", "tls.key", "ca.crt"),
		[]string{"oam-dev/cluster-gateway: pkg/apis/cluster/v1alpha1/clustergateway_types_secret.go"},
	}},
	"kueue.yaml": {"prod-1-multikueue": {
		opaque(nil, nil, "kubeconfig"), oneKubeconfig("kubeconfig", "kueue-system-prod-1"),
		[]string{"kubernetes-sigs/kueue: pkg/controller/admissionchecks/multikueue/multikueuecluster.go"},
	}},
	"kurator.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "value"), oneKubeconfig("value", "kurator-system-prod-1"),
		[]string{"kurator-dev/kurator: pkg/apis/cluster/v1alpha1/attached_cluster_types.go"},
	}},
	"liqo.yaml": {"prod-1-kubeconfig": {
		opaque(texts{"liqo.io/remote-cluster-id": "prod-1", "liqo.io/identity-type": "ControlPlane"}, nil, "kubeconfig"),
		oneKubeconfig("kubeconfig", "liqo-tenant-prod-1-prod-1"),
		[]string{"liqotech/liqo: pkg/consts/authentication.go", "liqotech/liqo: pkg/utils/getters/k8sGetters.go"},
	}},
	"multicluster-runtime.yaml": {"prod-1": {
		opaque(texts{"sigs.k8s.io/multicluster-runtime-kubeconfig": "true"}, nil, "kubeconfig"), oneKubeconfig("kubeconfig", "my-operator-prod-1"),
		[]string{"kubernetes-sigs/multicluster-runtime: providers/kubeconfig/provider.go"},
	}},
	"open-cluster-management.yaml": {
		"prod-1-kubeconfig": {opaque(nil, nil, "value"), oneKubeconfig("value", "prod-1-prod-1"), nil},
		"auto-import-secret": {
			shape{"auto-import/kubeconfig", []string{"kubeconfig"}, nil, nil}, oneKubeconfig("kubeconfig", "prod-1-prod-1"),
			[]string{"stolostron/managedcluster-import-controller: pkg/constants/constants.go", "stolostron/managedcluster-import-controller: pkg/helpers/autoimport.go"},
		},
	},
	"people.yaml": {"prod-1-people": {
		opaque(nil, nil, "value"), oneKubeconfig("value", "prod-1"),
		[]string{"kubernetes/client-go: tools/clientcmd/api/v1/types.go"},
	}},
	"prometheus.yaml": {
		"prod-1-kubeconfig": {opaque(nil, nil, "value"), oneKubeconfig("value", "monitoring-prod-1"), nil},
		"prod-1-client": {
			shape{"kubernetes.io/tls", []string{"ca.crt", "tls.crt", "tls.key"}, nil, nil}, pemFilesUnder("tls.crt", "tls.key", "ca.crt"),
			[]string{"prometheus-operator/prometheus-operator: pkg/apis/monitoring/v1/tls_types.go", "prometheus-operator/prometheus-operator: pkg/assets/tls.go"},
		},
	},
	"rancher-fleet.yaml": {"prod-1-kubeconfig": {
		opaque(nil, nil, "value"), oneKubeconfig("value", "fleet-default-prod-1"),
		[]string{"rancher/fleet: internal/cmd/controller/agentmanagement/controllers/cluster/import.go"},
	}},
	"sveltos.yaml": {"prod-1-sveltos-kubeconfig": {
		shape{"addons.projectsveltos.io/cluster-profile", []string{"kubeconfig"}, nil, nil}, oneKubeconfig("kubeconfig", "projectsveltos-prod-1"),
		[]string{"projectsveltos/libsveltos: lib/clusterproxy/clusterproxy.go", "projectsveltos/addon-controller: controllers/clustersummary_predicates.go"},
	}},
}

func TestEveryConsumerGetsWhatItReads(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(consumerDir, "*.yaml"))
	if err != nil || len(files) < len(consumers) {
		t.Fatalf("%d samples for %d consumers (%v)", len(files), len(consumers), err)
	}
	c, next := credential(t), credential(t)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cc := consumerSample(t, file)
			wanted := consumers[filepath.Base(file)]
			var names []string
			for _, o := range cc.Spec.Outputs {
				names = append(names, o.SecretName)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(wanted)), slices.Sorted(slices.Values(names))); diff != "" {
				t.Fatalf("Secrets (-want +got):\n%s", diff)
			}
			if !IsWhole(cc.Spec.Outputs[0]) {
				t.Error("the first output does not hold the whole credential")
			}
			facts := Facts{Namespace: cc.Namespace, Name: cc.Name}
			for _, o := range cc.Spec.Outputs {
				want := wanted[o.SecretName]
				for _, c := range []kubeconfig.Credential{c, next} { // before and after a rotation
					r := renderedSample(t, c, o, facts)
					if diff := cmp.Diff(want.shape, shapeOf(r)); diff != "" {
						t.Errorf("%s, by %v (-want +got):\n%s", o.SecretName, want.sources, diff)
					}
					want.read(t, c, stored(r))
					for range 20 { // consumers compare bytes
						if again := renderedSample(t, c, o, facts); !maps.EqualFunc(stored(r), stored(again), slices.Equal) {
							t.Fatalf("%s: other bytes for the same credential", o.SecretName)
						}
					}
				}
			}
		})
	}
}

// What follows the line "# ---" in a sample is the consumer's own object, ready to be used without the "# ".
func TestTheConsumersObjectReadsTheSecret(t *testing.T) {
	withObject := 0
	for file := range consumers {
		text, err := os.ReadFile(filepath.Join(consumerDir, file))
		if err != nil {
			t.Fatal(err)
		}
		_, commented, found := strings.Cut(string(text), "\n# ---\n")
		if !found {
			continue // it finds the Secret by itself
		}
		withObject++
		var object strings.Builder
		for line := range strings.Lines(commented) {
			object.WriteString(strings.TrimPrefix(line, "# "))
		}
		var decoded struct{ APIVersion, Kind string }
		if err := yaml.UnmarshalStrict([]byte(object.String()), &map[string]any{}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if err := yaml.Unmarshal([]byte(object.String()), &decoded); err != nil || decoded.Kind == "" || decoded.APIVersion == "" {
			t.Errorf("%s: no object: %v", file, err)
		}
		named := func(name string) bool { return strings.Contains(object.String(), name) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(consumers[file])), named) {
			t.Errorf("%s: the %s does not name the Secret", file, decoded.Kind)
		}
	}
	if withObject < 10 {
		t.Errorf("only %d samples have the object of the consumer", withObject)
	}
}

// The page for people shows outputs, too; they render as they stand.
func TestTheOutputsOfThePageRender(t *testing.T) {
	page, err := os.ReadFile("../../docs/consumers.md")
	if err != nil {
		t.Fatal(err)
	}
	outputs := 0
	for i, block := range strings.Split(string(page), "```yaml\n") {
		text, _, _ := strings.Cut(block, "```")
		var cc v1alpha1.ClusterCredential
		if i == 0 || !strings.Contains(text, "outputs:") {
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(text), &cc); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		for _, o := range cc.Spec.Outputs {
			outputs++
			renderedSample(t, credential(t), o, someFacts)
		}
	}
	if outputs < 6 {
		t.Errorf("only %d outputs", outputs)
	}
}

func opaque(labels, annotations texts, keys ...string) shape {
	return shape{Type: "Opaque", Keys: keys, Labels: labels, Annotations: annotations}
}

func shapeOf(r Rendered) shape {
	return shape{r.Type, slices.Sorted(maps.Keys(r.Data)), r.Labels, r.Annotations}
}

func consumerSample(t *testing.T, file string) v1alpha1.ClusterCredential {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cc v1alpha1.ClusterCredential
	if err := yaml.UnmarshalStrict(text, &cc); err != nil {
		t.Fatal(err)
	}
	return cc
}

func renderedSample(t *testing.T, c kubeconfig.Credential, o v1alpha1.Output, facts Facts) Rendered {
	t.Helper()
	r, err := Render(c, o, facts)
	if err != nil {
		t.Fatalf("%s: %v", o.SecretName, err)
	}
	return r
}

// oneKubeconfig says that the key holds a kubeconfig with one cluster, one user and one context of that name, verified, with
// everything inline: what the strictest of the consumers asks for (Kueue's validateKubeconfig, Istio's sanitizeKubeConfig, and
// capi2argo, which reads by position).
func oneKubeconfig(key, name string) reading {
	return func(t *testing.T, c kubeconfig.Credential, data map[string][]byte) {
		t.Helper()
		config, err := clientcmd.Load(data[key])
		if err != nil {
			t.Fatal(err)
		}
		cluster, user, context := config.Clusters[name], config.AuthInfos[name], config.Contexts[name]
		if len(config.Clusters) != 1 || len(config.AuthInfos) != 1 || len(config.Contexts) != 1 || config.CurrentContext != name ||
			cluster == nil || user == nil || context == nil || context.Cluster != name || context.AuthInfo != name {
			t.Fatalf("it is not one cluster, user and context, all called %s", name)
		}
		address, err := url.Parse(cluster.Server)
		if err != nil || address.Scheme != "https" || net.ParseIP(address.Hostname()) == nil && len(validation.IsDNS1123Subdomain(address.Hostname())) > 0 {
			t.Errorf("the server is %q", cluster.Server)
		}
		if cluster.InsecureSkipTLSVerify || cluster.CertificateAuthority != "" || !slices.Equal(cluster.CertificateAuthorityData, c.CAPEM) {
			t.Error("the server is not verified by the inline CA")
		}
		if len(config.Extensions)+len(cluster.Extensions)+len(user.Extensions)+len(context.Extensions) > 0 {
			t.Error("it has extensions")
		}
		plain := &api.AuthInfo{ClientCertificateData: c.CertPEM, ClientKeyData: c.KeyPEM.Reveal(), LocationOfOrigin: user.LocationOfOrigin, Extensions: user.Extensions}
		if !cmp.Equal(plain, user) { // without showing it
			t.Error("the user has something else than an inline certificate and its key")
		}
	}
}

func argoCD(name string) reading {
	return func(t *testing.T, c kubeconfig.Credential, data map[string][]byte) {
		t.Helper()
		var config argoCDClusterConfig
		if err := json.Unmarshal(data["config"], &config); err != nil {
			t.Fatal("config is no JSON")
		}
		client := config.TLSClientConfig
		if string(data["name"]) != name || string(data["server"]) != c.Server || client.Insecure ||
			!slices.Equal(client.CertData, c.CertPEM) || !slices.Equal(client.KeyData, c.KeyPEM.Reveal()) || !slices.Equal(client.CAData, c.CAPEM) {
			t.Error("name, server or credential is another one")
		}
	}
}

func pemFilesUnder(certificate, key, ca string) reading {
	return func(t *testing.T, c kubeconfig.Credential, data map[string][]byte) {
		t.Helper()
		if _, err := tls.X509KeyPair(data[certificate], data[key]); err != nil {
			t.Error("certificate and key are no pair")
		}
		for name, want := range map[string][]byte{certificate: c.CertPEM, key: c.KeyPEM.Reveal(), ca: c.CAPEM} {
			if !slices.Equal(data[name], want) {
				t.Errorf("%s holds something else", name)
			}
		}
	}
}

func pkcs12File(t *testing.T, c kubeconfig.Credential, data map[string][]byte) {
	t.Helper()
	pair, err := tls.X509KeyPair(c.CertPEM, c.KeyPEM.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	_, certificate, _, err := pkcs12.DecodeChain(data["certificate"], string(data["password"]))
	if err != nil || !certificate.Equal(pair.Leaf) {
		t.Errorf("it does not open with the password beside it, or holds another certificate (%v)", err)
	}
}
