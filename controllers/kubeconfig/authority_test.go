// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
)

func TestSameCA(t *testing.T) {
	a, b := testCA().certPEM(), newCA("other").certPEM()
	both := slices.Concat(a, b)
	for name, test := range map[string]struct {
		a, b []byte
		want bool
	}{
		"the same bytes":               {a, a, true},
		"text and repetition around":   {a, slices.Concat([]byte(dump), a, a), true},
		"another order":                {both, slices.Concat(b, a), true},
		"another certificate":          {a, b, false},
		"one more":                     {a, both, false},
		"one less":                     {both, a, false},
		"nothing is not even nothing":  {nil, nil, false},
		"what cannot be read is alone": {[]byte("x"), []byte("x"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := SameCA(test.a, test.b); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestChainsTo(t *testing.T) {
	root, namesake := newCA("kubernetes"), newCA("kubernetes")
	key := newKey()
	asCA := func(c *x509.Certificate) {
		c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.Subject.CommonName, c.SerialNumber = "intermediate", big.NewInt(2)
	}
	middle := root.issue(key, asCA)
	direct, deep := root.issue(newKey()), middle.issue(newKey())
	self := root.issue(key, func(c *x509.Certificate) { c.Subject.CommonName = "kubernetes" })
	loop := slices.Repeat(self.certPEM(), maxCertificates)
	for name, test := range map[string]struct {
		chain, ca     []byte
		chains, bears bool
	}{
		"signed by the CA":                          {direct.certPEM(), root.certPEM(), true, true},
		"signed by one of several CAs":              {direct.certPEM(), slices.Concat(namesake.certPEM(), []byte(dump), root.certPEM()), true, true},
		"signed over a chain":                       {slices.Concat(deep.certPEM(), middle.certPEM()), root.certPEM(), true, true},
		"the chain is missing":                      {deep.certPEM(), root.certPEM(), false, false},
		"the intermediate is the CA":                {deep.certPEM(), middle.certPEM(), true, true},
		"a CA of the same name":                     {direct.certPEM(), namesake.certPEM(), false, true},
		"a CA of another name":                      {direct.certPEM(), newCA("front-proxy").certPEM(), false, false},
		"a leaf that names itself, many times over": {loop, namesake.certPEM(), false, true},
		"no CA":                                      {direct.certPEM(), nil, false, false},
		"no certificate":                             {nil, root.certPEM(), false, false},
		"a leaf as CA of itself is not a CA":         {direct.certPEM(), direct.certPEM(), false, false},
		"an expired leaf still chains":               {root.issue(newKey(), func(c *x509.Certificate) { c.NotAfter = now.Add(-1) }).certPEM(), root.certPEM(), true, true},
		"a chain whose order is wrong still chains":  {slices.Concat(deep.certPEM(), root.certPEM(), middle.certPEM()), root.certPEM(), true, true},
		"a chain that brings its own root is no one": {slices.Concat(deep.certPEM(), middle.certPEM(), root.certPEM()), newCA("front-proxy").certPEM(), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			id := Identity{CertPEM: test.chain}
			if got := ChainsTo(id, test.ca); got != test.chains {
				t.Errorf("ChainsTo is %v", got)
			}
			if got := CABearsIssuerOf(id, test.ca); got != test.bears {
				t.Errorf("CABearsIssuerOf is %v", got)
			}
		})
	}
}
