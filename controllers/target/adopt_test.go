// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhatSomebodyElseKeepsIsNotAdopted(t *testing.T) {
	type object = metav1.ObjectMeta
	for name, test := range map[string]struct {
		object object
		want   string // part of the answer; empty: it may be adopted
	}{
		"a hand-made one":                {object{Labels: map[string]string{"env": "prod"}}, ""},
		"an owner that is no controller": {object{OwnerReferences: []metav1.OwnerReference{{Kind: "A", Name: "a"}}}, ""},
		"a controller":                   {object{OwnerReferences: []metav1.OwnerReference{{Kind: "SealedSecret", Name: "a", Controller: new(true)}}}, `controlled by SealedSecret "a"`},
		"one of Argo CD":                 {object{Annotations: map[string]string{"argocd.argoproj.io/tracking-id": "a:/Secret:b/c"}}, "argocd.argoproj.io/sync-options: Prune=false"},
		"one of Argo CD, by label":       {object{Labels: map[string]string{"argocd.argoproj.io/instance": "a"}}, "Argo CD keeps it"},
		"one that Argo CD does not prune": {object{Annotations: map[string]string{
			"argocd.argoproj.io/tracking-id": "a:/Secret:b/c", "argocd.argoproj.io/sync-options": "Replace=true,Prune=false",
		}}, ""},
		"one of Flux":                  {object{Labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "a"}}, "kustomize.toolkit.fluxcd.io/prune: disabled"},
		"one that Flux does not prune": {object{Labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "a"}, Annotations: map[string]string{"kustomize.toolkit.fluxcd.io/prune": "disabled"}}, ""},
		"one of a Helm release":        {object{Annotations: map[string]string{"meta.helm.sh/release-name": "a"}}, "helm.sh/resource-policy: keep"},
		"one that Helm keeps":          {object{Annotations: map[string]string{"meta.helm.sh/release-name": "a", "helm.sh/resource-policy": "keep"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := WhyNotAdopt(&test.object)
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
