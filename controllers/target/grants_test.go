// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// grant lets fleet write cluster-* of the format ArgoCD with the label env.
func grant(changes ...func(*v1alpha1.CredentialGrant)) v1alpha1.CredentialGrant {
	g := v1alpha1.CredentialGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "g"},
		Spec: v1alpha1.CredentialGrantSpec{
			From: []v1alpha1.GrantSource{{Namespace: "other"}, {Namespace: "fleet"}},
			To: v1alpha1.GrantTarget{
				SecretNames: []string{"x", "cluster-*"}, Formats: []v1alpha1.OutputFormat{v1alpha1.FormatArgoCD}, LabelKeys: []string{"env"},
			},
		},
	}
	for _, change := range changes {
		change(&g)
	}
	return g
}

// wish is to write cluster-prod-1.
func wish(changes ...func(*Wish)) Wish {
	w := Wish{
		From: "fleet", Secret: types.NamespacedName{Namespace: "argocd", Name: "cluster-prod-1"},
		Output: v1alpha1.Output{SecretName: "cluster-prod-1", Namespace: "argocd", Format: v1alpha1.FormatArgoCD},
	}
	for _, change := range changes {
		change(&w)
	}
	return w
}

func TestAGrantLetsBeWrittenWhatItSays(t *testing.T) {
	format := func(f v1alpha1.OutputFormat) func(*Wish) { return func(w *Wish) { w.Output.Format = f } }
	labels := func(keys ...string) func(*Wish) {
		return func(w *Wish) {
			w.Output.Labels = map[string]v1alpha1.LabelValue{}
			for _, key := range keys {
				w.Output.Labels[key] = "v"
			}
		}
	}
	annotation := func(key string) func(*Wish) {
		return func(w *Wish) { w.Output.Annotations = map[string]string{key: "v"} }
	}
	custom := func(w *Wish) { w.CustomEndpoint = true }
	formats := func(all ...v1alpha1.OutputFormat) func(*v1alpha1.CredentialGrant) {
		return func(g *v1alpha1.CredentialGrant) { g.Spec.To.Formats = all }
	}
	adopt := func(w *Wish) { w.Output.Existing = v1alpha1.ExistingAdopt }
	customEndpoint := func(g *v1alpha1.CredentialGrant) { g.Spec.To.CustomEndpoint = true }
	const nobody = "no CredentialGrant in namespace argocd lets namespace fleet write Secret cluster-prod-1"
	for name, test := range map[string]struct {
		grants []v1alpha1.CredentialGrant
		wish   Wish
		want   string // empty: allowed
	}{
		"no grant":                         {nil, wish(), nobody},
		"all of it":                        {[]v1alpha1.CredentialGrant{grant()}, wish(labels("env")), ""},
		"another namespace":                {[]v1alpha1.CredentialGrant{grant()}, wish(func(w *Wish) { w.From = "team-a" }), strings.Replace(nobody, "fleet", "team-a", 1)},
		"part of a namespace's name":       {[]v1alpha1.CredentialGrant{grant()}, wish(func(w *Wish) { w.From = "fle" }), strings.Replace(nobody, "fleet", "fle", 1)},
		"another Secret":                   {[]v1alpha1.CredentialGrant{grant()}, wish(func(w *Wish) { w.Secret.Name = "argocd-secret" }), "write Secret argocd-secret"},
		"another format":                   {[]v1alpha1.CredentialGrant{grant()}, wish(format(v1alpha1.FormatTLS)), "the format TLS (spec.to.formats)"},
		"no format is a kubeconfig":        {[]v1alpha1.CredentialGrant{grant()}, wish(format("")), "the format Kubeconfig (spec.to.formats)"},
		"formats unset":                    {[]v1alpha1.CredentialGrant{grant(formats())}, wish(format(v1alpha1.FormatTLS)), ""},
		"formats unset is no template":     {[]v1alpha1.CredentialGrant{grant(formats(), customEndpoint)}, wish(format(v1alpha1.FormatTemplate)), "the format Template (spec.to.formats)"},
		"a template that is named":         {[]v1alpha1.CredentialGrant{grant(formats(v1alpha1.FormatTemplate), customEndpoint)}, wish(format(v1alpha1.FormatTemplate)), ""},
		"a template may name any server":   {[]v1alpha1.CredentialGrant{grant(formats(v1alpha1.FormatTemplate))}, wish(format(v1alpha1.FormatTemplate)), "every Template"},
		"a label that is not listed":       {[]v1alpha1.CredentialGrant{grant()}, wish(labels("env", "argocd.argoproj.io/x")), "the label argocd.argoproj.io/x (spec.to.labelKeys)"},
		"the format's own label":           {[]v1alpha1.CredentialGrant{grant()}, wish(labels("argocd.argoproj.io/secret-type")), ""},
		"the own label of another format":  {[]v1alpha1.CredentialGrant{grant(formats())}, wish(format(""), labels("argocd.argoproj.io/secret-type")), "the label argocd.argoproj.io/secret-type"},
		"an annotation that is not listed": {[]v1alpha1.CredentialGrant{grant()}, wish(annotation("env")), "the annotation env (spec.to.annotationKeys)"},
		"an annotation that is listed": {[]v1alpha1.CredentialGrant{grant(func(g *v1alpha1.CredentialGrant) {
			g.Spec.To.AnnotationKeys = []string{"note"}
		})}, wish(annotation("note")), ""},
		"a server of its own":             {[]v1alpha1.CredentialGrant{grant()}, wish(custom), "a server or proxy that did not come from the cloud (spec.to.customEndpoint)"},
		"a server of its own, consented":  {[]v1alpha1.CredentialGrant{grant(customEndpoint)}, wish(custom), ""},
		"the adoption of a Secret":        {[]v1alpha1.CredentialGrant{grant()}, wish(adopt), "the adoption of a Secret that exists (spec.to.adopt)"},
		"an adoption that is consented":   {[]v1alpha1.CredentialGrant{grant(func(g *v1alpha1.CredentialGrant) { g.Spec.To.Adopt = true })}, wish(adopt), ""},
		"TLS has no server":               {[]v1alpha1.CredentialGrant{grant(formats())}, wish(custom, format(v1alpha1.FormatTLS)), ""},
		"two grants do not add up":        {[]v1alpha1.CredentialGrant{grant(), grant(customEndpoint, formats(v1alpha1.FormatTLS))}, wish(custom), "CredentialGrant g "},
		"one of two is enough":            {[]v1alpha1.CredentialGrant{grant(formats(v1alpha1.FormatTLS)), grant()}, wish(), ""},
		"everything that is missing":      {[]v1alpha1.CredentialGrant{grant()}, wish(custom, labels("a")), "(spec.to.labelKeys), nor with a server"},
		"a grant that is being deleted":   {[]v1alpha1.CredentialGrant{grant(func(g *v1alpha1.CredentialGrant) { g.DeletionTimestamp = new(metav1.Now()) })}, wish(), nobody},
		"the nearest one says what lacks": {[]v1alpha1.CredentialGrant{grant(formats(v1alpha1.FormatTLS)), grant(func(g *v1alpha1.CredentialGrant) { g.Name = "near" })}, wish(custom, labels("env")), "CredentialGrant near "},
	} {
		t.Run(name, func(t *testing.T) {
			got := Consent(test.grants, test.wish)
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
