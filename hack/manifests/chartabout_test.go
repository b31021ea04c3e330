// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// catalogued is how a catalogue of charts lists a kind.
type catalogued struct {
	Kind        string `json:"kind"`
	Version     string `json:"version"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

func TestTheChartListsOurKinds(t *testing.T) {
	about := read[struct {
		Annotations map[string]string `json:"annotations"`
		metadata
	}](t, "helm/Chart.yaml")
	var listed []catalogued
	if err := yaml.UnmarshalStrict([]byte(about.Annotations["artifacthub.io/crds"]), &listed); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, kind := range listed {
		got = append(got, kind.Name+" "+kind.Version+" "+kind.Kind)
		if kind.DisplayName == "" || kind.Description == "" {
			t.Errorf("%s is not described", kind.Kind)
		}
	}
	files, err := filepath.Glob(filepath.Join(config, "crd", "bases", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		want = append(want, definitionIn(t, file))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config/crd/bases (-) and artifacthub.io/crds in Chart.yaml (+):\n%s", diff)
	}
}

// metadata is the rest of Chart.yaml: a typing error there would be silent.
type metadata struct {
	APIVersion  string              `json:"apiVersion"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Type        string              `json:"type"`
	Version     string              `json:"version"`
	AppVersion  string              `json:"appVersion"`
	KubeVersion string              `json:"kubeVersion"`
	Keywords    []string            `json:"keywords"`
	Home        string              `json:"home"`
	Sources     []string            `json:"sources"`
	Maintainers []map[string]string `json:"maintainers"`
}

func definitionIn(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Names struct {
				Kind string `json:"kind"`
			} `json:"names"`
			Versions []struct {
				Name string `json:"name"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d.Metadata.Name + " " + d.Spec.Versions[0].Name + " " + d.Spec.Names.Kind
}
