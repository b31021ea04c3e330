// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// A namespace that takes no Secrets says so before the cloud is asked.
func TestNoCertificateIsAskedForThatTheNamespaceWouldNotTake(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"quota"}})
	w.apply(accountYAML(), fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
  validations: [{expression: "false", message: no more Secrets here}]
`, w.namespace), fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny]}
`, w.namespace))
	w.eventually(eventTime, func() error { // it counts within seconds
		if _, err := w.Kubectl("--namespace", w.namespace, "create", "secret", "generic", "tried", "--dry-run=server"); err == nil {
			return fmt.Errorf("the policy does not count yet")
		}
		return nil
	})
	w.startManager()
	w.apply(credentialYAML("quota", "quota"))
	w.eventually(eventTime, func() error {
		if err := w.says("quota", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonWriteRefused); err != nil {
			return err
		}
		if message := condition(w.get("quota"), v1alpha1.ConditionIssued).Message; !strings.Contains(message, "no more Secrets here") {
			return fmt.Errorf("the message does not say why: %s", message)
		}
		return nil
	})
	w.wantPosts(0)
	w.kubectl("delete", "validatingadmissionpolicybinding", w.namespace)
	w.eventually(time.Minute, func() error {
		return w.says("quota", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
	})
	w.wantPosts(1)
}

// Somebody has made the Secret immutable. What is in it serves on, and there is no use in asking for more.
func TestAnImmutableSecretIsNotAskedForAgainAndAgain(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"frozen"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("frozen", "frozen"))
	w.waitReady("frozen")
	before := w.serial("frozen")
	w.kubectl("patch", "secret", "frozen-kubeconfig", "--patch", `{"immutable": true}`)
	w.apply(credentialYAML("frozen", "frozen", "  validity: {days: 7}"))
	w.eventually(eventTime, func() error {
		return w.says("frozen", v1alpha1.ConditionPublished, "False", v1alpha1.ReasonWriteRefused)
	})
	w.must(w.says("frozen", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid))
	for range 2 {
		w.must(w.manager().Kill())
		w.startManager()
		w.throughout(5*time.Second, func() error {
			if n := len(w.posts()); n > 1 {
				return fmt.Errorf("%d certificates were asked for, which nobody could store", n-1)
			}
			return nil
		})
	}
	if w.serial("frozen") != before {
		t.Error("an immutable Secret has changed")
	}
	w.kubectl("delete", "secret", "frozen-kubeconfig") // the only way to get rid of it
	w.eventually(time.Minute, func() error {
		if err := w.says("frozen", v1alpha1.ConditionPublished, "True", v1alpha1.ReasonPublished); err != nil {
			return err
		}
		return w.says("frozen", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
	})
	w.wantPosts(2)
}
