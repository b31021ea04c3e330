// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// drill makes the trouble of a page, follows the page, and sees the trouble end.
type drill struct {
	page string
	run  func(*world)
}

// shelf is pages that are followed one after the other, in one world.
type shelf struct {
	name   string
	open   func(*testing.T) *world
	drills []drill
}

func shelves() []shelf {
	return []shelf{
		{"accounts", worldOfAccounts, []drill{
			{"cluster-credential-account-not-ready", (*world).accountNotReady},
			{"cluster-credential-throttled", (*world).throttled},
			{"cluster-credential-suspended-too-long", (*world).suspendedTooLong},
			{"cluster-credential-capacity-exceeded", (*world).capacityExceeded},
		}},
		{"renewals", worldOfRenewals, []drill{
			{"cluster-credential-renewal-overdue", (*world).renewalOverdue},
			{"cluster-credential-expires-soon", (*world).expiresSoon},
		}},
		{"objects", worldOfObjects, []drill{
			{"cluster-credential-not-ready", (*world).notReady},
		}},
		{"outputs", worldOfOutputs, []drill{
			{"cluster-credential-not-published", (*world).notPublished},
		}},
		{"fleet", worldOfAFleet, []drill{
			{"cluster-credential-fleet-held", (*world).fleetHeld},
			{"cluster-credential-unknown-outcomes", (*world).unknownOutcomes},
		}},
		{"operator", worldOfAnOperator, []drill{
			{"cluster-credential-not-scraped", (*world).notScraped},
			{"cluster-credential-operator-down", (*world).operatorDown},
		}},
		{"clusters", worldOfClusters, []drill{
			{"cluster-credential-not-verified", (*world).notVerified},
			{"leaked-kubeconfig", (*world).leakedKubeconfig},
		}},
	}
}

// Whoever follows a runbook gets rid of the trouble that the alert tells of.
func TestRunbooksHeal(t *testing.T) {
	for _, shelf := range shelves() {
		t.Run(shelf.name, func(t *testing.T) {
			w := shelf.open(t)
			for _, drill := range shelf.drills {
				began := time.Now()
				drill.run(w)
				t.Logf("%s: %s", drill.page, time.Since(began).Round(time.Second))
			}
		})
	}
}

func worldOfObjects(t *testing.T) *world {
	w := newWorld(t, options{clusters: []string{"prod-1", "prod-2", "prod-3", "prod-4"}})
	w.startManager("--cluster-interval=1s")
	return w
}

// Four credentials that never were ready, each for a reason of its own.
func (w *world) notReady() {
	r := w.follow("cluster-credential-not-ready")
	w.kubectl("create", "secret", "generic", "prod-1-kubeconfig", "--from-literal=value=mine")
	w.kubectl("label", "secret", "prod-1-kubeconfig", "app=somebody-elses")
	w.must(w.cloud.PatchCluster(w.ClusterID("prod-3"), map[string]any{"phase": "Hibernation"}))
	w.must(w.cloud.Script(stack.Fault{Name: "forbidden", Cluster: w.ClusterID("prod-4"), Times: -1}))
	w.apply(pagesAccountYAML(), pagesCredential("prod-1", "prod-1"), pagesCredential("prod-2", "prod-tow"),
		pagesCredential("prod-3", "prod-3"), pagesCredential("prod-4", "prod-4"))
	for _, reason := range []v1alpha1.Reason{
		v1alpha1.ReasonSecretConflict, v1alpha1.ReasonClusterNotFound, v1alpha1.ReasonClusterNotAvailable, v1alpha1.ReasonForbidden,
	} {
		w.wantConditions(1, v1alpha1.ConditionReady, "False", reason)
	}

	r.next("SecretConflict", "ClusterNotFound", "ClusterNotAvailable", "Forbidden", "Stalled")
	w.must(w.cloud.PatchCluster(w.ClusterID("prod-3"), map[string]any{"phase": "Available"}))
	w.must(w.cloud.ClearScript())
	r.next("somebody-elses")
	r.next("patched")
	r.next("patched")
	r.next("annotated")
	r.next("prod-1 condition met", "prod-2 condition met", "prod-3 condition met", "prod-4 condition met")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionReady, "False", "")
	if got := string(w.secret("prod-1-kubeconfig").Data["value"]); got != "mine" {
		w.t.Error("somebody else's Secret was touched")
	}
}

func worldOfOutputs(t *testing.T) *world {
	w := newWorld(t, options{clusters: []string{"prod-1", "prod-2"}})
	w.startManager()
	return w
}

// A Secret of somebody else in the way of a further output, and a policy that refuses the label of another.
func (w *world) notPublished() {
	r := w.follow("cluster-credential-not-published")
	w.kubectl("create", "secret", "generic", "cluster-prod-1", "--from-literal=note=mine")
	w.kubectl("label", "secret", "cluster-prod-1", "app=somebody-elses")
	outputs := func(label string) string {
		return pagesCredential("prod-2", "prod-2", "  outputs: [{secretName: prod-2-kubeconfig, labels: {team: "+label+"}}]")
	}
	w.apply(pagesAccountYAML(), outputs("ops"), pagesCredential("prod-1", "prod-1",
		"  outputs: [{secretName: prod-1-kubeconfig}, {secretName: cluster-prod-1, format: ArgoCD}]"))
	w.waitReady("prod-2")
	w.onlyThePlatformTeam("prod-2-kubeconfig")
	w.apply(outputs("dev"))
	w.wantConditions(1, v1alpha1.ConditionPublished, "False", v1alpha1.ReasonSecretConflict)
	w.wantConditions(1, v1alpha1.ConditionPublished, "False", v1alpha1.ReasonWriteRefused)

	r.next("cluster-prod-1\tFailed\tSecretConflict", "spec.outputs[1]")
	r.next("somebody-elses")
	r.next("patched")
	r.next("patched")
	r.next("prod-2 condition met", "cluster-prod-1\tCurrent")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionPublished, "False", "")
	if s := w.secret("cluster-prod-1"); string(s.Data["note"]) != "mine" || len(s.Data["config"]) == 0 {
		w.t.Errorf("the Secret that was taken over has the keys %v", len(s.Data))
	}
	w.wantPosts(2)
}

// onlyThePlatformTeam is a policy for a Secret, and waits until it counts.
func (w *world) onlyThePlatformTeam(secret string) {
	w.t.Helper()
	w.apply(fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [secrets], resourceNames: [%[2]s]}]
  validations: [{expression: "object.metadata.labels['team'] == 'platform'", message: the label team has to be platform}]
`, w.namespace, secret), fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny]}
`, w.namespace))
	w.eventually(eventTime, func() error {
		if _, err := w.Kubectl("--namespace", w.namespace, "label", "secret", secret, "tried=it", "--dry-run=server"); err == nil {
			return fmt.Errorf("the policy does not count yet")
		}
		return nil
	})
}
