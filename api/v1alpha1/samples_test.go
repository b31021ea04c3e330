// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/realkube"
)

const sampleDir = "../../config/samples"

// The samples are in the namespace "fleet", and are taken as they stand.
func TestTheSamplesAreTaken(t *testing.T) {
	c, err := kubernetes.NewForConfig(realkube.Shared(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	fleet := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "fleet"}}
	if _, err := c.CoreV1().Namespaces().Create(t.Context(), fleet, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	tests := map[string][]string{
		"cloudaccount.yaml":           {"cloudaccount.clustercredential.dev/huawei-prod", "secret/huawei-keys"},
		"clustercloudaccount.yaml":    {"clustercloudaccount.clustercredential.dev/huawei-shared"},
		"credentialgrant.yaml":        {"credentialgrant.clustercredential.dev/fleet"},
		"clustercredential.yaml":      {"clustercredential.clustercredential.dev/prod-1"},
		"clustercredential-full.yaml": {"clustercredential.clustercredential.dev/prod-2"},
	}
	files, err := filepath.Glob(filepath.Join(sampleDir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k := newKubectl(t)
	var all []string
	for _, file := range files {
		name := filepath.Base(file)
		if name == "kustomization.yaml" {
			continue
		}
		want, known := tests[name]
		if !known {
			t.Errorf("%s is in no test", name)
		}
		for mode, flags := range map[string][]string{"client-side": nil, "server-side": {"--server-side"}} {
			t.Run(name+", "+mode, func(t *testing.T) {
				k := k.in(t)
				wantApplied(t, k.run("", append([]string{"apply", "--dry-run=server", "-o", "name", "-f", file}, flags...)...), want)
			})
		}
		all = append(all, want...)
	}
	wantApplied(t, k.run("", "apply", "--server-side", "--dry-run=server", "-o", "name", "-k", sampleDir), all)
}

func wantApplied(t *testing.T, out string, want []string) {
	t.Helper()
	got, want := strings.Fields(out), slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("applied %v, want %v", got, want)
	}
}

func TestTheSamplesAreInTheNamespaceFleet(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sampleDir, "c*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for document := range strings.SplitSeq(sample(t, filepath.Base(file)), "\n---\n") {
			var o metav1.PartialObjectMetadata
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				t.Fatal(err)
			}
			if o.Namespace != "fleet" && o.Kind != lent {
				t.Errorf("%s: %s %s is in the namespace %q", file, o.Kind, o.Name, o.Namespace)
			}
		}
	}
}

// The members of unions that give way to others stand there as comments.
func TestTheSamplesShowEveryField(t *testing.T) {
	for kind, file := range map[string]string{credential: "clustercredential-full.yaml", account: "cloudaccount.yaml", lent: "clustercloudaccount.yaml", consent: "credentialgrant.yaml"} {
		text := sample(t, file)
		schemas(t)[kind].walk("", func(path string, _ schema) {
			if !strings.HasPrefix(path, "spec.") || strings.HasSuffix(path, "]") {
				return
			}
			name := path[strings.LastIndex(path, ".")+1:]
			if !regexp.MustCompile(`(?m)^[ #-]*` + name + `:`).MatchString(text) {
				t.Errorf("%s does not show %s", file, path)
			}
		})
	}
}

// The samples for consumers are each in the namespace that the consumer reads, next to an account that the reader has to make
// there. They are real objects, with every field known and every rule kept, and never two of the same name.
func TestTheConsumersSamplesAreTaken(t *testing.T) {
	c, err := kubernetes.NewForConfig(realkube.Shared(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(sampleDir, "consumers", "*.yaml"))
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	k, seen := newKubectl(t), map[types.NamespacedName]string{}
	for _, file := range files {
		var cc v1alpha1.ClusterCredential
		if err := yaml.UnmarshalStrict([]byte(sample(t, filepath.Join("consumers", filepath.Base(file)))), &cc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		key := types.NamespacedName{Namespace: cc.Namespace, Name: cc.Name}
		if other, taken := seen[key]; taken {
			t.Errorf("%s and %s are both %s", other, file, key)
		}
		seen[key] = file
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: cc.Namespace}}
		if _, err := c.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		for mode, flags := range map[string][]string{"client-side": nil, "server-side": {"--server-side"}} {
			t.Run(filepath.Base(file)+", "+mode, func(t *testing.T) {
				k := k.in(t)
				args := append([]string{"apply", "--validate=strict", "--dry-run=server", "-o", "name", "-f", file}, flags...)
				wantApplied(t, k.run("", args...), []string{"clustercredential.clustercredential.dev/" + cc.Name})
			})
		}
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sampleDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
