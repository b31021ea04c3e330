// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the root of the repository.
const root = "../.."

// runbooks is where the pages are that alerts lead to.
const runbooks = "docs/runbooks/"

// page is a page in Markdown.
type page struct {
	path   string // below root
	text   string
	prose  string // text without its fenced blocks
	blocks []block
}

// block is a fenced block.
type block struct{ language, text string }

// pages are all that this package looks at.
func pages(t *testing.T) map[string]page {
	t.Helper()
	var docs []string
	for _, folder := range []string{"docs", runbooks} {
		found, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no pages in %s: %v", folder, err)
		}
		docs = append(docs, found...)
	}
	all := map[string]page{}
	for _, file := range append(docs, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md")) {
		path, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.ToSlash(path)] = parse(filepath.ToSlash(path), read(t, path))
	}
	return all
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(path, text string) page {
	p := page{path: path, text: text}
	var prose strings.Builder
	var inside *block
	for line := range strings.Lines(text) {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && inside == nil:
			inside = &block{language: fence}
		case isFence:
			p.blocks = append(p.blocks, *inside)
			inside = nil
		case inside != nil:
			inside.text += line
		default:
			prose.WriteString(line)
		}
	}
	p.prose = prose.String()
	return p
}

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// spans are the words that stand as code in a text.
func spans(text string) []string {
	var found []string
	for _, match := range codeSpan.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// code is everything on a page that stands as code: words in the text, and lines of blocks for a shell.
func (p page) code() []string {
	lines := spans(p.prose)
	for _, b := range p.blocks {
		if b.language == "sh" {
			lines = append(lines, strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n")...)
		}
	}
	return lines
}

// section is the part of a page below a heading, with the headings below it.
func (p page) section(t *testing.T, headings ...string) string {
	t.Helper()
	text := "\n" + p.prose
	for level, heading := range headings {
		mark := "\n" + strings.Repeat("#", level+2) + " "
		_, after, found := strings.Cut(text, mark+heading+"\n")
		if !found {
			t.Fatalf("%s has no section %q", p.path, heading)
		}
		text = "\n" + after
		for above := 2; above <= level+2; above++ {
			text, _, _ = strings.Cut(text, "\n"+strings.Repeat("#", above)+" ")
		}
	}
	return text
}

// rows are the cells of the tables in a text, without their heads.
func rows(text string) [][]string {
	var found [][]string
	head := true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			head = true
		case strings.HasPrefix(line, "|---"):
			head = false
		case !head:
			found = append(found, strings.Split(strings.Trim(line, "|"), "|"))
		}
	}
	return found
}
