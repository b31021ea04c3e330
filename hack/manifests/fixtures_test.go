// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// config is the folder of the manifests.
const config = "../../config"

// read reads a file of config that holds one object, as strictly as the API server does.
func read[T any](t *testing.T, path string) *T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(config, path))
	if err != nil {
		t.Fatal(err)
	}
	object := new(T)
	if err := yaml.UnmarshalStrict(text, object); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return object
}

func deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	return read[appsv1.Deployment](t, "manager/manager.yaml")
}

// manager is the container that the operator runs in.
func manager(t *testing.T) corev1.Container {
	t.Helper()
	containers := deployment(t).Spec.Template.Spec.Containers
	if len(containers) != 1 {
		t.Fatalf("the Pod has %d containers, want 1", len(containers))
	}
	return containers[0]
}

// grants spells rules out, one verb on one kind of resource each: "get secrets".
func grants(rules []rbacv1.PolicyRule) []string {
	var all []string
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, strings.TrimSuffix(fmt.Sprintf("%s %s.%s", verb, resource, group), "."))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}
