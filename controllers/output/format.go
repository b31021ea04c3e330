// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// format is one shape of a Secret: two functions that are each other's inverse.
type format struct {
	// render gives type and data, and the labels and annotations that the format's
	// consumers look for; those of the output are added by Render.
	render func(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (Rendered, error)
	// read is the inverse of render; nil for a format that does not hold the whole credential.
	read func(data map[string][]byte, o v1alpha1.Output, facts Facts) (kubeconfig.Credential, error)
}

// formatOf returns the format of an output; unset is Kubeconfig.
func formatOf(o v1alpha1.Output) (format, error) {
	switch o.Format {
	case "", v1alpha1.FormatKubeconfig:
		return format{renderKubeconfig, readKubeconfig}, nil
	case v1alpha1.FormatArgoCD:
		return format{renderArgoCD, readArgoCD}, nil
	case v1alpha1.FormatClusterAPI:
		return format{renderClusterAPI, readClusterAPI}, nil
	case v1alpha1.FormatIstio:
		return format{renderIstio, readIstio}, nil
	case v1alpha1.FormatKubeVela:
		return format{renderKubeVela, readKubeVela}, nil
	case v1alpha1.FormatTLS:
		return format{renderTLS, nil}, nil
	case v1alpha1.FormatTemplate:
		return format{renderTemplate, nil}, nil
	}
	return format{}, &UnknownFormatError{Format: o.Format}
}

// Recover looks for a credential of ours in a Secret whose output is not known any more, in every format that holds the
// whole of it.
func Recover(data map[string][]byte) (c kubeconfig.Credential, found bool) {
	if c, _, found := Search(data); found { // Kubeconfig, ClusterAPI and Istio
		return c, true
	}
	for _, read := range []func(map[string][]byte, v1alpha1.Output, Facts) (kubeconfig.Credential, error){readArgoCD, readKubeVela} {
		if c, err := read(data, v1alpha1.Output{}, Facts{}); err == nil {
			return c, true
		}
	}
	return kubeconfig.Credential{}, false
}

// IdentityIn finds the certificate in a Secret of a format that does not hold the whole credential.
func IdentityIn(data map[string][]byte, o v1alpha1.Output) (id kubeconfig.Identity, found bool) {
	if o.Format != v1alpha1.FormatTLS {
		return kubeconfig.Identity{}, false
	}
	id, err := kubeconfig.NewIdentity(data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey])
	return id, err == nil
}

// TypeOf is the type of the Secret that an output asks for.
func TypeOf(o v1alpha1.Output) corev1.SecretType {
	switch o.Format {
	case v1alpha1.FormatClusterAPI:
		return typeClusterAPI
	case v1alpha1.FormatTLS:
		return corev1.SecretTypeTLS
	default:
		return corev1.SecretType(cmp.Or(o.Type, string(corev1.SecretTypeOpaque)))
	}
}

// OwnKeys are the keys of the labels and annotations that a format puts on its Secrets by itself.
func OwnKeys(format v1alpha1.OutputFormat) (labels, annotations []string) {
	switch format {
	case v1alpha1.FormatArgoCD:
		return []string{labelArgoCDSecretType}, nil
	case v1alpha1.FormatClusterAPI:
		return []string{labelClusterAPICluster}, nil
	case v1alpha1.FormatIstio:
		return []string{labelIstioMultiCluster}, []string{annotationIstioCluster}
	case v1alpha1.FormatKubeVela:
		return []string{labelKubeVelaCredential}, nil
	default:
		return nil, nil
	}
}

// UnknownFormatError names a format that this release does not know, which happens
// when the CRD is newer than the operator.
type UnknownFormatError struct {
	Format v1alpha1.OutputFormat
}

// Error names the format.
func (e *UnknownFormatError) Error() string {
	return fmt.Sprintf("this release of the operator does not know the output format %q", string(e.Format))
}

// MissingKeyError says that a Secret lacks a data key, or has it empty.
type MissingKeyError struct {
	// Key is the data key.
	Key string
}

// Error names the key.
func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("the Secret has no data under the key %q", e.Key)
}

// UnreadableKeyError says that a data key of a Secret does not hold what its format has there.
type UnreadableKeyError struct {
	// Key is the data key.
	Key string
}

// Error names the key, and nothing of what it holds.
func (e *UnreadableKeyError) Error() string {
	return fmt.Sprintf("the Secret's key %q does not hold what its format asks for", e.Key)
}

// IsWhole says whether a Secret of that format holds the whole credential, so that Read gives it back. The first output must
// be one of these.
func IsWhole(o v1alpha1.Output) bool {
	f, err := formatOf(o)
	return err == nil && f.read != nil
}

// PartialFormatError names a format whose Secrets do not hold the whole credential.
type PartialFormatError struct {
	Format v1alpha1.OutputFormat
}

// Error names the format.
func (e *PartialFormatError) Error() string {
	return fmt.Sprintf("a Secret of the format %q does not hold the whole credential", string(e.Format))
}

// UnsupportedError names a field of the spec that a format's consumer has no place for.
type UnsupportedError struct {
	Format v1alpha1.OutputFormat
	Field  string
}

// Error names both.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the format %q has no place for %s", string(e.Format), e.Field)
}
