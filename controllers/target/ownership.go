// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Standing is whose a Secret is.
type Standing int

// The standings.
const (
	// Ours: label and annotation name the ClusterCredential. A restored Secret under a
	// new UID, or in a renamed namespace, is still ours.
	Ours Standing = iota
	// Stripped: without marks, but it holds the very certificate that we published. Its
	// marks are put back.
	Stripped
	// Others: it carries the marks of another ClusterCredential (Marks.Credential).
	Others
	// Foreign: nobody's of ours.
	Foreign
)

// StandingOf says whose a Secret is, seen from the ClusterCredential of that name in
// the same namespace. holds is the fingerprint of the certificate in the Secret, empty
// where it is not read or unreadable; published, the one that status names.
func StandingOf(secret metav1.Object, credential, holds, published string) Standing {
	marks := MarksOf(secret)
	switch {
	case marks.Managed && marks.Credential == credential:
		return Ours
	case marks.Managed && marks.Credential != "":
		return Others
	case published != "" && holds == published:
		return Stripped
	default:
		return Foreign
	}
}

// Contender is a ClusterCredential that names a Secret.
type Contender struct {
	Name string
	// Created is its creationTimestamp, whole seconds.
	Created metav1.Time
	// Began is true when it has asked for a certificate, or has one.
	Began bool
}

// HolderOf says who of several living ClusterCredentials that name the same Secret has
// it: the one whose marks it carries (marked; empty: no Secret, or nobody's), else one
// that has begun, else the oldest, else the first by name. sure is false when only the
// name decided: two that were created in the same second may not see each other yet,
// so the winner looks again before it begins.
func HolderOf(marked string, contenders []Contender) (holder string, sure bool) {
	var best *Contender
	for i := range contenders {
		c := &contenders[i]
		if c.Name == marked {
			return marked, true
		}
		if best == nil || before(*c, *best) {
			best = c
		}
	}
	if best == nil {
		return "", true
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
	return a.Name < b.Name
}
