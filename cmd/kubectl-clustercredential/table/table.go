// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package table writes text for people: tables as kubectl's, with colours and wrapped lines where the reader can have them.
package table

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Colour is that of a cell.
type Colour string

// The colours, as ANSI codes: plain is the terminal's own.
const (
	Plain  Colour = ""
	Green  Colour = "32"
	Yellow Colour = "33"
	Red    Colour = "31"
	Faint  Colour = "2"
)

// Look is what the reader can have.
type Look struct {
	// Colour is false where escape codes would be in the way.
	Colour bool
	// Width is that of a line, in characters; zero: no limit.
	Width int
}

// Cell is a text with a colour.
type Cell struct {
	Text   string
	Colour Colour
}

// Table has a head and rows of as many cells.
type Table struct {
	Head []string
	Rows [][]Cell
}

// between lies between two columns, as in tables of kubectl.
const between = "   "

// leastLast is the least width that the last column is wrapped to.
const leastLast = 20

// Write writes the table. The last column is wrapped where the line has a width.
func (t Table) Write(w io.Writer, look Look) error {
	widths := t.widths()
	var text strings.Builder
	head := make([]Cell, len(t.Head))
	for i, title := range t.Head {
		head[i] = Cell{Text: title}
	}
	for _, row := range append([][]Cell{head}, t.Rows...) {
		look.row(&text, widths, row)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (t Table) widths() []int {
	widths := make([]int, len(t.Head))
	for i, title := range t.Head {
		widths[i] = utf8.RuneCountInString(title)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(Printable(row[i].Text)))
		}
	}
	return widths
}

func (l Look) row(text *strings.Builder, widths []int, row []Cell) {
	indent := 0
	for i, cell := range row {
		if i == len(row)-1 {
			room := 0
			if l.Width > 0 {
				room = max(leastLast, l.Width-indent)
			}
			for n, line := range Wrapped(Printable(cell.Text), room) {
				if n > 0 {
					text.WriteString("\n" + strings.Repeat(" ", indent))
				}
				text.WriteString(l.Paint(Cell{line, cell.Colour}))
			}
			break
		}
		plain := Printable(cell.Text)
		text.WriteString(l.Paint(Cell{plain, cell.Colour}))
		text.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(plain)) + between)
		indent += widths[i] + len(between)
	}
	text.WriteByte('\n')
}

// Paint gives a cell its colour, if the reader can have it.
func (l Look) Paint(c Cell) string {
	if !l.Colour || c.Colour == Plain || c.Text == "" {
		return c.Text
	}
	return fmt.Sprintf("\x1b[%sm%s\x1b[0m", c.Colour, c.Text)
}

// Wrapped cuts a text into lines of at most width characters, between words; words are never cut. Width zero: one line.
func Wrapped(text string, width int) []string {
	if width <= 0 {
		return []string{text}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// Printable replaces what could move the cursor or change the terminal: names and messages may come from others.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
