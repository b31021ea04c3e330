// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestEveryExampleIsAccepted(t *testing.T) {
	examples := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			switch b.language {
			case "json":
				if !json.Valid([]byte(b.text)) {
					t.Errorf("%s: no JSON:\n%s", p.path, b.text)
				}
			case "yaml":
				for document := range strings.SplitSeq("\n"+b.text, "\n---\n") {
					isOurs, err := decode(document)
					if err != nil {
						t.Errorf("%s: %v in\n%s", p.path, err, document)
					}
					if isOurs {
						examples++
					}
				}
			}
		}
	}
	if examples < 2 {
		t.Errorf("only %d examples of our kinds", examples)
	}
}

// decode reads an object as the API server does that is told to be strict, if it is one of ours.
func decode(document string) (isOurs bool, err error) {
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(document), &meta); err != nil {
		return false, err
	}
	switch meta.GroupVersionKind() {
	case v1alpha1.GroupVersion.WithKind("ClusterCredential"):
		return true, yaml.UnmarshalStrict([]byte(document), &v1alpha1.ClusterCredential{})
	case v1alpha1.GroupVersion.WithKind("CloudAccount"):
		return true, yaml.UnmarshalStrict([]byte(document), &v1alpha1.CloudAccount{})
	case v1alpha1.GroupVersion.WithKind("CredentialGrant"):
		return true, yaml.UnmarshalStrict([]byte(document), &v1alpha1.CredentialGrant{})
	}
	return strings.HasPrefix(meta.APIVersion, v1alpha1.GroupVersion.Group+"/"), nil
}
