// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Measures of a picture, in its own units. Each run of characters is told how wide it is, so that columns stay columns whichever
// font the reader has.
const (
	fontSize   = 14
	charWidth  = 8.4
	lineHeight = 20
	margin     = 20
)

// columns is the width of every picture, in characters.
const columns = 120

const (
	background = "#0d1117"
	foreground = "#d1d7e0"
)

// palette are a terminal's colours, those of 30 to 37 and then those of 90 to 97, as they can be read on the background.
var palette = [...]string{
	"#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
	"#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
}

// draw draws a screen with a title for those who cannot see it.
func draw(title string, lines []line) string {
	lines = wrapped(lines)
	width, height := 2*margin+columns*charWidth, 2*margin+len(lines)*lineHeight
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%[1]g" height="%[2]d" viewBox="0 0 %[1]g %[2]d">
<title>%[3]s</title>
<rect width="100%%" height="100%%" rx="8" fill="%[4]s"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%[5]d" fill="%[6]s">
`, width, height, escaped(title), background, fontSize, foreground)
	for i, l := range lines {
		drawLine(&svg, l, margin+i*lineHeight+fontSize)
	}
	svg.WriteString("</g>\n</svg>\n")
	return svg.String()
}

// wrapped breaks lines that are too long where a terminal does.
func wrapped(lines []line) []line {
	var all []line
	for _, l := range lines {
		part, room := line(nil), columns
		for _, r := range l {
			for text := []rune(r.text); len(text) > 0; {
				if room == 0 {
					all, part, room = append(all, part), nil, columns
				}
				n := min(room, len(text))
				part, text, room = append(part, run{r.style, string(text[:n])}), text[n:], room-n
			}
		}
		all = append(all, part)
	}
	return all
}

func drawLine(svg *strings.Builder, l line, y int) {
	column := 0
	for _, r := range l {
		text := strings.TrimLeft(r.text, " ")
		start := column + len(r.text) - len(text)
		column += len([]rune(r.text))
		text = strings.TrimRight(text, " ")
		if text == "" {
			continue
		}
		fmt.Fprintf(svg, `<text x="%g" y="%d" textLength="%g" lengthAdjust="spacingAndGlyphs" xml:space="preserve"%s>%s</text>`+"\n",
			round(margin+float64(start)*charWidth), y, round(float64(len([]rune(text)))*charWidth), r.attributes(), escaped(text))
	}
}

// round leaves tenths: more would only be the noise of adding.
func round(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

func (s style) attributes() string {
	var a string
	if s.colour > 0 {
		a += fmt.Sprintf(` fill="%s"`, palette[s.colour-1])
	}
	if s.bold {
		a += ` font-weight="bold"`
	}
	if s.faint {
		a += ` opacity="0.6"`
	}
	return a
}

func escaped(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // into memory
	return out.String()
}
