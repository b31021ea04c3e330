// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The functions of templates. Names and the order of arguments are those of sprig, which Helm and External Secrets have, so
// that a value goes last and can come from a pipe.

func b64enc(text string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(text)), nil }

func lower(text string) (string, error) { return strings.ToLower(text), nil }

func trim(text string) (string, error) { return strings.TrimSpace(text), nil }

func urlquery(text string) (string, error) { return url.QueryEscape(text), nil }

func sha256sum(text string) (string, error) {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:]), nil
}

// jsonText is a text as JSON writes it. It is good in YAML, too, whose readers refuse some characters that JSON leaves as
// they are. Bytes that are no text are refused, since JSON would replace them without a word.
func jsonText(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", refusal("these bytes are no text; write b64enc before it")
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return "", refusal("this text cannot be written as JSON")
	}
	var escaped strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		switch {
		case r >= 0x7f && r <= 0x9f, r == 0xfeff, r == 0xfffe, r == 0xffff:
			fmt.Fprintf(&escaped, `\u%04x`, r)
		default:
			escaped.WriteRune(r)
		}
	}
	return escaped.String(), nil
}

func orDefault(fallback, text string) (string, error) {
	if text == "" {
		return fallback, nil
	}
	return text, nil
}

// hostOf is the host of a URL without port and brackets, and empty for an empty text: a proxy need not be set.
func hostOf(text string) (string, error) {
	u, err := parseURL(text)
	return u.Hostname(), err
}

// portOf is the port of a URL, or the one that its scheme has.
func portOf(text string) (string, error) {
	u, err := parseURL(text)
	if err != nil || u.Port() != "" {
		return u.Port(), err
	}
	switch u.Scheme {
	case "https":
		return "443", nil
	case "http":
		return "80", nil
	case "socks5":
		return "1080", nil
	}
	return "", nil
}

func parseURL(text string) (*url.URL, error) {
	if text == "" {
		return &url.URL{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" { // err quotes the text
		return &url.URL{}, refusal("this is not a URL with a host; write one, such as .server")
	}
	return u, nil
}

// maxIndent is deeper than any file that people read.
const maxIndent = 64

func (w *work) indent(width int, text string) (string, error) {
	if width < 0 || width > maxIndent {
		return "", refuse("indent and nindent take a width of 0 to %d", maxIndent)
	}
	if err := w.room("indent", len(text), len(text)+width*(strings.Count(text, "\n")+1)); err != nil {
		return "", err
	}
	blanks := strings.Repeat(" ", width)
	return blanks + strings.ReplaceAll(text, "\n", "\n"+blanks), nil
}

func (w *work) nindent(width int, text string) (string, error) {
	indented, err := w.indent(width, text)
	return "\n" + indented, err
}

func (w *work) replace(from, to, text string) (string, error) {
	if from == "" {
		return "", refusal("replace needs a text to look for; write one that is not empty")
	}
	// In 64 bits: both numbers may be a million.
	size := int64(len(text)) + int64(strings.Count(text, from))*int64(len(to)-len(from))
	if err := w.room("replace", len(text), int(min(size, maxResultBytes+1))); err != nil {
		return "", err
	}
	return strings.ReplaceAll(text, from, to), nil
}

func (w *work) trimSuffix(suffix, text string) (string, error) {
	return strings.TrimSuffix(text, suffix), w.room("trimSuffix", len(suffix), 0)
}

// pemJoin puts PEM texts one after another, each on lines of its own, and leaves out the empty ones.
func (w *work) pemJoin(parts ...string) (string, error) {
	size := 0
	for _, part := range parts {
		size += len(part) + 1
	}
	if err := w.room("pemJoin", size, size); err != nil {
		return "", err
	}
	var joined strings.Builder
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			joined.WriteString(part + "\n")
		}
	}
	return joined.String(), nil
}
