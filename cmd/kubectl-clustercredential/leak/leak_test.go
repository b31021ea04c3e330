// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package leak_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/leak"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// signed is a certificate in PEM form.
func signed(t testing.TB, serial int64) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "somebody"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func kubeconfig(t testing.TB, users map[string]*api.AuthInfo) []byte {
	t.Helper()
	config := api.NewConfig()
	config.AuthInfos = users
	text, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWhatIsReadOfALeak(t *testing.T) {
	one, two := signed(t, 10), signed(t, 300)
	key := "-----BEGIN EC PRIVATE KEY-----\nY2FuYXJ5\n-----END EC PRIVATE KEY-----\n"
	for _, test := range []struct {
		name    string
		input   []byte
		serials []string
		notes   int
		fails   bool
	}{
		{"a kubeconfig", kubeconfig(t, map[string]*api.AuthInfo{"u": {ClientCertificateData: one, ClientKeyData: []byte(key)}}), []string{"0A"}, 0, false},
		{"one with several users, and a chain", kubeconfig(t, map[string]*api.AuthInfo{
			"a": {ClientCertificateData: append(append([]byte{}, two...), one...)}, "b": {Token: "canary"}, "c": {ClientCertificate: "/elsewhere.pem"},
			"d": {ClientCertificateData: []byte("canary")},
		}), []string{"012C"}, 3, false},
		{"a certificate", one, []string{"0A"}, 0, false},
		{"a certificate with its key, and text around it", []byte("Subject: x\r\n" + key + strings.ReplaceAll(string(one), "\n", "\r\n")), []string{"0A"}, 0, false},
		{"a bundle", append(append([]byte{}, one...), two...), []string{"0A", "012C"}, 0, false},
		{"a key alone", []byte(key), nil, 0, true},
		{"text", []byte("canary"), nil, 0, true},
		{"nothing", nil, nil, 0, true},
		{"more than anybody reads", make([]byte, leak.MostInput+1), nil, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, notes, err := leak.Read(test.input)
			var serials []string
			for _, c := range found {
				serials = append(serials, c.Serial)
			}
			if diff := cmp.Diff(test.serials, serials); diff != "" || (err != nil) != test.fails || len(notes) != test.notes {
				t.Errorf("%s notes %q, error %v", diff, notes, err)
			}
			if said := strings.Join(notes, " "); strings.Contains(said, "canary") || err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the input is repeated: %q %v", notes, err)
			}
		})
	}
}

// Whatever is read, nothing of it but facts of certificates comes out.
func FuzzRead(f *testing.F) {
	one := signed(f, 1)
	f.Add(one)
	f.Add(kubeconfig(f, map[string]*api.AuthInfo{"u": {ClientCertificateData: one}}))
	f.Add([]byte("apiVersion: v1\nkind: Config\nusers: [{name: x, user: {client-certificate-data: !!binary AAAA}}]"))
	f.Fuzz(func(t *testing.T, input []byte) {
		found, notes, err := leak.Read(input)
		if err != nil && len(found)+len(notes) > 0 {
			t.Error("an error, and something was found")
		}
		if err == nil && len(found)+len(notes) == 0 {
			t.Error("nothing was found, and nothing said")
		}
		for _, c := range found {
			if len(c.Fingerprint) != 64 || c.Serial == "" || len(c.Serial)%2 != 0 || c.Where == "" {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestWhoseItIs(t *testing.T) {
	until := metav1.NewTime(now.Add(time.Hour))
	published := func(name, cluster, fingerprint, commonName string, history ...v1alpha1.HistoryEntry) v1alpha1.ClusterCredential {
		cc := v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: name}}
		cc.Status.ClusterID, cc.Status.Cluster, cc.Status.History = cluster, "named", history
		cc.Status.Certificate = &v1alpha1.Certificate{SerialNumber: "0F", FingerprintSHA256: fingerprint, CommonName: commonName, NotAfter: until}
		return cc
	}
	entry := func(fingerprint, cluster string, state v1alpha1.CertificateState) v1alpha1.HistoryEntry {
		return v1alpha1.HistoryEntry{
			SerialNumber: "0E", FingerprintSHA256: fingerprint, CommonName: "somebody", ClusterID: cluster, NotAfter: &until, State: state,
		}
	}
	lost := v1alpha1.HistoryEntry{ClusterID: "c1", NotAfter: &until, State: v1alpha1.CertificateUnknown}
	hub := leak.Hub{
		Now: now,
		Credentials: []v1alpha1.ClusterCredential{
			published("active", "c1", "fa", "somebody"),
			published("before", "c2", "fb", "somebody", entry("fb", "c2", v1alpha1.CertificateActive), entry("fc", "c1", v1alpha1.CertificateSuperseded)),
			published("stranger", "c1", "fd", "another"),
			published("lossy", "c1", "fe", "somebody", lost),
		},
		Secrets: []metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{
			Namespace: "fleet", Name: "left", Labels: map[string]string{v1alpha1.LabelManaged: "true"},
			Annotations: map[string]string{
				v1alpha1.AnnotationCredential: "gone", v1alpha1.AnnotationFingerprint: "ff", v1alpha1.AnnotationReleasedAt: "2026-02-01T00:00:00Z",
				v1alpha1.AnnotationRequest: `{"v":1,"clusterID":"c9"}`,
			},
		}}},
	}
	for fingerprint, want := range map[string][]string{
		"fa": {"active Active c1 named"},
		"fb": {"before Active c2 named"},
		"fc": {"before Superseded c1 "},
		"ff": {"gone Released c9 "},
		"00": nil,
	} {
		var got []string
		for _, place := range hub.Find(leak.Certificate{Fingerprint: fingerprint, Serial: "99"}) {
			got = append(got, place.Name+" "+place.State+" "+place.ClusterID+" "+place.Cluster)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", fingerprint, diff)
		}
	}
	var siblings []string
	for _, s := range hub.Siblings("somebody", []string{"c1"}) {
		siblings = append(siblings, s.Name)
		if want := map[string][2]int{"active": {1, 0}, "before": {1, 0}, "lossy": {1, 1}}[s.Name]; want != [2]int{s.Valid, s.Lost} {
			t.Errorf("%s has %d valid and %d lost certificates, want %v", s.Name, s.Valid, s.Lost, want)
		}
	}
	if diff := cmp.Diff([]string{"active", "before", "lossy"}, siblings); diff != "" {
		t.Error(diff)
	}
	hub.Secrets[0].Annotations[v1alpha1.AnnotationNotAfter] = until.UTC().Format(time.RFC3339)
	hub.Credentials[3].Status.Certificate = nil // its first answer was lost
	outlived := hub.Siblings("somebody", []string{"c1", "c9"})
	if n := len(outlived); n != 4 || outlived[3].Secret != "fleet/left" || outlived[3].Name != "gone" || outlived[2].Lost != 1 {
		t.Errorf("with what has outlived its ClusterCredential: %+v", outlived)
	}
	hub.Now = until.Add(time.Second)
	if outlived := hub.Siblings("somebody", []string{"c9"}); len(outlived) != 0 {
		t.Errorf("once that has expired: %+v", outlived)
	}
	hub.Now, hub.Credentials[3] = now, published("lossy", "c1", "fe", "somebody", lost)
	if everywhere := hub.Siblings("somebody", nil); len(everywhere) != 3 || everywhere[1].Valid != 2 {
		t.Errorf("on any cluster: %+v", everywhere)
	}
}
