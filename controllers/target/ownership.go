// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Standing is whose a Secret is.
type Standing int

// The standings.
const (
	// Ours: label and annotation name the ClusterCredential. A restored Secret under a
	// new UID, or in a renamed namespace, is still ours; in another namespace than that of the
	// ClusterCredential its namespace counts too.
	Ours Standing = iota
	// Stripped: without marks, but it holds the very certificate that we published. Its
	// marks are put back.
	Stripped
	// Others: it carries the marks of another ClusterCredential (Marks.Credential).
	Others
	// Foreign: nobody's of ours.
	Foreign
)

// StandingOf says whose a Secret is, seen from a ClusterCredential. holds is the fingerprint of the certificate in the Secret, empty
// where it is not read or unreadable; published, the one that status names.
func StandingOf(secret metav1.Object, credential types.NamespacedName, holds, published string) Standing {
	marks := MarksOf(secret)
	at := secret.GetNamespace() == credential.Namespace || marks.Namespace == credential.Namespace
	switch {
	case marks.Managed && marks.Credential == credential.Name && at:
		return Ours
	case marks.Managed && marks.Credential != "":
		return Others
	case published != "" && holds == published:
		return Stripped
	default:
		return Foreign
	}
}

// OfClass says whether an object is of a class of operators. Empty is the class of what carries no label for it; an empty label
// is of no class at all.
func OfClass(object metav1.Object, class string) bool {
	label, has := object.GetLabels()[v1alpha1.LabelClass]
	return has == (class != "") && label == class
}

// Contender is a ClusterCredential that names a Secret.
type Contender struct {
	Name types.NamespacedName
	// Created is its creationTimestamp, whole seconds.
	Created metav1.Time
	// Began is true when it has asked for a certificate, or has one.
	Began bool
}

// HolderOf says who of several living ClusterCredentials that name the same Secret, in namespace home, has
// it: the one whose marks it carries (marked; empty: no Secret, or nobody's; a namespace may have been renamed, so one of
// home with that name will do), else one that has begun, else the oldest, else the first by name. sure is false when only the
// name decided: two that were created in the same second may not see each other yet,
// so the winner looks again before it begins.
func HolderOf(marked types.NamespacedName, home string, contenders []Contender) (holder types.NamespacedName, sure bool) {
	for _, name := range []types.NamespacedName{marked, {Namespace: home, Name: marked.Name}} {
		if slices.ContainsFunc(contenders, func(c Contender) bool { return c.Name == name }) {
			return name, true
		}
	}
	var best *Contender
	for i := range contenders {
		c := &contenders[i]
		if best == nil || before(*c, *best) {
			best = c
		}
	}
	if best == nil {
		return types.NamespacedName{}, true
	}
	for i := range contenders {
		c := &contenders[i]
		if c.Name != best.Name && c.Began == best.Began && c.Created.Equal(&best.Created) {
			return best.Name, best.Began
		}
	}
	return best.Name, true
}

func before(a, b Contender) bool {
	if a.Began != b.Began {
		return a.Began
	}
	if !a.Created.Equal(&b.Created) {
		return a.Created.Before(&b.Created)
	}
	return a.Name.String() < b.Name.String()
}
