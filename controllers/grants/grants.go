// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package grants

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Namespace is where a ClusterCredential lives.
type Namespace struct {
	Name   string
	Labels map[string]string
	// Unseen is true where the labels are not known; then no selector selects it.
	Unseen bool
}

// Wish is what a ClusterCredential asks for.
type Wish struct {
	// ClusterID and ClusterName are the id and the immutable name that the cloud returned.
	ClusterID, ClusterName string
	// CustomEndpoint is true where the spec gives a server or a proxy itself.
	CustomEndpoint bool
	// InsecureTLS is true where the spec allows an address without TLS verification.
	InsecureTLS bool
}

// Rule is what stands against a wish.
type Rule string

// The rules, in the order in which they are looked at.
const (
	// Granted: nothing does.
	Granted Rule = ""
	// NotThisNamespace: no grant is for the namespace.
	NotThisNamespace Rule = "namespaces"
	// NotThisCluster: none of those is for the cluster.
	NotThisCluster Rule = "clusters"
	// NoCustomEndpoint: none of those lets the spec give a server or a proxy.
	NoCustomEndpoint Rule = "customEndpoint"
)

// Terms are what a grant allows.
type Terms struct {
	// Rule is what stands against the wish; Granted: nothing.
	Rule Rule
	// MaxValidity is the longest validity; zero: no bound of ours.
	MaxValidity time.Duration
	// InsecureTLS is true where addresses without TLS verification are allowed that were asked for.
	InsecureTLS bool
}

// For returns the grants that are for a namespace.
func For(all []v1alpha1.AccountGrant, n Namespace) []v1alpha1.AccountGrant {
	return slices.DeleteFunc(slices.Clone(all), func(g v1alpha1.AccountGrant) bool { return !covers(g.Namespaces, n) })
}

// NeedsLabels says whether it takes the labels of a namespace to know which grants are for it.
func NeedsLabels(all []v1alpha1.AccountGrant) bool {
	return slices.ContainsFunc(all, func(g v1alpha1.AccountGrant) bool { return g.Namespaces.Selector != nil })
}

// Decide says what the grants for a namespace allow. One of them has to allow everything that is asked for; of several that do,
// the longest validity counts.
func Decide(granted []v1alpha1.AccountGrant, wish Wish) Terms {
	if len(granted) == 0 {
		return Terms{Rule: NotThisNamespace}
	}
	granted = only(granted, func(g v1alpha1.AccountGrant) bool {
		return IncludesCluster(g.Clusters, wish.ClusterID, wish.ClusterName)
	})
	if len(granted) == 0 {
		return Terms{Rule: NotThisCluster}
	}
	if wish.CustomEndpoint {
		if granted = only(granted, func(g v1alpha1.AccountGrant) bool { return g.CustomEndpoint }); len(granted) == 0 {
			return Terms{Rule: NoCustomEndpoint}
		}
	}
	terms := Terms{}
	if insecure := only(granted, func(g v1alpha1.AccountGrant) bool { return g.AllowInsecureTLS }); wish.InsecureTLS && len(insecure) > 0 {
		granted, terms.InsecureTLS = insecure, true
	}
	terms.MaxValidity = longest(granted)
	return terms
}

func only(all []v1alpha1.AccountGrant, keep func(v1alpha1.AccountGrant) bool) []v1alpha1.AccountGrant {
	return slices.DeleteFunc(slices.Clone(all), func(g v1alpha1.AccountGrant) bool { return !keep(g) })
}

// longest is the longest validity of them; zero where one has no bound.
func longest(granted []v1alpha1.AccountGrant) time.Duration {
	most := time.Duration(0)
	for _, g := range granted {
		if g.MaxValidity == nil || g.MaxValidity.Duration <= 0 {
			return 0
		}
		most = max(most, g.MaxValidity.Duration)
	}
	return most
}

// covers says whether a grant is for a namespace. A selector that cannot be read selects nothing.
func covers(g v1alpha1.GrantNamespaces, n Namespace) bool {
	if slices.Contains(g.Names, n.Name) {
		return true
	}
	if g.Selector == nil || n.Unseen {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(g.Selector)
	return err == nil && selector.Matches(labels.Set(n.Labels))
}

// IncludesCluster says whether a grant is for a cluster, by the id and the immutable name that the cloud returned.
func IncludesCluster(g *v1alpha1.GrantClusters, id, name string) bool {
	if g == nil {
		return true
	}
	return slices.Contains(g.IDs, id) ||
		name != "" && slices.ContainsFunc(g.Names, func(pattern string) bool { return Matches(pattern, name) })
}

// Matches says whether a name fits a pattern, in which * stands for any text.
func Matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, begins := strings.CutPrefix(name, parts[0])
	if !begins {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
