// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

// output is a spec with one output.
func output(fields string) string { return "spec: {outputs: [{" + fields + "}]}" }

// named is an output with a name and more.
func named(fields string) string { return output("secretName: prod-1, " + fields) }

// outputExamples are about the outputs of a ClusterCredential.
func outputExamples() []example {
	const prefixed = " with a DNS name and '/' before them if you like, such as "
	return []example{{
		constraint: constraint{credential, "spec.outputs", "maxItems"},
		accepted:   []string{"spec: {outputs: []}", many(1), many(16)},
		rejected:   []string{many(17)},
	}, {
		constraint: constraint{credential, "spec.outputs[0].secretName", "required"},
		accepted:   []string{output("secretName: a")},
		rejected:   []string{output(""), output("format: Kubeconfig")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].secretName", "minLength"},
		accepted:   []string{output("secretName: a")},
		rejected:   []string{output("secretName: ''")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].secretName", "maxLength"},
		accepted:   []string{output("secretName: " + long(253))},
		rejected:   []string{output("secretName: " + long(254))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].secretName",
			"write the name of a Secret: lower-case letters, digits, '-' and '.', such as prod-1-kubeconfig"},
		accepted: []string{output("secretName: a.b-2")},
		rejected: []string{output("secretName: Prod"), output("secretName: prod_1"), output("secretName: argocd/prod-1"), output("secretName: -a")},
	}, {
		constraint: constraint{credential, "spec.outputs", "the first output is where the credential lives: write it without namespace"},
		accepted:   []string{second("namespace: argocd"), named("format: ArgoCD")},
		rejected:   []string{named("namespace: argocd"), named("namespace: fleet")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].namespace", "minLength"},
		accepted:   []string{second("namespace: a")},
		rejected:   []string{named("namespace: ''")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].namespace", "maxLength"},
		accepted:   []string{second("namespace: " + long(63))},
		rejected:   []string{named("namespace: " + long(64))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].namespace",
			"write the name of a namespace: lower-case letters, digits and '-', such as argocd"},
		accepted: []string{second("namespace: team-a-1")},
		rejected: []string{named("namespace: ArgoCD"), named("namespace: a.b"), named("namespace: '*'"), named("namespace: a/b")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].format", "enum"},
		accepted:   []string{named("format: Kubeconfig"), named("format: ArgoCD"), named("format: Istio"), named("format: KubeVela"), second("format: TLS")},
		rejected:   []string{named("format: Argo"), named("format: kubeconfig")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].key", "maxLength"},
		accepted:   []string{named("key: " + long(253))},
		rejected:   []string{named("key: " + long(254))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].key", "write a Secret key: letters, digits, '-', '_' and '.', such as kubeconfig"},
		accepted:   []string{named("key: kubeconfig"), named("key: value.yaml"), named("key: KUBE_CONFIG-1"), named("key: .kubeconfig")},
		rejected:   []string{named("key: ''"), named("key: ."), named("key: .."), named("key: a/b"), named("key: 'a b'")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].clusterName", "maxLength"},
		accepted:   []string{named("clusterName: " + long(253))},
		rejected:   []string{named("clusterName: " + long(254))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].clusterName",
			"write letters, digits and '-', '.', '_', ':', '@', '/' between them, such as prod-1"},
		accepted: []string{named("clusterName: prod-1"), named("clusterName: 'eu/prod_1.example:6443@me'"), named("clusterName: P")},
		rejected: []string{named("clusterName: ''"), named("clusterName: -prod"), named("clusterName: 'prod 1'"), named("clusterName: 'a\\nb'")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].labels", "maxProperties"},
		accepted:   []string{named("labels: " + entries(32)), named("labels: {}")},
		rejected:   []string{named("labels: " + entries(33))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].labels",
			"labels clustercredential.dev/… and app.kubernetes.io/managed-by are the operator's own; choose other keys"},
		accepted: []string{
			named("labels: {env: prod, app.kubernetes.io/part-of: fleet, reconcile.fluxcd.io/watch: Enabled}"),
			named("labels: {my.clustercredential.dev/team: a}"),
		},
		rejected: []string{
			named("labels: {clustercredential.dev/managed: 'false'}"),
			named("labels: {clustercredential.dev/team: a}"),
			named("labels: {app.kubernetes.io/managed-by: Helm}"),
		},
	}, {
		constraint: constraint{credential, "spec.outputs[0].labels",
			"write label keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.'," + prefixed + "env or example.com/env"},
		accepted: []string{named("labels: {Env_1.x: prod, example.com/" + long(63) + ": prod}")},
		rejected: []string{
			named("labels: {'': prod}"),
			named("labels: {my env: prod}"),
			named("labels: {a/b/c: prod}"),
			named("labels: {Example.com/env: prod}"),
			named("labels: {" + long(64) + ": prod}"),
		},
	}, {
		constraint: constraint{credential, "spec.outputs[0].labels[*]", "maxLength"},
		accepted:   []string{named("labels: {env: " + long(63) + "}")},
		rejected:   []string{named("labels: {env: " + long(64) + "}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].labels[*]",
			"write a label value as Kubernetes takes it: letters, digits, '-', '_' and '.', with a letter or digit at both ends, such as prod"},
		accepted: []string{named("labels: {env: ''}"), named("labels: {env: a_b.C-9}")},
		rejected: []string{named("labels: {env: 'a b'}"), named("labels: {env: -a}"), named("labels: {env: a/b}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].annotations", "maxProperties"},
		accepted:   []string{named("annotations: " + entries(32))},
		rejected:   []string{named("annotations: " + entries(33))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].annotations", "annotations clustercredential.dev/… are the operator's own, and " +
			"kubectl's last-applied-configuration is kubectl's; choose other keys"},
		accepted: []string{named("annotations: {replicator.example.com/to: argocd, app.kubernetes.io/managed-by: me}")},
		rejected: []string{
			named("annotations: {clustercredential.dev/fingerprint: aa}"),
			named("annotations: {clustercredential.dev/note: a}"),
			named("annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}'}"),
		},
	}, {
		constraint: constraint{credential, "spec.outputs[0].annotations",
			"write annotation keys as Kubernetes takes them: at most 63 letters, digits, '-', '_' and '.'," + prefixed + "owner or example.com/owner"},
		accepted: []string{named("annotations: {Owner: any text at all, example.com/owner: '{}', Example.com/owner: me}")},
		rejected: []string{named("annotations: {my owner: me}"), named("annotations: {a/b/c: me}"), named("annotations: {" + long(64) + ": me}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].existing", "enum"},
		accepted:   []string{named("existing: Refuse"), named("existing: Adopt")},
		rejected:   []string{named("existing: Take"), named("existing: ''")},
	}}
}
