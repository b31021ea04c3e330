// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/hack/rendered"
)

// chartFolder is the folder of the chart.
const chartFolder = config + "/helm"

// notFromValues are flags that are not for a Pod.
var notFromValues = []string{"kubeconfig", "version"}

var flagInHelp = regexp.MustCompile(`(?m)^  -([a-z-]+)`)

// The operator takes every argument that the chart can give it, and the chart can give it every argument.
func TestEveryFlagHasAValue(t *testing.T) {
	manager := filepath.Join(t.TempDir(), "manager")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", manager, "../../cmd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help, err := exec.CommandContext(t.Context(), manager, "--help").CombinedOutput()
	if len(help) == 0 {
		t.Fatalf("--help prints nothing: %v", err)
	}
	given := map[string]bool{}
	for _, file := range valuesFiles(t) {
		args := argsOf(t, "--values="+file)
		for _, arg := range args {
			name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
			given[name] = true
		}
		if out, err := exec.CommandContext(t.Context(), manager, append(args, "--version")...).CombinedOutput(); err != nil {
			t.Errorf("the operator does not take what %s gives it: %v\n%s", file, err, out)
		}
	}
	var known []string
	for _, match := range flagInHelp.FindAllStringSubmatch(string(help), -1) {
		if !slices.Contains(notFromValues, match[1]) {
			known = append(known, match[1])
		}
	}
	slices.Sort(known)
	if diff := cmp.Diff(known, slices.Sorted(maps.Keys(given))); diff != "" {
		t.Errorf("flags of the operator (-) and those that values set in config/helm/ci (+):\n%s", diff)
	}
}

func argsOf(t *testing.T, args ...string) []string {
	t.Helper()
	text, err := rendered.Chart(t.Context(), args...)
	for _, o := range objects(t, text, err) {
		if o.GetKind() == "Deployment" {
			given, _, err := unstructured.NestedStringSlice(list(t, o, "spec", "template", "spec", "containers")[0], "args")
			if err != nil {
				t.Fatal(err)
			}
			return given
		}
	}
	t.Fatal("the chart has no Deployment")
	return nil
}

func valuesFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartFolder, "ci", "*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("found only %v: %v", files, err)
	}
	return files
}

// schema is the part of one that is looked at here.
type schema struct {
	Properties map[string]schema `json:"properties"`
}

// leaves are the paths of the values that have no values of their own.
func (s schema) leaves(path ...string) [][]string {
	if len(s.Properties) == 0 {
		return [][]string{slices.Clone(path)}
	}
	var all [][]string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		all = append(all, s.Properties[name].leaves(append(slices.Clone(path), name)...)...)
	}
	return all
}

func chartSchema(t *testing.T) schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chartFolder, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	delete(s.Properties, "global")  // Helm's own
	delete(s.Properties, "enabled") // of a chart that it is part of
	return s
}

func valuesOf(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestTheSchemaAndTheValuesAreTheSame(t *testing.T) {
	values := valuesOf(t, filepath.Join(chartFolder, "values.yaml"))
	s := chartSchema(t)
	for _, path := range s.leaves() {
		if _, found, err := unstructured.NestedFieldNoCopy(values, path...); err != nil || !found {
			t.Errorf("the schema has %s, and values.yaml has not: %v", strings.Join(path, "."), err)
		}
	}
	s.wantAll(t, values)
}

// wantAll says which values the schema does not know. Below a leaf anything goes.
func (s schema) wantAll(t *testing.T, values map[string]any, path ...string) {
	t.Helper()
	for name, value := range values {
		below, known := s.Properties[name]
		if !known {
			t.Errorf("values.yaml has %s, and the schema has not", strings.Join(append(path, name), "."))
		}
		if more, isMap := value.(map[string]any); isMap && len(below.Properties) > 0 {
			below.wantAll(t, more, append(path, name)...)
		}
	}
}

// Each value is set in a file of config/helm/ci, where something else is rendered without it.
func TestNoValueIsIgnored(t *testing.T) {
	files := valuesFiles(t)
	for _, path := range chartSchema(t).leaves() {
		t.Run(strings.Join(path, "."), func(t *testing.T) {
			t.Parallel()
			if !slices.ContainsFunc(files, func(file string) bool { return hasEffect(t, file, path) }) {
				t.Errorf("%s changes nothing that is rendered", strings.Join(path, "."))
			}
		})
	}
}

// hasEffect says whether a file of values renders to something else without the one at path.
func hasEffect(t *testing.T, file string, path []string) bool {
	t.Helper()
	values := valuesOf(t, file)
	if _, found, err := unstructured.NestedFieldNoCopy(values, path...); err != nil || !found {
		return false
	}
	with, err := rendered.Chart(t.Context(), "--values="+file)
	if err != nil {
		t.Fatal(err)
	}
	unstructured.RemoveNestedField(values, path...)
	text, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	less := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(less, text, 0o600); err != nil {
		t.Fatal(err)
	}
	without, err := rendered.Chart(t.Context(), "--values="+less)
	// It may be needed: then it is not ignored.
	return err != nil || !bytes.Equal(with, without)
}
