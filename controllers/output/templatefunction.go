// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

// value is a string, an int, a byte (which index gives) or a bool.
type value any

// kind is that of a value.
type kind string

const (
	aText   kind = "text"
	aNumber kind = "number"
	aByte   kind = "byte"
	aTruth  kind = "truth value"
	aValue  kind = "value" // of any kind
)

func kindOf(v value) kind {
	switch v.(type) {
	case string:
		return aText
	case int:
		return aNumber
	case byte:
		return aByte
	}
	return aTruth
}

// textOf is the text that a value of that kind is.
func textOf(v value) string {
	text, _ := v.(string)
	return text
}

func textsOf(values []value) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = textOf(v)
	}
	return texts
}

// numberOf takes a byte for a number.
func numberOf(v value) (number int, ok bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case byte:
		return int(v), true
	}
	return 0, false
}

// function is what a template can call.
type function struct {
	// takes are the kinds of its arguments.
	takes []kind
	// more is whether there may be none of the last one, and any number.
	more bool
	// ends, if it is set, tells of an argument that is the result, whatever comes after it.
	ends func(value) bool
	// call is with arguments that fit. Its error is a refusal.
	call func([]value) (value, error)
}

func ofText(f func(string) (string, error)) function {
	return function{takes: []kind{aText}, call: func(v []value) (value, error) { return f(textOf(v[0])) }}
}

func ofTwo(f func(a, b string) (string, error)) function {
	return function{takes: []kind{aText, aText}, call: func(v []value) (value, error) { return f(textOf(v[0]), textOf(v[1])) }}
}

func ofThree(f func(a, b, c string) (string, error)) function {
	return function{takes: []kind{aText, aText, aText}, call: func(v []value) (value, error) {
		return f(textOf(v[0]), textOf(v[1]), textOf(v[2]))
	}}
}

func ofWidth(f func(width int, text string) (string, error)) function {
	return function{takes: []kind{aNumber, aText}, call: func(v []value) (value, error) {
		width, _ := numberOf(v[0])
		return f(width, textOf(v[1]))
	}}
}

// ofTexts is a function of any number of texts.
func ofTexts(f func(...string) (string, error)) function {
	return function{takes: []kind{aText}, more: true, call: func(v []value) (value, error) { return f(textsOf(v)...) }}
}

// number refuses too few arguments and too many.
func (f function) number(name string, got int) error {
	switch most := len(f.takes); {
	case f.more && got < most-1:
		return refuse("wrong number of args for %s: want at least %d got %d", name, most-1, got)
	case !f.more && got != most:
		return refuse("wrong number of args for %s: want %d got %d", name, most, got)
	}
	return nil
}

// fits refuses an argument of another kind.
func (f function) fits(name string, i int, v value) error {
	wanted := f.takes[min(i, len(f.takes)-1)]
	if got := kindOf(v); wanted != aValue && wanted != got {
		return refuse("%s takes a %s there, and this is a %s", name, wanted, got)
	}
	return nil
}
