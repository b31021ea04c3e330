// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAProgramPrintsIsReadAsATerminalWould(t *testing.T) {
	red, bold, faint := style{colour: 2}, style{bold: true}, style{faint: true}
	for name, test := range map[string]struct {
		output string
		want   []line
	}{
		"nothing":                         {"", nil},
		"plain lines":                     {"one\n\ntwo\n", []line{{{style{}, "one"}}, nil, {{style{}, "two"}}}},
		"the last line without its end":   {"one", []line{{{style{}, "one"}}}},
		"a word in a colour":              {"a \x1b[31mred\x1b[0m word", []line{{{style{}, "a "}, {red, "red"}, {style{}, " word"}}}},
		"a reset without a number":        {"\x1b[31mred\x1b[m.", []line{{{red, "red"}, {style{}, "."}}}},
		"bold and coloured at once":       {"\x1b[1;31mred", []line{{{style{colour: 2, bold: true}, "red"}}}},
		"no longer bold, still coloured":  {"\x1b[1;31ma\x1b[22mb", []line{{{style{colour: 2, bold: true}, "a"}, {red, "b"}}}},
		"no longer coloured, still bold":  {"\x1b[1;31ma\x1b[39mb", []line{{{style{colour: 2, bold: true}, "a"}, {bold, "b"}}}},
		"faint":                           {"\x1b[2mx", []line{{{faint, "x"}}}},
		"a bright colour":                 {"\x1b[92mx", []line{{{style{colour: 11}, "x"}}}},
		"a colour goes on to the next":    {"\x1b[31ma\nb\x1b[0m", []line{{{red, "a"}}, {{red, "b"}}}},
		"one of many colours is left out": {"\x1b[38;5;1mx\x1b[38;2;1;1;1;1my", []line{{{style{}, "x"}, {bold, "y"}}}},
		"cursor movements are left out":   {"a\x1b[2Kb\x1b[1Ac", []line{{{style{}, "a"}, {style{}, "b"}, {style{}, "c"}}}},
		"a code that is cut off":          {"a\x1b[3", []line{{{style{}, "a"}}}},
		"what cannot be printed":          {"a\x07\x1bb\r\n", []line{{{style{}, "ab"}}}},
		"a tab":                           {"ab\tc", []line{{{style{}, "ab      c"}}}},
		"a tab after a colour":            {"\x1b[31mab\x1b[0m\tc", []line{{{red, "ab"}, {style{}, "      c"}}}},
		"characters of several bytes":     {"…é\tx", []line{{{style{}, "…é      x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, parse(test.output), cmp.AllowUnexported(style{}, run{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestALongOutputIsShownFromTheLastLineThatMatters(t *testing.T) {
	lines := parse("start\nTABLE 1\nrow\nTABLE 2\nrow\nend\n")
	for from, want := range map[string][]string{
		"":        {"start", "TABLE 1", "row", "TABLE 2", "row", "end"},
		"TABLE":   {"…", "", "TABLE 2", "row", "end"},
		"start":   {"start", "TABLE 1", "row", "TABLE 2", "row", "end"},
		"nowhere": {"start", "TABLE 1", "row", "TABLE 2", "row", "end"},
	} {
		var got []string
		for _, l := range cut(lines, from) {
			got = append(got, textOf(l))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("from %q (-want +got):\n%s", from, diff)
		}
	}
}
