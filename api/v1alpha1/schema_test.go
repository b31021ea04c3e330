// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// schema is what these tests read of the schema in a CRD.
type schema struct {
	Type                 string
	Description          string
	Default              any
	Enum                 []string
	Pattern              *string
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MinItems, MaxItems   *int
	MinProperties        *int
	MaxProperties        *int
	Required             []string
	Properties           map[string]schema
	Items                *schema
	AdditionalProperties *schema
	Rules                []struct {
		Message, Rule, FieldPath string
	} `json:"x-kubernetes-validations"`
}

// schemas reads the schemas of the generated CRDs, by kind.
func schemas(t *testing.T) map[string]schema {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(crdDir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]schema{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct{ OpenAPIV3Schema schema }
				}
			}
		}
		if err := yaml.Unmarshal(data, &crd); err != nil {
			t.Fatal(err)
		}
		if len(crd.Spec.Versions) != 1 {
			t.Fatalf("%s has %d versions: these tests read one", path, len(crd.Spec.Versions))
		}
		found[crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, []string{account, lent, credential, consent}) {
		t.Fatalf("kinds in %s: %v", crdDir, got)
	}
	return found
}

// walk visits a schema and everything in it. An item of a list has the path list[0], a value of a map has map[*].
func (s schema) walk(path string, visit func(path string, s schema)) {
	visit(path, s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		s.Properties[name].walk(strings.TrimPrefix(path+"."+name, "."), visit)
	}
	if s.Items != nil {
		s.Items.walk(path+"[0]", visit)
	}
	if s.AdditionalProperties != nil {
		s.AdditionalProperties.walk(path+"[*]", visit)
	}
}

// constraint is something that the API server checks in one place.
type constraint struct {
	kind, path string
	// what is the message of a CEL rule, or the name of the schema's keyword.
	what string
}

func (c constraint) String() string { return fmt.Sprintf("%s %q: %s", c.kind, c.path, c.what) }

// constraints returns everything that the CRDs check, and what the API server says of an object that fails it.
func constraints(t *testing.T) map[constraint]string {
	t.Helper()
	found := map[constraint]string{}
	for kind, root := range schemas(t) {
		root.walk("", func(path string, s schema) {
			if isKubernetes(path) {
				return
			}
			for what, says := range s.keywords() {
				found[constraint{kind, path, what}] = says
			}
			for _, rule := range s.Rules {
				found[constraint{kind, path + rule.FieldPath, rule.Message}] = rule.Message
			}
			for _, name := range s.Required {
				if strings.HasPrefix(path, "spec") {
					found[constraint{kind, path + "." + name, "required"}] = "Required value"
				}
			}
		})
	}
	return found
}

// isKubernetes says whether the schema at a path is one of Kubernetes itself.
func isKubernetes(path string) bool {
	return strings.HasPrefix(path, "status.conditions[") || strings.HasPrefix(path, "status.conditions.") || strings.Contains(path, ".selector.")
}

// keywords returns the keywords that check a value, and what the API server says if it fails.
func (s schema) keywords() map[string]string {
	found := map[string]string{}
	if len(s.Enum) > 0 {
		found["enum"] = `supported values: "` + strings.Join(s.Enum, `", "`) + `"`
	}
	if s.Pattern != nil {
		found["pattern"] = "should match '" + *s.Pattern + "'"
	}
	for what, limit := range map[string]*float64{"minimum": s.Minimum, "maximum": s.Maximum} {
		if limit != nil {
			found[what] = fmt.Sprint(*limit)
		}
	}
	for what, limit := range map[string]struct {
		value *int
		says  string
	}{
		"minLength":     {s.MinLength, "should be at least %d chars long"},
		"maxLength":     {s.MaxLength, "may not be more than %d bytes"},
		"minItems":      {s.MinItems, "should have at least %d items"},
		"maxItems":      {s.MaxItems, "must have at most %d item"},
		"minProperties": {s.MinProperties, "should have at least %d properties"},
		"maxProperties": {s.MaxProperties, "must have at most %d item"},
	} {
		if limit.value != nil {
			found[what] = fmt.Sprintf(limit.says, *limit.value)
		}
	}
	return found
}

func TestEveryConstraintHasExamples(t *testing.T) {
	missing := constraints(t)
	for _, e := range examples() {
		if _, known := missing[e.constraint]; !known {
			t.Errorf("examples of what no CRD checks, or for the second time: %s", e.constraint)
		}
		if len(e.accepted) == 0 || len(e.rejected) == 0 {
			t.Errorf("accepted and rejected examples are needed, at least one each: %s", e.constraint)
		}
		delete(missing, e.constraint)
	}
	for c := range missing {
		t.Errorf("no examples of %s", c)
	}
}

func TestEveryRuleSaysWhatToWrite(t *testing.T) {
	for kind, root := range schemas(t) {
		root.walk("", func(path string, s schema) {
			for _, rule := range s.Rules {
				words := strings.FieldsFunc(rule.Message, func(r rune) bool { return r == ' ' || r == ',' })
				if !slices.ContainsFunc(words, func(w string) bool { return w == "write" || w == "set" || w == "choose" }) {
					t.Errorf("%s %s: the message does not say what to write: %q", kind, path, rule.Message)
				}
			}
		})
	}
}

// A default would stand in the stored spec and not in Git, and would keep a member of a union from giving way to another.
func TestNoDefaultsButThatOfStatus(t *testing.T) {
	for kind, root := range schemas(t) {
		found := map[string]any{}
		root.walk("", func(path string, s schema) {
			if s.Default != nil {
				found[path] = s.Default
			}
		})
		want := map[string]any{}
		if _, has := root.Properties["status"]; has {
			want["status"] = map[string]any{"observedGeneration": float64(-1)}
		}
		if fmt.Sprint(found) != fmt.Sprint(want) {
			t.Errorf("%s: defaults are %v, want %v", kind, found, want)
		}
	}
}

// What kubectl explain shows.
func TestEveryFieldIsExplained(t *testing.T) {
	for kind, root := range schemas(t) {
		root.walk("", func(path string, s schema) {
			ours := strings.HasPrefix(path, "spec") || strings.HasPrefix(path, "status")
			if !ours || isKubernetes(path) || strings.HasSuffix(path, "]") {
				return
			}
			name := path[strings.LastIndex(path, ".")+1:]
			if !strings.HasPrefix(s.Description, name+" ") {
				t.Errorf("%s %s: the comment does not begin with the name of the field: %q", kind, path, s.Description)
			}
			for inner := range s.Properties {
				optional := strings.HasPrefix(path, "spec") && !slices.Contains(s.Required, inner) && !isKubernetes(path+"."+inner)
				if optional && !saysUnset(s.Properties[inner].Description) {
					t.Errorf("%s %s.%s: the comment does not say what unset means: %q", kind, path, inner, s.Properties[inner].Description)
				}
			}
		})
	}
}

func saysUnset(comment string) bool {
	comment = strings.Join(strings.Fields(comment), " ")
	return strings.Contains(strings.ToLower(comment), "unset") || strings.Contains(comment, "Exactly one of ")
}
