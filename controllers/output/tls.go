// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format TLS: a Secret of type kubernetes.io/tls with the CA beside. It has no server, so it is not the whole credential.

func renderTLS(c kubeconfig.Credential, o v1alpha1.Output, _ Facts) (Rendered, error) {
	if err := c.CheckForm(); err != nil {
		return Rendered{}, err
	}
	return Rendered{Type: TypeOf(o), Data: pemFiles(c)}, nil
}
