// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// config/rbac/role.yaml is generated from the code, the two roles of config/namespaced are written by hand.
func TestBothWaysToInstallGrantTheSame(t *testing.T) {
	everywhere := grants(read[rbacv1.ClusterRole](t, "rbac/role.yaml").Rules)
	outside := grants(read[rbacv1.ClusterRole](t, "namespaced/operator/cluster_role.yaml").Rules)
	inside := grants(read[rbacv1.Role](t, "namespaced/namespace/role.yaml").Rules)
	both := slices.Concat(outside, inside)
	slices.Sort(both)
	if diff := cmp.Diff(everywhere, both); diff != "" {
		t.Errorf("config/rbac/role.yaml (-) and config/namespaced (+) differ: what has a namespace belongs into namespace/role.yaml, "+
			"all else into operator/cluster_role.yaml:\n%s", diff)
	}
}

// withoutNamespace are the resources in our rules that lie in no namespace. A Role that named them would grant nothing.
var withoutNamespace = []string{"namespaces", "clustercloudaccounts", "clustercloudaccounts/status"}

func TestWhatIsGrantedOutsideOfNamespacesHasNone(t *testing.T) {
	for _, rule := range read[rbacv1.ClusterRole](t, "namespaced/operator/cluster_role.yaml").Rules {
		for _, resource := range rule.Resources {
			if !slices.Contains(withoutNamespace, resource) {
				t.Errorf("the ClusterRole of config/namespaced reaches %s in all namespaces", resource)
			}
		}
	}
	for _, rule := range read[rbacv1.Role](t, "namespaced/namespace/role.yaml").Rules {
		for _, resource := range rule.Resources {
			if slices.Contains(withoutNamespace, resource) {
				t.Errorf("the Role of config/namespaced names %s, which has no namespace", resource)
			}
		}
	}
}

// kustomization is the part of one that is looked at here.
type kustomization struct {
	Namespace string   `json:"namespace"`
	Resources []string `json:"resources"`
	Patches   []struct {
		Patch string `json:"patch"`
	} `json:"patches"`
}

func kustomizationOf(t *testing.T, folder string) kustomization {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(config, folder, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var k kustomization
	if err := yaml.Unmarshal(text, &k); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheNamespacesThatAreLookedAtAreThoseWithARole(t *testing.T) {
	whole := kustomizationOf(t, "namespaced")
	var withRole []string
	for _, folder := range whole.Resources {
		if k := kustomizationOf(t, "namespaced/"+folder); slices.Contains(k.Resources, "../namespace") {
			withRole = append(withRole, k.Namespace)
		}
	}
	if len(whole.Patches) != 1 {
		t.Fatalf("config/namespaced has %d patches, want 1 with --namespaces", len(whole.Patches))
	}
	flag := regexp.MustCompile(`--namespaces=(\S+)`).FindStringSubmatch(whole.Patches[0].Patch)
	if flag == nil {
		t.Fatal("config/namespaced does not set --namespaces")
	}
	if diff := cmp.Diff(withRole, strings.Split(flag[1], ",")); diff != "" {
		t.Errorf("namespaces with a Role (-) and in --namespaces (+):\n%s", diff)
	}
}

// Whoever may write a ClusterCredential can have an administrator's credential of a cluster: nobody gets that by having "edit".
func TestOnlyReadingIsAggregated(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(config, "rbac", "*role.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("found only the roles %v: %v", files, err)
	}
	for _, file := range files {
		role := read[rbacv1.ClusterRole](t, filepath.Join("rbac", filepath.Base(file)))
		for label := range role.Labels {
			if strings.Contains(label, "aggregate-to") && label != "rbac.authorization.k8s.io/aggregate-to-view" {
				t.Errorf("%s has the label %s", role.Name, label)
			}
		}
		if role.Labels["rbac.authorization.k8s.io/aggregate-to-view"] == "" {
			continue
		}
		for _, grant := range grants(role.Rules) {
			verb, resource, _ := strings.Cut(grant, " ")
			if !slices.Contains([]string{"get", "list", "watch"}, verb) || strings.HasPrefix(resource, "secrets") {
				t.Errorf("%s, which everybody gets who may view, grants %q", role.Name, grant)
			}
		}
	}
}

// Whoever writes a ClusterCloudAccount says to which address any Secret's key is sent.
func TestNoRoleForPeopleWritesLentAccounts(t *testing.T) {
	for _, name := range []string{"admin_role.yaml", "editor_role.yaml", "viewer_role.yaml"} {
		for _, grant := range grants(read[rbacv1.ClusterRole](t, filepath.Join("rbac", name)).Rules) {
			verb, resource, _ := strings.Cut(grant, " ")
			writes := !slices.Contains([]string{"get", "list", "watch"}, verb)
			if writes && (strings.HasPrefix(resource, "clustercloudaccounts") || strings.Contains(resource, "*")) {
				t.Errorf("%s grants %q", name, grant)
			}
		}
	}
}

// What would let whoever takes over the operator go further than its own work.
func TestNoRoleOfTheOperatorCanRaiseItself(t *testing.T) {
	rules := slices.Concat(
		read[rbacv1.ClusterRole](t, "rbac/role.yaml").Rules,
		read[rbacv1.Role](t, "rbac/leader_election_role.yaml").Rules,
		read[rbacv1.ClusterRole](t, "rbac/metrics_auth_role.yaml").Rules,
	)
	for _, grant := range grants(rules) {
		verb, resource, _ := strings.Cut(grant, " ")
		if slices.Contains([]string{"*", "escalate", "bind", "impersonate", "deletecollection"}, verb) ||
			strings.Contains(resource, "*") || strings.HasPrefix(resource, "serviceaccounts") || strings.HasSuffix(resource, ".rbac.authorization.k8s.io") {
			t.Errorf("the operator is granted %q", grant)
		}
	}
}
