// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"os"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// The code that decides in the API server whether a namespace of this level takes a Pod.
func TestThePodIsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	violations := func(change func(*appsv1.Deployment)) []policy.CheckResult {
		deployment := theDeployment(t)
		change(deployment)
		template := deployment.Spec.Template
		var found []policy.CheckResult
		for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
			if !result.Allowed {
				found = append(found, result)
			}
		}
		return found
	}
	for _, found := range violations(func(*appsv1.Deployment) {}) {
		t.Errorf("the Pod of config/manager is not restricted: %s: %s", found.ForbiddenReason, found.ForbiddenDetail)
	}
	// It does find something where there is something.
	if found := violations(func(d *appsv1.Deployment) { d.Spec.Template.Spec.HostNetwork = true }); len(found) == 0 {
		t.Error("a Pod in the network of the node is taken for restricted")
	}
}

func theDeployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	text, err := os.ReadFile("../../config/manager/manager.yaml")
	if err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{}
	if err := yaml.UnmarshalStrict(text, deployment); err != nil {
		t.Fatal(err)
	}
	return deployment
}
