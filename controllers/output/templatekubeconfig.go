// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// overridden is what a kubeconfig says beside certificate and key.
type overridden struct {
	clusterName string
	endpoint    kubeconfig.Endpoint
}

// kubeconfig writes a kubeconfig with other names or another way to the server: pairs of a name and a text.
func (w *work) kubeconfig(pairs ...string) (string, error) {
	if w.kubeconfigs--; w.kubeconfigs < 0 {
		return "", refuse("kubeconfig is called more than %d times; put what it gives into a variable", maxKubeconfigs)
	}
	if len(pairs)%2 != 0 {
		return "", refusal(`kubeconfig takes pairs of a name and a text; write both, such as kubeconfig "clusterName" "prod-1"`)
	}
	o, seen := overridden{clusterName: w.clusterName, endpoint: w.credential.Endpoint}, map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		if seen[pairs[i]] {
			return "", refusal("kubeconfig is told the same thing twice; write it once")
		}
		seen[pairs[i]] = true
		if err := o.set(pairs[i], pairs[i+1]); err != nil {
			return "", err
		}
	}
	data, err := kubeconfig.Render(o.clusterName, kubeconfig.Credential{Endpoint: o.endpoint, Identity: w.credential.Identity})
	if err != nil {
		return "", refusal(err.Error()) // of a *kubeconfig.Invalid, which is in our own words
	}
	return string(data), w.room("kubeconfig", 0, len(data))
}

// set takes one override. An empty proxy or TLS server name is none.
func (o *overridden) set(name, text string) (err error) {
	switch name {
	case inputClusterName:
		o.clusterName = text
		return nil
	case "server":
		o.endpoint.Server, err = normal(kubeconfig.NormalServer, text, "the server of kubeconfig is not https://host:port; write it so")
		return err
	case "proxyURL":
		if o.endpoint.ProxyURL = ""; text != "" {
			o.endpoint.ProxyURL, err = normal(kubeconfig.NormalProxy, text,
				"the proxyURL of kubeconfig is not http://host:port, https://host:port or socks5://host:port; write it so")
		}
		return err
	case "tlsServerName":
		if o.endpoint.TLSServerName = ""; text != "" {
			o.endpoint.TLSServerName, err = normal(kubeconfig.NormalServerName, text,
				"the tlsServerName of kubeconfig is not a DNS name or an IP address; write one")
		}
		return err
	}
	return refusal("kubeconfig can be told clusterName, server, proxyURL and tlsServerName; write one of these before each text")
}

func normal(form func(string) (string, bool), text, otherwise string) (string, error) {
	result, ok := form(text)
	if !ok {
		return "", refusal(otherwise)
	}
	return result, nil
}
