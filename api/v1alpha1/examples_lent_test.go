// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"
)

// grants is a ClusterCloudAccount with one grant of these fields.
func grants(fields string) string { return "spec: {grants: [{" + fields + "}]}" }

// toTeam is one to a team, with more fields.
func toTeam(fields string) string { return grants("namespaces: {names: [team-a]}, " + fields) }

// lentExamples are about the spec of a ClusterCloudAccount. What it shares with a CloudAccount has the same rules.
func lentExamples() []example {
	var all []example
	for _, e := range accountExamples() {
		switch {
		case strings.HasPrefix(e.path, "spec.auth"):
			continue
		default:
			e.kind = lent
			all = append(all, e)
		}
	}
	all = append(all, lentAuthExamples()...)
	all = append(all, endpointsExamples()...)
	return append(all, accountGrantExamples()...)
}

func lentAuthExamples() []example {
	const exactlyOne = "set exactly one of accessKey, token, podIdentity, instanceMetadata and oidc"
	const oidc = "oidc: {idpID: a, tokenFile: /var/run/secrets/iam/token}"
	withOIDC := func(fields string) string { return auth("oidc: {" + fields + "}") }
	file := func(path string) string { return withOIDC("idpID: a, tokenFile: " + path) }
	idp := func(id string) string { return withOIDC("tokenFile: /var/run/secrets/iam/token, idpID: " + id) }
	all := []example{{
		constraint: constraint{lent, "spec.auth", "required"},
		accepted:   []string{auth("podIdentity: {}")},
		rejected:   []string{"spec: {auth: null}"},
	}, {
		constraint: constraint{lent, "spec.auth", exactlyOne},
		accepted: []string{
			auth("podIdentity: {}"), auth("instanceMetadata: {}"), auth(oidc), auth("token: {secretRef: {name: a, namespace: b}}"),
		},
		rejected: []string{auth(""), auth("podIdentity: {}, instanceMetadata: {}"), auth("podIdentity: {}, " + oidc)},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.idpID", "required"},
		accepted:   []string{auth(oidc)},
		rejected:   []string{withOIDC("tokenFile: /var/run/secrets/iam/token")},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.idpID", "minLength"},
		accepted:   []string{idp("a")},
		rejected:   []string{idp("''")},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.idpID", "maxLength"},
		accepted:   []string{idp(long(64))},
		rejected:   []string{idp(long(65))},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.idpID", "write the id of the identity provider as IAM has it: letters, digits, '-' and '_'"},
		accepted:   []string{idp("My-idp_2")},
		rejected:   []string{idp("a/b"), idp("'a b'"), idp("\"a\\nb\"")},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.tokenFile", "required"},
		accepted:   []string{auth(oidc)},
		rejected:   []string{withOIDC("idpID: a")},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.tokenFile", "minLength"},
		accepted:   []string{file("/var/run/secrets/a")},
		rejected:   []string{file("''")},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.tokenFile", "maxLength"},
		accepted:   []string{file("/var/run/secrets/" + long(400))},
		rejected:   []string{file("/var/run/secrets/" + long(512))},
	}, {
		constraint: constraint{lent, "spec.auth.oidc.tokenFile",
			"write a path below /var/run/secrets/, where projected tokens are mounted, such as /var/run/secrets/iam/token; that of Kubernetes is not for others"},
		accepted: []string{file("/var/run/secrets/iam/token")},
		rejected: []string{
			file("/etc/passwd"), file("token"), file("/var/run/secrets/../../../etc/passwd"), file("/var/run/secrets/kubernetes.io/serviceaccount/token"),
			file("/var/run/secrets//kubernetes.io/serviceaccount/token"),
		},
	}}
	for _, member := range []string{"accessKey", "token"} {
		all = append(all, lentSecretExamples(member)...)
	}
	return all
}

func lentSecretExamples(member string) []example {
	path := "spec.auth." + member + ".secretRef"
	ref := func(fields string) string { return auth(member + ": {secretRef: {" + fields + "}}") }
	named := func(name string) string { return ref("namespace: a, name: " + name) }
	in := func(namespace string) string { return ref("name: a, namespace: " + namespace) }
	return []example{
		{constraint{lent, path, "required"}, []string{named("a")}, []string{auth(member + ": {}")}},
		{constraint{lent, path + ".name", "required"}, []string{named("a")}, []string{ref("namespace: a")}},
		{constraint{lent, path + ".name", "minLength"}, []string{named("a")}, []string{named("''")}},
		{constraint{lent, path + ".name", "maxLength"}, []string{named(long(253))}, []string{named(long(254))}},
		{
			constraint{lent, path + ".name", "write the name of a Secret: lower-case letters, digits, '-' and '.', such as huawei-keys"},
			[]string{named("a.b-2")}, []string{named("Keys"), named("other-namespace/keys")},
		},
		{constraint{lent, path + ".namespace", "required"}, []string{in("a")}, []string{ref("name: a")}},
		{constraint{lent, path + ".namespace", "minLength"}, []string{in("a")}, []string{in("''")}},
		{constraint{lent, path + ".namespace", "maxLength"}, []string{in(long(63))}, []string{in(long(64))}},
		{
			constraint{lent, path + ".namespace", "write the namespace of the Secret: lower-case letters, digits and '-', such as clustercredential-system"},
			[]string{in("a-2")}, []string{in("A"), in("a.b"), in("a/b")},
		},
	}
}

func endpointsExamples() []example {
	const form = "write https://host or https://host:port, without user, path or query"
	var all []example
	for _, member := range []string{"cce", "iam"} {
		at := func(url string) string { return "spec: {endpoints: {" + member + ": '" + url + "'}}" }
		all = append(all, example{
			constraint: constraint{lent, "spec.endpoints." + member, form},
			accepted: []string{
				at("https://cce.eu-de.otc.t-systems.com"), at("https://cce.example.com:8443/"), at("https://[2001:db8::1]:443"), at("http://127.0.0.1:8080"),
			},
			rejected: []string{
				at(""), at("cce.example.com"), at("ftp://cce.example.com"), at("https://user:pass@cce.example.com"), at("https://cce.example.com/x"),
				at("https://cce.example.com?x=y"), at("https://cce.example.com#x"), at("https://cce.example.com\\x"),
			},
		}, example{
			constraint: constraint{lent, "spec.endpoints." + member, "maxLength"},
			accepted:   []string{at("https://" + long(253))},
			rejected:   []string{at("https://" + long(512))},
		})
	}
	bundle := func(n int) string { return "spec: {endpoints: {caBundle: " + strings.Repeat("QUJD", n) + "}}" }
	return append(all, example{
		constraint: constraint{lent, "spec.endpoints.caBundle", "maxLength"},
		accepted:   []string{bundle(1), bundle(21846)},
		rejected:   []string{bundle(21847)},
	})
}

func accountGrantExamples() []example {
	const hours = "write hours, e.g. 168h; days are not a unit"
	const bounds = "write at least 20m (the cloud wants 15m when the request arrives) and at most 87600h"
	most := func(text string) string { return toTeam("maxValidity: " + text) }
	names := func(n int) string { return grants("namespaces: {names: [" + items(n, plain) + "]}") }
	clusters := func(fields string) string { return toTeam("clusters: {" + fields + "}") }
	clusterNames := func(n int) string { return clusters("names: [" + items(n, plain) + "]") }
	uuids := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("11111111-1111-4111-8111-%012d", i)
		}
		return clusters("ids: [" + strings.Join(all, ", ") + "]")
	}
	many := func(n int) string {
		return "spec: {grants: [" + items(n, func(string) string { return "{namespaces: {names: [a]}}" }) + "]}"
	}
	const anID = "11111111-1111-4111-8111-111111111111"
	return []example{
		{constraint{lent, "spec.grants", "maxItems"}, []string{many(64)}, []string{many(65)}},
		{constraint{lent, "spec.grants[0].namespaces", "required"}, []string{toTeam("")}, []string{grants("maxValidity: 1h")}},
		{
			constraint{lent, "spec.grants[0].namespaces", "write names, or a selector ({} selects all namespaces)"},
			[]string{grants("namespaces: {selector: {}}"), grants("namespaces: {selector: {matchLabels: {a: b}}, names: [c]}")},
			[]string{grants("namespaces: {}")},
		},
		{constraint{lent, "spec.grants[0].namespaces.names", "minItems"}, []string{names(1)}, []string{grants("namespaces: {names: []}")}},
		{constraint{lent, "spec.grants[0].namespaces.names", "maxItems"}, []string{names(256)}, []string{names(257)}},
		{constraint{lent, "spec.grants[0].namespaces.names[0]", "minLength"}, []string{names(1)}, []string{grants("namespaces: {names: ['']}")}},
		{
			constraint{lent, "spec.grants[0].namespaces.names[0]", "maxLength"},
			[]string{grants("namespaces: {names: [" + long(63) + "]}")}, []string{grants("namespaces: {names: [" + long(64) + "]}")},
		},
		{
			constraint{lent, "spec.grants[0].clusters", "write ids or names; leave clusters out for all of the account's project"},
			[]string{clusters("ids: [" + anID + "]"), clusters("names: ['team-a-*']"), toTeam("")}, []string{clusters("")},
		},
		{constraint{lent, "spec.grants[0].clusters.ids", "minItems"}, []string{uuids(1)}, []string{clusters("ids: []")}},
		{constraint{lent, "spec.grants[0].clusters.ids", "maxItems"}, []string{uuids(256)}, []string{uuids(257)}},
		{constraint{lent, "spec.grants[0].clusters.ids[0]", "minLength"}, []string{uuids(1)}, []string{clusters("ids: ['1']")}},
		{constraint{lent, "spec.grants[0].clusters.ids[0]", "maxLength"}, []string{uuids(1)}, []string{clusters("ids: [" + anID + "1]")}},
		{
			constraint{lent, "spec.grants[0].clusters.ids", "write ids of clusters, lower-case UUIDs, as the console shows them"},
			[]string{uuids(1)}, []string{
				clusters("ids: [11111111-1111-4111-8111-11111111111G]"), clusters("ids: ['../../../../../../../../../../../abc']"),
				clusters("ids: ['11111111%2f1111%2f4111%2f8111%2f1111']"),
			},
		},
		{constraint{lent, "spec.grants[0].clusters.names", "minItems"}, []string{clusterNames(1)}, []string{clusters("names: []")}},
		{constraint{lent, "spec.grants[0].clusters.names", "maxItems"}, []string{clusterNames(64)}, []string{clusterNames(65)}},
		{constraint{lent, "spec.grants[0].clusters.names[0]", "minLength"}, []string{clusterNames(1)}, []string{clusters("names: ['']")}},
		{
			constraint{lent, "spec.grants[0].clusters.names[0]", "maxLength"},
			[]string{clusters("names: [" + long(128) + "]")}, []string{clusters("names: [" + long(129) + "]")},
		},
		{constraint{lent, "spec.grants[0].maxValidity", "maxLength"}, []string{most("168h")}, []string{most(strings.Repeat("1", 32) + "h")}},
		{constraint{lent, "spec.grants[0].maxValidity", "pattern"}, []string{most("1h30m")}, []string{most("7d")}},
		{constraint{lent, "spec.grants[0].maxValidity", hours}, []string{most("168h")}, []string{most("7d"), most("1 h")}},
		{constraint{lent, "spec.grants[0].maxValidity", bounds}, []string{most("20m"), most("87600h")}, []string{most("19m"), most("87601h"), most("0s")}},
	}
}
