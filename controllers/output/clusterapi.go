// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format ClusterAPI: the kubeconfig Secret of a Cluster of Cluster API (cluster-api/docs/book/src/developer/providers/
// contracts/control-plane.md, "Cluster kubeconfig management"). The managers find it by label, by its name, and by its type.

const (
	labelClusterAPICluster = "cluster.x-k8s.io/cluster-name"
	typeClusterAPI         = corev1.SecretType("cluster.x-k8s.io/secret")
)

func renderClusterAPI(c kubeconfig.Credential, o v1alpha1.Output, _ Facts) (Rendered, error) {
	cluster := ClusterAPICluster(o)
	data, err := kubeconfig.Render(cluster, c)
	if err != nil {
		return Rendered{}, err
	}
	return Rendered{
		Type: TypeOf(o), Data: map[string]issuer.Sensitive{v1alpha1.DefaultSecretKey: data},
		Labels: map[string]string{labelClusterAPICluster: cluster},
	}, nil
}

// ClusterAPICluster is the Cluster whose kubeconfig Secret an output names: <cluster>-kubeconfig.
func ClusterAPICluster(o v1alpha1.Output) string {
	return cmp.Or(o.ClusterName, strings.TrimSuffix(o.SecretName, v1alpha1.DefaultSecretSuffix))
}

func readClusterAPI(data map[string][]byte, _ v1alpha1.Output, _ Facts) (kubeconfig.Credential, error) {
	return readKubeconfig(data, v1alpha1.Output{}, Facts{})
}
