// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"strings"
	"unicode"
)

// style is how characters look. The zero value is the terminal's own.
type style struct {
	// colour is one of the sixteen of a terminal, counted from 1; zero: its own.
	colour      int
	bold, faint bool
}

// run is a piece of a line in one style.
type run struct {
	style
	text string
}

// line is a line on the screen.
type line []run

// parse reads what a program has printed for a terminal. Of the codes that a terminal understands it knows those for colours; others
// are left out, as is what cannot be printed. Tabs are as wide as up to the next multiple of eight.
func parse(output string) []line {
	var lines []line
	var now style
	for text := range strings.Lines(output) {
		var l line
		l, now = parseLine(strings.TrimRight(text, "\r\n"), now)
		lines = append(lines, l)
	}
	return lines
}

func parseLine(text string, now style) (line, style) {
	var l line
	var piece strings.Builder
	column := 0
	flush := func() {
		if piece.Len() > 0 {
			l = append(l, run{now, piece.String()})
			piece.Reset()
		}
	}
	for text != "" {
		if code, rest, ok := cutCode(text); ok {
			flush()
			now, text = now.with(code), rest
			continue
		}
		r := []rune(text)[0]
		text = strings.TrimPrefix(text, string(r))
		switch {
		case r == '\t':
			blanks := 8 - column%8
			piece.WriteString(strings.Repeat(" ", blanks))
			column += blanks
		case unicode.IsPrint(r):
			piece.WriteRune(r)
			column++
		}
	}
	flush()
	return l, now
}

// cutCode cuts a control sequence (ESC, "[", numbers, a letter) off the beginning. Its code is empty unless it is about colours.
func cutCode(text string) (code, rest string, ok bool) {
	body, ok := strings.CutPrefix(text, "\x1b[")
	if !ok {
		return "", text, false
	}
	end := strings.IndexFunc(body, func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return "", "", true // cut off in the middle
	}
	if body[end] != 'm' {
		return "none", body[end+1:], true
	}
	return body[:end], body[end+1:], true
}

// with is the style after a code such as "1;31".
func (s style) with(code string) style {
	if code == "none" {
		return s
	}
	numbers := strings.Split(code, ";")
	for i := 0; i < len(numbers); i++ {
		n, err := strconv.Atoi(numbers[i])
		if numbers[i] == "" {
			n, err = 0, nil
		}
		switch {
		case err != nil:
		case n == 0:
			s = style{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.faint = true
		case n == 22:
			s.bold, s.faint = false, false
		case n >= 30 && n <= 37:
			s.colour = n - 30 + 1
		case n >= 90 && n <= 97:
			s.colour = n - 90 + 9
		case n == 39:
			s.colour = 0
		case n == 38 || n == 48:
			i += more(numbers[i+1:]) // a colour out of many, which has numbers of its own
		}
	}
	return s
}

// more is how many numbers belong to 38 and 48.
func more(numbers []string) int {
	switch {
	case len(numbers) > 0 && numbers[0] == "5":
		return 2
	case len(numbers) > 0 && numbers[0] == "2":
		return 4
	}
	return 0
}
