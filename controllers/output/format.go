// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// format is one shape of a Secret: two functions that are each other's inverse.
type format struct {
	// render gives type and data, and the labels and annotations that the format's
	// consumers look for; those of the output are added by Render.
	render func(c kubeconfig.Credential, o v1alpha1.Output, defaultName string) (Rendered, error)
	// read is the inverse of render; nil for a format that does not hold the whole credential.
	read func(data map[string][]byte, o v1alpha1.Output, defaultName string) (kubeconfig.Credential, error)
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
	case v1alpha1.FormatTemplate: // RenderTemplate; Render does not know its Facts yet
	}
	return format{}, &UnknownFormatError{Format: o.Format}
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
