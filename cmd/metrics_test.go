// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clustercredential/operator/hack/realkube"
)

func TestMain(m *testing.M) { os.Exit(realkube.Main(m, realkube.Options{})) }

func TestMetricsAreForThoseWhomTheAPIServerLets(t *testing.T) {
	config := realkube.Shared(t).Config()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	may, mayNot := serviceAccountToken(t, clients, "may"), serviceAccountToken(t, clients, "may-not")
	allow(t, clients, "may")

	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	filter, err := askTheAPIServer(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := filter(logr.Discard(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		authorization string
		want          int
	}{
		"nobody":                       {"", http.StatusUnauthorized},
		"an empty token":               {"Bearer ", http.StatusUnauthorized},
		"a token that nobody gave":     {"Bearer nonsense", http.StatusUnauthorized},
		"another scheme":               {"Basic " + may, http.StatusUnauthorized},
		"somebody who may not see it":  {"Bearer " + mayNot, http.StatusForbidden},
		"somebody who may see metrics": {"Bearer " + may, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
			request.Header.Set("Authorization", test.authorization)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code != test.want {
				t.Errorf("status %d, want %d", answer.Code, test.want)
			}
		})
	}
}

func serviceAccountToken(t *testing.T, clients kubernetes.Interface, name string) string {
	t.Helper()
	accounts := clients.CoreV1().ServiceAccounts("default")
	if _, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := accounts.CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return token.Status.Token
}

func allow(t *testing.T, clients kubernetes.Interface, name string) {
	t.Helper()
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics-reader"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: name}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "metrics-reader"},
	}
	_, roleErr := clients.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{})
	_, bindErr := clients.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
	if roleErr != nil || bindErr != nil {
		t.Fatal(roleErr, bindErr)
	}
}
