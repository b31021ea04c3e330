// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clustercredential/operator/hack/stack"
)

// Where the operator is installed, and as whom it runs.
const (
	systemNamespace = "clustercredential-system"
	serviceAccount  = "clustercredential-operator"
	operatorUser    = "system:serviceaccount:" + systemNamespace + ":" + serviceAccount
)

// tokenTime is longer than any run of the suite.
const tokenTime = 2 * time.Hour

// roles are what the installation grants to the operator.
type roles struct {
	// operator logs in with a token of the ServiceAccount.
	operator *rest.Config
	granted  []grant
}

// grant is one verb on one kind of resource. Namespace is empty for all.
type grant struct{ namespace, group, resource, verb string }

func (g grant) String() string {
	where := "everywhere"
	if g.namespace != "" {
		where = "in namespace " + g.namespace
	}
	return fmt.Sprintf("%s %s.%s %s", g.verb, g.resource, g.group, where)
}

// wholeCluster is what "make deploy" installs where nothing else is said.
const wholeCluster = "../../config/default"

// install does what a user does with "make deploy", and takes the place of the Deployment's Pods: no Pod runs here.
func install(ctx context.Context, s *stack.Stack, overlay string) (*roles, error) {
	if out, err := s.Kubectl("apply", "--server-side", "--force-conflicts", "-k", overlay); err != nil {
		return nil, fmt.Errorf("installing the operator: %w\n%s", err, out)
	}
	return logIn(ctx, s)
}

// logIn takes a token of the ServiceAccount that is installed.
func logIn(ctx context.Context, s *stack.Stack) (*roles, error) {
	client, err := kubernetes.NewForConfig(s.Kube.Config())
	if err != nil {
		return nil, err
	}
	seconds := int64(tokenTime.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	token, err := client.CoreV1().ServiceAccounts(systemNamespace).CreateToken(ctx, serviceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("asking for a token of the ServiceAccount: %w", err)
	}
	operator := rest.AnonymousClientConfig(s.Kube.Config())
	operator.BearerToken = token.Status.Token
	r := &roles{operator: operator}
	return r, r.read(ctx, client)
}

// read collects what is bound to the ServiceAccount.
func (r *roles) read(ctx context.Context, client *kubernetes.Clientset) error {
	everywhere, err := client.RbacV1().ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, binding := range everywhere.Items {
		if !bound(binding.Subjects) {
			continue
		}
		role, err := client.RbacV1().ClusterRoles().Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		r.add("", role.Rules)
	}
	inside, err := client.RbacV1().RoleBindings(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, binding := range inside.Items {
		if !bound(binding.Subjects) {
			continue
		}
		role, err := client.RbacV1().Roles(binding.Namespace).Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		r.add(binding.Namespace, role.Rules)
	}
	if len(r.granted) == 0 {
		return fmt.Errorf("nothing is granted to %s: is config/rbac/role.yaml there?", operatorUser)
	}
	return nil
}

func bound(subjects []rbacv1.Subject) bool {
	return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
		return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == systemNamespace && s.Name == serviceAccount
	})
}

func (r *roles) add(namespace string, rules []rbacv1.PolicyRule) {
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					r.granted = append(r.granted, grant{namespace, group, resource, verb})
				}
			}
		}
	}
}

// refused lists what the operator was not allowed to do.
func (r *roles) refused(audit *auditLog) []string {
	requests, err := audit.read()
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, request := range requests {
		if request.forbidden() {
			problems = append(problems, "the shipped roles do not allow what the operator does: "+request.String())
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}

// unused lists what is granted and was never used. Namespaces that are alike have the same Role, and what was used in one of them
// was used.
func (r *roles) unused(audit *auditLog, alike ...string) []string {
	requests, err := audit.read()
	if err != nil {
		return []string{err.Error()}
	}
	used := map[grant]bool{}
	for _, request := range requests {
		used[request.grant()] = true
		inNamespace := request.grant()
		inNamespace.namespace = request.Object.Namespace
		used[inNamespace] = true
	}
	var problems []string
	for _, g := range r.granted {
		places := []string{g.namespace}
		if slices.Contains(alike, g.namespace) {
			places = alike
		}
		usedIn := func(namespace string) bool { return used[grant{namespace, g.group, g.resource, g.verb}] }
		if !slices.ContainsFunc(places, usedIn) {
			problems = append(problems, "the shipped roles grant what no test used: "+g.String())
		}
	}
	return problems
}
