// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

const runbooksDir = "../../docs/runbooks"

// What the runbooks call things, and so these worlds do.
const (
	pagesAccount = "huawei-prod"
	pagesKeys    = "huawei-keys"
)

// runbook is a page that is followed, block by block.
type runbook struct {
	*world
	page   string
	dir    string
	env    []string
	blocks []string
}

// follow opens a page. It says -n fleet or -A for the namespace of the world; with are more pairs of what stands there for what is here.
func (w *world) follow(page string, with ...string) *runbook {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(runbooksDir, page+".md"))
	w.must(err)
	here := strings.NewReplacer(append(with, "-n fleet", "-n "+w.namespace, " -A", " -n "+w.namespace)...)
	r := &runbook{world: w, page: page, dir: w.t.TempDir()}
	for _, block := range pageBlock.FindAllStringSubmatch(string(text), -1) {
		if block[1] == "sh" {
			r.blocks = append(r.blocks, here.Replace(block[2]))
		}
	}
	return r
}

// next runs the next block, which must succeed and print these.
func (r *runbook) next(says ...string) string {
	r.t.Helper()
	if len(r.blocks) == 0 {
		r.t.Fatalf("%s has no more commands", r.page)
	}
	block := r.blocks[0]
	r.blocks = r.blocks[1:]
	out := r.asUser(r.dir, block, r.env...)
	for _, text := range says {
		if !strings.Contains(out, text) {
			r.t.Errorf("%s: the commands do not print %q:\n%s\n%s", r.page, text, block, out)
		}
	}
	return out
}

// done fails where commands of the page were not run.
func (r *runbook) done() {
	r.t.Helper()
	if len(r.blocks) > 0 {
		r.t.Errorf("%s: nobody has run\n%s", r.page, strings.Join(r.blocks, "\n"))
	}
}

// write writes a file where the commands run.
func (r *runbook) write(name, text string) {
	r.t.Helper()
	r.must(os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

// pagesAccountYAML is the account of the pages, and its key.
func pagesAccountYAML() string {
	return strings.ReplaceAll(namedAccountYAML(pagesAccount, stack.AccessKey), pagesAccount+"-keys", pagesKeys)
}

// pagesCredential is a ClusterCredential of the pages, of the cluster with that name.
func pagesCredential(name, cluster string, more ...string) string {
	return credentialOf(name, pagesAccount, "{name: "+cluster+"}", more...)
}

// metric is a sum of what the manager of the world tells now.
func (w *world) metric(name string, labels ...string) float64 {
	w.t.Helper()
	all, err := w.manager().Metrics(w.t.Context())
	w.must(err)
	return all.Sum("clustercredential_"+name, labels...)
}

// wantConditions waits until that many conditions of the world stand so in the metrics, which is what the alerts look at.
func (w *world) wantConditions(want int, conditionType, status string, reason v1alpha1.Reason) {
	w.t.Helper()
	labels := []string{"namespace", w.namespace, "type", conditionType, "status", status}
	if reason != "" {
		labels = append(labels, "reason", string(reason))
	}
	w.eventually(eventTime, func() error {
		if got := w.metric("condition", labels...); got != float64(want) {
			return fmt.Errorf("the metrics tell of %v conditions %v, want %d", got, labels, want)
		}
		return nil
	})
}

// wantAccountReady waits until the metrics say so of the account of the pages: 1 or 0.
func (w *world) wantAccountReady(want float64) {
	w.t.Helper()
	w.eventually(eventTime, func() error {
		if got := w.metric("account_ready", "account", pagesAccount); got != want {
			return fmt.Errorf("the metrics say that the account is %v, want %v", got, want)
		}
		return nil
	})
}

// patchAs changes an object, as the page does.
func (w *world) patchAs(object, how string) {
	w.t.Helper()
	w.kubectl("patch", object, "--type=merge", "--patch="+how)
}

// Every page is followed by one of these tests, to its last command.
func TestNoRunbookIsLeftOut(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(runbooksDir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".md"); name != "README" {
			pages = append(pages, name)
		}
	}
	var followed []string
	index, err := os.ReadFile(filepath.Join(runbooksDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, shelf := range shelves() {
		for _, drill := range shelf.drills {
			followed = append(followed, drill.page)
			if !strings.Contains(string(index), "]("+drill.page+".md)") {
				t.Errorf("the index does not lead to %s", drill.page)
			}
		}
	}
	slices.Sort(followed)
	if !slices.Equal(pages, followed) {
		t.Errorf("there are the pages\n%q\nand followed are\n%q", pages, followed)
	}
}

// The name of a page is that of its alert, which is how the alert finds it, and all have the same parts.
func TestRunbooksHaveTheirParts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(runbooksDir, "cluster-credential-*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal("no runbooks:", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var headings []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "###") {
				headings = append(headings, strings.TrimSpace(line))
			}
		}
		alert := ""
		for word := range strings.SplitSeq(strings.TrimSuffix(filepath.Base(file), ".md"), "-") {
			alert += strings.ToUpper(word[:1]) + word[1:]
		}
		if want := []string{"# " + alert, "## What it means", "## How bad", "## Look", "## Do", "## See it healed"}; !slices.Equal(headings, want) {
			t.Errorf("%s has the headings %q, want %q", file, headings, want)
		}
	}
}
