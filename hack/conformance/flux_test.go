// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomize "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// fluxKinds are those of our samples, as Flux's own code defines them.
func fluxKinds() map[schema.GroupVersionKind]func() any {
	return map[schema.GroupVersionKind]func() any{
		source.GroupVersion.WithKind(source.GitRepositoryKind):       func() any { return &source.GitRepository{} },
		kustomize.GroupVersion.WithKind(kustomize.KustomizationKind): func() any { return &kustomize.Kustomization{} },
		helm.GroupVersion.WithKind(helm.HelmReleaseKind):             func() any { return &helm.HelmRelease{} },
	}
}

// A field that Flux does not know, or a duration that is none, would be refused there.
func TestTheSamplesForFluxHaveItsFields(t *testing.T) {
	files, err := filepath.Glob("../../config/gitops/flux/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			if err := decodeFlux(document); err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		}
	}
	page, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	if examples := fluxExamples(string(page)); len(examples) == 0 {
		t.Error("docs/gitops.md has no example for Flux")
	} else if err := decodeFlux(examples[0]); err != nil {
		t.Errorf("docs/gitops.md: %v", err)
	}
	if err := decodeFlux("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {waits: true}"); err == nil {
		t.Error("a field that does not exist is not noticed")
	}
}

// A value that the chart does not know would be refused by its schema.
func TestTheReleaseForFluxHasValuesOfTheChart(t *testing.T) {
	release := &helm.HelmRelease{}
	unmarshal(t, "gitops/flux/helm.yaml", release)
	var values, chart map[string]any
	if err := yaml.Unmarshal(release.Spec.Values.Raw, &values); err != nil {
		t.Fatal(err)
	}
	unmarshal(t, strings.TrimPrefix(release.Spec.Chart.Spec.Chart, "./config/")+"/values.yaml", &chart)
	if path := unknown(values, chart); path != "" || len(values) == 0 {
		t.Errorf("the chart has no value %s, of %v", path, values)
	}
}

func unmarshal(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// unknown is the path of a value that the others do not have; "": they have all.
func unknown(values, known map[string]any) string {
	for key, value := range values {
		other, found := known[key]
		if !found {
			return "." + key
		}
		below, isMap := value.(map[string]any)
		if others, both := other.(map[string]any); isMap && both {
			if path := unknown(below, others); path != "" {
				return "." + key + path
			}
		}
	}
	return ""
}

func decodeFlux(document string) error {
	var meta struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(document), &meta); err != nil {
		return err
	}
	newOne, known := fluxKinds()[schema.FromAPIVersionAndKind(meta.APIVersion, meta.Kind)]
	if !known {
		return fmt.Errorf("there is no kind %s in %s", meta.Kind, meta.APIVersion)
	}
	return yaml.UnmarshalStrict([]byte(document), newOne())
}

// fluxExamples are the Kustomizations of a page.
func fluxExamples(page string) (examples []string) {
	for _, block := range strings.Split(page, "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if strings.HasPrefix(block, "apiVersion: kustomize.toolkit.fluxcd.io/") {
			examples = append(examples, block)
		}
	}
	return examples
}
