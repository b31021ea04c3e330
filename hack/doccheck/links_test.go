// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package doccheck

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := pages(t)
	for _, p := range all {
		for _, match := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.prose, ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue // not ours
			}
			to := p.path
			if target != "" {
				to = path.Join(path.Dir(p.path), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s links to %s, which does not exist", p.path, match[1])
				continue
			}
			if anchor != "" && !hasAnchor(all[to], anchor) {
				t.Errorf("%s links to %s, which has no such heading", p.path, match[1])
			}
		}
	}
}

func hasAnchor(p page, anchor string) bool {
	for line := range strings.Lines(p.prose) {
		if title, isHeading := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); isHeading && strings.HasPrefix(line, "#") && slug(title) == anchor {
			return true
		}
	}
	return false
}

// slug is the anchor that a heading gets where pages are usually read.
func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.TrimSpace(title))
}

// What only the machine of whoever wrote a page has.
var ownPath = regexp.MustCompile(`(^|[\s"'(=:` + "`" + `])(/root|/home/|/work/|/Users/|/private/|~/go/|[A-Z]:\\)`)

func TestNoPageNamesAMachine(t *testing.T) {
	for _, p := range pages(t) {
		for line := range strings.Lines(p.text) {
			if ownPath.MatchString(line) {
				t.Errorf("%s names a path of somebody's machine: %s", p.path, strings.TrimSpace(line))
			}
		}
	}
}
