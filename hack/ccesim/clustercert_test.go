// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestIssuedCertificateAuthenticatesToATLSServerThatTrustsTheCA(t *testing.T) {
	for _, algorithm := range []ccesim.KeyAlgorithm{ccesim.RSA2048, ccesim.EC, ccesim.Ed25519} {
		t.Run(string(algorithm), func(t *testing.T) {
			s := start(t, func(c *ccesim.Config) { c.KeyAlgorithm = algorithm })
			_, pair := s.issue(1).kubeconfig(t).leaf(t)
			subject, err := handshake(t, s, pair)
			if err != nil {
				t.Fatal(err)
			}
			if want := "CN=" + key.UserID + ",O=group-1"; subject != want {
				t.Errorf("the server sees %q, want %q", subject, want)
			}
		})
	}
}

func TestCertificateOfAnotherCAIsRefusedByThatTLSServer(t *testing.T) {
	s := start(t)
	s.script(ccesim.Fault{Name: ccesim.FaultOtherCA})
	_, pair := s.issue(1).kubeconfig(t).leaf(t)
	if subject, err := handshake(t, s, pair); err == nil {
		t.Errorf("the server accepted %q", subject)
	}
}

// handshake presents a client certificate to a server that trusts the
// simulator's CA, and returns the subject that the server saw.
func handshake(t *testing.T, s *sim, pair tls.Certificate) (string, error) {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(s.ClientCAPEM())
	serving := start(t, func(c *ccesim.Config) { c.Clock = s.clock.Now }).issue(1) // any certificate will do
	_, server := serving.kubeconfig(t).leaf(t)
	clientSide, serverSide := net.Pipe()
	client := tls.Client(clientSide, &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, Time: s.clock.Now})
	go func() {
		defer client.Close()
		if client.Handshake() == nil {
			_, _ = client.Read(make([]byte, 1)) // takes the server's alert, if any
		}
	}()
	conn := tls.Server(serverSide, &tls.Config{
		Certificates: []tls.Certificate{server}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert, Time: s.clock.Now,
	})
	defer serverSide.Close()
	if err := conn.Handshake(); err != nil {
		return "", err
	}
	return conn.ConnectionState().PeerCertificates[0].Subject.String(), nil
}

func TestKeysComeInTheAlgorithmAndPEMTypeThatWereChosen(t *testing.T) {
	for algorithm, want := range map[ccesim.KeyAlgorithm][2]string{
		"":             {"RSA PRIVATE KEY", "*rsa.PublicKey"},
		ccesim.RSA2048: {"RSA PRIVATE KEY", "*rsa.PublicKey"},
		ccesim.EC:      {"EC PRIVATE KEY", "*ecdsa.PublicKey"},
		ccesim.Ed25519: {"PRIVATE KEY", "ed25519.PublicKey"},
	} {
		s := start(t, func(c *ccesim.Config) { c.KeyAlgorithm = algorithm })
		k := s.issue(1).kubeconfig(t)
		block, _ := pem.Decode(k.Users[0].User.Key)
		leaf, _ := k.leaf(t)
		if got := [2]string{block.Type, fmt.Sprintf("%T", leaf.PublicKey)}; got != want {
			t.Errorf("%q: got %q, want %q", algorithm, got, want)
		}
	}
}

func TestEveryCallMakesANewCertificateAndKey(t *testing.T) {
	s := start(t)
	first, second := s.issue(1).kubeconfig(t), s.issue(1).kubeconfig(t)
	if bytes.Equal(first.Users[0].User.Key, second.Users[0].User.Key) {
		t.Error("the key is the same")
	}
	one, _ := first.leaf(t)
	two, _ := second.leaf(t)
	if one.SerialNumber.Cmp(two.SerialNumber) == 0 || one.SerialNumber.Sign() <= 0 {
		t.Errorf("serial numbers %X and %X", one.SerialNumber, two.SerialNumber)
	}
}

func TestAPoolHandsItsKeysOutInTurn(t *testing.T) {
	s := start(t, func(c *ccesim.Config) { c.KeyPool = 2 })
	var keys []string
	for range 3 {
		keys = append(keys, string(s.issue(1).kubeconfig(t).Users[0].User.Key))
	}
	if keys[0] == keys[1] || keys[0] != keys[2] {
		t.Error("want keys in the order A, B, A")
	}
}

func TestOnlySomePhasesIssueCertificates(t *testing.T) {
	s := start(t)
	for phase, want := range map[string]int{
		"Available": 200, "ScalingUp": 200, "ScalingDown": 200,
		"Creating": 403, "Upgrading": 403, "Hibernating": 403, "Hibernation": 403, "Awaking": 403, "Unavailable": 403, "Deleting": 403, "Error": 403,
	} {
		if err := s.UpdateCluster(cluster, func(c *ccesim.Cluster) { c.Phase = phase }); err != nil {
			t.Fatal(err)
		}
		got := s.issue(1)
		if got.status != want || want == 403 && !strings.Contains(got.body, "CCE.01403003") {
			t.Errorf("%s: got %d %.120s, want %d", phase, got.status, got.body, want)
		}
	}
}

func TestAnswersToIssuesNameTheRequestAndThePort(t *testing.T) {
	s := start(t)
	got := s.issue(1)
	if id := got.header.Get("X-Request-Id"); len(id) != 32 || id != s.Ledger()[0].RequestID {
		t.Errorf("X-Request-Id %q, ledger %q", id, s.Ledger()[0].RequestID)
	}
	if got.header.Get("Port-ID") == "" {
		t.Error("Port-ID is absent")
	}
}

func TestContentTypeOfAPOSTMustBeJSON(t *testing.T) {
	s := start(t)
	for contentType, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "application/json;charset=UTF-8": 200,
		"": 400, "text/plain": 400, "application/x-www-form-urlencoded": 400, "application/jsonp": 400,
	} {
		r := s.signed("POST", certPath, `{"duration":1}`)
		r.Header.Set("Content-Type", contentType)
		if got := s.mustSend(r); got.status != want || want == 400 && !strings.Contains(got.body, "CCE.01400006") {
			t.Errorf("%q: got %d %.120s, want %d", contentType, got.status, got.body, want)
		}
	}
}
