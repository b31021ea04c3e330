// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"strings"
)

// builtins are the functions of text/template that a template may use. They look at values and make no longer ones of them.
// The others are left out: print, printf, println, html and js have results without bound or without use, call calls values.
var builtins = map[string]function{
	"and":   {takes: []kind{aValue, aValue}, more: true, ends: isFalse, call: lastOf},
	"or":    {takes: []kind{aValue, aValue}, more: true, ends: isTrue, call: lastOf},
	"not":   {takes: []kind{aValue}, call: func(v []value) (value, error) { return isFalse(v[0]), nil }},
	"len":   {takes: []kind{aText}, call: func(v []value) (value, error) { return len(textOf(v[0])), nil }},
	"index": {takes: []kind{aValue, aValue}, more: true, call: index},
	"slice": {takes: []kind{aText, aValue}, more: true, call: slice},
	"eq":    {takes: []kind{aValue, aValue, aValue}, more: true, call: equalsAny},
	"ne":    {takes: []kind{aValue, aValue}, call: equalsNot},
	"lt":    ordered(func(order int) bool { return order < 0 }),
	"le":    ordered(func(order int) bool { return order <= 0 }),
	"gt":    ordered(func(order int) bool { return order > 0 }),
	"ge":    ordered(func(order int) bool { return order >= 0 }),
}

// isTrue is whether a value is not empty: no "", 0 and false.
func isTrue(v value) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case int:
		return v != 0
	case byte:
		return v != 0
	}
	return v == true
}

func isFalse(v value) bool { return !isTrue(v) }

func lastOf(v []value) (value, error) { return v[len(v)-1], nil }

// index is a byte of a text. Without a number it is the value itself.
func index(v []value) (value, error) {
	item := v[0]
	for _, at := range v[1:] {
		text, isText := item.(string)
		i, isNumber := numberOf(at)
		if !isText || !isNumber {
			return nil, refusal("index takes a text and a number")
		}
		if i < 0 || i >= len(text) {
			return nil, refusal("the text ends before that; look at its len first")
		}
		item = text[i]
	}
	return item, nil
}

// slice is a part of a text, from one byte up to another.
func slice(v []value) (value, error) {
	text := textOf(v[0])
	if len(v) > 3 {
		return nil, refusal("slice takes a text and at most two numbers")
	}
	bounds := [2]int{0, len(text)}
	for i, at := range v[1:] {
		n, ok := numberOf(at)
		if !ok {
			return nil, refusal("slice takes a text and at most two numbers")
		}
		bounds[i] = n
	}
	if bounds[0] < 0 || bounds[0] > bounds[1] || bounds[1] > len(text) {
		return nil, refusal("the text ends before that, or the first number is after the second; look at its len first")
	}
	return text[bounds[0]:bounds[1]], nil
}

// equalsAny is whether the first value is one of the others.
func equalsAny(v []value) (value, error) {
	for _, other := range v[1:] {
		if equal, err := equals(v[0], other); equal || err != nil {
			return equal, err
		}
	}
	return false, nil
}

func equalsNot(v []value) (value, error) {
	equal, err := equals(v[0], v[1])
	return !equal, err
}

func equals(a, b value) (bool, error) {
	if kindOf(a) == kindOf(b) {
		return a == b, nil
	}
	order, err := compare(a, b)
	return order == 0, err
}

func ordered(is func(order int) bool) function {
	return function{takes: []kind{aValue, aValue}, call: func(v []value) (value, error) {
		order, err := compare(v[0], v[1])
		return is(order), err
	}}
}

// compare tells which of two texts or numbers comes first: negative, zero or positive.
func compare(a, b value) (int, error) {
	if kindOf(a) == aText && kindOf(b) == aText {
		return strings.Compare(textOf(a), textOf(b)), nil
	}
	n, first := numberOf(a)
	m, second := numberOf(b)
	if !first || !second {
		return 0, refusal("only texts are compared with texts, and numbers with numbers")
	}
	return cmp.Compare(n, m), nil
}
