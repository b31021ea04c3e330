// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/tls"
	"errors"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/controllers/issuer"
)

// The oracles: no panic; an error is an *Invalid; what is accepted has a key that
// crypto/tls takes too, and every verified context renders into the allow-list.

func FuzzParse(f *testing.F) {
	document := raw(answer(withEIP))
	inYAML, err := yaml.JSONToYAML(document)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		document, inYAML, nil, []byte("{}"), []byte("a: &a [*a]"), []byte(`{"contexts":[null]}`),
		raw(answer(inUser("exec", object{"command": "x"}), inCluster("proxy-url", "x"))),
		raw(answer(inUser("client-certificate-data", bytes.Repeat(testLeaf().certPEM(), 3)))),
		raw(answer(inCluster("certificate-authority-data", append([]byte(dump), testCA().certPEM()...)))),
	} {
		f.Add(seed)
	}
	f.Fuzz(checkParse)
}

// FuzzParseFields puts the fuzzer's bytes where they matter, past JSON and base64.
func FuzzParseFields(f *testing.F) {
	leaf, ca := testLeaf(), testCA()
	for _, server := range []string{"https://1.2.3.4:5443", "https://[::1]:1/", "https://a_b.c-d:65535", "https://u@h:1", "https://a%00:1"} {
		f.Add("customSAN-0", server, ca.certPEM(), leaf.certPEM(), leaf.keyPEM())
	}
	f.Add("external", "https://a:1", append([]byte(dump), ca.certPEM()...), append(leaf.certPEM(), ca.certPEM()...), append([]byte(dump), leaf.keyPEM()...))
	f.Fuzz(func(t *testing.T, name, server string, ca, certificate, key []byte) {
		checkParse(t, raw(answer(withEIP,
			inCluster("server", server), inCluster("certificate-authority-data", ca),
			inUser("client-certificate-data", certificate), inUser("client-key-data", key),
			func(d object) { d["contexts"].([]object)[0]["name"] = name })))
	})
}

func checkParse(t *testing.T, data []byte) {
	got, err := Parse(issuer.Sensitive(data), now)
	if err != nil {
		checkFuzzError(t, err)
		return
	}
	if len(got.Contexts) == 0 || len(got.Contexts) > maxContexts {
		t.Fatalf("%d contexts", len(got.Contexts))
	}
	if _, err := tls.X509KeyPair(got.Identity.CertPEM, got.Identity.KeyPEM.Reveal()); err != nil {
		t.Fatalf("crypto/tls refuses the key: %v", err)
	}
	if now.After(got.Identity.NotAfter) {
		t.Fatal("it has expired")
	}
	if _, _, err := Choose(got.Contexts, Wish{}); err != nil {
		if _, ok := errors.AsType[*ChoiceError](err); !ok {
			t.Fatalf("not a *ChoiceError: %v", err)
		}
	}
	for _, context := range got.Contexts {
		chosen, access, err := Choose(got.Contexts, Wish{Context: context.Name})
		if (err == nil) != context.Verified || err == nil && access != AccessOf(context.Name) {
			t.Fatalf("choosing a context by its name: %v, %s", err, access)
		}
		if err == nil {
			checkPublished(t, Credential{Endpoint: Endpoint{Server: chosen.Server, CAPEM: chosen.CAPEM}, Identity: got.Identity})
		}
	}
}

func FuzzRead(f *testing.F) {
	c := credential(f, testLeaf())
	for _, name := range names {
		data, err := Render(name, c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	data := rendered(f, c)
	inJSON, err := yaml.YAMLToJSON([]byte(data))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(inJSON)
	f.Add([]byte(data + "---\nx"))
	f.Add([]byte("# x\n" + data))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(data)
		checkScan(t, data)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if err := got.Check(); err != nil {
			t.Fatalf("Check refuses what Read accepts: %v", err)
		}
		checkPublished(t, got)
	})
}

// checkScan holds that the short way takes nothing that the decoder would refuse, and
// reads the same out of it: a comment in front makes Read take the long way.
func checkScan(t *testing.T, data []byte) {
	t.Helper()
	if _, ok := scan(data); !ok || len(data) > maxDocumentBytes-2 {
		return
	}
	long := append([]byte("#\n"), data...)
	if _, ok := scan(long); ok {
		t.Fatal("the comment does not keep scan away")
	}
	byScan, errScan := Read(data)
	byDecoder, errDecoder := Read(long)
	if (errScan == nil) != (errDecoder == nil) || !reflect.DeepEqual(byScan, byDecoder) {
		t.Fatalf("scan: %v, decoder: %v", errScan, errDecoder)
	}
}

func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*Invalid](err); !ok {
		t.Fatalf("not an *Invalid: %v", err)
	}
	for _, b := range []byte(err.Error()) {
		if b < ' ' || b > '~' {
			t.Fatalf("the reason is not plain text: %q", err)
		}
	}
}

// checkPublished holds what is true of everything that is published.
func checkPublished(t *testing.T, c Credential) {
	t.Helper()
	out := roundTrip(t, "fleet-prod-1", c)
	// Base64 twice, of parts within their bounds, and two hundred bytes of YAML.
	if most := 2*(maxCABytes+maxCertificateBytes+maxKeyBytes) + 2048; len(out) > most {
		t.Fatalf("%d bytes are published", len(out))
	}
	if !reflect.DeepEqual(allowed, paths(t, out)) {
		t.Fatalf("fields outside the allow-list: %v", paths(t, out))
	}
}
