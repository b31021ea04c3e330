// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format KubeVela: a cluster of cluster-gateway (cluster-gateway/pkg/apis/cluster/v1alpha1/
// clustergateway_types_secret.go), which is called like its Secret.

const (
	labelKubeVelaCredential = "cluster.core.oam.dev/cluster-credential-type"
	kubeVelaX509            = "X509Certificate"
	kubeVelaEndpoint        = "endpoint"
	kubeVelaProxy           = "proxy-url"
	caCertKey               = "ca.crt"
)

func renderKubeVela(c kubeconfig.Credential, o v1alpha1.Output, _ Facts) (Rendered, error) {
	if err := c.CheckForm(); err != nil {
		return Rendered{}, err
	}
	if c.TLSServerName != "" {
		return Rendered{}, &UnsupportedError{Format: o.Format, Field: "spec.endpoint.tlsServerName"}
	}
	data := pemFiles(c)
	data[kubeVelaEndpoint] = issuer.Sensitive(c.Server)
	addIfSet(data, kubeVelaProxy, c.ProxyURL)
	return Rendered{
		Type: TypeOf(o), Data: data, Labels: map[string]string{labelKubeVelaCredential: kubeVelaX509},
	}, nil
}

func readKubeVela(data map[string][]byte, _ v1alpha1.Output, _ Facts) (kubeconfig.Credential, error) {
	for _, key := range []string{kubeVelaEndpoint, corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if len(data[key]) == 0 {
			return kubeconfig.Credential{}, &MissingKeyError{Key: key}
		}
	}
	return kubeconfig.Assemble(kubeconfig.Endpoint{
		Server: string(data[kubeVelaEndpoint]), CAPEM: data[caCertKey], ProxyURL: string(data[kubeVelaProxy]),
		Insecure: len(data[caCertKey]) == 0, // how cluster-gateway tells
	}, data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey])
}

// pemFiles are certificate, key and CA under the names that Kubernetes gives them; without a CA, none.
func pemFiles(c kubeconfig.Credential) map[string]issuer.Sensitive {
	data := map[string]issuer.Sensitive{
		corev1.TLSCertKey: issuer.Sensitive(c.CertPEM), corev1.TLSPrivateKeyKey: c.KeyPEM,
	}
	addIfSet(data, caCertKey, string(c.CAPEM))
	return data
}
