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
	read   func(data map[string][]byte, o v1alpha1.Output, defaultName string) (kubeconfig.Credential, error)
}

// formatOf returns the format of an output; unset is Kubeconfig.
func formatOf(o v1alpha1.Output) (format, error) {
	switch o.Format {
	case "", v1alpha1.FormatKubeconfig:
		return format{renderKubeconfig, readKubeconfig}, nil
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
