// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package argocd

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/health"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/hack/conformance/world"
)

// samples are what users of Argo CD paste.
const samples = "../../../config/gitops/argocd/"

// A field that Argo CD does not know would be dropped there, or refused.
func TestTheApplicationsHaveArgoCDsFields(t *testing.T) {
	for _, file := range []string{"operator.yaml", "fleet.yaml"} {
		text, err := os.ReadFile(samples + file)
		if err != nil {
			t.Fatal(err)
		}
		application := &v1alpha1.Application{}
		if err := yaml.UnmarshalStrict(text, application); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !application.Spec.SyncPolicy.SyncOptions.HasOption("ServerSideApply=true") {
			t.Errorf("%s is not for server-side apply", file)
		}
		if err := yaml.UnmarshalStrict([]byte(strings.Replace(string(text), "syncPolicy:", "syncPolice:", 1)), application); err == nil {
			t.Errorf("%s: a field that does not exist is not noticed", file)
		}
	}
}

// The operator's own objects, judged by Argo CD with what docs/gitops.md has users put into its ConfigMap.
func TestArgoCDJudgesWhatTheOperatorSays(t *testing.T) {
	w := world.Shared(t)
	overrides := customized(t, w)
	w.Apply(t, "well", "shop", "[{secretName: well}]")
	w.Issued(t, "well")
	w.Kubectl(t, "", "create", "secret", "generic", "somebodys", "--from-literal=a=b")
	w.Apply(t, "taken", "shop", "[{secretName: somebodys}]")
	w.Wait(t, "taken", "condition=Stalled")
	w.Kubectl(t, secretless("homeless"), "apply", "-f", "-")
	w.Wait(t, "homeless", "jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=AccountNotFound")
	w.Kubectl(t, secretless("asleep"), "apply", "-f", "-")
	w.Kubectl(t, "", "patch", "clustercredential", "asleep", "--type=merge", "-p", `{"spec":{"suspend":true}}`)

	for name, want := range map[string]health.HealthStatusCode{
		"clustercredential/well":     health.HealthStatusHealthy,
		"clustercredential/taken":    health.HealthStatusDegraded,
		"clustercredential/homeless": health.HealthStatusDegraded,
		"clustercredential/asleep":   health.HealthStatusSuspended,
		"cloudaccount/" + w.Account:  health.HealthStatusHealthy,
	} {
		wantHealth(t, overrides, live(t, w, name), want)
	}
	newer := live(t, w, "clustercredential/well")
	newer.SetGeneration(newer.GetGeneration() + 1)
	wantHealth(t, overrides, newer, health.HealthStatusProgressing)
}

// secretless is a ClusterCredential of an account that there is not.
func secretless(name string) string {
	return fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCredential
metadata: {name: %s}
spec: {accountRef: {name: nobody}, cluster: {name: shop}}
`, name)
}

// The action of the ConfigMap makes one renewal, as the annotation in Git does.
func TestTheActionOfArgoCDRenews(t *testing.T) {
	w := world.Shared(t)
	machine := lua.VM{ResourceOverrides: customized(t, w)}
	w.Apply(t, "acted-on", "shop", "[{secretName: acted-on}]")
	before := w.Issued(t, "acted-on")

	object := live(t, w, "clustercredential/acted-on")
	scripts, err := machine.GetResourceActionDiscovery(object)
	if err != nil {
		t.Fatal(err)
	}
	actions, err := machine.ExecuteResourceActionDiscovery(object, scripts)
	if err != nil || len(actions) != 1 || actions[0].Name != "renew" || actions[0].Disabled {
		t.Fatalf("Argo CD offers %+v, %v", actions, err)
	}
	action, err := machine.GetResourceAction(object, "renew")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := machine.ExecuteResourceAction(object, action.ActionLua, nil)
	if err != nil || len(changed) != 1 {
		t.Fatalf("the action changes %d objects, %v", len(changed), err)
	}
	const key = "clustercredential.dev/renew-requested-at"
	value := changed[0].UnstructuredObj.GetAnnotations()[key]
	w.Kubectl(t, "", "annotate", "clustercredential/acted-on", key+"="+value)
	w.Wait(t, "acted-on", "jsonpath={.status.lastHandledRenewRequest}="+value)
	if after := w.Issued(t, "acted-on"); after.Serial == before.Serial {
		t.Error("there is no other certificate")
	}

	if err := unstructured.SetNestedField(object.Object, true, "spec", "suspend"); err != nil {
		t.Fatal(err)
	}
	if actions, err := machine.ExecuteResourceActionDiscovery(object, scripts); err != nil || len(actions) != 1 || !actions[0].Disabled {
		t.Errorf("while it is suspended Argo CD offers %+v, %v", actions, err)
	}
}

// What stands in Git is what Argo CD finds, once the operator has done its work.
func TestArgoCDSeesNoDifference(t *testing.T) {
	w := world.Shared(t)
	text := fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCredential
metadata:
  name: in-git
  namespace: %s
  annotations: {argocd.argoproj.io/tracking-id: "fleet:clustercredential.dev/ClusterCredential:%[1]s/in-git"}
spec:
  accountRef: {name: %s}
  cluster: {id: %s}
  validity: {days: 90}
  outputs: [{secretName: in-git, labels: {env: prod}}]
  deletionPolicy: Delete
`, w.Namespace, w.Account, w.Clusters["shop"])
	w.Kubectl(t, text, "apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
	w.Issued(t, "in-git")
	git := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &git.Object); err != nil {
		t.Fatal(err)
	}
	for change, differs := range map[string]bool{"prod": false, "test": true} {
		object := live(t, w, "clustercredential/in-git")
		outputs := []any{map[string]any{"secretName": "in-git", "labels": map[string]any{"env": change}}}
		if err := unstructured.SetNestedSlice(object.Object, outputs, "spec", "outputs"); err != nil {
			t.Fatal(err)
		}
		result, err := diff.Diff(git, object)
		if err != nil {
			t.Fatal(err)
		}
		if result.Modified != differs {
			t.Errorf("with the label %s there is a difference: %t, want %t\n%s\n%s", change, result.Modified, differs,
				result.NormalizedLive, result.PredictedLive)
		}
	}
}

// customized is what Argo CD makes of its ConfigMap, patched as docs/gitops.md says.
func customized(t *testing.T, w *world.World) map[string]v1alpha1.ResourceOverride {
	t.Helper()
	const namespace = "argocd"
	client := hub(t, w)
	ensure(t, client, namespace)
	w.Kubectl(t, "", "patch", "configmap", "argocd-cm", "-n", namespace, "--patch-file", samples+"argocd-cm.yaml")
	overrides, err := settings.NewSettingsManager(t.Context(), client, namespace).GetResourceOverrides()
	if err != nil {
		t.Fatal(err)
	}
	return overrides
}

// ensure makes the ConfigMap of Argo CD, as its installation does; a test before this one may have.
func ensure(t *testing.T, client kubernetes.Interface, namespace string) {
	t.Helper()
	if _, err := client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "argocd-cm", metav1.GetOptions{}); err == nil {
		return
	}
	mine := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), mine, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name: "argocd-cm", Labels: map[string]string{"app.kubernetes.io/part-of": "argocd"},
	}}
	if _, err := client.CoreV1().ConfigMaps(namespace).Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func live(t *testing.T, w *world.World, name string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(w.Kubectl(t, "", "get", name, "-o", "json")), object); err != nil {
		t.Fatal(err)
	}
	return object
}

func wantHealth(t *testing.T, overrides map[string]v1alpha1.ResourceOverride, object *unstructured.Unstructured, want health.HealthStatusCode) {
	t.Helper()
	found, err := health.GetResourceHealth(object, lua.ResourceHealthOverrides(overrides))
	if err != nil {
		t.Fatal(err)
	}
	if found == nil || found.Status != want || found.Message == "" {
		t.Errorf("Argo CD says of %s %+v, want %s", object.GetName(), found, want)
	}
}
