// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestBadFlagsAreRefusedWithTheReason(t *testing.T) {
	for reason, args := range map[string][]string{
		"nobody could call":                    {},
		"--access-key and --secret-key go":     {"--access-key", "AK"},
		"--tls-cert and --tls-key go together": {"--tls-cert", "f"},
		"--ca-cert and --ca-key go together":   {"--ca-key", "f"},
		`unexpected argument "more"`:           {"--token", "t", "more"},
		"flag provided but not defined":        {"--tokens", "t"},
		`unknown name "ip"`:                    {"--token", "t", "--cluster", "id=" + clusterID + ",name=n,ip=1"},
		`"demo" has no =`:                      {"--token", "t", "--cluster", "demo"},
		"is not a lower-case UUID":             {"--token", "t", "--cluster", "id=1,name=n"},
		"--config: open":                       {"--config", filepath.Join(t.TempDir(), "none")},
		`unknown field "key"`:                  {"--config", write(t, `{"key":[]}`)},
		"more than one JSON value":             {"--config", write(t, `{}{}`)},
		"--server-ca: open":                    {"--token", "t", "--server-ca", filepath.Join(t.TempDir(), "none")},
		"--ca-cert, --ca-key:":                 {"--token", "t", "--ca-cert", write(t, "x"), "--ca-key", write(t, "x")},
		"--write-ca: open":                     {"--token", "t", "--write-ca", filepath.Join(t.TempDir(), "none", "ca")},
		"--listen:":                            {"--token", "t", "--listen", "256.0.0.1:1"},
		`key algorithm "dsa"`:                  {"--token", "t", "--key-algorithm", "dsa"},
	} {
		t.Run(reason, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(t.Context(), args, &out, io.Discard); err == nil || !strings.Contains(err.Error(), reason) || out.Len() > 0 {
				t.Errorf("got %v, output %q", err, out.String())
			}
		})
	}
}

func TestHelpNamesEveryFlagAndFault(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, &out, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
	for _, f := range ccesim.Faults() {
		if !strings.Contains(out.String(), "\n  "+string(f.Name)+" ") {
			t.Errorf("the fault %s is missing", f.Name)
		}
	}
	for _, name := range flagNames() {
		if !strings.Contains(out.String(), "\n  --"+name) {
			t.Errorf("the flag --%s is missing", name)
		}
	}
}

func flagNames() []string {
	var names []string
	flags := flag.NewFlagSet("ccesim", flag.ContinueOnError)
	o := &options{}
	o.serving(flags)
	o.certificates(flags)
	o.contents(flags)
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}

func TestThePageInDocsNamesEveryFlagAndFault(t *testing.T) {
	text, err := os.ReadFile("../../docs/ccesim.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range flagNames() {
		if !strings.Contains(string(text), "`--"+name) {
			t.Errorf("the flag --%s is missing", name)
		}
	}
	for _, f := range ccesim.Faults() {
		if !strings.Contains(string(text), "| `"+string(f.Name)+"` |") {
			t.Errorf("the fault %s is missing", f.Name)
		}
	}
}
