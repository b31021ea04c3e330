// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// Parse checks what a cloud sent, at most 1 MiB of JSON or YAML, at the time now.
//
// Contexts are found over their links to cluster and user; the current context is
// not trusted (with an EIP, CCE names the one that skips TLS verification). A context
// that cannot be used is left out, and so is everything that is not in Answer: exec,
// tokens, files, proxies, impersonation, extensions. The rest is refused with an
// *Invalid: no usable context, more than one identity, a certificate or key that
// Kubernetes would not take, one that is not valid at now.
func Parse(raw issuer.Sensitive, now time.Time) (Answer, error) {
	sent, err := load(raw.Reveal())
	if err != nil {
		return Answer{}, err
	}
	offers, err := usable(sent)
	if err != nil {
		return Answer{}, err
	}
	user := offers[0].user
	contexts := make([]Context, 0, len(offers))
	for _, offer := range offers {
		if !bytes.Equal(offer.user.ClientCertificateData, user.ClientCertificateData) ||
			!bytes.Equal(offer.user.ClientKeyData, user.ClientKeyData) {
			return Answer{}, invalid("the contexts of the kubeconfig have different client certificates or keys")
		}
		contexts = append(contexts, offer.context)
	}
	identity, err := NewIdentity(user.ClientCertificateData, user.ClientKeyData)
	if err != nil {
		return Answer{}, err
	}
	if err := identity.validAt(now); err != nil {
		return Answer{}, err
	}
	return Answer{Contexts: contexts, Identity: identity}, nil
}
