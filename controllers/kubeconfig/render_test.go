// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
)

var update = flag.Bool("update", false, "write the golden files")

// names are those whose form YAML could mistake, besides plain ones.
var names = []string{
	"fleet-prod-1", "prod", "true", "null", "No", "y", "123", "0x1F", "1e3", "1_000", "0o17", "12:30:45", "2026-11-24",
	"a:b@c/d.e_f", "arn:x", "0", "FALSE", strings.Repeat("n", maxEntryName),
}

func TestRenderIsAsTheGoldenFile(t *testing.T) {
	c := credential(t, testLeaf())
	got, err := Render("fleet-prod-1", c)
	if err != nil {
		t.Fatal(err)
	}
	// The data differs with every run, since no key is committed.
	for name, data := range map[string][]byte{"<CA>": c.CAPEM, "<CERTIFICATE>": c.CertPEM, "<KEY>": c.KeyPEM.Reveal()} {
		got = bytes.ReplaceAll(got, []byte(base64.StdEncoding.EncodeToString(data)), []byte(name))
	}
	golden := filepath.Join("testdata", "kubeconfig.golden.yaml")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run with -update if this is meant: it rewrites every Secret (-want +got):\n%s", diff)
	}
}

func TestWhatIsRenderedIsReadBack(t *testing.T) {
	leaves := map[string]signer{
		"RSA": testCA().issue(rsaKey(2048)), "ECDSA": testLeaf(), "Ed25519": testCA().issue(ed25519Key()),
	}
	for kind, leaf := range leaves {
		c := credential(t, leaf)
		if err := c.Check(); err != nil {
			t.Errorf("%s: Check: %v", kind, err)
		}
		for _, server := range []string{c.Server, "https://[2001:db8::1]:5443", "https://api.example.com:443"} {
			c.Server = server
			for _, name := range names {
				t.Run(kind+" "+server+" "+name, func(t *testing.T) { roundTrip(t, name, c) })
			}
		}
	}
}

// roundTrip renders twice, reads, renders again, and asks client-go for its opinion.
func roundTrip(t testing.TB, name string, c Credential) []byte {
	t.Helper()
	rendered, err := Render(name, c)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Render(name, c)
	if err != nil || !bytes.Equal(rendered, twice) {
		t.Fatalf("rendered twice, it differs (%v)", err)
	}
	read, err := Read(rendered)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, read) { // a difference would show the key
		t.Fatal("read back, it differs")
	}
	again, err := Render(name, read)
	if err != nil || !bytes.Equal(rendered, again) {
		t.Fatalf("rendered again after reading, it differs (%v)", err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(rendered)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != c.Server || !bytes.Equal(config.CAData, c.CAPEM) || !bytes.Equal(config.CertData, c.CertPEM) ||
		!bytes.Equal(config.KeyData, c.KeyPEM.Reveal()) || config.Insecure != c.Insecure || config.ServerName != c.TLSServerName ||
		(config.Proxy != nil) != (c.ProxyURL != "") {
		t.Fatal("client-go reads something else")
	}
	return rendered
}

// Who had it written by clientcmd and has it written by us finds the same bytes, or every Secret would be rewritten.
func TestWhatIsWrittenIsWhatClientcmdWrites(t *testing.T) {
	const alphabet = "abcxyzABCXYZ0123456789-._:@/"
	random := rand.New(rand.NewPCG(1, 2))
	all := slices.Clone(names)
	for range 400 {
		name := make([]byte, 1+random.IntN(40))
		for i := range name {
			name[i] = alphabet[random.IntN(len(alphabet))]
		}
		all = append(all, string(name))
	}
	c := credential(t, testLeaf())
	servers := []string{
		c.Server, "https://[2001:db8::1]:5443", "https://api.example.com:443", "https://api.example.com",
		"https://" + strings.Repeat("long.", 40) + "example.com:6443",
	}
	changes := map[string]func(*Credential){
		"as it is":   func(*Credential) {},
		"a TLS name": func(c *Credential) { c.TLSServerName = "api.example.com" },
		"a proxy":    func(c *Credential) { c.ProxyURL = "http://proxy.example.com:3128" },
		"unverified": func(c *Credential) { c.Insecure, c.CAPEM = true, nil },
		"no PEM":     func(c *Credential) { c.CAPEM = []byte("true") },
	}
	written := 0
	for _, name := range all {
		if !validName(name, maxEntryName) {
			continue
		}
		for _, server := range servers {
			for what, change := range changes {
				c := c
				c.Server = server
				change(&c)
				text, ok := write(name, c)
				if !ok {
					continue
				}
				written++
				if want, err := encode(name, c); err != nil || !bytes.Equal(text, want) {
					t.Fatalf("%s, named %q, at %s: not what clientcmd writes (%v)", what, name, server, err)
				}
			}
		}
	}
	if written < 300 {
		t.Errorf("%d were written, and hundreds were to be", written)
	}
}

func TestRenderRefusesWhatIsNotWhole(t *testing.T) {
	for name, test := range map[string]struct {
		name   string
		change func(*Credential)
		want   string
	}{
		"no name":             {"", func(*Credential) {}, "the name for the kubeconfig's entries is not letters and digits with -._:@/ between them"},
		"a name of two lines": {"a\nb", func(*Credential) {}, "the name for the kubeconfig's entries is not letters and digits with -._:@/ between them"},
		"no server":           {"a", func(c *Credential) { c.Server = "" }, "the server is not https://host:port"},
		"a server with slash": {"a", func(c *Credential) { c.Server += "/" }, "the server is not https://host:port"},
		"no CA":               {"a", func(c *Credential) { c.CAPEM = nil }, "the credential has no CA"},
		"no certificate":      {"a", func(c *Credential) { c.CertPEM = nil }, "the credential has no client certificate"},
		"no key":              {"a", func(c *Credential) { c.KeyPEM = nil }, "the credential has no client key"},
		"a key too large":     {"a", func(c *Credential) { c.KeyPEM = make([]byte, maxKeyBytes+1) }, "the client key is larger than 16 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			c := credential(t, testLeaf())
			test.change(&c)
			got, err := Render(test.name, c)
			if diff := cmp.Diff(test.want, reason(err)); diff != "" || got != nil {
				t.Errorf("%d bytes (-want +got):\n%s", len(got), diff)
			}
		})
	}
}

func TestCheckFindsWhatDoesNotBelongTogether(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Credential)
		want   string
	}{
		"another serial number": {func(c *Credential) { c.SerialNumber = "01" }, "the credential says other facts than its certificate"},
		"another key":           {func(c *Credential) { c.KeyPEM = testCA().keyPEM() }, "the client key does not belong to the client certificate"},
		"a CA with text":        {func(c *Credential) { c.CAPEM = append([]byte(dump), c.CAPEM...) }, "the CA holds more than PEM blocks of its kind"},
		"a server with a slash": {func(c *Credential) { c.Server += "/" }, "the server is not https://host:port"},
		"a server with path":    {func(c *Credential) { c.Server += "/x" }, "the server is not https://host:port"},
		"no CA":                 {func(c *Credential) { c.CAPEM = nil }, "the credential has no CA"},
	} {
		t.Run(name, func(t *testing.T) {
			c := credential(t, testLeaf())
			test.change(&c)
			if diff := cmp.Diff(test.want, reason(c.Check())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, _, err := c.ForTLS(); reason(err) != test.want {
				t.Errorf("for TLS it is %v", err)
			}
		})
	}
}

func TestForTLSItIsWhatTheStandardLibraryReads(t *testing.T) {
	for kind, leaf := range map[string]signer{
		"RSA": testCA().issue(rsaKey(2048)), "ECDSA": testLeaf(), "Ed25519": testCA().issue(ed25519Key()),
	} {
		t.Run(kind, func(t *testing.T) {
			c := credential(t, leaf)
			c.CertPEM = append(c.CertPEM, testCA().certPEM()...) // a chain
			want, err := tls.X509KeyPair(c.CertPEM, c.KeyPEM.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(c.CAPEM)
			got, gotRoots, err := c.ForTLS()
			if err != nil || !gotRoots.Equal(roots) || !reflect.DeepEqual(want.Certificate, got.Certificate) ||
				!reflect.DeepEqual(want.PrivateKey, got.PrivateKey) || !want.Leaf.Equal(got.Leaf) {
				t.Errorf("it is another one (%v)", err)
			}
			c.Insecure, c.CAPEM = true, nil
			if _, gotRoots, err = c.ForTLS(); err != nil || gotRoots != nil {
				t.Errorf("roots where nothing is verified: %t (%v)", gotRoots != nil, err)
			}
		})
	}
}
