// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
)

func hasContentType(want string) func(*testing.T, *sim, reply) {
	return func(t *testing.T, _ *sim, got reply) {
		if got.header.Get("Content-Type") != want {
			t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
		}
	}
}

func hasLocation(t *testing.T, _ *sim, got reply) {
	if got.header.Get("Location") != "/" {
		t.Errorf("Location %q", got.header.Get("Location"))
	}
}

func isNoJSON(t *testing.T, _ *sim, got reply) {
	if json.Valid([]byte(got.body)) {
		t.Errorf("%q is JSON", got.body)
	}
}

func hasNoKey(t *testing.T, _ *sim, got reply) {
	if strings.Contains(got.body, "client-key-data") {
		t.Error("there is a key")
	}
}

func isInsecureOnly(t *testing.T, _ *sim, got reply) {
	k := got.kubeconfig(t)
	if len(k.Clusters) != 1 || len(k.Contexts) != 1 || k.Current != "external" || k.Clusters[0].Cluster.CA != nil {
		t.Errorf("clusters %+v, contexts %+v", k.Clusters, k.Contexts)
	}
}

func hasNoOwnServer(t *testing.T, _ *sim, got reply) {
	if strings.Contains(got.body, "192.168.1.7") {
		t.Error("the cluster's own address is there")
	}
}

func keyDoesNotFit(t *testing.T, _ *sim, got reply) {
	user := got.kubeconfig(t).Users[0].User
	if len(user.Key) == 0 {
		t.Fatal("there is no key")
	}
	if _, err := tls.X509KeyPair(user.Cert, user.Key); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Errorf("certificate and key: %v", err)
	}
}

func refusedAsClient(t *testing.T, s *sim, got reply) {
	if err := verify(t, s, got); err == nil {
		t.Error("the certificate is good")
	}
}

func works(t *testing.T, s *sim, got reply) {
	t.Helper()
	if err := verify(t, s, got); err != nil {
		t.Error(err)
	}
}

// verify checks a client certificate as a server of the cluster does.
func verify(t *testing.T, s *sim, got reply) error {
	t.Helper()
	k := got.kubeconfig(t)
	leaf, _ := k.leaf(t)
	shown := x509.NewCertPool()
	if !shown.AppendCertsFromPEM(k.Clusters[0].Cluster.CA) {
		t.Fatal("no certificate authority is shown")
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: shown, CurrentTime: s.clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

func isHuge(t *testing.T, s *sim, got reply) {
	if len(got.body) < 10<<20 {
		t.Errorf("%d bytes", len(got.body))
	}
	got.body = string(bytes.TrimSpace([]byte(got.body)))
	works(t, s, got)
}
