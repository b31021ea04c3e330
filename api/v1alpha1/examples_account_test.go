// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import "github.com/clustercredential/operator/api/v1alpha1"

// auth is the spec of an account with this auth.
func auth(fields string) string { return "spec: {auth: {" + fields + "}}" }

// accountExamples are about the spec of a CloudAccount.
func accountExamples() []example {
	all := []example{{
		constraint: constraint{account, "spec.region", "required"},
		accepted:   []string{"spec: {region: eu-west-101}"},
		rejected:   []string{"spec: {region: null}"},
	}, {
		constraint: constraint{account, "spec.region", "minLength"},
		accepted:   []string{"spec: {region: r}"},
		rejected:   []string{"spec: {region: ''}"},
	}, {
		constraint: constraint{account, "spec.region", "maxLength"},
		accepted:   []string{"spec: {region: " + long(64) + "}"},
		rejected:   []string{"spec: {region: " + long(65) + "}"},
	}, {
		constraint: constraint{account, "spec.region", "write the region's id, lower-case letters, digits and '-', such as ap-southeast-3"},
		accepted:   []string{"spec: {region: cn-north-4}", "spec: {region: my-kualalumpur-1}"},
		rejected: []string{
			"spec: {region: AP-Singapore}", "spec: {region: ap_southeast_3}", "spec: {region: ap-southeast-3-}",
			"spec: {region: evil.example.com/x}",
		},
	}, {
		constraint: constraint{account, "spec.projectID", "write the project's id (not its name), 32 lower-case hex digits, as the console " +
			"shows it under My Credentials"},
		accepted: []string{"spec: {projectID: 0f2b4d6e8a0c1e3f5a7b9d1c3e5f7a9b}"},
		rejected: []string{
			"spec: {projectID: ''}",
			"spec: {projectID: ap-southeast-3}",
			"spec: {projectID: ap-southeast-3_a-project-with-a-long-name}",
			"spec: {projectID: 0F2B4D6E8A0C1E3F5A7B9D1C3E5F7A9B}",
			"spec: {projectID: 0f2b4d6e8a0c1e3f5a7b9d1c3e5f7a9}",
		},
	}, {
		constraint: constraint{account, "spec.projectID", "maxLength"}, // above an id's, so that the rule's message is seen
		accepted:   []string{"spec: {projectID: 0f2b4d6e8a0c1e3f5a7b9d1c3e5f7a9b}"},
		rejected:   []string{"spec: {projectID: " + long(65) + "}"},
	}, {
		constraint: constraint{account, "spec.auth", "required"},
		accepted:   []string{auth("token: {secretRef: {name: a}}")},
		rejected:   []string{"spec: {auth: null}"},
	}, {
		constraint: constraint{account, "spec.auth", "set exactly one of accessKey and token"},
		accepted:   []string{auth("token: {secretRef: {name: a}}"), auth("accessKey: {secretRef: {name: a}}")},
		rejected:   []string{auth(""), auth("token: {secretRef: {name: a}}, accessKey: {secretRef: {name: a}}")},
	}, {
		constraint: constraint{account, "spec.limits.issuesPerMinute", "write 1 to 1000000 (certificates a minute; a large number means no limit)"},
		accepted: []string{
			"spec: {limits: {issuesPerMinute: 1}}", "spec: {limits: {issuesPerMinute: 1000000}}", "spec: {limits: {}}",
		},
		rejected: []string{
			"spec: {limits: {issuesPerMinute: 0}}", "spec: {limits: {issuesPerMinute: -1}}", "spec: {limits: {issuesPerMinute: 1000001}}",
			"spec: {limits: {issuesPerMinute: 4294967304}}", // 8 in 32 bits
		},
	}}
	for _, member := range []string{"accessKey", "token"} {
		path := "spec.auth." + member + ".secretRef"
		ref := func(name string) string { return auth(member + ": {secretRef: {name: " + name + "}}") }
		all = append(all, example{
			constraint: constraint{account, path, "required"},
			accepted:   []string{ref("a")},
			rejected:   []string{auth(member + ": {}")},
		}, example{
			constraint: constraint{account, path + ".name", "required"},
			accepted:   []string{ref("a")},
			rejected:   []string{auth(member + ": {secretRef: {}}")},
		}, example{
			constraint: constraint{account, path + ".name", "minLength"},
			accepted:   []string{ref("a")},
			rejected:   []string{ref("''")},
		}, example{
			constraint: constraint{account, path + ".name", "maxLength"},
			accepted:   []string{ref(long(253))},
			rejected:   []string{ref(long(254))},
		}, example{
			constraint: constraint{account, path + ".name",
				"write the name of a Secret: lower-case letters, digits, '-' and '.', such as huawei-keys"},
			accepted: []string{ref("a.b-2")},
			rejected: []string{ref("Keys"), ref("other-namespace/keys"), ref("huawei_keys")},
		})
	}
	return all
}

// statusExamples are about what the operator writes: every value that it knows is taken.
func statusExamples() []example {
	issuance := func(trigger string) string {
		return "status: {issuance: {id: a, startedAt: '2026-01-02T03:04:05Z', trigger: " + trigger + "}}"
	}
	history := func(trigger, state string) string {
		return "status: {history: [{issuedAt: '2026-01-02T03:04:05Z', trigger: " + trigger + ", state: " + state + "}]}"
	}
	outputs := func(format, state string) string {
		return "status: {outputs: [{namespace: fleet, secretName: a, format: " + format + ", state: " + state + "}]}"
	}
	triggers := []v1alpha1.Trigger{v1alpha1.TriggerFirst, v1alpha1.TriggerMissing, v1alpha1.TriggerSpec, v1alpha1.TriggerRequest, v1alpha1.TriggerExpiry}
	var issuances, histories []string
	for _, trigger := range triggers {
		issuances = append(issuances, issuance(string(trigger)))
		histories = append(histories, history(string(trigger), "Active"))
	}
	var states []string
	for _, state := range []v1alpha1.CertificateState{
		v1alpha1.CertificateActive, v1alpha1.CertificateSuperseded, v1alpha1.CertificateDiscarded, v1alpha1.CertificateUnknown,
	} {
		states = append(states, history("First", string(state)))
	}
	var outputStates []string
	for _, state := range []v1alpha1.OutputState{
		v1alpha1.OutputCurrent, v1alpha1.OutputStale, v1alpha1.OutputFailed, v1alpha1.OutputReleased,
	} {
		outputStates = append(outputStates, outputs("Kubeconfig", string(state)))
	}
	var accesses []string
	for _, access := range []v1alpha1.Access{v1alpha1.AccessInternal, v1alpha1.AccessExternal, v1alpha1.AccessCustom} {
		accesses = append(accesses, "status: {access: "+string(access)+"}")
	}
	return []example{
		{constraint{credential, "status.access", "enum"}, accesses, []string{"status: {access: Auto}"}},
		{constraint{credential, "status.issuance.trigger", "enum"}, issuances, []string{issuance("Never")}},
		{constraint{credential, "status.history[0].trigger", "enum"}, histories, []string{history("Never", "Active")}},
		{constraint{credential, "status.history[0].state", "enum"}, states, []string{history("First", "Lost")}},
		{constraint{credential, "status.outputs[0].format", "enum"}, outputStates[:1], []string{outputs("Argo", "Current")}},
		{constraint{credential, "status.outputs[0].state", "enum"}, outputStates, []string{outputs("Kubeconfig", "Gone")}},
	}
}
