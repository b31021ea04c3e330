// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// The format Template: keys and values as the spec writes them. A template is a tenant's program that runs beside private
// keys, so it is bounded before it runs (templatelimits.go) and while it runs (templatework.go), and its errors are told in
// our own words (templateerror.go).

// renderTemplate gives the content of the Secret for an output of the format Template: a pure function of its arguments.
// Labels and annotations are left to Render. The error is a *TemplateError, or a *kubeconfig.Invalid where
// the credential itself cannot be published.
func renderTemplate(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (Rendered, error) {
	if err := c.CheckForm(); err != nil {
		return Rendered{}, err
	}
	inputs, err := inputsOf(c, o, facts)
	if err != nil {
		return Rendered{}, err
	}
	entries, err := parseEntries(o.Template)
	if err != nil {
		return Rendered{}, err
	}
	data, err := execute(entries, inputs, newWork(c, inputs[inputClusterName]))
	if err != nil {
		return Rendered{}, err
	}
	return Rendered{Type: TypeOf(o), Data: data}, nil
}

// execute runs all templates in the order in which they were parsed.
func execute(entries []entry, inputs map[string]string, w *work) (map[string]issuer.Sensitive, error) {
	data, writtenAs := map[string]issuer.Sensitive{}, map[string]string{}
	publicInputs := maps.Clone(inputs)
	maps.DeleteFunc(publicInputs, func(name, _ string) bool { return slices.Contains(secretInputs, name) })
	for _, e := range entries {
		key, err := e.key.run(publicInputs, w)
		if err != nil {
			return nil, &TemplateError{Key: e.source, Detail: "in the key, " + err.Error()}
		}
		value, err := e.value.run(inputs, w)
		if err != nil {
			return nil, &TemplateError{Key: e.source, Detail: err.Error()}
		}
		if value == "" {
			continue
		}
		if err := checkKey(key); err != nil {
			return nil, &TemplateError{Key: e.source, Detail: err.Error()}
		}
		if other, taken := writtenAs[key]; taken {
			return nil, &TemplateError{Key: e.source, Detail: fmt.Sprintf("it gives the same key as %q; write keys that differ", shown(other, maxShownKey))}
		}
		data[key], writtenAs[key] = issuer.Sensitive(value), e.source
	}
	if len(data) == 0 {
		return nil, &TemplateError{Detail: "it gives no keys, since every value comes out empty; write a value that does not, such as {{ .kubeconfig }}"}
	}
	return data, nil
}

// checkKey does not show the key: it is made of values, and not of the spec alone.
func checkKey(key string) error {
	if key == "" {
		return refusal("the key comes out empty and its value does not; write a key, or a template that gives one")
	}
	if len(validation.IsConfigMapKey(key)) > 0 {
		return refusal("the key does not come out as a Secret key; write at most 253 letters, digits, '-', '_' and '.', " +
			`with replace where an input has others, such as {{ .clusterName | replace "/" "-" }}`)
	}
	return nil
}
