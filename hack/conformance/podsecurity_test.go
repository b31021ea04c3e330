// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/hack/rendered"
)

// The code that decides in the API server whether a namespace of this level takes a Pod.
func TestThePodIsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	violations := func(deployment *appsv1.Deployment) []policy.CheckResult {
		template := deployment.Spec.Template
		var found []policy.CheckResult
		for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
			if !result.Allowed {
				found = append(found, result)
			}
		}
		return found
	}
	for name, deployment := range deployments(t) {
		for _, found := range violations(deployment) {
			t.Errorf("the Pod of %s is not restricted: %s: %s", name, found.ForbiddenReason, found.ForbiddenDetail)
		}
		// It does find something where there is something.
		deployment.Spec.Template.Spec.HostNetwork = true
		if found := violations(deployment); len(found) == 0 {
			t.Errorf("%s: a Pod in the network of the node is taken for restricted", name)
		}
	}
}

// deployments are those of config, and of the chart with each of its files of values.
func deployments(t *testing.T) map[string]*appsv1.Deployment {
	t.Helper()
	text, err := os.ReadFile("../../config/manager/manager.yaml")
	if err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{}
	if err := yaml.UnmarshalStrict(text, deployment); err != nil {
		t.Fatal(err)
	}
	all := map[string]*appsv1.Deployment{"config/manager": deployment}
	files, err := filepath.Glob("../../config/helm/ci/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values for the chart: %v", err)
	}
	for _, file := range files {
		all[file] = ofChart(t, "--values="+file)
	}
	return all
}

func ofChart(t *testing.T, args ...string) *appsv1.Deployment {
	t.Helper()
	text, err := rendered.Chart(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := rendered.Objects(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		deployment := &appsv1.Deployment{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, deployment, true); err != nil {
			t.Fatal(err)
		}
		return deployment
	}
	t.Fatal("the chart has no Deployment")
	return nil
}
