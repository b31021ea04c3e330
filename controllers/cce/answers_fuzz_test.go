// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

// fuzzAnswer is an answer of the cloud to one call.
type fuzzAnswer struct {
	operation              uint8
	status                 int
	requestID, retry, date string
	body                   []byte
}

// canned is a transport that gives the same answer to every request, without a socket: a
// fuzzer would run out of ports.
type canned struct {
	fuzzAnswer
	requests []string
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	c.requests = append(c.requests, r.Method+" "+r.URL.String())
	header := http.Header{"Location": {"http://203.0.113.9/canary-remote"}, "Content-Type": {"application/xml"}}
	for name, value := range map[string]string{"X-Request-Id": c.requestID, "Retry-After": c.retry, "Date": c.date} {
		header.Set(name, value)
	}
	return &http.Response{StatusCode: c.status, Header: header, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r}, nil
}

// fuzzCloud is an account whose cloud gives one answer.
func fuzzCloud(t *testing.T, answer fuzzAnswer, project string) (issuer.Cloud, *canned) {
	t.Helper()
	const address = "http://127.0.0.1:1" // nobody listens there
	d := newDialer(t, Options{CCEEndpoint: address, IAMEndpoint: address})
	transport := &canned{fuzzAnswer: answer}
	d.transport.RegisterProtocol("http", transport)
	access := testAccess()
	access.ProjectID = project
	return dial(t, d, access), transport
}

// told is what a call came to, whatever it was about.
type told struct {
	issued  issuer.Issued
	cluster issuer.Cluster
	project string
	err     error
}

// fuzzOperations are the calls that an answer can be to.
var fuzzOperations = []struct {
	project string
	call    func(issuer.Cloud) told
}{
	{testProject, func(c issuer.Cloud) (out told) { out.issued, out.err = c.Issue(context.Background(), byDays); return }},
	{testProject, func(c issuer.Cloud) (out told) {
		out.issued, out.err = c.Issue(context.Background(), issuer.Request{ClusterID: testCluster, ClusterType: issuer.Autopilot, Days: -1})
		return
	}},
	{testProject, func(c issuer.Cloud) (out told) {
		out.cluster, out.err = c.ClusterByID(context.Background(), issuer.Standard, testCluster)
		return
	}},
	{testProject, func(c issuer.Cloud) (out told) {
		out.cluster, out.err = c.ClusterByName(context.Background(), issuer.Standard, "hub")
		return
	}},
	{testProject, func(c issuer.Cloud) (out told) {
		out.cluster, out.err = c.ClusterByName(context.Background(), issuer.Autopilot, "hub")
		return
	}},
	{testProject, func(c issuer.Cloud) told { return told{err: c.Check(context.Background())} }},
	{"", func(c issuer.Cloud) (out told) { out.project, out.err = c.Project(context.Background()); return }},
}

// The calls that issue come first.
const (
	fuzzIssues  = 2
	fuzzByID    = 2
	fuzzProject = 6
)

func (a fuzzAnswer) call(t *testing.T) (told, *canned) {
	t.Helper()
	operation := fuzzOperations[a.operation]
	cloud, transport := fuzzCloud(t, a, operation.project)
	return operation.call(cloud), transport
}

// FuzzAnswers gives any answer to any call. The oracles: one request, wherever an answer
// points to; an error that says in our words what the status means, and in the cloud's words
// nothing but a code and a request id of their form; a success that is about what was asked.
func FuzzAnswers(f *testing.F) {
	for _, a := range answerSeeds() {
		f.Add(a.operation, uint16(a.status), a.requestID, a.retry, a.date, a.body)
	}
	f.Fuzz(func(t *testing.T, operation uint8, status uint16, requestID, retry, date string, body []byte) {
		a := fuzzAnswer{operation % uint8(len(fuzzOperations)), 100 + int(status)%500, requestID, retry, date, body}
		if int(status) >= 100 && int(status) < 600 {
			a.status = int(status) // so that seeds read as they are
		}
		out, transport := a.call(t)
		if len(transport.requests) != 1 {
			t.Fatalf("not one request: %v", transport.requests)
		}
		if out.err != nil {
			checkAnswerError(t, a, out)
			return
		}
		checkAnswer(t, a, out)
	})
}

// checkAnswerError holds what is true of every error.
func checkAnswerError(t *testing.T, a fuzzAnswer, out told) {
	t.Helper()
	e := fault(t, out.err)
	if len(out.issued.Kubeconfig) > 0 || out.cluster.ID != "" || out.project != "" {
		t.Fatalf("an error, and yet %+v", out)
	}
	if e.Code != "" && !codeForm.MatchString(e.Code) || e.RequestID != "" && !requestIDForm.MatchString(e.RequestID) {
		t.Fatalf("code %q, request %q", e.Code, e.RequestID)
	}
	if e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter {
		t.Fatalf("to be tried again after %s", e.RetryAfter)
	}
	refused := a.status >= 400 && a.status <= 499
	if issues := a.operation < fuzzIssues; e.MayHaveIssued != (issues && !refused) {
		t.Fatalf("HTTP %d: may have issued is %v", a.status, e.MayHaveIssued)
	}
	checkKind(t, a, e)
	checkWords(t, a, e)
}

// checkKind says once more what a status means, where no code refines it.
func checkKind(t *testing.T, a fuzzAnswer, e *issuer.Error) {
	t.Helper()
	kinds := map[int]issuer.Kind{401: issuer.Unauthorized, 403: issuer.Forbidden, 404: issuer.NotFound, 409: issuer.NotAvailable, 429: issuer.Throttled}
	_, refined := byCode[e.Code]
	want, known := kinds[a.status]
	switch {
	case a.status >= 500:
		want, known = issuer.Unavailable, true
	case a.status < 200, a.status >= 300 && a.status < 400:
		want, known = issuer.InvalidResponse, true
	case known:
		known = !refined || a.status == 401
	}
	if known && e.Kind != want {
		t.Fatalf("HTTP %d, %s: %s, want %s", a.status, e.Code, e.Kind, want)
	}
	inBody := e.Kind == issuer.InvalidResponse || e.Kind == issuer.NotFound || e.Kind == issuer.Ambiguous || e.Kind == issuer.Rejected
	if a.status >= 200 && a.status < 300 && !inBody {
		t.Fatalf("HTTP %d is %s", a.status, e.Kind)
	}
}

// checkWords asks again with an answer of the same status that says the code alone: what
// is told may not depend on anything else in the answer.
func checkWords(t *testing.T, a fuzzAnswer, e *issuer.Error) {
	t.Helper()
	text := e.Error()
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) || len(text) > 400 {
		t.Fatalf("not a sentence of ours: %q", text)
	}
	assertNoCanary(t, text+printed(e))
	if a.status >= 200 && a.status < 300 {
		return
	}
	bare := fuzzAnswer{operation: a.operation, status: a.status, body: fmt.Appendf(nil, `{"errorCode":%q}`, e.Code)}
	out, _ := bare.call(t)
	again := fault(t, out.err)
	if again.Kind != e.Kind || again.Message != e.Message || again.Code != e.Code || again.Status != e.Status {
		t.Fatalf("%q, but the code alone says %q", e, again)
	}
	if a.retry == "" && e.RetryAfter != 0 {
		t.Fatalf("to be tried again after %s, which nobody said", e.RetryAfter)
	}
}
