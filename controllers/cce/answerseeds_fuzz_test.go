// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// goodBodies are answers to each of fuzzOperations that are taken.
var goodBodies = []string{
	`{"clusters":[{"name":"c","cluster":{"server":"https://192.168.0.64:5443"}}],"current-context":"internal","Port-ID":"x","preferences":{}}`,
	`{"contexts":[]}`,
	`{"kind":"Cluster","metadata":{"name":"hub","uid":"` + testCluster + `","alias":"a"},
	  "status":{"phase":"Available","endpoints":[{"url":"https://192.168.0.64:5443","type":"Internal"},{"url":"http://203.0.113.1","type":"External"}]}}`,
	`{"kind":"List","items":[{"metadata":{"name":"hub","uid":"` + testCluster + `"},"status":{"endpoints":{"internal":"https://192.168.0.64:5443"}}},
	  {"metadata":{"name":"canary-remote"}}]}`,
	`{"items":[{"metadata":{"name":"hub","uid":"` + otherUUID + `"}}]}`,
	`{"kind":"List","items":null}`,
	`{"projects":[{"id":"` + testProject + `","name":"` + testRegion + `"},{"id":"x","name":"other"}]}`,
}

// badBodies are refused by every one of fuzzOperations, whatever the status.
var badBodies = []string{
	"", "null", "[]", `"canary-remote"`, "<html>canary-remote</html>", `{"clusters":"canary-remote","items":"x","projects":7,"metadata":[]}`,
	`{"items":[{"metadata":{"name":"hub","uid":"canary-remote"}}],"projects":[{"id":"../..","name":"` + testRegion + `"}]}`,
	`{"errorCode":"CCE.01403003","error_code":"APIGW.0301","request_id":"` + testRequest + `"}`,
	`{"error":{"code":"APIGW.0308","message":"canary-remote"}}`, `{"errorCode":"CANARYACCESSKEY"}`, `{"kind":"Status","code":403}`,
	strings.Repeat("[", 1000), `{"users":[{"user":{"client-key-data":` + strings.Repeat(`{"a":`, 200),
}

var fuzzStatuses = []int{100, 200, 201, 204, 302, 400, 401, 403, 404, 409, 418, 429, 500, 502}

func answerSeeds() []fuzzAnswer {
	var seeds []fuzzAnswer
	for operation, body := range goodBodies {
		seeds = append(seeds, fuzzAnswer{uint8(operation), 200, testRequest, "", "", []byte(body)})
	}
	for i, body := range badBodies {
		for operation := range fuzzOperations {
			status := fuzzStatuses[(i+operation)%len(fuzzStatuses)]
			seeds = append(seeds, fuzzAnswer{uint8(operation), status, "canary-remote", "", "", []byte(body)})
		}
	}
	for _, retry := range []string{"1", "56.818", "-1", "1e300", "NaN", "inf", "x", "Tue, 24 Nov 2026 12:00:30 GMT"} {
		seeds = append(seeds, fuzzAnswer{0, 429, "", retry, "Tue, 24 Nov 2026 12:00:00 GMT", nil})
	}
	seeds = append(seeds, fuzzAnswer{0, 201, "", "", "", wholeKubeconfig()})
	return append(seeds, fuzzAnswer{0, 200, "", "", "", []byte(`{"contexts":"` + strings.Repeat("x", maxBody) + `"}`)})
}

// fuzzNow is when certificates are looked at.
var fuzzNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// wholeKubeconfig is an answer that is fit to be published; its key is made now.
func wholeKubeconfig() []byte {
	public, key, errKey := ed25519.GenerateKey(rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(10), Subject: pkix.Name{CommonName: "user-1"}, NotBefore: fuzzNow, NotAfter: fuzzNow.Add(time.Hour),
	}
	der, errCertificate := x509.CreateCertificate(rand.Reader, template, template, public, key)
	keyDER, errEncode := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(errKey, errCertificate, errEncode); err != nil {
		panic(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	encode := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `{"clusters":[{"name":"c","cluster":{"server":"https://192.168.0.64:5443","certificate-authority-data":%q}}],
	  "users":[{"name":"u","user":{"client-certificate-data":%q,"client-key-data":%q}}],
	  "contexts":[{"name":"internal","context":{"cluster":"c","user":"u"}}]}`, encode(certificate), encode(certificate), encode(keyPEM))
}

func TestAWholeAnswerIsHandedOnWhole(t *testing.T) {
	a := fuzzAnswer{status: 201, body: wholeKubeconfig()}
	out, _ := a.call(t)
	if out.err != nil {
		t.Fatal(out.err)
	}
	if _, err := kubeconfig.Parse(out.issued.Kubeconfig, fuzzNow); err != nil {
		t.Fatalf("the oracle of FuzzAnswers compares nothing: %v", err)
	}
}

func TestTheAnswerSeedsReachBothSides(t *testing.T) {
	accepted, rejected := map[uint8]int{}, map[uint8]int{}
	for _, seed := range answerSeeds() {
		if out, _ := seed.call(t); out.err == nil {
			accepted[seed.operation]++
		} else {
			rejected[seed.operation]++
		}
	}
	for operation := range uint8(len(fuzzOperations)) {
		if accepted[operation] < 1 || rejected[operation] < 10 {
			t.Errorf("operation %d: %d seeds are accepted and %d rejected", operation, accepted[operation], rejected[operation])
		}
	}
}

// checkAnswer holds what is true of everything that is taken.
func checkAnswer(t *testing.T, a fuzzAnswer, out told) {
	t.Helper()
	if a.status < 200 || a.status > 299 {
		t.Fatalf("HTTP %d is a success", a.status)
	}
	switch {
	case a.operation < fuzzIssues:
		checkIssued(t, a, out.issued)
	case a.operation == fuzzProject:
		if !isProjectID(out.project) {
			t.Fatalf("project %q", out.project)
		}
	case a.operation < fuzzProject-1: // the one before is Check, which tells nothing
		checkFound(t, a, out.cluster)
	}
}

// checkIssued: what is handed on is one JSON object without what is no part of a
// kubeconfig, and comes to the same as what the cloud has sent.
func checkIssued(t *testing.T, a fuzzAnswer, issued issuer.Issued) {
	t.Helper()
	if issued.RequestID != "" && !requestIDForm.MatchString(issued.RequestID) {
		t.Fatalf("request %q", issued.RequestID)
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(issued.Kubeconfig.Reveal(), &document); err != nil || document == nil {
		t.Fatalf("not a JSON object: %v", err)
	}
	for _, name := range []string{"Port-ID", "preferences"} {
		if _, there := document[name]; there {
			t.Fatalf("%s is handed on", name)
		}
	}
	assertNoCanary(t, printed(issued))
	sent, errSent := kubeconfig.Parse(a.body, fuzzNow)
	handed, errHanded := kubeconfig.Parse(issued.Kubeconfig, fuzzNow)
	if errSent != nil || errHanded != nil {
		return // the SDK may read what we refuse, and the other way round
	}
	if diff := cmp.Diff(sent, handed); diff != "" {
		t.Fatalf("(-sent +handed on):\n%s", diff)
	}
}

// checkFound holds what is true of every cluster that is told of.
func checkFound(t *testing.T, a fuzzAnswer, cluster issuer.Cluster) {
	t.Helper()
	if !isClusterID(cluster.ID) || a.operation == fuzzByID && cluster.ID != testCluster || a.operation != fuzzByID && cluster.Name != "hub" {
		t.Fatalf("another cluster than asked for: %+v", cluster)
	}
	for _, text := range []string{cluster.Name, cluster.Alias, cluster.Phase} {
		if len(text) > 128 || !isPrintable(text) || strings.Contains(text, " ") {
			t.Fatalf("not a word: %q", text)
		}
	}
	for _, endpoint := range cluster.Endpoints {
		host, isHTTPS := strings.CutPrefix(endpoint.URL, "https://")
		if !isHTTPS || host == "" || strings.ContainsAny(host, "/?#@ ") {
			t.Fatalf("endpoint %q", endpoint.URL)
		}
	}
}
