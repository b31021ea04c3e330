// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// credential comes from an answer whose key is made now; none is committed. The leaf
// is its own CA certificate, which nothing here looks at.
func credential(t testing.TB) kubeconfig.Credential {
	t.Helper()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(10), Subject: pkix.Name{CommonName: "0c97ac3cb280f4d91fa7c0096739e1f8"},
		NotBefore: now, NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	type object = map[string]any
	raw, err := json.Marshal(object{
		"clusters": []object{{"name": "c", "cluster": object{"server": "https://192.168.0.64:5443", "certificate-authority-data": certPEM}}},
		"users": []object{{"name": "user", "user": object{
			"client-certificate-data": certPEM,
			"client-key-data":         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
		}}},
		"contexts": []object{{"name": "internal", "context": object{"cluster": "c", "user": "user"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := kubeconfig.Parse(raw, now)
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig.Credential{
		Endpoint: kubeconfig.Endpoint{Server: answer.Contexts[0].Server, CAPEM: answer.Contexts[0].CAPEM}, Identity: answer.Identity,
	}
}

// stored is what the API server holds after a write.
func stored(r Rendered) map[string][]byte {
	data := map[string][]byte{}
	for key, value := range r.Data {
		data[key] = value.Reveal()
	}
	return data
}

// testFacts are of the ClusterCredential fleet/prod-1.
var testFacts = Facts{Namespace: "fleet", Name: "prod-1"}
