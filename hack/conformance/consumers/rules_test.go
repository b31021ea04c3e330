// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package consumers

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clustercredential/operator/hack/conformance/world"
)

// loadKueue restates what Kueue's MultiKueue takes and what it refuses: kueue/pkg/controller/admissionchecks/multikueue/
// multikueuecluster.go, getKubeConfigFromSecret, validateKubeconfig, validateRestConfig and isValidHostname; the key is
// MultiKueueConfigSecretKey of kueue/apis/kueue/v1beta2/multikueue_types.go.
func loadKueue(t *testing.T, w *world.World, secret string) session {
	text, found := secretOf(t, w, secret).Data["kubeconfig"]
	if !found {
		t.Fatal("Kueue finds no kubeconfig")
	}
	file, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, user := range file.AuthInfos {
		if user.TokenFile != "" {
			t.Errorf("Kueue refuses the token file of %s", name)
		}
	}
	for name, cluster := range file.Clusters { // every one of them, not only the current
		if cluster.InsecureSkipTLSVerify || cluster.CertificateAuthority != "" || cluster.Server == "" {
			t.Errorf("Kueue refuses the cluster %s: unverified, a CA by file, or without a server", name)
		}
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	if config.BearerTokenFile != "" || config.Username != "" || config.Password != "" || config.ExecProvider != nil || config.AuthProvider != nil {
		t.Error("Kueue refuses token files, basic authentication and plugins")
	}
	if host := hostOf(t, config.Host); net.ParseIP(host) == nil && len(validation.IsDNS1123Subdomain(strings.ToLower(host))) > 0 {
		t.Errorf("Kueue refuses the host %s", host)
	}
	return sessionOf(t, config, nil)
}

// loadIstio restates how istiod reads a remote secret: istio/pkg/kube/multicluster/secretcontroller.go, addSecret (every key is
// the id of a cluster, whatever it holds), and istio/pkg/kube/util.go, NewUntrustedRestConfig and sanitizeKubeConfig.
func loadIstio(t *testing.T, w *world.World, secret string) session {
	stored := secretOf(t, w, secret)
	if stored.Labels["istio/multiCluster"] != "true" {
		t.Error("istiod looks for the label istio/multiCluster")
	}
	const id = "istio"
	if len(stored.Data) != 1 || len(stored.Data[id]) == 0 {
		t.Fatalf("istiod takes each of the %d keys for a cluster, want only %s", len(stored.Data), id)
	}
	if at := stored.Annotations["networking.istio.io/cluster"]; at != id {
		t.Errorf("the annotation for istioctl names the cluster %q, want %s", at, id)
	}
	file, err := clientcmd.Load(stored.Data[id])
	if err != nil {
		t.Fatal(err)
	}
	if err := clientcmd.Validate(*file); err != nil {
		t.Error(err)
	}
	for name, user := range file.AuthInfos {
		if user.AuthProvider != nil || user.Exec != nil || user.ClientKey != "" || user.ClientCertificate != "" || user.TokenFile != "" {
			t.Errorf("istiod refuses files and plugins of the user %s", name)
		}
	}
	config, err := clientcmd.NewDefaultClientConfig(*file, nil).ClientConfig()
	return sessionOf(t, config, err)
}

// loadKubeVela restates how KubeVela's cluster-gateway reads the Secret of a cluster: cluster-gateway/pkg/apis/cluster/v1alpha1/
// clustergateway_types_secret.go, getEndpointFromSecret and convert, and transport.go there, NewConfigFromCluster.
func loadKubeVela(t *testing.T, w *world.World, secret string) session {
	stored := secretOf(t, w, secret)
	if kind := stored.Labels["cluster.core.oam.dev/cluster-credential-type"]; kind != "X509Certificate" {
		t.Errorf("cluster-gateway sees a credential of the type %q", kind)
	}
	if kind, found := stored.Labels["cluster.core.oam.dev/cluster-endpoint-type"]; found && kind != "Const" {
		t.Errorf("cluster-gateway looks elsewhere for the address: %q", kind)
	}
	endpoint := strings.TrimSuffix(string(stored.Data["endpoint"]), "\n")
	if endpoint == "" {
		t.Fatal("cluster-gateway finds no endpoint")
	}
	if _, found := stored.Data["ca.crt"]; !found {
		t.Error("without ca.crt cluster-gateway does not verify the server")
	}
	return sessionOf(t, &rest.Config{Host: endpoint, TLSClientConfig: rest.TLSClientConfig{
		ServerName: hostOf(t, endpoint), CAData: stored.Data["ca.crt"], CertData: stored.Data["tls.crt"], KeyData: stored.Data["tls.key"],
	}}, nil)
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname()
}
