// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"maps"
	"slices"
	"text/template/parse"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Bounds on the templates of one output, checked before any of them runs. The API server checks the first three too, and an
// older CRD may not.
const (
	maxEntries       = 32
	maxTemplateBytes = 64 << 10
	maxKeyTemplate   = 512
	// maxSourceBytes is for all templates together; parsing costs as much as the source is long.
	maxSourceBytes = 256 << 10
	// maxNodes is for all templates together. Nothing loops, so that no node is run twice.
	maxNodes = 4096
	// maxDepth is how deep parts stand in each other. Running a template takes stack for each level.
	maxDepth = 64
)

// treeName is how text/template/parse calls our templates in its errors and in the places that it tells.
const treeName = "t"

// entry is one entry of data, parsed and checked.
type entry struct {
	source     string
	key, value program
}

// program is a template that may run.
type program struct {
	tree *parse.Tree
	// secret is whether it may see what holds the private key.
	secret bool
}

// parseEntries parses all templates in the order of their keys, so that the same spec gives the same error.
func parseEntries(t *v1alpha1.OutputTemplate) ([]entry, error) {
	if t == nil || len(t.Data) == 0 {
		return nil, &TemplateError{Detail: "the format Template needs at least one entry; write one, such as kubeconfig: '{{ .kubeconfig }}'"}
	}
	if len(t.Data) > maxEntries {
		return nil, &TemplateError{Detail: fmt.Sprintf("there are %d entries; write at most %d", len(t.Data), maxEntries)}
	}
	source := 0
	for key, value := range t.Data {
		source += len(key) + len(value)
	}
	if source > maxSourceBytes {
		return nil, &TemplateError{Detail: fmt.Sprintf("the templates are larger than %d KiB together; write less", maxSourceBytes>>10)}
	}
	entries, nodes := make([]entry, 0, len(t.Data)), maxNodes
	for _, key := range slices.Sorted(maps.Keys(t.Data)) {
		e, err := parseEntry(key, string(t.Data[key]), &nodes)
		if err != nil {
			return nil, &TemplateError{Key: key, Detail: err.Error()}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseEntry(key, value string, nodes *int) (entry, error) {
	if len(key) > maxKeyTemplate {
		return entry{}, refuse("the key is longer than %d bytes; write a shorter one", maxKeyTemplate)
	}
	if len(value) > maxTemplateBytes {
		return entry{}, refuse("the template is larger than %d KiB; write less", maxTemplateBytes>>10)
	}
	name, err := parseProgram(key, false, nodes)
	if err != nil {
		return entry{}, refuse("in the key, %s", err.Error())
	}
	content, err := parseProgram(value, true, nodes)
	return entry{source: key, key: name, value: content}, err
}

// parseProgram knows our functions only: those of text/template that print can be asked for a gigabyte of blanks ("%999999999d").
func parseProgram(source string, secret bool, nodes *int) (program, error) {
	trees := map[string]*parse.Tree{}
	tree, err := parse.New(treeName).Parse(source, "", "", trees, functionNames(secret))
	if err != nil {
		return program{}, parseRefusal(err)
	}
	if len(trees) != 1 || trees[treeName] != tree { // define and block make more trees
		return program{}, refusal("define and block are not for use here; write the text where it is wanted")
	}
	c := checker{tree: tree, secret: secret, nodes: nodes}
	if err := c.list(tree.Root, place{}); err != nil {
		return program{}, err
	}
	return program{tree: tree, secret: secret}, nil
}
