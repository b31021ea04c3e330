// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// managedTrue is the value of the label by which Secrets are watched.
const managedTrue = "true"

// Marks is what the labels and annotations of a Secret of ours say.
type Marks struct {
	// Managed is true when the label that we watch by is there.
	Managed bool
	// Class is the class of operators that serves it; empty: those without a class.
	Class string
	// Credential, Namespace and UID name the ClusterCredential.
	Credential, Namespace, UID string
	// Revision counts the certificates published so far.
	Revision int64
	// IssuanceID is the attempt that the certificate came from.
	IssuanceID string
	// Fingerprint is that of the certificate in the Secret.
	Fingerprint string
	// NotAfter is the certificate's expiry.
	NotAfter time.Time
	// RenewRequest is the last handled request; nil: no record. Primary Secret only.
	RenewRequest *string
	// Request is what the certificate was asked for.
	Request string
	// Source is what else is known of the certificate. Primary Secret only.
	Source Source
	// DeletionPolicy is Delete on a Secret in another namespace that goes with its ClusterCredential; empty: it stays, or an
	// owner reference says so.
	DeletionPolicy v1alpha1.DeletionPolicy
	// ReleasedAt is set on a Secret that was let go of; empty otherwise.
	ReleasedAt string
}

// Source is what the cloud's answer said besides the credential, and how it came
// about: what status would lose when it is wiped.
type Source struct {
	ClusterName     string                    `json:"clusterName,omitempty"`
	Trigger         v1alpha1.Trigger          `json:"trigger,omitempty"`
	IssuedAt        *metav1.Time              `json:"issuedAt,omitempty"`
	RequestID       string                    `json:"requestID,omitempty"`
	PreviousRequest string                    `json:"previousRenewRequest,omitempty"`
	Contexts        []v1alpha1.OfferedContext `json:"contexts,omitempty"`
	// KeyID is the id of the access key that asked for the certificate; never the secret
	// key. Empty for a token.
	KeyID string `json:"keyID,omitempty"`
	// Once are the outputs with writePolicy Once that have been written, as namespace/name.
	Once []string `json:"once,omitempty"`
	// Wish is spec.endpoint as the address was chosen by.
	Wish string `json:"wish,omitempty"`
}

// MarksOf reads the marks of a Secret. What is missing or unreadable stays empty.
func MarksOf(secret metav1.Object) Marks {
	a := secret.GetAnnotations()
	m := Marks{
		Managed:     secret.GetLabels()[v1alpha1.LabelManaged] == managedTrue,
		Class:       secret.GetLabels()[v1alpha1.LabelClass],
		Credential:  a[v1alpha1.AnnotationCredential],
		Namespace:   a[v1alpha1.AnnotationCredentialNamespace],
		UID:         a[v1alpha1.AnnotationCredentialUID],
		IssuanceID:  a[v1alpha1.AnnotationIssuanceID],
		Fingerprint: a[v1alpha1.AnnotationFingerprint],
		Request:     a[v1alpha1.AnnotationRequest],
		ReleasedAt:  a[v1alpha1.AnnotationReleasedAt],

		DeletionPolicy: v1alpha1.DeletionPolicy(a[v1alpha1.AnnotationDeletionPolicy]),
	}
	m.Revision, _ = strconv.ParseInt(a[v1alpha1.AnnotationRevision], 10, 64)
	m.NotAfter, _ = time.Parse(time.RFC3339, a[v1alpha1.AnnotationNotAfter])
	if value, ok := a[v1alpha1.AnnotationRenewRequest]; ok {
		m.RenewRequest = &value
	}
	_ = json.Unmarshal([]byte(a[v1alpha1.AnnotationSource]), &m.Source)
	return m
}

// Owner is the ClusterCredential that the marks on a Secret name: one of the Secret's own namespace where they name no namespace.
// Without a name: nobody.
func (m Marks) Owner(secretNamespace string) types.NamespacedName {
	if m.Credential == "" {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: cmp.Or(m.Namespace, secretNamespace), Name: m.Credential}
}

// OwnerOf is the Owner that the marks on a Secret name, without a look at the others; nobody where the label that we watch by is
// not there.
func OwnerOf(secret metav1.Object) types.NamespacedName {
	if secret.GetLabels()[v1alpha1.LabelManaged] != managedTrue {
		return types.NamespacedName{}
	}
	a := secret.GetAnnotations()
	return Marks{Credential: a[v1alpha1.AnnotationCredential], Namespace: a[v1alpha1.AnnotationCredentialNamespace]}.Owner(secret.GetNamespace())
}

// Labels returns the marks that are labels; without a class there is none for it.
func (m Marks) Labels() map[string]string {
	l := map[string]string{
		v1alpha1.LabelManaged:   managedTrue,
		v1alpha1.LabelManagedBy: v1alpha1.FieldOwner,
	}
	if m.Class != "" {
		l[v1alpha1.LabelClass] = m.Class
	}
	return l
}

// told are the annotations that tell whose a Secret is and what it carries; the others tell how that came about.
var told = []string{
	v1alpha1.AnnotationCredential, v1alpha1.AnnotationCredentialNamespace, v1alpha1.AnnotationCredentialUID, v1alpha1.AnnotationRevision,
	v1alpha1.AnnotationFingerprint, v1alpha1.AnnotationNotAfter, v1alpha1.AnnotationDeletionPolicy, v1alpha1.AnnotationReleasedAt,
}

// Told are those of the annotations of a Secret from which everything in its Marks but IssuanceID, RenewRequest, Request and Source is read.
func Told(annotations map[string]string) map[string]string {
	kept := make(map[string]string, len(told))
	for _, key := range told {
		if value, ok := annotations[key]; ok {
			kept[key] = value
		}
	}
	return kept
}

// annotations returns the marks that are annotations; empty ones are left out.
func (m Marks) annotations() map[string]string {
	a := map[string]string{
		v1alpha1.AnnotationCredential:          m.Credential,
		v1alpha1.AnnotationCredentialNamespace: m.Namespace,
		v1alpha1.AnnotationCredentialUID:       m.UID,
		v1alpha1.AnnotationRevision:            strconv.FormatInt(m.Revision, 10),
		v1alpha1.AnnotationFingerprint:         m.Fingerprint,
		v1alpha1.AnnotationNotAfter:            m.NotAfter.UTC().Format(time.RFC3339),
	}
	for key, value := range map[string]string{
		v1alpha1.AnnotationIssuanceID: m.IssuanceID,
		v1alpha1.AnnotationRequest:    m.Request,
		v1alpha1.AnnotationSource:     m.Source.text(),

		v1alpha1.AnnotationDeletionPolicy: string(m.DeletionPolicy),
	} {
		if value != "" {
			a[key] = value
		}
	}
	if m.RenewRequest != nil {
		a[v1alpha1.AnnotationRenewRequest] = *m.RenewRequest
	}
	return a
}

// Empty says whether nothing is known of the source.
func (s Source) Empty() bool { return s.text() == "" }

func (s Source) text() string {
	s.Contexts = slices.Clone(s.Contexts)
	for i := range s.Contexts {
		s.Contexts[i].Unconfirmed = false // whoever reads it has to see to that
	}
	text, err := json.Marshal(s)
	if err != nil || string(text) == "{}" {
		return "" // strings, times and booleans always marshal
	}
	return string(text)
}
