// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// The leaf has an RSA key of 2048 bits, as CCE's have; parsing it takes most of Read.

func BenchmarkParse(b *testing.B) {
	leaf := testCA().issue(rsaKey(2048))
	document := raw(answer(withEIP, func(d object) { d["users"] = []object{user(leaf)} }))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(document, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, key := range map[string]func() signer{
		"RSA":   func() signer { return testCA().issue(rsaKey(2048)) },
		"ECDSA": testLeaf,
	} {
		data := []byte(rendered(b, credential(b, key())))
		for way, data := range map[string][]byte{"": data, "OtherLayout": append([]byte("#\n"), data...)} {
			b.Run(name+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Read(data); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		// What the layout's decoding alone would cost.
		b.Run(name+"ClientcmdLoadOnly", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := clientcmd.Load(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"ScanOnly", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := scan(data); !ok {
					b.Fatal("not scanned")
				}
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	c := credential(b, testCA().issue(rsaKey(2048)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Render("fleet-prod-1", c); err != nil {
			b.Fatal(err)
		}
	}
}
