// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository is its root, seen from here.
const repository = "../.."

// drawn is what of a picture a reader sees.
type drawn struct {
	X, Y, Width string
	Fill        string
	Bold        bool
	Text        string
}

// look reads a picture, which must be well-formed, show text only, and do nothing.
func look(t *testing.T, svg string) []drawn {
	t.Helper()
	var seen []drawn
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return seen
		}
		if err != nil {
			t.Fatal(err)
		}
		switch element := token.(type) {
		case xml.StartElement:
			if name := element.Name.Local; !strings.Contains(" svg title rect g text ", " "+name+" ") {
				t.Errorf("a picture has an element %q", name)
			} else if name == "text" {
				seen = append(seen, drawnOf(element))
			}
		case xml.CharData:
			if text := string(element); len(seen) > 0 && strings.TrimSpace(text) != "" {
				seen[len(seen)-1].Text = text
			}
		}
	}
}

func drawnOf(element xml.StartElement) drawn {
	a := map[string]string{}
	for _, attribute := range element.Attr {
		a[attribute.Name.Local] = attribute.Value
	}
	return drawn{X: a["x"], Y: a["y"], Width: a["textLength"], Fill: a["fill"], Bold: a["font-weight"] == "bold"}
}

func TestEachRunIsDrawnInItsColumn(t *testing.T) {
	svg := draw("a <title>", parse("NAME   READY\n\x1b[1mshop\x1b[0m   \x1b[32mTrue\x1b[0m\n\n <&> …"))
	want := []drawn{
		{X: "20", Y: "34", Width: "100.8", Text: "NAME   READY"},
		{X: "20", Y: "54", Width: "33.6", Bold: true, Text: "shop"},
		{X: "78.8", Y: "54", Width: "33.6", Fill: "#3fb950", Text: "True"},
		{X: "28.4", Y: "94", Width: "42", Text: "<&> …"},
	}
	if diff := cmp.Diff(want, look(t, svg)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(svg, "<title>a &lt;title&gt;</title>") {
		t.Error("the title is not as it was given")
	}
}

func TestALineThatIsTooLongGoesOnInTheNext(t *testing.T) {
	long := strings.Repeat("x", columns-1) + "\x1b[31mred\x1b[0m"
	got := look(t, draw("long", parse(long+"\nnext")))
	if len(got) != 4 || got[1].Text != "r" || got[2].Text != "ed" || got[2].X != "20" || got[2].Fill != palette[1] || got[3].Y != "74" {
		t.Errorf("got %+v", got)
	}
	if got := wrapped(parse(strings.Repeat("x", columns))); len(got) != 1 {
		t.Errorf("a line that fits became %d", len(got))
	}
}

var shown = regexp.MustCompile(`docs/images/([^)"\s]+)`)

// Every scene has its picture, every picture its scene, and the README shows no other.
func TestThePicturesOfTheDocsExistAndAreWellFormed(t *testing.T) {
	var want, got []string
	for _, scene := range scenes {
		want = append(want, scene.file+".svg")
	}
	files, err := filepath.Glob(filepath.Join(repository, images, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		got = append(got, filepath.Base(file))
		svg, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(look(t, string(svg))) < 5 {
			t.Errorf("%s shows next to nothing", file)
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("pictures (-of scenes +there):\n%s", diff)
	}
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range shown.FindAllStringSubmatch(string(readme), -1) {
		if !slices.Contains(want, match[1]) {
			t.Errorf("the README shows %s, which no scene makes", match[1])
		}
	}
}
