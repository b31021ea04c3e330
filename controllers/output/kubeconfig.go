// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"maps"
	"slices"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format Kubeconfig: one data key that holds a kubeconfig.

func renderKubeconfig(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (Rendered, error) {
	data, err := kubeconfig.Render(facts.ClusterName(o), c)
	if err != nil {
		return Rendered{}, err
	}
	return Rendered{
		Type: TypeOf(o),
		Data: map[string]issuer.Sensitive{kubeconfigKey(o): data},
	}, nil
}

func readKubeconfig(data map[string][]byte, o v1alpha1.Output, _ Facts) (kubeconfig.Credential, error) {
	key := kubeconfigKey(o)
	if len(data[key]) == 0 {
		return kubeconfig.Credential{}, &MissingKeyError{Key: key}
	}
	return kubeconfig.Read(data[key])
}

func kubeconfigKey(o v1alpha1.Output) string {
	return cmp.Or(o.Key, v1alpha1.DefaultSecretKey)
}

// Search looks for a kubeconfig of ours under any key of a Secret, and returns its credential, the
// first in the order of the keys, with its key. It is for a Secret of ours whose
// output now says another key: what it holds serves on, and no certificate is asked for.
func Search(data map[string][]byte) (c kubeconfig.Credential, key string, found bool) {
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if c, err := kubeconfig.Read(data[key]); err == nil {
			return c, key, true
		}
	}
	return kubeconfig.Credential{}, "", false
}
