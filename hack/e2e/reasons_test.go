// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// documentedReasons are the constants of the type Reason that have a comment, from the source of the API.
func documentedReasons(t testing.TB) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Doc == nil || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			if reason, err := strconv.Unquote(literal.Value); err == nil {
				reasons = append(reasons, reason)
			}
		}
		return true
	})
	if len(reasons) == 0 {
		t.Fatal("api/v1alpha1/conditions.go documents no reason")
	}
	return reasons
}
