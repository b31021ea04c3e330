// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"slices"
	"strings"
)

// second is a spec with a primary output, and another one with a name and more.
func second(fields string) string {
	return "spec: {outputs: [{secretName: first}, {secretName: prod-1, " + fields + "}]}"
}

// many is a spec with that many outputs.
func many(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("{secretName: s%d}", i))
	}
	return "spec: {outputs: [" + strings.Join(all, ", ") + "]}"
}

// formatExamples are about what goes with which format, and with which place in the list.
func formatExamples() []example {
	return slices.Concat(placeExamples(), memberExamples(), argoCDExamples(), templateExamples())
}

// placeExamples are about the outputs beside each other.
func placeExamples() []example {
	const lives = "the first output is where the credential lives"
	return []example{{
		constraint: constraint{credential, "spec.outputs", "write each secretName once: a Secret has one output"},
		accepted:   []string{many(2)},
		rejected:   []string{"spec: {outputs: [{secretName: a}, {secretName: b}, {secretName: a, format: ArgoCD}]}"},
	}, {
		constraint: constraint{credential, "spec.outputs", lives + ": write one of format Kubeconfig, ArgoCD, ClusterAPI, Istio or KubeVela first"},
		accepted:   []string{second("format: TLS"), template("a: b")},
		rejected:   []string{named("format: TLS"), named("format: Template, template: {data: {a: b}}")},
	}, {
		constraint: constraint{credential, "spec.outputs", lives + ", and is always kept in step: write writePolicy Once at another output"},
		accepted:   []string{named("writePolicy: Always"), second("writePolicy: Once")},
		rejected:   []string{named("writePolicy: Once")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].writePolicy", "enum"},
		accepted:   []string{second("writePolicy: Once"), second("writePolicy: Always")},
		rejected:   []string{named("writePolicy: Never")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].deletionPolicy", "enum"},
		accepted:   []string{named("deletionPolicy: Retain"), named("deletionPolicy: Delete")},
		rejected:   []string{named("deletionPolicy: Orphan")},
	}}
}

// memberExamples are about the fields that only some formats have.
func memberExamples() []example {
	return []example{{
		constraint: constraint{credential, "spec.outputs[0]", "key belongs to the format Kubeconfig, the other formats have keys of their own: write none"},
		accepted:   []string{named("key: a"), named("format: Kubeconfig, key: a")},
		rejected:   []string{named("format: ArgoCD, key: a")},
	}, {
		constraint: constraint{credential, "spec.outputs[0]", "type belongs to the formats Kubeconfig and Template, the others have a type of their own: write none"},
		accepted:   []string{named("type: auto-import/kubeconfig"), named("format: Kubeconfig, type: Opaque")},
		rejected:   []string{named("format: ArgoCD, type: Opaque")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].type", "maxLength"},
		accepted:   []string{named("type: " + long(253))},
		rejected:   []string{named("type: " + long(254))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].type", "write a Secret type, such as Opaque or auto-import/kubeconfig"},
		accepted:   []string{named("type: Opaque"), named("type: addons.projectsveltos.io/cluster-profile")},
		rejected:   []string{named("type: ''"), named("type: 'a b'"), named("type: /a")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].type", "Kubernetes or Helm gives Secrets of this type a meaning of their own; write another type"},
		accepted:   []string{named("type: Opaque")},
		rejected:   []string{named("type: kubernetes.io/service-account-token"), named("type: bootstrap.kubernetes.io/token"), named("type: helm.sh/release.v1")},
	}, {
		constraint: constraint{credential, "spec.outputs[0]",
			"clusterName has no place in the formats KubeVela (the cluster is called like the Secret) and TLS: write none"},
		accepted: []string{named("format: KubeVela"), named("format: ArgoCD, clusterName: a")},
		rejected: []string{named("format: KubeVela, clusterName: a")},
	}, {
		constraint: constraint{credential, "spec.outputs[0]", "the format Istio has the clusterName as a key of the Secret: write letters, digits, '-', '_' and '.'"},
		accepted:   []string{named("format: Istio, clusterName: prod_1.a"), named("clusterName: a/b")},
		rejected:   []string{named("format: Istio, clusterName: a/b")},
	}, {
		constraint: constraint{credential, "spec.outputs[0]", "Cluster API finds the Secret by its name: write secretName <cluster>-kubeconfig " +
			"with a <cluster> of at most 63 characters, and the Cluster's name as clusterName or none"},
		accepted: []string{
			output("secretName: prod-1-kubeconfig, format: ClusterAPI"), output("secretName: a-kubeconfig, format: ClusterAPI, clusterName: a"),
			output("secretName: " + long(63) + "-kubeconfig, format: ClusterAPI"),
		},
		rejected: []string{
			named("format: ClusterAPI"), output("secretName: a-kubeconfig, format: ClusterAPI, clusterName: b"),
			output("secretName: " + long(64) + "-kubeconfig, format: ClusterAPI"),
		},
	}, {
		constraint: constraint{credential, "spec.outputs[0]", "KubeVela calls the cluster like the Secret, and local is its own: write another secretName"},
		accepted:   []string{named("format: KubeVela"), output("secretName: local")},
		rejected:   []string{output("secretName: local, format: KubeVela")},
	}}
}

// template is a spec with a second output of the format Template, with that data.
func template(data string) string {
	return second("format: Template, template: {data: {" + data + "}}")
}

func templateExamples() []example {
	return []example{{
		constraint: constraint{credential, "spec.outputs[0]", "template belongs to the format Template: write both or none"},
		accepted:   []string{template("a: '{{ .server }}'")},
		rejected:   []string{named("template: {data: {a: b}}"), named("format: Template")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].template.data", "required"},
		accepted:   []string{template("a: b")},
		rejected:   []string{named("format: Template, template: {}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].template.data", "minProperties"},
		accepted:   []string{template("a: b")},
		rejected:   []string{named("format: Template, template: {data: {}}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].template.data", "maxProperties"},
		accepted:   []string{second("format: Template, template: {data: " + entries(32) + "}")},
		rejected:   []string{named("format: Template, template: {data: " + entries(33) + "}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].template.data[*]", "maxLength"},
		accepted:   []string{template("a: " + long(65536))},
		rejected:   []string{named("format: Template, template: {data: {a: " + long(65537) + "}}")},
	}}
}

func argoCDExamples() []example {
	argocd := func(fields string) string { return named("format: ArgoCD, argocd: {" + fields + "}") }
	namespaces := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("n%d", i)
		}
		return argocd("namespaces: [" + strings.Join(all, ", ") + "]")
	}
	return []example{{
		constraint: constraint{credential, "spec.outputs[0]", "argocd belongs to the format ArgoCD: write that format, or no argocd"},
		accepted:   []string{argocd("project: a, namespaces: [a], clusterResources: false")},
		rejected:   []string{named("argocd: {project: a}"), named("format: Istio, argocd: {project: a}")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].argocd.project", "minLength"},
		accepted:   []string{argocd("project: a")},
		rejected:   []string{argocd("project: ''")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].argocd.project", "maxLength"},
		accepted:   []string{argocd("project: " + long(253))},
		rejected:   []string{argocd("project: " + long(254))},
	}, {
		constraint: constraint{credential, "spec.outputs[0].argocd.namespaces", "maxItems"},
		accepted:   []string{namespaces(64)},
		rejected:   []string{namespaces(65)},
	}, {
		constraint: constraint{credential, "spec.outputs[0].argocd.namespaces[0]", "minLength"},
		accepted:   []string{argocd("namespaces: [a]")},
		rejected:   []string{argocd("namespaces: ['']")},
	}, {
		constraint: constraint{credential, "spec.outputs[0].argocd.namespaces[0]", "maxLength"},
		accepted:   []string{argocd("namespaces: [" + long(63) + "]")},
		rejected:   []string{argocd("namespaces: [" + long(64) + "]")},
	}}
}
