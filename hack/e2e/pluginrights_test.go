// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clustercredential/operator/hack/stack"
)

// rights is a row of the table in docs/kubectl.md.
type rights struct {
	command       string
	needs, better []string
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

func spansOf(cell string) []string {
	var spans []string
	for _, match := range codeSpan.FindAllStringSubmatch(cell, -1) {
		spans = append(spans, match[1])
	}
	return spans
}

// documentedRights reads the table.
func documentedRights(t *testing.T) []rights {
	t.Helper()
	page, err := os.ReadFile("../../docs/kubectl.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Rights\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var all []rights
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 3 && strings.HasPrefix(strings.TrimSpace(cells[0]), "`") {
			all = append(all, rights{command: spansOf(cells[0])[0], needs: spansOf(cells[1]), better: spansOf(cells[2])})
		}
	}
	return all
}

// Every command works with exactly the rights that its page tells, and without any one of them says which one is missing.
func TestThePluginNeedsTheRightsThatItsPageTells(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"prod"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("prod", "prod"))
	w.waitReady("prod")
	file := filepath.Join(t.TempDir(), "prod.kubeconfig")
	w.must(os.WriteFile(file, w.published("prod"), 0o600))

	documented := documentedRights(t)
	if len(documented) < 9 {
		t.Fatalf("docs/kubectl.md has rights for %d commands only", len(documented))
	}
	for i, row := range documented {
		args := strings.Fields(strings.NewReplacer("NAME", "prod", "FILE", file).Replace(row.command))
		enough := w.userWith(fmt.Sprintf("enough-%d", i), row.needs)
		if strings.Contains(row.command, "--wait") { // the last request may be less than a minute ago: that it waits is enough
			if a := enough.run(append(args, "--timeout=3s")...); a.code != 0 && !strings.Contains(a.err, "still under way") {
				t.Errorf("%s with the rights of its page: %s", row.command, a)
			}
		} else {
			enough.want(0, nil, args...)
		}
		if len(row.better) > 0 {
			seen := w.userWith(fmt.Sprintf("better-%d", i), slices.Concat(row.needs, row.better)).want(0, nil, args...)
			if strings.Contains(seen.out+seen.err, "in namespace") && strings.Contains(seen.out+seen.err, "could not be listed") {
				t.Errorf("%s with all rights of the page does not see something:\n%s", row.command, seen)
			}
		}
		for j, missing := range row.needs {
			verb, resource, _ := strings.Cut(missing, " ")
			less := slices.DeleteFunc(slices.Clone(row.needs), func(right string) bool { return right == missing })
			says := []string{fmt.Sprintf("%q", verb), resource, "docs/kubectl.md"}
			w.userWith(fmt.Sprintf("less-%d-%d", i, j), less).want(1, says, args...)
		}
	}
}

// userWith is somebody who may do that in the namespace, and nothing else.
func (w *world) userWith(name string, allowed []string) *plugin {
	w.t.Helper()
	ctx, name := context.Background(), w.namespace+"-"+name
	admin := kubernetes.NewForConfigOrDie(w.Kube.Config())
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, right := range allowed {
		verb, resource, _ := strings.Cut(right, " ")
		group := "clustercredential.dev"
		if resource == "secrets" {
			group = ""
		}
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{verb}})
	}
	_, err := admin.RbacV1().Roles(w.namespace).Create(ctx, role, metav1.CreateOptions{})
	w.must(err)
	_, err = admin.RbacV1().RoleBindings(w.namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}, metav1.CreateOptions{})
	w.must(err)
	user, err := w.Kube.UserConfig(name)
	w.must(err)
	p := w.pluginOf(user)
	w.eventually(eventTime, func() error { // roles count within moments
		for _, rule := range role.Rules {
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User: name, ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: w.namespace, Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: rule.Verbs[0],
				},
			}}
			review, err := admin.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			w.must(err)
			if !review.Status.Allowed {
				return fmt.Errorf("%s may not %v yet", name, rule)
			}
		}
		return nil
	})
	return p
}

// Who borrows an account reads neither its key nor, where its grants go by name, the labels of namespaces.
func TestWhyOfALentAccountNeedsNoKey(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"lent"}})
	keys, lent := w.namespace+"-keys", w.namespace+"-lent"
	w.kubectl("create", "namespace", keys)
	w.kubectlInput(strings.Replace(keyYAML(lentKeys, stack.AccessKey, canarySecretKey), "metadata:", "metadata:\n  namespace: "+keys, 1))
	w.kubectlInput(strings.NewReplacer("name: lent}", "name: "+lent+"}", "namespace: "+systemNamespace, "namespace: "+keys).Replace(lentAccountYAML(w.namespace)))
	w.kubectl("create", "clusterrole", lent, "--verb=get", "--resource=clustercloudaccounts.clustercredential.dev")
	w.t.Cleanup(func() {
		_, _ = w.Kubectl("delete", "clustercloudaccount/"+lent, "clusterrole/"+lent, "clusterrolebinding/"+lent, "--wait=false")
	})
	w.startManager("--namespaces=" + w.namespace + "," + keys)
	w.apply(strings.Replace(credentialOf("prod", lent, "{id: "+w.ClusterID("lent")+"}"), "  accountRef:", "  accountRef:\n    kind: ClusterCloudAccount", 1))
	w.waitReady("prod")

	p := w.userWith("borrower", []string{"get clustercredentials", "get secrets"})
	p.want(1, []string{`"get"`, "clustercloudaccounts", "ClusterRoleBinding"}, "why", "prod")
	w.kubectl("create", "clusterrolebinding", lent, "--clusterrole="+lent, "--user="+w.namespace+"-borrower")
	w.eventually(eventTime, func() error {
		if a := p.run("why", "prod"); a.code != 0 || !strings.Contains(a.out, "No certificate is due") || !strings.Contains(a.out, "may not be read by this login") {
			return fmt.Errorf("%s", a)
		}
		return nil
	})
	w.kubectl("patch", "clustercloudaccount", lent, "--type=merge", "-p", `{"spec":{"grants":[{"namespaces":{"names":["nobody"]}}]}}`)
	p.want(0, []string{"The account cannot be used: no grant of ClusterCloudAccount"}, "why", "prod")
	w.kubectl("patch", "clustercloudaccount", lent, "--type=merge", "-p", `{"spec":{"grants":[{"namespaces":{"selector":{"matchLabels":{"a":"b"}}}}]}}`)
	p.want(1, []string{`"get"`, "namespaces"}, "why", "prod")
}
