// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"text/template/parse"
	"unicode"
)

// How much of the user's own text an error shows, in bytes.
const (
	maxShownKey    = 64
	maxShownSource = 60
	maxShownParse  = 200
)

// TemplateError says what is wrong with a template. Its text is made of our own words and of the template's source, never of
// what the template was given: it may stand in a status, an event or a log.
type TemplateError struct {
	// Key is the entry of data as the spec writes it; empty where it is about all of them.
	Key string
	// Detail says where, what is wrong and what to write.
	Detail string
}

// Error names the field and says what to write.
func (e *TemplateError) Error() string {
	if e.Key == "" {
		return "spec.outputs[].template.data: " + e.Detail
	}
	return fmt.Sprintf("spec.outputs[].template.data[%q]: %s", shown(e.Key, maxShownKey), e.Detail)
}

// refusal is an error in our own words, of which TemplateErrors are made. It never quotes a value.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, arguments ...any) error {
	return refusal(fmt.Sprintf(format, arguments...))
}

// shown cuts text of the spec to a length that a condition can bear, and makes one printable line of it.
func shown(text string, longest int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest-len("…")], "") + "…"
}

// parseRefusal is for errors of the parser, which has seen nothing but the template.
func parseRefusal(err error) error {
	return refuse("it cannot be read as a template: line %s", shown(strings.TrimPrefix(err.Error(), "template: "+treeName+":"), maxShownParse))
}

// at names a place in a template.
func at(tree *parse.Tree, n parse.Node, why string) error {
	location, source := tree.ErrorContext(n)
	line, column, _ := strings.Cut(strings.TrimPrefix(location, treeName+":"), ":")
	return refuse("line %s, column %s, at %s: %s", line, column, shown(source, maxShownSource), why)
}
