// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// definition is the part of a CustomResourceDefinition that is looked at here.
type definition struct {
	Spec struct {
		Names struct {
			Kind       string   `json:"kind"`
			ShortNames []string `json:"shortNames"`
			Categories []string `json:"categories"`
		} `json:"names"`
		Versions []struct {
			AdditionalPrinterColumns []struct {
				Name string `json:"name"`
			} `json:"additionalPrinterColumns"`
			Schema struct {
				OpenAPIV3Schema schema `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

type schema struct {
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// fields are the paths of the fields below, down to those that have no fields of their own. Conditions are the same
// everywhere in Kubernetes.
func (s schema) fields(path string) []string {
	if s.Items != nil {
		s, path = *s.Items, path+"[]"
	}
	if len(s.Properties) == 0 || path == "conditions[]" {
		return []string{strings.TrimSuffix(path, "[]")}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		found = append(found, s.Properties[name].fields(strings.TrimPrefix(path+"."+name, "."))...)
	}
	return found
}

func definitions(t *testing.T) []definition {
	t.Helper()
	var all []definition
	for _, name := range []string{"clustercredentials", "cloudaccounts", "credentialgrants"} {
		var d definition
		if err := yaml.Unmarshal([]byte(read(t, "config/crd/bases/clustercredential.dev_"+name+".yaml")), &d); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

func TestEveryFieldIsExplained(t *testing.T) {
	reference := pages(t)["docs/api.md"]
	for _, d := range definitions(t) {
		kind := d.Spec.Names.Kind
		for _, part := range []string{"spec", "status"} {
			if _, has := d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[part]; !has {
				continue // a grant has no status
			}
			explained := rows(reference.section(t, kind, part))
			fields := d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[part].fields("")
			if len(fields) < 4 {
				t.Fatalf("%s.%s has only the fields %v", kind, part, fields)
			}
			for _, field := range fields {
				if !isExplained(explained, field) {
					t.Errorf("docs/api.md does not explain %s of %s.%s", field, kind, part)
				}
			}
			for _, row := range explained {
				for _, span := range spans(row[0]) {
					if !exists(fields, span) {
						t.Errorf("docs/api.md explains %s of %s.%s, which does not exist", span, kind, part)
					}
				}
			}
		}
	}
}

// isExplained says whether a field has a row, or is named in the row of the field that it is part of.
func isExplained(table [][]string, field string) bool {
	dot := strings.LastIndexByte(field, '.')
	for _, row := range table {
		names := spans(row[0])
		if slices.Contains(names, field) || slices.Contains(names, field+"[]") {
			return true
		}
		if dot > 0 && slices.Contains(names, field[:dot]) && slices.Contains(spans(strings.Join(row[1:], "|")), field[dot+1:]) {
			return true
		}
	}
	return false
}

// exists says whether a name is that of a field, or of what holds fields.
func exists(fields []string, name string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		return field == name || strings.HasPrefix(field, name+".") || strings.HasPrefix(field, name+"[]")
	})
}

func TestColumnsAndNamesAreExplained(t *testing.T) {
	reference := pages(t)["docs/api.md"]
	for _, d := range definitions(t) {
		kind := d.Spec.Names.Kind
		named := spans(reference.section(t, kind, "Columns"))
		for _, column := range d.Spec.Versions[0].AdditionalPrinterColumns {
			if !slices.Contains(named, column.Name) {
				t.Errorf("docs/api.md does not name column %s of %s", column.Name, kind)
			}
		}
		for _, name := range slices.Concat(d.Spec.Names.ShortNames, d.Spec.Names.Categories) {
			if !slices.Contains(spans(reference.prose), name) {
				t.Errorf("docs/api.md does not name %s", name)
			}
		}
	}
}
