// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// keeper is a tool that writes objects from elsewhere, and removes what is not there any more.
type keeper struct {
	name string
	// annotations and labels by which it knows its objects; any of them will do.
	annotations, labels []string
	// keep is the annotation with which an object stays, and what its value has to contain.
	keep, keepValue string
}

// keepers are those of argo-cd/docs/user-guide/resource_tracking.md and sync-options.md, flux2's "kustomize.toolkit.fluxcd.io/prune",
// and helm's "Tell Helm Not To Uninstall a Resource".
var keepers = []keeper{
	{
		name: "Argo CD", annotations: []string{"argocd.argoproj.io/tracking-id"},
		labels: []string{"argocd.argoproj.io/instance", "app.kubernetes.io/instance"},
		keep:   "argocd.argoproj.io/sync-options", keepValue: "Prune=false",
	},
	{
		name: "Flux", labels: []string{"kustomize.toolkit.fluxcd.io/name"},
		keep: "kustomize.toolkit.fluxcd.io/prune", keepValue: "disabled",
	},
	{
		name: "Helm", annotations: []string{"meta.helm.sh/release-name"}, labels: []string{"helm.toolkit.fluxcd.io/name"},
		keep: "helm.sh/resource-policy", keepValue: "keep",
	},
}

// WhyNotAdopt says why a Secret of somebody else must not be taken over, and what to do; empty: it may be. Somebody who goes on
// writing it would take turns with us, and who prunes it would take it away.
func WhyNotAdopt(secret metav1.Object) string {
	if owner := metav1.GetControllerOf(secret); owner != nil {
		return fmt.Sprintf("it is controlled by %s %q, which would write it again; remove that first", owner.Kind, owner.Name)
	}
	for _, k := range keepers {
		if k.tracks(secret) && !strings.Contains(secret.GetAnnotations()[k.keep], k.keepValue) {
			return fmt.Sprintf("%s keeps it and could remove it; annotate the Secret with %s: %s, and take it out of what %s applies", k.name, k.keep, k.keepValue, k.name)
		}
	}
	return ""
}

func (k keeper) tracks(secret metav1.Object) bool {
	for _, key := range k.annotations {
		if _, has := secret.GetAnnotations()[key]; has {
			return true
		}
	}
	for _, key := range k.labels {
		if _, has := secret.GetLabels()[key]; has {
			return true
		}
	}
	return false
}
