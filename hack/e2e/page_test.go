// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// block is a fenced block of a page.
type block struct {
	line     int // of its text, in the page
	language string
	text     string
	section  string // the heading above it
	prose    string // between it and the block before
	inline   []command
}

// command is what somebody types who reads the page.
type command struct {
	line    int
	text    string
	section string
}

// readBlocks reads the blocks of a page, given by its path below the root.
func readBlocks(t *testing.T, path string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return parseBlocks(string(text))
}

func parseBlocks(text string) []block {
	var blocks []block
	var b block
	inside := false
	number, indent := 0, ""
	for line := range strings.Lines(text) {
		number++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && !inside:
			inside, b.line, b.language = true, number+1, fence
			indent, _, _ = strings.Cut(line, "```")
		case isFence:
			blocks = append(blocks, b)
			inside, b = false, block{section: b.section}
		case inside:
			b.text += strings.TrimPrefix(line, indent)
		default:
			if strings.HasPrefix(line, "#") {
				b.section = strings.TrimSpace(strings.TrimLeft(line, "#"))
			}
			b.prose += line
			for _, span := range inlineCommand.FindAllStringSubmatch(line, -1) {
				b.inline = append(b.inline, command{line: number, text: span[1], section: b.section})
			}
		}
	}
	return append(blocks, b) // what stands below the last block
}

// inlineCommand is a command in the text. Two words, and one with something left out, only name it.
var inlineCommand = regexp.MustCompile("`((?:kubectl|helm|curl) [^` …]+ [^`…]+)`")

// commands are those that the block shows: all of its lines, or in a block with what they print those after a prompt.
func (b block) commands() []command {
	var all []command
	begun := ""
	for i, line := range strings.Split(b.text, "\n") {
		if b.language == "text" {
			typed, isTyped := strings.CutPrefix(line, "$ ")
			if !isTyped {
				continue
			}
			line = typed
		}
		if begun == "" {
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
			all = append(all, command{line: b.line + i, section: b.section})
		} else {
			begun += "\n"
		}
		begun += line
		if isWhole(begun) {
			all[len(all)-1].text, begun = begun, ""
		}
	}
	if begun != "" {
		all[len(all)-1].text = begun // bash will say what is missing
	}
	return all
}

// hasCommands says whether there is something to type, in the block or above it.
func (b block) hasCommands() bool { return b.isCode() || len(b.inline) > 0 }

// isCode says whether the block shows commands.
func (b block) isCode() bool {
	return b.language == "sh" || b.language == "console" || b.language == "text" && len(b.commands()) > 0
}

// A page shows commands in several ways. What it prints, what it only names and comments are none.
func TestCommandsAreFoundAsAReaderFindsThem(t *testing.T) {
	const text = "# Top\nSee `kubectl get pods -A`, `kubectl get` and `kubectl get … -A`.\n## Blocks\n" +
		"```sh\n# a comment\none \\\n  --more\ncat <<'END' |\ntext\nEND\n  sort\n\nfor x in a b; do\n  echo $x\ndone\n```\n" +
		"- Indented:\n\n  ```console\n  two\n  ```\n```text\n$ three\nprinted\n```\n```text\nno command\n```\n" +
		"Write `x/y.yaml`, not `none`:\n\n```yaml\na: b\n```\nWrite `last.yaml`:\n```yaml\nc: d\n```\n"
	var found, files []string
	for _, b := range parseBlocks(text) {
		commands := b.inline
		if b.isCode() {
			commands = append(commands, b.commands()...)
		}
		for _, c := range commands {
			found = append(found, fmt.Sprintf("%d %s: %s", c.line, c.section, c.text))
		}
		files = append(files, b.file())
	}
	want := []string{
		"2 Top: kubectl get pods -A",
		"6 Blocks: one \\\n  --more", "8 Blocks: cat <<'END' |\ntext\nEND\n  sort", "13 Blocks: for x in a b; do\n  echo $x\ndone",
		"20 Blocks: two", "23 Blocks: three",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "", "", "", "x/y.yaml", "last.yaml", ""}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// isWhole says whether a shell would begin to work, or wait for the next line.
func isWhole(text string) bool {
	if strings.HasSuffix(text, "\\") {
		return false
	}
	said, err := exec.Command("bash", "-n", "-c", text).CombinedOutput()
	return err == nil && len(said) == 0 // a here-document without an end is a warning
}

// fileName is a word in a page that names a file in YAML.
var fileName = regexp.MustCompile("`([\\w./-]+\\.ya?ml)`")

// file is where the page tells to write the block, or empty.
func (b block) file() string {
	if b.language != "yaml" {
		return ""
	}
	paragraphs := strings.Split(strings.TrimSpace(b.prose), "\n\n")
	names := fileName.FindAllStringSubmatch(paragraphs[len(paragraphs)-1], -1)
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1][1]
}

// isObject says whether the block is something that an API server takes, and not a part of it.
func (b block) isObject() bool {
	return b.language == "yaml" && strings.HasPrefix(b.text, "apiVersion: ") && strings.Contains(b.text, "\nmetadata:\n")
}
