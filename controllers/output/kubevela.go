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
	caCertKey               = "ca.crt"
)

func renderKubeVela(c kubeconfig.Credential, _ v1alpha1.Output, _ string) (Rendered, error) {
	if err := c.CheckForm(); err != nil {
		return Rendered{}, err
	}
	data := pemFiles(c)
	data[kubeVelaEndpoint] = issuer.Sensitive(c.Server)
	return Rendered{
		Type: corev1.SecretTypeOpaque, Data: data, Labels: map[string]string{labelKubeVelaCredential: kubeVelaX509},
	}, nil
}

func readKubeVela(data map[string][]byte, _ v1alpha1.Output, _ string) (kubeconfig.Credential, error) {
	for _, key := range []string{kubeVelaEndpoint, caCertKey, corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if len(data[key]) == 0 {
			return kubeconfig.Credential{}, &MissingKeyError{Key: key}
		}
	}
	return kubeconfig.Assemble(string(data[kubeVelaEndpoint]), data[caCertKey], data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey])
}

// pemFiles are certificate, key and CA under the names that Kubernetes gives them.
func pemFiles(c kubeconfig.Credential) map[string]issuer.Sensitive {
	return map[string]issuer.Sensitive{
		caCertKey: issuer.Sensitive(c.CAPEM), corev1.TLSCertKey: issuer.Sensitive(c.CertPEM), corev1.TLSPrivateKeyKey: c.KeyPEM,
	}
}
