// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// benchKeys are those of the leaves. CCE's are RSA keys of 2048 bits; parsing one takes most of Read.
var benchKeys = []struct {
	name string
	leaf func() signer
}{
	{"RSA", func() signer { return testCA().issue(rsaKey(2048)) }},
	{"ECDSA", testLeaf},
}

func BenchmarkParse(b *testing.B) {
	for _, key := range benchKeys {
		leaf := key.leaf()
		document := raw(answer(withEIP, func(d object) { d["users"] = []object{user(leaf)} }))
		b.Run("key="+key.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(document, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A document in our own layout is scanned, any other decoded.
func BenchmarkRead(b *testing.B) {
	for _, key := range benchKeys {
		data := []byte(rendered(b, credential(b, key.leaf())))
		for _, test := range []struct {
			layout string
			data   []byte
		}{{"ours", data}, {"other", append([]byte("#\n"), data...)}} {
			b.Run("key="+key.name+"/layout="+test.layout, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Read(test.data); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What taking the document apart costs of BenchmarkRead, in our way and in client-go's.
func BenchmarkTakeApart(b *testing.B) {
	data := []byte(rendered(b, credential(b, benchKeys[0].leaf())))
	b.Run("by=scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := scan(data); !ok {
				b.Fatal("not scanned")
			}
		}
	})
	b.Run("by=clientcmd", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := clientcmd.Load(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	c := credential(b, benchKeys[0].leaf())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Render("fleet-prod-1", c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	offer := []Context{{Name: "internal", Verified: true}, {Name: "external"}, {Name: "externalTLSVerify", Verified: true}}
	for _, test := range []struct {
		name   string
		wish   Wish
		wanted string // empty: none fits
	}{
		{"auto", Wish{}, "externalTLSVerify"},
		{"kept", Wish{Kept: Internal}, "internal"},
		{"context", Wish{Context: "externalTLSVerify"}, "externalTLSVerify"},
		{"missing", Wish{Context: "customSAN-0"}, ""},
	} {
		b.Run("wish="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, _, _ := Choose(offer, test.wish); got.Name != test.wanted {
					b.Fatalf("got %q", got.Name)
				}
			}
		})
	}
}

// What a pass asks of a CA that the cloud shows beside the stored credential.
func BenchmarkAuthority(b *testing.B) {
	id, ca := credential(b, benchKeys[0].leaf()).Identity, testCA().certPEM()
	for _, test := range []struct {
		name string
		ask  func() bool
	}{
		{"SameCA", func() bool { return SameCA(ca, ca) }},
		{"ChainsTo", func() bool { return ChainsTo(id, ca) }},
		{"CABearsIssuerOf", func() bool { return CABearsIssuerOf(id, ca) }},
	} {
		b.Run("question="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !test.ask() {
					b.Fatal("the answer is no")
				}
			}
		})
	}
}
