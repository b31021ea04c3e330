// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

func TestATableIsWrittenForWhoeverReadsIt(t *testing.T) {
	written := table.Table{
		Head: []string{"NAME", "READY", "MESSAGE"},
		Rows: [][]table.Cell{
			{{Text: "a"}, {Text: "True", Colour: table.Green}, {Text: "all is well with this one and it is told at length"}},
			{{Text: "größer"}, {Text: "-"}, {Text: "b\x1b[2Jc\nd"}},
		},
	}
	for _, test := range []struct {
		name string
		look table.Look
		want string
	}{
		{"without a width and colours", table.Look{}, `
NAME     READY   MESSAGE
a        True    all is well with this one and it is told at length
größer   -       b�[2Jc d
`},
		{"in a narrow terminal", table.Look{Width: 40}, `
NAME     READY   MESSAGE
a        True    all is well with this
                 one and it is told at
                 length
größer   -       b�[2Jc d
`},
		{"with colours", table.Look{Colour: true}, `
NAME     READY   MESSAGE
a        ` + "\x1b[32mTrue\x1b[0m" + `    all is well with this one and it is told at length
größer   -       b�[2Jc d
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if err := written.Write(&out, test.look); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAWordIsNeverCut(t *testing.T) {
	want := []string{"a", "fingerprint-that-is-longer", "than it"}
	if diff := cmp.Diff(want, table.Wrapped("a fingerprint-that-is-longer than it", 8)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{""}, table.Wrapped("", 8)); diff != "" {
		t.Error(diff)
	}
}
