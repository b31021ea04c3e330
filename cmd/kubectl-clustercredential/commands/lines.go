// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"io"
	"strings"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

// lines is a text of titles and what is under them, for people.
type lines struct{ all []line }

type line struct {
	title, text string
	colour      table.Colour
	// isHead is true for a heading, and for a sentence that stands alone.
	isHead bool
}

// titleWidth is that of the titles.
const titleWidth = 16

func (l *lines) add(title, text string) { l.all = append(l.all, line{title: title, text: text}) }

func (l *lines) paint(title, text string, colour table.Colour) {
	l.all = append(l.all, line{title: title, text: text, colour: colour})
}

// say adds a sentence that stands alone.
func (l *lines) say(text string) { l.all = append(l.all, line{text: text, isHead: true}) }

// point adds one of several points.
func (l *lines) point(text string) { l.all = append(l.all, line{title: "-", text: text}) }

// head begins a part.
func (l *lines) head(title string) {
	l.all = append(l.all, line{isHead: true}, line{text: title, isHead: true})
}

// write writes it, wrapped to the width of the reader.
func (h *hub) write(l *lines) error {
	look := h.look()
	var text strings.Builder
	for _, line := range l.all {
		indent := 0
		if !line.isHead {
			indent = titleWidth
			if line.title == "-" {
				indent = len("- ")
			}
			text.WriteString(line.title + strings.Repeat(" ", max(1, indent-len(line.title))))
		}
		room := 0
		if look.Width > 0 {
			room = max(20, look.Width-indent)
		}
		for n, part := range table.Wrapped(table.Printable(line.text), room) {
			if n > 0 {
				text.WriteString("\n" + strings.Repeat(" ", indent))
			}
			text.WriteString(look.Paint(table.Cell{Text: part, Colour: line.colour}))
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(h.Out, text.String())
	return err
}
