// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// storedSeed is a Secret with two keys, and the key that the output says. In its texts words
// stand for certificate and key: the fuzzer writes inputs into testdata, where no key belongs.
type storedSeed struct {
	key           string
	first, second []byte
}

const certificateWord, keyWord = "CERTIFICATE64", "KEY64"

// filled is a seed with certificate and key in the place of the words.
func (s storedSeed) filled(c kubeconfig.Credential) storedSeed {
	encode := base64.StdEncoding.EncodeToString
	fill := strings.NewReplacer(certificateWord, encode(c.CertPEM), keyWord, encode(c.KeyPEM.Reveal()))
	s.first, s.second = []byte(fill.Replace(string(s.first))), []byte(fill.Replace(string(s.second)))
	return s
}

func storedSeeds(t testing.TB) []storedSeed {
	t.Helper()
	c := credential(t) // its CA is its certificate
	encode := base64.StdEncoding.EncodeToString
	words := strings.NewReplacer(encode(c.CertPEM), certificateWord, encode(c.KeyPEM.Reveal()), keyWord)
	text := []byte(words.Replace(string(kubeconfigOf(t, c))))
	return []storedSeed{
		{"", text, nil}, {"a", text, nil}, {"b", text, text}, {"a", []byte("x"), text}, {"c", text, []byte("x")},
		{"a", append([]byte("# a comment\n"), text...), nil},
		{"a", bytes.ReplaceAll(text, []byte("fleet-prod-1"), []byte("another.name")), nil},
		{"a", nil, nil}, {"a", []byte("{}"), text}, {"c", []byte("x"), nil},
		{"a", bytes.Replace(text, []byte("https://"), []byte("http://"), 1), nil},
		{"a", with(text, "    insecure-skip-tls-verify: true\n    server:"), nil},
		{"a", with(text, "    proxy-url: http://203.0.113.7\n    server:"), nil},
		{"a", with(text, "    tls-server-name: x\n    server:"), nil},
		{"a", with(text, "    certificate-authority: /etc/ca\n    server:"), nil},
		{"a", bytes.Replace(text, []byte("  user:\n"), []byte("  user:\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: x}\n"), 1), nil},
		{"a", bytes.Replace(text, []byte("  user:\n"), []byte("  user:\n    tokenFile: /x\n"), 1), nil},
		{"a", slices.Concat(text, []byte("---\nkind: Config\n")), nil},
		{"a", text[:len(text)/2], text[len(text)/2:]},
	}
}

// with puts a line in front of the server.
func with(text []byte, lines string) []byte {
	return bytes.Replace(text, []byte("    server:"), []byte(lines), 1)
}

func kubeconfigOf(t testing.TB, c kubeconfig.Credential) []byte {
	t.Helper()
	rendered, err := Render(c, v1alpha1.Output{}, testFacts)
	if err != nil {
		t.Fatal(err)
	}
	return rendered.Data[v1alpha1.DefaultSecretKey].Reveal()
}

func (s storedSeed) data() map[string][]byte {
	return map[string][]byte{v1alpha1.DefaultSecretKey: s.first, "a": s.first, "b": s.second}
}

// FuzzStored reads whatever may stand in a Secret. The oracle: an error of a known type,
// or a credential that was written in the allow-list grammar and that renders and reads back
// as itself. What Search finds is the first key that reads.
func FuzzStored(f *testing.F) {
	for _, seed := range storedSeeds(f) {
		f.Add(seed.key, seed.first, seed.second)
	}
	sound := credential(f)
	f.Fuzz(func(t *testing.T, key string, first, second []byte) {
		seed := storedSeed{key, first, second}.filled(sound)
		o := v1alpha1.Output{Key: key}
		got, err := Read(seed.data(), o, testFacts)
		if err != nil {
			checkReadError(t, err)
		} else {
			checkGrammar(t, seed.data()[kubeconfigKey(o)])
			checkRendered(t, got, o, testFacts)
		}
		checkSearch(t, seed.data())
	})
}

func TestTheStoredSeedsReachBothSides(t *testing.T) {
	accepted, rejected, sound := 0, 0, credential(t)
	for _, seed := range storedSeeds(t) {
		seed = seed.filled(sound)
		if _, err := Read(seed.data(), v1alpha1.Output{Key: seed.key}, Facts{Name: "a"}); err == nil {
			accepted++
		} else {
			rejected++
		}
	}
	if accepted < 5 || rejected < 12 {
		t.Errorf("%d seeds are accepted and %d rejected", accepted, rejected)
	}
}

func checkReadError(t *testing.T, err error) {
	t.Helper()
	_, invalid := errors.AsType[*kubeconfig.Invalid](err)
	_, missing := errors.AsType[*MissingKeyError](err)
	_, unknown := errors.AsType[*UnknownFormatError](err)
	if !invalid && !missing && !unknown {
		t.Fatalf("an error of another type: %T %v", err, err)
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) { // it may name a key of the spec
		t.Fatalf("the reason is not plain text: %q", err)
	}
}

func checkSearch(t *testing.T, data map[string][]byte) {
	t.Helper()
	got, key, found := Search(data)
	for _, candidate := range []string{"a", "b", v1alpha1.DefaultSecretKey} { // in their order
		want, err := Read(data, v1alpha1.Output{Key: candidate}, Facts{})
		if err != nil {
			continue
		}
		if !found || key != candidate || cmp.Diff(want, got) != "" {
			t.Fatalf("found %v under %q, want what stands under %q", found, key, candidate)
		}
		return
	}
	if found {
		t.Fatalf("found something under %q that cannot be read", key)
	}
}

// checkRendered holds what is true of everything that is published.
func checkRendered(t *testing.T, c kubeconfig.Credential, o v1alpha1.Output, facts Facts) {
	t.Helper()
	rendered, err := Render(c, o, facts)
	if err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	for key, text := range rendered.Data {
		if key != kubeconfigKey(o) {
			t.Fatalf("a key that nobody asked for: %q", key)
		}
		checkGrammar(t, text.Reveal())
	}
	again, err := Read(stored(rendered), o, facts)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if !reflect.DeepEqual(c, again) {
		t.Fatal("what is read is not what was written")
	}
}
