// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// TestHostileDocumentsCostLittle would run out of memory or time without the bounds:
// whoever may write a labelled Secret could stop the operator for everybody.
func TestHostileDocumentsCostLittle(t *testing.T) {
	fill := func(text string) string { return strings.Repeat(text, maxDocumentBytes/len(text)) }
	bomb := "a: &a " + strings.Repeat("x", 500<<10) + "\nb: [" + strings.Repeat("*a,", 100_000) + "*a]\n"
	manyCAs := base64.StdEncoding.EncodeToString(bytes.Repeat(testCA().certPEM(), 300))
	sharing := raw(answer(func(d object) {
		for i := range maxContexts - 1 {
			d["contexts"] = append(d["contexts"].([]object), context(fmt.Sprint("c", i), "internalCluster"))
		}
	})).Reveal()
	for name, data := range map[string]string{
		"an alias bomb":              bomb,
		"open lists":                 fill("["),
		"open maps":                  fill("{a: "),
		"nested lists":               fill("- "),
		"nested maps":                fill("a:\n "),
		"question marks":             fill("? "),
		"colons":                     fill("a: b: "),
		"quotes":                     fill(`"`),
		"anchors":                    fill("&a "),
		"tags":                       fill("!a "),
		"comments":                   fill("#\n"),
		"document markers":           fill("---\n"),
		"JSON lists":                 `{"x":` + fill("[") + "}",
		"long keys":                  fill("k") + ": v",
		"begins of PEM":              `{"clusters":[{"name":"a","cluster":{"certificate-authority-data":"` + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-----BEGIN CERTIFICATE-----\n", 8000))) + `"}}]}`,
		"a CA of 300 certificates":   strings.Replace(string(raw(answer())), base64.StdEncoding.EncodeToString(testCA().certPEM()), manyCAs, 1),
		"64 contexts, one large CA ": strings.Replace(string(sharing), base64.StdEncoding.EncodeToString(testCA().certPEM()), manyCAs, 1),
	} {
		t.Run(name, func(t *testing.T) {
			for kind, read := range map[string]func() error{
				"Parse": func() error { _, err := Parse(issuer.Sensitive(data), now); return err },
				"Read":  func() error { _, err := Read([]byte(data)); return err },
			} {
				begin := time.Now()
				err := read()
				// Generous, for the race detector on a busy machine; without the bounds it is minutes.
				if took := time.Since(begin); took > 30*time.Second {
					t.Errorf("%s took %s", kind, took)
				}
				if len(reason(err)) > 300 {
					t.Errorf("%s: the reason has %d bytes", kind, len(reason(err)))
				}
			}
		})
	}
}
