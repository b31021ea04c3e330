// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"strconv"
	"strings"
)

// from is a grant to these namespaces.
func from(items string) string { return "spec: {from: [" + items + "]}" }

// to is a grant of what these fields say.
func to(fields string) string { return "spec: {to: {" + fields + "}}" }

// toAny is a grant of any name, with more fields.
func toAny(fields string) string { return to("secretNames: ['*'], " + fields) }

// items are n different entries of a list.
func items(n int, around func(string) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = around("k" + strconv.Itoa(i))
	}
	return strings.Join(all, ", ")
}

func plain(s string) string { return s }

// grantExamples are about the spec of a CredentialGrant.
func grantExamples() []example {
	namespaces := func(n int) string { return from(items(n, func(s string) string { return "{namespace: " + s + "}" })) }
	all := []example{{
		constraint: constraint{consent, "spec.from", "required"},
		accepted:   []string{from("{namespace: a}")},
		rejected:   []string{"spec: {from: null}"},
	}, {
		constraint: constraint{consent, "spec.from", "minItems"},
		accepted:   []string{namespaces(1)},
		rejected:   []string{from("")},
	}, {
		constraint: constraint{consent, "spec.from", "maxItems"},
		accepted:   []string{namespaces(64)},
		rejected:   []string{namespaces(65)},
	}, {
		constraint: constraint{consent, "spec.from[0].namespace", "required"},
		accepted:   []string{from("{namespace: a}")},
		rejected:   []string{from("{}")},
	}, {
		constraint: constraint{consent, "spec.from[0].namespace", "minLength"},
		accepted:   []string{from("{namespace: a}")},
		rejected:   []string{from("{namespace: ''}")},
	}, {
		constraint: constraint{consent, "spec.from[0].namespace", "maxLength"},
		accepted:   []string{from("{namespace: " + long(63) + "}")},
		rejected:   []string{from("{namespace: " + long(64) + "}")},
	}, {
		constraint: constraint{consent, "spec.from[0].namespace",
			"write the name of one namespace, lower-case letters, digits and '-', such as fleet; no wildcard stands for all"},
		accepted: []string{from("{namespace: team-a-1}, {namespace: fleet}")},
		rejected: []string{from("{namespace: '*'}"), from("{namespace: team-*}"), from("{namespace: Fleet}"), from("{namespace: a.b}")},
	}, {
		constraint: constraint{consent, "spec.to", "required"},
		accepted:   []string{toAny("")},
		rejected:   []string{"spec: {to: null}"},
	}, {
		constraint: constraint{consent, "spec.to.secretNames", "required"},
		accepted:   []string{to("secretNames: [a]")},
		rejected:   []string{to("formats: [ArgoCD]")},
	}, {
		constraint: constraint{consent, "spec.to.secretNames", "minItems"},
		accepted:   []string{to("secretNames: [a]")},
		rejected:   []string{to("secretNames: []")},
	}, {
		constraint: constraint{consent, "spec.to.secretNames", "maxItems"},
		accepted:   []string{to("secretNames: [" + items(64, plain) + "]")},
		rejected:   []string{to("secretNames: [" + items(65, plain) + "]")},
	}, {
		constraint: constraint{consent, "spec.to.secretNames[0]", "minLength"},
		accepted:   []string{to("secretNames: [a]")},
		rejected:   []string{to("secretNames: ['']")},
	}, {
		constraint: constraint{consent, "spec.to.secretNames[0]", "maxLength"},
		accepted:   []string{to("secretNames: [" + long(253) + "]")},
		rejected:   []string{to("secretNames: [" + long(254) + "]")},
	}, {
		constraint: constraint{consent, "spec.to.secretNames",
			"write names of Secrets: lower-case letters, digits, '-' and '.', with * for any text, such as cluster-*"},
		accepted: []string{to("secretNames: ['*', 'cluster-*', '*.example', 'a-*-b', prod-1]")},
		rejected: []string{
			to("secretNames: ['Cluster-*']"), to("secretNames: ['a/b']"), to("secretNames: ['cluster-?']"), to("secretNames: ['[ab]']"),
		},
	}, {
		constraint: constraint{consent, "spec.to.formats", "minItems"},
		accepted:   []string{toAny("formats: [ArgoCD]")},
		rejected:   []string{toAny("formats: []")},
	}, {
		constraint: constraint{consent, "spec.to.formats", "maxItems"},
		accepted:   []string{toAny("formats: [Kubeconfig, ArgoCD, ClusterAPI, Istio, KubeVela, TLS, Template]")},
		rejected:   []string{toAny("formats: [" + items(8, plain) + "]")},
	}, {
		constraint: constraint{consent, "spec.to.formats[0]", "enum"},
		accepted:   []string{toAny("formats: [Template]")},
		rejected:   []string{toAny("formats: ['*']"), toAny("formats: [Argo]")},
	}}
	for field, message := range map[string]string{
		"labelKeys": "write label keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.', with a DNS name and '/' before " +
			"them if you like, such as env or example.com/env; there are no wildcards",
		"annotationKeys": "write annotation keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.', with a DNS name and " +
			"'/' before them if you like, such as owner or example.com/owner; there are no wildcards",
	} {
		keys := func(list string) string { return toAny(field + ": [" + list + "]") }
		all = append(all, example{
			constraint: constraint{consent, "spec.to." + field, "maxItems"},
			accepted:   []string{keys(items(64, plain)), keys("")},
			rejected:   []string{keys(items(65, plain))},
		}, example{
			constraint: constraint{consent, "spec.to." + field + "[0]", "maxLength"},
			accepted:   []string{keys(strings.Repeat("a.", 126) + "a/" + long(63))},
			rejected:   []string{keys(strings.Repeat("a.", 127) + "a/" + long(63))},
		}, example{
			constraint: constraint{consent, "spec.to." + field, message},
			accepted:   []string{keys("env, example.com/env"), keys("Env_1.x")},
			rejected:   []string{keys("'*'"), keys("example.com/*"), keys("a b"), keys("''")},
		})
	}
	return all
}
