// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

// offered is one context of a kubeconfig with the cluster that it links to.
type offered struct {
	context, cluster, server string
	ca, insecure             bool
}

func (k wire) offers(t *testing.T) []offered {
	t.Helper()
	var all []offered
	for i, c := range k.Contexts {
		target := k.Clusters[i]
		if c.Context.User != "user" || c.Context.Cluster != target.Name {
			t.Errorf("context %+v beside cluster %q", c, target.Name)
		}
		insecure := target.Cluster.Insecure != nil && *target.Cluster.Insecure
		all = append(all, offered{c.Name, target.Name, target.Cluster.Server, len(target.Cluster.CA) > 0, insecure})
	}
	return all
}

func TestContextsFollowTheEndpointsOfTheCluster(t *testing.T) {
	internal := offered{"internal", "internalCluster", "https://192.168.1.7:5443", true, false}
	external := offered{"external", "externalCluster", "https://203.0.113.10:5443", false, true}
	verified := offered{"externalTLSVerify", "externalClusterTLSVerify", "https://203.0.113.10:5443", true, false}
	withEIP := func(c *ccesim.Cluster) { c.ExternalURL = "https://203.0.113.10:5443" }
	for name, tc := range map[string]struct {
		change  func(*ccesim.Cluster)
		current string
		want    []offered
	}{
		"without an elastic IP there is one":                           {func(*ccesim.Cluster) {}, "internal", []offered{internal}},
		"with it there are three, and the current one is not verified": {withEIP, "external", []offered{internal, external, verified}},
		"each custom SAN adds one with the internal port": {
			func(c *ccesim.Cluster) { c.CustomSANs = []string{"api.example.com", "2001:db8::1"} }, "internal",
			[]offered{
				internal,
				{"customSAN-0", "customSANCluster-0", "https://api.example.com:5443", true, false},
				{"customSAN-1", "customSANCluster-1", "https://[2001:db8::1]:5443", true, false},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			if err := s.UpdateCluster(cluster, tc.change); err != nil {
				t.Fatal(err)
			}
			k := s.issue(1).kubeconfig(t)
			got := k.offers(t)
			if len(got) != len(tc.want) || len(k.Clusters) != len(got) || k.Current != tc.current {
				t.Fatalf("got %+v, current %q", got, k.Current)
			}
			for i := range got {
				if got[i] != tc.want[i] {
					t.Errorf("context %d: got %+v, want %+v", i, got[i], tc.want[i])
				}
			}
			if k.Kind != "Config" || k.APIVersion != "v1" || len(k.Users) != 1 || k.Users[0].Name != "user" {
				t.Errorf("kind %q, version %q, users %d", k.Kind, k.APIVersion, len(k.Users))
			}
		})
	}
}

func TestContextsLeaveOutWhatDoesNotApply(t *testing.T) {
	s := start(t)
	if got := s.issue(1).body; strings.Contains(got, "insecure-skip-tls-verify") {
		t.Errorf("insecure-skip-tls-verify is there: %.200s", got)
	}
}

func TestCATextPrefixPutsADumpBeforeThePEM(t *testing.T) {
	s := start(t)
	plain := s.issue(1).kubeconfig(t).Clusters[0].Cluster.CA
	if err := s.UpdateCluster(cluster, func(c *ccesim.Cluster) { c.CATextPrefix = true }); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one shows that nothing was appended to shared bytes
		got := s.issue(1).kubeconfig(t).Clusters[0].Cluster.CA
		if !bytes.HasPrefix(got, []byte("Certificate:\n    Data:\n")) || !bytes.HasSuffix(got, plain) {
			t.Fatalf("got %.80q", got)
		}
		block, rest := pem.Decode(got)
		if block == nil || len(rest) != 0 {
			t.Errorf("PEM readers do not find the certificate in %.80q", got)
		}
	}
}

func TestServerCAIsShownInPlaceOfTheSigningCA(t *testing.T) {
	other, err := ccesim.New(ccesim.Config{KeyAlgorithm: ccesim.EC})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(c *ccesim.Config) { c.ServerCAPEM = other.ClientCAPEM() })
	k := s.issue(1).kubeconfig(t)
	if !bytes.Equal(k.Clusters[0].Cluster.CA, other.ClientCAPEM()) {
		t.Error("another certificate authority is shown")
	}
	leaf, _ := k.leaf(t)
	if err := leaf.CheckSignatureFrom(parsePEM(t, s.ClientCAPEM())); err != nil {
		t.Errorf("not signed by the signing CA: %v", err)
	}
}

func TestARotatedCASignsAndIsShownFromThenOn(t *testing.T) {
	s := start(t)
	before, _ := s.issue(1).kubeconfig(t).leaf(t)
	cert, signer := newCA(t)
	if err := s.SetCA(cert, signer, nil); err != nil {
		t.Fatal(err)
	}
	k := s.issue(1).kubeconfig(t)
	after, _ := k.leaf(t)
	if err := after.CheckSignatureFrom(cert); err != nil {
		t.Errorf("the new certificate: %v", err)
	}
	if before.CheckSignatureFrom(cert) == nil {
		t.Error("the old certificate is signed by the new CA")
	}
	if shown := parsePEM(t, k.Clusters[0].Cluster.CA); !shown.Equal(cert) {
		t.Errorf("shown: %v", shown.Subject)
	}
}
