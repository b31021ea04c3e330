// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func newCA(t *testing.T, changes ...func(*x509.Certificate)) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "rotated"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-10, 0, 0), NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	for _, change := range changes {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, signer
}

func TestConfigurationsThatCannotBeAreRefusedWithTheReason(t *testing.T) {
	cert, signer := newCA(t)
	leaf, leafKey := newCA(t, func(c *x509.Certificate) { c.IsCA = false })
	good := ccesim.Project{ID: project, Name: "r"}
	withCluster := func(c ccesim.Cluster) ccesim.Config {
		c.ProjectID = project
		return ccesim.Config{Projects: []ccesim.Project{good}, Clusters: []ccesim.Cluster{c}}
	}
	for reason, cfg := range map[string]ccesim.Config{
		"CACert and CAKey is set":             {CACert: cert},
		"the key does not belong to":          {CACert: cert, CAKey: leafKey},
		"is not a certificate authority":      {CACert: leaf, CAKey: leafKey},
		"ServerCAPEM holds no PEM block":      {CACert: cert, CAKey: signer, ServerCAPEM: []byte("text")},
		"WritesPerMinute is -1":               {WritesPerMinute: -1},
		"GrantedLifetime is -1s":              {GrantedLifetime: -time.Second},
		"Backdate is -1s":                     {Backdate: -time.Second},
		"Latency is -1s":                      {Latency: -time.Second},
		"KeyPool is -1":                       {KeyPool: -1},
		`key algorithm "dsa"`:                 {KeyAlgorithm: "dsa"},
		"an access key has no ID":             {Keys: []ccesim.AccessKey{{Secret: "s", UserID: "u"}}},
		"the secret is empty":                 {Keys: []ccesim.AccessKey{{ID: "a", UserID: "u"}}},
		"the user ID is empty":                {Keys: []ccesim.AccessKey{{ID: "a", Secret: "s"}}},
		"access key AK1 is given twice":       {Keys: []ccesim.AccessKey{key, key}},
		"a token needs a value and a user ID": {Tokens: map[string]ccesim.Token{"t": {}}},
		"is not 32 lower-case hexadecimal":    {Projects: []ccesim.Project{{ID: "p", Name: "r"}}},
		"the name is empty":                   {Projects: []ccesim.Project{{ID: project}}},
		"project " + project + " is there":    {Projects: []ccesim.Project{good, good}},
		"is not a lower-case UUID":            withCluster(ccesim.Cluster{ID: "c", Name: "n"}),
		"cluster " + cluster + ": the name":   withCluster(ccesim.Cluster{ID: cluster}),
		"is not an https URL":                 withCluster(ccesim.Cluster{ID: cluster, Name: "n", InternalURL: "192.168.0.1:5443"}),
		`neither "standard" nor "autopilot"`:  withCluster(ccesim.Cluster{ID: cluster, Name: "n", Type: "turbo"}),
		"does not exist":                      {Clusters: []ccesim.Cluster{{ID: cluster, Name: "n", ProjectID: project}}},
		"cluster " + cluster + " is there already": {
			Projects: []ccesim.Project{good},
			Clusters: []ccesim.Cluster{{ID: cluster, Name: "n", ProjectID: project}, {ID: cluster, Name: "m", ProjectID: project}},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			if cfg.KeyAlgorithm == "" {
				cfg.KeyAlgorithm = ccesim.EC
			}
			if _, err := ccesim.New(cfg); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("got %v", err)
			}
		})
	}
}
