// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// Rendered is the content of an output Secret. Equal arguments of Render give equal
// content, byte for byte.
type Rendered struct {
	// Type is the Secret's type; the API server never lets it change.
	Type corev1.SecretType
	// Data are all keys that we own in the Secret.
	Data map[string]issuer.Sensitive
	// Labels and Annotations are those of the output and of the format; nil if there are
	// none. The operator's own marks are not among them. They are copies.
	Labels, Annotations map[string]string
}

// Render gives the content of the Secret for an output of the spec.
func Render(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (Rendered, error) {
	format, err := formatOf(o)
	if err != nil {
		return Rendered{}, err
	}
	rendered, err := format.render(c, o, facts)
	if err != nil {
		return Rendered{}, err
	}
	rendered.Labels = joined(rendered.Labels, LabelsOf(o))
	rendered.Annotations = joined(rendered.Annotations, o.Annotations)
	return rendered, nil
}

// Read gives back the credential that Render put into data, whatever clusterName
// was then. The error is a *MissingKeyError, a *kubeconfig.Invalid or, for a format
// of another release, an *UnknownFormatError.
func Read(data map[string][]byte, o v1alpha1.Output, facts Facts) (kubeconfig.Credential, error) {
	format, err := formatOf(o)
	if err != nil {
		return kubeconfig.Credential{}, err
	}
	if format.read == nil {
		return kubeconfig.Credential{}, &PartialFormatError{Format: o.Format}
	}
	return format.read(data, o, facts)
}

// LabelsOf returns the labels that an output asks for; nil if there are none.
func LabelsOf(o v1alpha1.Output) map[string]string {
	if len(o.Labels) == 0 {
		return nil
	}
	labels := make(map[string]string, len(o.Labels))
	for key, value := range o.Labels {
		labels[key] = string(value)
	}
	return labels
}

// joined returns the format's own entries and the user's; the format's win, since
// consumers find the Secret by them.
func joined(own, users map[string]string) map[string]string {
	if len(own)+len(users) == 0 {
		return nil
	}
	all := make(map[string]string, len(own)+len(users))
	maps.Copy(all, users)
	maps.Copy(all, own)
	return all
}
