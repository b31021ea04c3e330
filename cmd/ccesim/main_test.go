// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

const (
	clusterID   = "11111111-2222-3333-4444-555555555555"
	certificate = "/api/v3/projects/" + defaultProject + "/clusters/" + clusterID + "/clustercert"
)

// process is the command, run in the test's own process.
type process struct {
	t    *testing.T
	url  string
	stop func() error // ends it as a signal does
	log  *lockedBuffer
	more chan string // the lines of output after the first
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func launch(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	p := &process{t: t, log: &lockedBuffer{}, more: make(chan string, 2)}
	go func() {
		err := run(ctx, append([]string{"--listen", "127.0.0.1:0", "--key-algorithm", "ec"}, args...), in, p.log)
		in.CloseWithError(err)
		ended <- err
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	p.url = lines.Text()
	go func() {
		for lines.Scan() {
			p.more <- lines.Text()
		}
	}()
	p.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = p.stop() })
	return p
}

// send uses the token "tok".
func (p *process) send(client *http.Client, method, path, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", "tok")
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestFlagsAloneMakeAWorkingSimulator(t *testing.T) {
	p := launch(t, "--token", "tok", "--user-id", "me", "--group", "g1", "--group", "g2", "--granted-lifetime", "1m",
		"--cluster", "id="+clusterID+",name=demo,internal=https://10.0.0.1:5443,external=https://203.0.113.1:5443,san=a.example,san=b.example")
	if status, body := p.send(http.DefaultClient, "POST", certificate, `{"duration":1}`); status != 200 || strings.Count(body, `"server":`) != 5 {
		t.Errorf("got %d %s", status, body)
	}
	_, ledger := p.send(http.DefaultClient, "GET", "/_sim/ledger", "")
	var got struct{ Entries []ccesim.Entry }
	if err := json.Unmarshal([]byte(ledger), &got); err != nil {
		t.Fatal(err)
	}
	if e := got.Entries[0]; e.UserID != "me" || e.NotAfter.Sub(e.Time).Minutes() > 1 {
		t.Errorf("ledger: %+v", e)
	}
}

func TestAgenciesAndFederatedUsersGetKeys(t *testing.T) {
	text := `{"podIdentities":{"pod":{"id":"a1"}},"instance":{"agency":{"id":"a2"}},"identityProviders":[{"id":"corporate","idTokens":["id"]}]}`
	p := launch(t, "--config", write(t, text), "--metadata-listen", "127.0.0.1:0", "--pod-identity-listen", "127.0.0.1:0", "--temporary-lifetime", "1h")
	url := map[string]string{"": p.url}
	for range 2 {
		name, at, _ := strings.Cut(<-p.more, " at ")
		url[name] = at
	}
	for what, request := range map[string]struct {
		url, header, value, body, want string
		method                         string
	}{
		"pod identity":       {url["pod identity"] + ccesim.PodIdentityPath, "Authorization", "pod", `{}`, `"accessKeyId"`, "POST"},
		"the instance":       {url["metadata service"] + "/openstack/latest/securitykey", "Accept", "*/*", "", `"securitytoken"`, "GET"},
		"a federated user":   {url[""] + "/v3.0/OS-AUTH/id-token/tokens", "X-Idp-Id", "corporate", `{"auth":{"id_token":{"id":"id"}}}`, `"FederationUser"`, "POST"},
		"somebody else, who": {url["pod identity"] + ccesim.PodIdentityPath, "Authorization", "other", `{}`, `APIGW`, "POST"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), request.method, request.url, strings.NewReader(request.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(request.header, request.value)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if !strings.Contains(string(got), request.want) {
			t.Errorf("%s: %d %s", what, answer.StatusCode, got)
		}
	}
}

func TestAConfigurationFileAndFlagsAddUp(t *testing.T) {
	text := `{"tokens":{"tok":{"userID":"u"}},"keys":[{"id":"AK","secret":"SK","userID":"u"}],
		"projects":[{"id":"` + defaultProject + `","name":"r"}],
		"clusters":[{"id":"22222222-2222-3333-4444-555555555555","name":"filed","projectID":"` + defaultProject + `"}]}`
	p := launch(t, "--config", write(t, text), "--cluster", "id="+clusterID+",name=flagged")
	_, body := p.send(http.DefaultClient, "GET", strings.TrimSuffix(certificate, "/"+clusterID+"/clustercert"), "")
	if !strings.Contains(body, `"filed"`) || !strings.Contains(body, `"flagged"`) {
		t.Errorf("got %s", body)
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheSigningCAIsWrittenBeforeTheURLIsPrinted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ca.pem")
	launch(t, "--token", "tok", "--write-ca", name)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) || bytes.Contains(text, []byte("KEY")) {
		t.Errorf("got %s", text)
	}
}

func TestACAOnDiskSignsAndTLSServes(t *testing.T) {
	ca, caKey, leaf, leafKey := authorityFiles(t)
	p := launch(t, "--token", "tok", "--ca-cert", ca, "--ca-key", caKey, "--tls-cert", leaf, "--tls-key", leafKey, "--cluster", "id="+clusterID+",name=demo")
	if !strings.HasPrefix(p.url, "https://") {
		t.Errorf("URL %s", p.url)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	status, body := p.send(client, "POST", certificate, `{"duration":1}`)
	var got struct {
		Users []struct {
			User struct {
				Cert []byte `json:"client-certificate-data"`
				Key  []byte `json:"client-key-data"`
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil {
		t.Fatalf("got %d %s, %v", status, body, err)
	}
	pair, err := tls.X509KeyPair(got.Users[0].User.Cert, got.Users[0].User.Key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tls.LoadX509KeyPair(ca, caKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Leaf.CheckSignatureFrom(signer.Leaf); err != nil {
		t.Error(err)
	}
}

func TestItEndsAtOnceAlsoWhileACallHangs(t *testing.T) {
	p := launch(t, "--token", "tok", "--cluster", "id="+clusterID+",name=demo")
	if status, body := p.send(http.DefaultClient, "POST", "/_sim/script", `{"faults":[{"name":"hang"}]}`); status != 204 {
		t.Fatalf("script: %d %s", status, body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+certificate, strings.NewReader(`{"duration":1}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", "tok")
	hung := make(chan error, 1)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			err = answer.Body.Close()
		}
		hung <- err
	}()
	for ledger := ""; !strings.Contains(ledger, `"fault":"hang"`); {
		_, ledger = p.send(http.DefaultClient, "GET", "/_sim/ledger", "")
	}
	if err := p.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if err := <-hung; err == nil {
		t.Error("the call was answered")
	}
}

func TestRequestsAreLoggedWithoutSecrets(t *testing.T) {
	p := launch(t, "--token", "tok", "--access-key", "AK", "--secret-key", "hidden", "--log-requests", "--cluster", "id="+clusterID+",name=demo")
	p.send(http.DefaultClient, "POST", certificate+"?a=b", `{"duration":1}`)
	log := p.log.String()
	for deadline := time.Now().Add(10 * time.Second); log == "" && time.Now().Before(deadline); log = p.log.String() {
		runtime.Gosched() // the line is written after the answer
	}
	if !strings.Contains(log, "method=POST") || !strings.Contains(log, "status=200") {
		t.Errorf("got %s", log)
	}
	for _, secret := range []string{"tok", "hidden", "a=b", "LS0t"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log: %s", secret, log)
		}
	}
}
