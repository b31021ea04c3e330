// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/stack"
)

// pageBlock is a block of code in a page: its language and its text.
var pageBlock = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// A newcomer follows docs/other-clouds.md, command by command, to a cloud at other addresses whose certificate a private CA has signed.
func TestThePageOnOtherCloudsLeadsToACredential(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"other-1"}})
	fleet := w.namespace + "-fleet"
	url, ca := w.behindPrivateCA()
	const nowhere = "https://127.0.0.1:9" // no flag leads to the cloud
	w.startManager("--namespaces="+fleet, "--cce-endpoint="+nowhere, "--iam-endpoint="+nowhere)

	page := readPage(t, "../../docs/other-clouds.md", strings.NewReplacer(
		"https://cce.eu-de.otc.t-systems.com", url, "https://iam.eu-de.otc.t-systems.com", url,
		"region: eu-de", "region: "+stack.Region, "YOUR-ACCESS-KEY-ID", stack.AccessKey, "YOUR-SECRET-ACCESS-KEY", canarySecretKey,
		"-n fleet", "-n "+fleet, "namespace fleet", "namespace "+fleet, "namespace: fleet", "namespace: "+fleet, "[fleet]", "["+fleet+"]",
	))
	dir := t.TempDir()
	for name, text := range map[string]string{"account.yaml": page.yaml[0], "other.yaml": page.yaml[1], "ca.pem": string(ca)} {
		w.must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Cleanup(func() {
		_, err := w.Kubectl("delete", "clustercloudaccount/other-cloud", "secret/huawei-keys", "-n", systemNamespace, "--ignore-not-found")
		w.must(err)
	})

	commands := page.shell
	wantPrivateCA(t, commands[0])
	w.asUser(dir, commands[1])
	w.kubectlInput(page.yaml[0]) // as if the CA were the world's
	w.eventually(eventTime, func() error {
		const want = "is not signed by a known authority"
		said, err := w.Kubectl("get", "clustercloudaccount", "other-cloud", "-o", "jsonpath={.status.conditions}")
		if w.must(err); !strings.Contains(said, want) {
			return fmt.Errorf("the account does not say %q: %s", want, said)
		}
		return nil
	})
	last := ""
	for _, c := range commands[2:] {
		last = w.asUser(dir, c)
	}
	if !strings.Contains(last, stack.UserID) {
		t.Errorf("the last command does not say who it is: %s", last)
	}
	w.wantPosts(1)
}

// wantPrivateCA runs the look at the cloud with which the page begins. It has to say what the page says of a cloud with a CA of its own.
func wantPrivateCA(t *testing.T, look string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("the page begins with curl, which is not here")
		return
	}
	out, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", look).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "SSL certificate problem") {
		t.Errorf("%s\nends with %v, and does not tell of the CA:\n%s", look, err, out)
	}
}

type page struct{ shell, yaml []string }

func readPage(t *testing.T, path string, with *strings.Replacer) page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p page
	for _, block := range pageBlock.FindAllStringSubmatch(string(text), -1) {
		switch code := with.Replace(block[2]); block[1] {
		case "sh":
			p.shell = append(p.shell, code)
		case "yaml":
			p.yaml = append(p.yaml, code)
		}
	}
	if len(p.shell) < 4 || len(p.yaml) != 2 {
		t.Fatalf("%s has %d blocks of commands and %d of YAML", path, len(p.shell), len(p.yaml))
	}
	return p
}

// asUser runs commands as the administrator would in a shell, with more variables, and returns what they print. Those that fail end it.
func (w *world) asUser(dir, commands string, env ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.Kubeconfig, "PATH="+os.Getenv("KUBEBUILDER_ASSETS")+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s\n%v\n%s", strings.ReplaceAll(commands, canarySecretKey, "…"), err, out)
	}
	return string(out)
}

// behindPrivateCA serves the world's cloud once more, at an address whose certificate an authority of its own has signed.
func (w *world) behindPrivateCA() (url string, ca []byte) {
	w.t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "cloud"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, caKey.Public(), caKey)
	w.must(err)
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), caKey)
	w.must(err)
	server := httptest.NewUnstartedServer(w.cloud.sim)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	w.t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
}
