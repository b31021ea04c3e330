// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/grants"
	"github.com/clustercredential/operator/controllers/output"
)

// Wish is an output that is to be written into another namespace.
type Wish struct {
	// From is the namespace of the ClusterCredential.
	From string
	// Secret is what would be written.
	Secret types.NamespacedName
	Output v1alpha1.Output
	// CustomEndpoint is true where the ClusterCredential names a server or a proxy itself.
	CustomEndpoint bool
}

// Consent says why the grants of the Secret's namespace do not let it be written; empty: one of them does. Several do not add up.
// Whoever no grant names learns nothing of the grants that there are.
func Consent(all []v1alpha1.CredentialGrant, wish Wish) string {
	var lacks []string
	name := ""
	for i := range all {
		grant := &all[i]
		if !names(grant.Spec, wish) || !grant.DeletionTimestamp.IsZero() {
			continue
		}
		missing := missingIn(grant.Spec.To, wish)
		if len(missing) == 0 {
			return ""
		}
		if name == "" || len(missing) < len(lacks) || len(missing) == len(lacks) && grant.Name < name {
			name, lacks = grant.Name, missing
		}
	}
	if name == "" {
		return fmt.Sprintf("no CredentialGrant in namespace %s lets namespace %s write Secret %s", wish.Secret.Namespace, wish.From, wish.Secret.Name)
	}
	return fmt.Sprintf("CredentialGrant %s in namespace %s lets namespace %s write Secret %s, but not with %s",
		name, wish.Secret.Namespace, wish.From, wish.Secret.Name, strings.Join(lacks, ", nor with "))
}

// names says whether a grant lets the namespace write a Secret of that name at all.
func names(grant v1alpha1.CredentialGrantSpec, wish Wish) bool {
	from := slices.ContainsFunc(grant.From, func(f v1alpha1.GrantSource) bool { return f.Namespace == wish.From })
	return from && slices.ContainsFunc(grant.To.SecretNames, func(pattern string) bool { return grants.Matches(pattern, wish.Secret.Name) })
}

// missingIn lists what a grant lacks.
func missingIn(to v1alpha1.GrantTarget, wish Wish) []string {
	var missing []string
	format := wish.Output.Format
	if format == "" {
		format = v1alpha1.FormatKubeconfig
	}
	formats := to.Formats
	if len(formats) == 0 {
		formats = fixedFormats
	}
	if !slices.Contains(formats, format) {
		missing = append(missing, fmt.Sprintf("the format %s (spec.to.formats)", format))
	}
	ownLabels, ownAnnotations := output.OwnKeys(format)
	for _, key := range slices.Sorted(maps.Keys(wish.Output.Labels)) {
		if !slices.Contains(to.LabelKeys, key) && !slices.Contains(ownLabels, key) {
			missing = append(missing, fmt.Sprintf("the label %s (spec.to.labelKeys)", key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(wish.Output.Annotations)) {
		if !slices.Contains(to.AnnotationKeys, key) && !slices.Contains(ownAnnotations, key) {
			missing = append(missing, fmt.Sprintf("the annotation %s (spec.to.annotationKeys)", key))
		}
	}
	if wish.Output.Existing == v1alpha1.ExistingAdopt && !to.Adopt {
		missing = append(missing, "the adoption of a Secret that exists (spec.to.adopt)")
	}
	switch {
	case to.CustomEndpoint:
	case format == v1alpha1.FormatTemplate: // which may write any
		missing = append(missing, "a server of its own choice, as every Template may have (spec.to.customEndpoint)")
	case wish.CustomEndpoint && format != v1alpha1.FormatTLS: // which has none
		missing = append(missing, "a server or proxy that did not come from the cloud (spec.to.customEndpoint)")
	}
	return missing
}

// fixedFormats are those that a grant stands for which names none.
var fixedFormats = []v1alpha1.OutputFormat{
	v1alpha1.FormatKubeconfig, v1alpha1.FormatArgoCD, v1alpha1.FormatClusterAPI, v1alpha1.FormatIstio, v1alpha1.FormatKubeVela, v1alpha1.FormatTLS,
}
