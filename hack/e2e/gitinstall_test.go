// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/hack/rendered"
)

// overlay is what the samples of Argo CD and Flux change of config/default.
type overlay struct {
	images, patches []any
}

// With the CustomResourceDefinitions every ClusterCredential would go. So they stay when the operator is taken out of Git.
func TestTheOperatorFromGitLeavesItsKindsBehind(t *testing.T) {
	const image = "registry.example.com/clustercredential-operator:dev"
	for file, test := range map[string]struct {
		overlay    func(*testing.T, *unstructured.Unstructured) overlay
		keep, with string
	}{
		"argocd/operator.yaml": {argoOverlay, "argocd.argoproj.io/sync-options", "Prune=false,Delete=false"},
		"flux/operator.yaml":   {fluxOverlay, "kustomize.toolkit.fluxcd.io/prune", "disabled"},
	} {
		t.Run(file, func(t *testing.T) {
			kept, deployed := 0, 0
			for _, object := range overlaid(t, test.overlay(t, sampleOf(t, file))) {
				kind, annotation := object.GetKind(), object.GetAnnotations()[test.keep]
				switch {
				case kind == "CustomResourceDefinition" && annotation == test.with:
					kept++
				case kind == "CustomResourceDefinition" || annotation != "":
					t.Errorf("%s %s has %s: %q", kind, object.GetName(), test.keep, annotation)
				case kind == "Deployment":
					text, err := object.MarshalJSON()
					if err != nil || !bytes.Contains(text, []byte(`"image":"`+image+`"`)) {
						t.Errorf("the Deployment has another image than %s (%v)", image, err)
					}
					deployed++
				}
			}
			if kept != 4 || deployed != 1 {
				t.Errorf("%d kinds stay, want 4; there are %d Deployments, want 1", kept, deployed)
			}
		})
	}
}

// sampleOf reads the object of a sample that applies something.
func sampleOf(t *testing.T, file string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/gitops", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range decodeAll(t, text) {
		if object.GetKind() == "Application" || object.GetKind() == "Kustomization" {
			return object
		}
	}
	t.Fatalf("%s applies nothing", file)
	return nil
}

func argoOverlay(t *testing.T, application *unstructured.Unstructured) overlay {
	t.Helper()
	kustomize := at(t, application, "spec", "source", "kustomize").(map[string]any)
	var images []any
	for _, image := range kustomize["images"].([]any) {
		name, to, _ := strings.Cut(image.(string), "=")
		colon := strings.LastIndex(to, ":")
		images = append(images, map[string]any{"name": name, "newName": to[:colon], "newTag": to[colon+1:]})
	}
	return overlay{images: images, patches: kustomize["patches"].([]any)}
}

func fluxOverlay(t *testing.T, kustomization *unstructured.Unstructured) overlay {
	t.Helper()
	return overlay{at(t, kustomization, "spec", "images").([]any), at(t, kustomization, "spec", "patches").([]any)}
}

func at(t *testing.T, object *unstructured.Unstructured, path ...string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s has no %s: %v", object.GetName(), strings.Join(path, "."), err)
	}
	return value
}

// overlaid is config/default with an overlay, as both tools build it.
func overlaid(t *testing.T, o overlay) []*unstructured.Unstructured {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Abs("../../config/default")
	if err != nil {
		t.Fatal(err)
	}
	if base, err = filepath.Rel(dir, base); err != nil { // kustomize takes no absolute paths
		t.Fatal(err)
	}
	text, err := yaml.Marshal(map[string]any{"resources": []any{base}, "images": o.images, "patches": o.patches})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := theSuite(t).Kubectl("kustomize", dir)
	if err != nil {
		t.Fatal(err)
	}
	return decodeAll(t, []byte(out))
}

func decodeAll(t *testing.T, text []byte) []*unstructured.Unstructured {
	t.Helper()
	objects, err := rendered.Objects(text)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
