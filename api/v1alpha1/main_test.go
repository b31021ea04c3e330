// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/realkube"
)

const crdDir = "../../config/crd/bases"

func TestMain(m *testing.M) {
	os.Exit(realkube.Main(m, realkube.Options{CRDDirs: []string{crdDir}}))
}

// The kinds.
const (
	credential = "ClusterCredential"
	account    = "CloudAccount"
	lent       = "ClusterCloudAccount"
	consent    = "CredentialGrant"
)

// resources are the plural names of the kinds.
var resources = map[string]string{credential: "clustercredentials", account: "cloudaccounts", lent: "clustercloudaccounts", consent: "credentialgrants"}

// minimal are the smallest objects that say enough.
var minimal = map[string]string{
	credential: `
metadata: {name: prod-1}
spec:
  accountRef: {name: huawei-prod}
  cluster: {id: 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f}`,
	account: `
metadata: {name: huawei-prod}
spec:
  region: ap-southeast-3
  auth: {accessKey: {secretRef: {name: huawei-keys}}}`,
	lent: `
metadata: {name: huawei-shared}
spec:
  region: ap-southeast-3
  auth: {accessKey: {secretRef: {name: huawei-keys, namespace: clustercredential-system}}}`,
	consent: `
metadata: {name: fleet}
spec:
  from: [{namespace: fleet}]
  to: {secretNames: ["cluster-*"]}`,
}

// object returns the minimal object of a kind in a namespace, with what a snippet of YAML puts into its metadata, spec and
// status. A value replaces the one that stands there as a whole; null removes it.
func object(t *testing.T, kind, namespace, snippet string) *unstructured.Unstructured {
	t.Helper()
	var whole, changes map[string]map[string]any
	if err := yaml.Unmarshal([]byte(minimal[kind]), &whole); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(snippet), &changes); err != nil {
		t.Fatalf("%v in\n%s", err, snippet)
	}
	content := map[string]any{}
	for _, part := range []string{"metadata", "spec", "status"} {
		merged := map[string]any{}
		maps.Copy(merged, whole[part])
		maps.Copy(merged, changes[part])
		maps.DeleteFunc(merged, func(_ string, value any) bool { return value == nil })
		if len(merged) > 0 {
			content[part] = merged
		}
	}
	// Through JSON once more, for the number types that the clients want.
	data, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(withType(data, kind), &u.Object); err != nil {
		t.Fatal(err)
	}
	u.Object = runtime.DeepCopyJSON(integers(u.Object).(map[string]any))
	if kind != lent {
		u.SetNamespace(namespace)
	}
	return u
}

func withType(content []byte, kind string) []byte {
	head := `{"apiVersion":"` + v1alpha1.GroupVersion.String() + `","kind":"` + kind + `",`
	return []byte(head + strings.TrimPrefix(string(content), "{"))
}

// integers turns whole numbers into int64, as the decoder of the clients does.
func integers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = integers(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = integers(inner)
		}
	case float64:
		if value == float64(int64(value)) {
			return int64(value)
		}
	}
	return value
}

// objects returns the client of one kind in a namespace.
func objects(t *testing.T, kind, namespace string) dynamic.ResourceInterface {
	t.Helper()
	c, err := dynamic.NewForConfig(realkube.Shared(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	all := c.Resource(v1alpha1.GroupVersion.WithResource(resources[kind]))
	if kind == lent {
		return all
	}
	return all.Namespace(namespace)
}

// typed returns a client that decodes into the Go types, as the operator's does.
func typed(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(realkube.Shared(t).Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newNamespace makes a namespace for one test.
func newNamespace(t *testing.T, name string) string {
	t.Helper()
	c, err := kubernetes.NewForConfig(realkube.Shared(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-"}}
	namespace, err = c.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// store creates an object, and then its status.
func store(t *testing.T, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	status := o.Object["status"]
	all := objects(t, o.GetKind(), o.GetNamespace())
	stored, err := all.Create(t.Context(), o, metav1.CreateOptions{FieldValidation: "Strict"})
	if err != nil {
		t.Fatal(err)
	}
	if status == nil {
		return stored
	}
	stored.Object["status"] = status
	if stored, err = all.UpdateStatus(t.Context(), stored, metav1.UpdateOptions{FieldValidation: "Strict"}); err != nil {
		t.Fatal(err)
	}
	return stored
}

// kubectl is the real one, against the shared cluster, with a home of its own.
type kubectl struct {
	t                *testing.T
	home, kubeconfig string
}

func newKubectl(t *testing.T) kubectl {
	t.Helper()
	cluster := realkube.Shared(t)
	config, err := cluster.Kubeconfig(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	path := filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return kubectl{t, home, path}
}

// in is kubectl in a subtest.
func (k kubectl) in(t *testing.T) kubectl {
	k.t = t
	return k
}

// try returns what kubectl prints, on both streams, and how it ends.
func (k kubectl) try(stdin string, args ...string) (string, error) {
	k.t.Helper()
	cmd := exec.CommandContext(k.t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
	cmd.Env = []string{"HOME=" + k.home, "KUBECONFIG=" + k.kubeconfig, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run fails the test unless kubectl succeeds.
func (k kubectl) run(stdin string, args ...string) string {
	k.t.Helper()
	out, err := k.try(stdin, args...)
	if err != nil {
		k.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func toYAML(t *testing.T, value any) string {
	t.Helper()
	data, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
