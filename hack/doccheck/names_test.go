// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/clustercredential/operator/controllers"
)

func TestEveryReasonHasARowThatSaysWhatToDo(t *testing.T) {
	reasons := constants(t, "api/v1alpha1/conditions.go", "Reason")
	table := rows(pages(t)["docs/conditions.md"].section(t, "Reasons"))
	explained := map[string]bool{}
	for _, row := range table {
		name := strings.Trim(row[0], " `")
		if explained[name] {
			t.Errorf("reason %s has two rows", name)
		}
		explained[name] = true
		if !slices.Contains(reasons, name) {
			t.Errorf("docs/conditions.md explains reason %s, which does not exist", name)
		}
		if len(row) != 5 || slices.ContainsFunc(row, func(cell string) bool { return strings.TrimSpace(cell) == "" }) {
			t.Errorf("the row of reason %s has not five cells", name)
		}
	}
	for _, reason := range reasons {
		if !explained[reason] {
			t.Errorf("docs/conditions.md does not explain reason %s", reason)
		}
	}
}

func TestEveryConditionTriggerAndMarkIsExplained(t *testing.T) {
	all := pages(t)
	for _, test := range []struct{ file, prefix, page string }{
		{"api/v1alpha1/conditions.go", "Condition", "docs/conditions.md"},
		{"api/v1alpha1/clustercredential_status.go", "Trigger", "docs/concepts.md"},
		{"api/v1alpha1/clustercredential_status.go", "Certificate", "docs/api.md"},
		{"api/v1alpha1/clustercredential_status.go", "Output", "docs/api.md"},
		{"api/v1alpha1/cloudaccount.go", "Key", "docs/api.md"},
		{"api/v1alpha1/wire.go", "Label", "docs/api.md"},
		{"api/v1alpha1/wire.go", "Annotation", "docs/api.md"},
		{"controllers/status/events.go", "Reason", "docs/conditions.md"},
	} {
		for _, name := range constants(t, test.file, test.prefix) {
			if !slices.ContainsFunc(spans(all[test.page].prose), func(span string) bool { return span == name }) {
				t.Errorf("%s does not name %s", test.page, name)
			}
		}
	}
}

// constants are the values of the string constants in a file whose names begin with prefix.
func constants(t *testing.T, path, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			values = append(values, unquote(t, literal))
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no constants %s...", path, prefix)
	}
	return values
}

func unquote(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEveryFlagIsExplained(t *testing.T) {
	flags := managerFlags(t)
	explained := map[string]bool{}
	for _, row := range rows(pages(t)["docs/operating.md"].section(t, "Flags")) {
		name := strings.TrimPrefix(strings.Trim(row[0], " `"), "--")
		explained[name] = true
		if !slices.Contains(flags, name) {
			t.Errorf("docs/operating.md explains --%s, which is not a flag", name)
		}
	}
	for _, name := range flags {
		if !explained[name] {
			t.Errorf("docs/operating.md does not explain --%s", name)
		}
	}
}

// managerFlags are those that cmd/options.go defines, those of zap, and the one that controller-runtime registers.
func managerFlags(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "cmd", "options.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"kubeconfig"}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasSuffix(method.Sel.Name, "Var") {
			return true
		}
		if literal, ok := call.Args[1].(*ast.BasicLit); ok {
			names = append(names, unquote(t, literal))
		}
		return true
	})
	if len(names) < 10 {
		t.Fatalf("found only the flags %v", names)
	}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	(&zap.Options{}).BindFlags(set)
	set.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}

func TestEveryMetricIsExplained(t *testing.T) {
	var known registry
	metrics, err := controllers.NewMetrics(&known)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range metrics.Objects() {
		_ = known.Register(c)
	}
	explained := map[string]bool{}
	for _, row := range rows(pages(t)["docs/conditions.md"].section(t, "Metrics")) {
		name := strings.Trim(row[0], " `")
		explained[name] = true
		if !slices.Contains(known.names, name) {
			t.Errorf("docs/conditions.md explains %s, which is not a metric", name)
		}
	}
	for _, name := range known.names {
		if !explained[name] {
			t.Errorf("docs/conditions.md does not explain metric %s", name)
		}
	}
	for _, p := range pages(t) {
		for _, name := range regexp.MustCompile(`\bclustercredential_[a-z_]+`).FindAllString(p.text, -1) {
			if !slices.Contains(known.names, name) {
				t.Errorf("%s names %s, which is not a metric", p.path, name)
			}
		}
	}
}

// registry notes the names of the metrics that are registered with it.
type registry struct {
	prometheus.Registerer
	names []string
}

var metricName = regexp.MustCompile(`fqName: "([^"]+)"`)

// Register implements prometheus.Registerer.
func (r *registry) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc, 100)
	c.Describe(descriptions)
	close(descriptions)
	for description := range descriptions {
		r.names = append(r.names, metricName.FindStringSubmatch(description.String())[1])
	}
	return nil
}

func TestTheFlagsThatPagesNameExist(t *testing.T) {
	flags := managerFlags(t)
	ours := regexp.MustCompile(`^--[a-z][a-z-]*$`)
	for name, p := range pages(t) {
		if name == "docs/ccesim.md" {
			continue // the simulator has flags of its own
		}
		flags := flags
		switch {
		case name == pluginPage:
			flags = pluginFlags()
		case strings.HasPrefix(name, runbooks):
			flags = slices.Concat(flags, pluginFlags()) // they tell how to look at both
		}
		for _, span := range spans(p.prose) {
			word, _, _ := strings.Cut(span, "=")
			if ours.MatchString(word) && !slices.Contains(flags, word[2:]) {
				t.Errorf("%s names %s, which is not a flag", name, word)
			}
		}
	}
}
