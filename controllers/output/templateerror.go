// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
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

var (
	// executing is how text/template begins its errors. All of it comes from the template's source.
	executing = regexp.MustCompile(`^template: ` + treeName + `:(\d+):(\d+): executing "` + treeName + `" at <`)
	// arity is the one sentence of text/template that is passed on; it can hold nothing but a function's name and numbers.
	arity = regexp.MustCompile(`^wrong number of args for [a-zA-Z0-9]{1,32}: want (?:at least )?\d{1,3} got \d{1,5}$`)
)

// runRefusal is for errors of running a template. text/template quotes values in them, so that only the position, the place
// in the source and our own refusals are taken over.
func runRefusal(err error) error {
	why, ours := errors.AsType[refusal](err)
	text := err.Error()
	begin := executing.FindStringSubmatch(text)
	if begin == nil {
		if ours {
			return why
		}
		return refusal("it cannot be run")
	}
	// Where the source itself holds ">: " this shows less of the source, and never a value.
	source, said, _ := strings.Cut(text[len(begin[0]):], ">: ")
	switch {
	case ours:
	case arity.MatchString(said):
		why = refusal(said)
	default:
		why = "a value is of the wrong kind or out of range for what is done with it; inputs are texts, and so is what most functions take"
	}
	return at(begin[1], begin[2], source, string(why))
}

// at names a place in a template.
func at(line, column, source, why string) error {
	return refuse("line %s, column %s, at %s: %s", line, column, shown(source, maxShownSource), why)
}
