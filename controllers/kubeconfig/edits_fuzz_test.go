// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// maxEdits bounds how many edits one answer takes: more only undo each other.
const maxEdits = 12

// inNth changes a field of the n-th cluster or user; where there is none there is nothing to
// change.
func inNth(list string, n int, field string, value any) func(object) {
	kind := strings.TrimSuffix(list, "s")
	return func(d object) {
		if entries := d[list].([]object); n < len(entries) {
			entries[n][kind].(object)[field] = value
		}
	}
}

// add and instead put copies into the answer, since later edits change entries in place.
func add(list string, entries ...object) func(object) {
	return func(d object) {
		for _, entry := range entries {
			d[list] = append(d[list].([]object), copyOf(entry))
		}
	}
}

func instead(list string, entries ...object) func(object) {
	return func(d object) {
		d[list] = []object{}
		add(list, entries...)(d)
	}
}

func copyOf(o object) object {
	o = maps.Clone(o)
	for name, value := range o {
		if inner, ok := value.(object); ok {
			o[name] = copyOf(inner)
		}
	}
	return o
}

// asLeaf puts another certificate, with its key, into the answer.
func asLeaf(change func(*x509.Certificate)) func(object) {
	leaf := testCA().issue(testLeaf().key, change)
	return instead("users", user(leaf))
}

// edits are the letters of an alphabet in which a byte string is a hostile answer. New ones
// go to the end: seeds count by index.
func edits() []func(object) {
	list := []func(object){
		func(object) {}, withEIP, // 0, 1
		inNth("users", 0, "exec", object{"apiVersion": "client.authentication.k8s.io/v1", "command": mark, "interactiveMode": "Never"}), // 2
		inNth("users", 0, "auth-provider", object{"name": mark}), inNth("users", 0, "token", mark), inNth("users", 0, "tokenFile", "/"+mark),
		inNth("users", 0, "client-certificate", "/"+mark), inNth("users", 0, "client-key", "/"+mark), inNth("users", 0, "as", mark), // 6, 7, 8
		inNth("users", 0, "username", mark), inNth("users", 0, "client-key-data", nil), inNth("users", 0, "client-certificate-data", []byte(mark)), // 9, 10, 11
		inNth("users", 0, "client-key-data", slices.Concat([]byte(mark+"\n"), testLeaf().keyPEM(), []byte(mark))), // 12
		asLeaf(func(c *x509.Certificate) { c.NotAfter = now }),                                                    // 13
		asLeaf(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }),                                    // 14
		asLeaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		asLeaf(func(c *x509.Certificate) { c.Subject.CommonName = "" }), // 16
		add("users", user(testLeaf())),                                                                  // 17: twice the same
		add("users", entry("other", "user", object{"token": mark})),                                     // 18
		add("contexts", entry("odd", "context", object{"cluster": "internalCluster", "user": "other"})), // 19
		instead("users"), instead("clusters"), instead("contexts"), add("contexts", object(nil)), // 20 … 23
		add("contexts", context("internal", "externalCluster")), add("contexts", context("x "+mark, "internalCluster")),
		add("contexts", slices.Repeat([]object{context("customSAN-0", "internalCluster")}, maxContexts)...), // 26
		add("clusters", insecure("internalCluster", "https://203.0.113.66:1")),                              // 27: the same name again
		add("clusters", verified("internalCluster", "https://203.0.113.67:1")),                              // 28
		func(d object) { d["current-context"], d["extensions"] = mark, []object{{"name": mark}} },           // 29
		func(d object) {
			d["contexts"] = append([]object{context("customSAN-0", "internalCluster")}, d["contexts"].([]object)...)
		},
	}
	for n := range 3 {
		list = append(list, clusterEdits(n)...)
	}
	return list
}

// clusterEdits are those of one cluster of the answer.
func clusterEdits(n int) []func(object) {
	ca := testCA().certPEM()
	return []func(object){
		inNth("clusters", n, "insecure-skip-tls-verify", true), inNth("clusters", n, "insecure-skip-tls-verify", false),
		inNth("clusters", n, "proxy-url", "http://"+mark), inNth("clusters", n, "tls-server-name", mark), inNth("clusters", n, "certificate-authority", "/"+mark),
		inNth("clusters", n, "server", "http://203.0.113.7:5443"), inNth("clusters", n, "server", "https://203.0.113.7:5443/"+mark),
		inNth("clusters", n, "server", "https://"+mark+"@203.0.113.7:5443"), inNth("clusters", n, "server", "HTTPS://API:443"),
		inNth("clusters", n, "server", "https://API.example.com:443/"), inNth("clusters", n, "extensions", []object{{"name": mark}}),
		inNth("clusters", n, "certificate-authority-data", nil), inNth("clusters", n, "certificate-authority-data", []byte(mark)),
		inNth("clusters", n, "certificate-authority-data", slices.Concat([]byte(dump+mark), testLeaf().keyPEM(), ca, ca)),
	}
}

func edited(letters []byte, alphabet []func(object)) []byte {
	document := answer()
	for _, letter := range letters[:min(len(letters), maxEdits)] {
		alphabet[int(letter)%len(alphabet)](document)
	}
	return raw(document).Reveal()
}

func editSeeds() [][]byte {
	seeds := [][]byte{nil, {1}, {1, 2, 3, 4, 5, 8, 9, 29}, {1, 6, 7}, {12}, {17}, {30, 1}, {1, 27}, {1, 28}, {18, 19}, {24, 1}, {26}}
	for letter := range 45 { // the edits of the whole, and those of the first cluster
		seeds = append(seeds, []byte{byte(letter)})
	}
	return seeds
}

// FuzzParseEdits takes a byte string for a list of edits of a good answer, so that
// every input passes JSON and means something. Besides the oracles of FuzzParse: no word that
// the edits smuggle in gets out, and a context that is taken says what the answer says of it.
func FuzzParseEdits(f *testing.F) {
	for _, seed := range editSeeds() {
		f.Add(seed)
	}
	alphabet := edits()
	f.Fuzz(func(t *testing.T, letters []byte) {
		data := edited(letters, alphabet)
		checkParse(t, data)
		checkMeaning(t, data)
	})
}

func TestTheEditSeedsReachBothSides(t *testing.T) {
	var reached sides
	for _, seed := range editSeeds() {
		_, err := Parse(edited(seed, edits()), now)
		reached.count(err == nil)
	}
	reached.check(t, 32, 25)
}

// checkMeaning asks client-go what the answer says.
func checkMeaning(t *testing.T, data []byte) {
	t.Helper()
	got, err := Parse(data, now)
	if err != nil {
		return
	}
	config, err := clientcmd.Load(data)
	if err != nil {
		t.Fatalf("client-go cannot read what is taken: %v", err)
	}
	for _, taken := range got.Contexts {
		cluster := config.Clusters[config.Contexts[taken.Name].Cluster]
		if server, ok := normalServer(cluster.Server); !ok || server != taken.Server {
			t.Fatalf("context %s: server %q is taken for %q", taken.Name, cluster.Server, taken.Server)
		}
		if !taken.Verified {
			if taken.CAPEM != nil {
				t.Fatalf("context %s is not verified, and has a CA", taken.Name)
			}
			continue
		}
		if cluster.InsecureSkipTLSVerify || !SameCA(cluster.CertificateAuthorityData, taken.CAPEM) {
			t.Fatalf("context %s is not verified against the CA of the answer", taken.Name)
		}
		published, err := Render("fleet-prod-1", Credential{Endpoint: Endpoint{Server: taken.Server, CAPEM: taken.CAPEM}, Identity: got.Identity})
		if err != nil || bytes.Contains(published, []byte(mark)) {
			t.Fatalf("a word of the answer is published (%v):\n%s", err, taken.Server)
		}
		for _, text := range [][]byte{taken.CAPEM, got.Identity.CertPEM, got.Identity.KeyPEM.Reveal()} {
			checkPurePEM(t, text, "")
		}
	}
}
