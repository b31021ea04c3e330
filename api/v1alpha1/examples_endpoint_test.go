// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

// endpointExamples are about addresses that the cloud does not offer.
func endpointExamples() []example {
	endpoint := func(fields string) string { return "spec: {endpoint: {" + fields + "}}" }
	return []example{{
		constraint: constraint{credential, "spec.verification", "enum"},
		accepted:   []string{"spec: {verification: Required}", "spec: {verification: BestEffort}", "spec: {verification: Disabled}"},
		rejected:   []string{"spec: {verification: ''}", "spec: {verification: Always}"},
	}, {
		constraint: constraint{credential, "spec.endpoint.server", "maxLength"},
		accepted:   []string{endpoint("server: 'https://" + long(253) + "'")},
		rejected:   []string{endpoint("server: 'https://" + long(256) + "'")},
	}, {
		constraint: constraint{credential, "spec.endpoint.server",
			"write https://host or https://host:port, without a path, such as https://prod-1.example.com:6443"},
		accepted: []string{
			endpoint("server: 'https://prod-1.example.com'"), endpoint("server: 'https://10.0.0.1:6443/'"), endpoint("server: 'https://[2001:db8::1]:6443'"),
		},
		rejected: []string{
			endpoint("server: ''"), endpoint("server: 'http://a:1'"), endpoint("server: 'https://a/b'"), endpoint("server: 'https://u:p@a'"),
			endpoint("server: 'a:6443'"), endpoint("server: 'https://a?b=c'"),
		},
	}, {
		constraint: constraint{credential, "spec.endpoint.tlsServerName", "maxLength"},
		accepted:   []string{endpoint("tlsServerName: " + long(253))},
		rejected:   []string{endpoint("tlsServerName: " + long(254))},
	}, {
		constraint: constraint{credential, "spec.endpoint.tlsServerName", "write a DNS name or an IP address, such as kubernetes.default.svc"},
		accepted:   []string{endpoint("tlsServerName: kubernetes.default.svc"), endpoint("tlsServerName: '2001:db8::1'")},
		rejected:   []string{endpoint("tlsServerName: ''"), endpoint("tlsServerName: 'https://a'")},
	}, {
		constraint: constraint{credential, "spec.endpoint.tlsServerName", "KubeVela has no place for it: write none, or no output of format KubeVela"},
		accepted:   []string{"spec: {endpoint: {tlsServerName: a}, outputs: [{secretName: a, format: ArgoCD}]}"},
		rejected:   []string{"spec: {endpoint: {tlsServerName: a}, outputs: [{secretName: a}, {secretName: b, format: KubeVela}]}"},
	}, {
		constraint: constraint{credential, "spec.endpoint.proxyURL", "maxLength"},
		accepted:   []string{endpoint("proxyURL: 'http://" + long(253) + "'")},
		rejected:   []string{endpoint("proxyURL: 'http://" + long(257) + "'")},
	}, {
		constraint: constraint{credential, "spec.endpoint.proxyURL",
			"write http://host:port, https://host:port or socks5://host:port, without user, password and path"},
		accepted: []string{endpoint("proxyURL: 'http://proxy.example.com:3128'"), endpoint("proxyURL: 'socks5://10.0.0.1'")},
		rejected: []string{endpoint("proxyURL: ''"), endpoint("proxyURL: 'http://u:p@a:1'"), endpoint("proxyURL: 'ftp://a:1'"), endpoint("proxyURL: 'a:1'")},
	}}
}
