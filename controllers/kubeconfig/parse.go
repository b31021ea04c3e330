// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"encoding/json"
	"time"

	"sigs.k8s.io/yaml"

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
	config, err := load(raw.Reveal())
	if err != nil {
		return Answer{}, err
	}
	names, err := contextNames(raw.Reveal())
	if err != nil {
		return Answer{}, err
	}
	offers, err := usable(config, names)
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

// contextNames returns the names in the order sent, which clientcmd.Load loses. It
// minds the case of field names, as Load does.
func contextNames(data []byte) ([]string, error) {
	var document map[string]any
	err := json.Unmarshal(data, &document) // the cloud writes JSON, and reading that as YAML takes ten times as long
	if err != nil {
		err = yaml.Unmarshal(data, &document)
	}
	if err != nil {
		return nil, invalid("the contexts of the kubeconfig cannot be read")
	}
	entries, _ := document["contexts"].([]any)
	if len(entries) > maxContexts {
		return nil, invalid("the kubeconfig has more than %d contexts", maxContexts)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		name, _ := fields["name"].(string)
		names = append(names, name)
	}
	return names, nil
}
