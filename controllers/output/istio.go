// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format Istio: a remote secret of istiod (istio/pkg/kube/multicluster/secretcontroller.go), which takes every data key
// for the id of a cluster.

const (
	labelIstioMultiCluster = "istio/multiCluster"
	annotationIstioCluster = "networking.istio.io/cluster"
)

func renderIstio(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (Rendered, error) {
	id := facts.ClusterName(o)
	data, err := kubeconfig.Render(id, c)
	if err != nil {
		return Rendered{}, err
	}
	return Rendered{
		Type: TypeOf(o), Data: map[string]issuer.Sensitive{id: data},
		Labels:      map[string]string{labelIstioMultiCluster: "true"},
		Annotations: map[string]string{annotationIstioCluster: id},
	}, nil
}

func readIstio(data map[string][]byte, o v1alpha1.Output, facts Facts) (kubeconfig.Credential, error) {
	id := facts.ClusterName(o)
	if _, found := data[id]; !found && len(data) == 1 {
		for other := range data { // the cluster was called otherwise
			id = other
		}
	}
	return readKubeconfig(data, v1alpha1.Output{Key: id}, Facts{})
}
