// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// formats are all whole formats; a new one gets its line here.
var formats = map[string]v1alpha1.Output{
	"an output that says nothing":  {SecretName: "s"},
	"the format Kubeconfig":        {SecretName: "s", Format: v1alpha1.FormatKubeconfig},
	"Kubeconfig with key and name": {SecretName: "s", Key: "kubeconfig", ClusterName: "prod-1"},
	"ArgoCD":                       {SecretName: "s", Format: v1alpha1.FormatArgoCD},
	"ArgoCD with options": {SecretName: "s", Format: v1alpha1.FormatArgoCD, ClusterName: "prod-1", ArgoCD: &v1alpha1.ArgoCDOptions{
		Project: "default", Namespaces: []string{"a", "b"}, ClusterResources: new(true),
	}},
	"ClusterAPI":                      {SecretName: "prod-1-kubeconfig", Format: v1alpha1.FormatClusterAPI},
	"Istio":                           {SecretName: "s", Format: v1alpha1.FormatIstio, ClusterName: "prod-1"},
	"KubeVela":                        {SecretName: "prod-1", Format: v1alpha1.FormatKubeVela},
	"Kubeconfig with labels and such": {SecretName: "s", Labels: map[string]v1alpha1.LabelValue{"env": "prod"}, Annotations: map[string]string{"a/b": "c"}},
}

func TestWhatIsRenderedIsReadBack(t *testing.T) {
	for name, o := range formats {
		t.Run(name, func(t *testing.T) {
			c := credential(t)
			rendered, err := Render(c, o, testFacts)
			if err != nil {
				t.Fatal(err)
			}
			twice, err := Render(c, o, testFacts)
			if err != nil || !reflect.DeepEqual(rendered, twice) {
				t.Errorf("rendered twice, it differs (%v)", err)
			}
			got, err := Read(stored(rendered), o, testFacts)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(c, got) { // a difference would show the key
				t.Error("read back, it differs")
			}
			if _, err := Read(stored(rendered), o, Facts{Name: "another-name"}); err != nil {
				t.Errorf("under another default name: %v", err)
			}
		})
	}
}

func TestLabelsAndAnnotationsAreThoseOfTheOutputAndCopies(t *testing.T) {
	o := formats["Kubeconfig with labels and such"]
	rendered, err := Render(credential(t), o, testFacts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]string{LabelsOf(o), o.Annotations}, []map[string]string{rendered.Labels, rendered.Annotations}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rendered.Labels["env"], rendered.Annotations["more"] = "changed", "x"
	if o.Labels["env"] != "prod" || len(o.Annotations) != 1 {
		t.Error("the spec was changed through what was rendered")
	}
}

func TestTheLabelsOfAFormatWinOverThoseOfTheUser(t *testing.T) {
	got := joined(map[string]string{"format": "own"}, map[string]string{"format": "user's", "env": "prod"})
	if diff := cmp.Diff(map[string]string{"format": "own", "env": "prod"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnUnknownFormatIsNamed(t *testing.T) {
	o := v1alpha1.Output{Format: "Smoke"}
	_, renderErr := Render(credential(t), o, Facts{Name: "a"})
	_, readErr := Read(nil, o, Facts{Name: "a"})
	for _, err := range []error{renderErr, readErr} {
		e, ok := errors.AsType[*UnknownFormatError](err)
		if !ok || e.Format != "Smoke" || err.Error() != `this release of the operator does not know the output format "Smoke"` {
			t.Errorf("got %v", err)
		}
	}
}

func TestWhatIsRenderedPrintsNoKey(t *testing.T) {
	c := credential(t)
	rendered, err := Render(c, v1alpha1.Output{}, testFacts)
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		fmt.Fprintf(&printed, verb, rendered)
		fmt.Fprintf(&printed, verb, &rendered)
	}
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "rendered", rendered)
	data := rendered.Data["value"].Reveal()
	for _, canary := range []string{string(data[:20]), fmt.Sprintf("%x", data[:20]), strings.Trim(fmt.Sprint(data[:20]), "[]"), "LS0t"} {
		if strings.Contains(printed.String(), canary) {
			t.Errorf("it prints %q", canary)
		}
	}
}

func TestKubeconfigSaysKeyAndNames(t *testing.T) {
	for name, test := range map[string]struct {
		output         v1alpha1.Output
		key, entryName string
	}{
		"unset, the key is value and the name the default": {v1alpha1.Output{}, "value", "fleet-prod-1"},
		"the key of the output":                            {v1alpha1.Output{Key: "kubeconfig"}, "kubeconfig", "fleet-prod-1"},
		"the name of the output":                           {v1alpha1.Output{ClusterName: "prod"}, "value", "prod"},
	} {
		t.Run(name, func(t *testing.T) {
			c := credential(t)
			got, err := Render(c, test.output, testFacts)
			if err != nil {
				t.Fatal(err)
			}
			want, err := kubeconfig.Render(test.entryName, c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.key}, slices.Collect(maps.Keys(got.Data))); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if !bytes.Equal(want, got.Data[test.key].Reveal()) {
				t.Error("the data is not the kubeconfig of that name")
			}
			if got.Type != corev1.SecretTypeOpaque || got.Labels != nil || got.Annotations != nil {
				t.Errorf("type %s, labels %v, annotations %v", got.Type, got.Labels, got.Annotations)
			}
		})
	}
}

func TestKubeconfigSaysWhatIsMissingOrWrong(t *testing.T) {
	for name, test := range map[string]struct {
		data   map[string][]byte
		output v1alpha1.Output
		want   string
	}{
		"no data":                {nil, v1alpha1.Output{}, `the Secret has no data under the key "value"`},
		"another key":            {map[string][]byte{"value": []byte("x")}, v1alpha1.Output{Key: "kubeconfig"}, `the Secret has no data under the key "kubeconfig"`},
		"an empty value":         {map[string][]byte{"value": {}}, v1alpha1.Output{}, `the Secret has no data under the key "value"`},
		"a value that is no own": {map[string][]byte{"value": []byte("x")}, v1alpha1.Output{}, "the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(test.data, test.output, testFacts)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := Render(credential(t), v1alpha1.Output{}, Facts{}); err == nil {
		t.Error("it renders without a name")
	}
}

func TestSearchFindsTheCredentialUnderAnyKey(t *testing.T) {
	c := credential(t)
	data, err := kubeconfig.Render("fleet-prod-1", c)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data map[string][]byte
		key  string
	}{
		"under the key of before": {map[string][]byte{"value": data, "other": []byte("x")}, "value"},
		"the first of two":        {map[string][]byte{"value": data, "kubeconfig": data}, "kubeconfig"},
		"nowhere":                 {map[string][]byte{"other": []byte("x"), "empty": nil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, key, found := Search(test.data)
			if key != test.key || found != (test.key != "") {
				t.Fatalf("found %v under %q", found, key)
			}
			if found && !reflect.DeepEqual(c, got) {
				t.Error("it is another one")
			}
		})
	}
}
