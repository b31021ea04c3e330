// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

const (
	testProject = "0123456789abcdef0123456789abcdef"
	testCluster = "1f3a0000-0000-4000-8000-000000000001"
	otherUUID   = "1f3a0000-0000-4000-8000-000000000002"
	testRequest = "00112233445566778899aabbccddeeff"
	testRegion  = "eu-test-1"

	standardPath  = "/api/v3/projects/" + testProject + "/clusters"
	autopilotPath = "/autopilot/v3/projects/" + testProject + "/clusters"
)

// canaries must never be seen in a text of ours.
var canaries = []string{"CANARYACCESSKEY", "canary-secret", "canary-security-token", "canary-token", "canary-remote"}

func testKey() issuer.Key {
	return issuer.Key{ID: "CANARYACCESSKEY", Secret: issuer.Sensitive("canary-secret")}
}

func testAccess() issuer.Access {
	return issuer.Access{Region: testRegion, ProjectID: testProject, Key: testKey()}
}

var byDays = issuer.Request{ClusterID: testCluster, ClusterType: issuer.Standard, Days: 30}

// seen is one request that a fake cloud saw.
type seen struct {
	method, uri, body string
	header            http.Header
}

// fakeCloud answers every request with handler and remembers it.
type fakeCloud struct {
	*httptest.Server
	mutex sync.Mutex
	all   []seen
}

func newFakeCloud(t *testing.T, handler http.HandlerFunc) *fakeCloud {
	t.Helper()
	fake := &fakeCloud{}
	fake.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fake.mutex.Lock()
		fake.all = append(fake.all, seen{r.Method, r.RequestURI, string(body), r.Header.Clone()})
		fake.mutex.Unlock()
		handler(w, r)
	}))
	t.Cleanup(fake.Close)
	return fake
}

func (f *fakeCloud) requests() []seen {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return append([]seen(nil), f.all...)
}

// answer is a handler that always gives the same.
func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", testRequest)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func newDialer(t *testing.T, options Options) *Dialer {
	t.Helper()
	d, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func dial(t *testing.T, d *Dialer, access issuer.Access) issuer.Cloud {
	t.Helper()
	cloud, err := d.Dial(access)
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

// cloudAt is the cloud of the usual account at one address for CCE and IAM.
func cloudAt(t *testing.T, address string) issuer.Cloud {
	t.Helper()
	return dial(t, newDialer(t, Options{CCEEndpoint: address, IAMEndpoint: address}), testAccess())
}

// fault takes the *issuer.Error out of err, which must hold one.
func fault(t *testing.T, err error) *issuer.Error {
	t.Helper()
	e, ok := errors.AsType[*issuer.Error](err)
	if !ok {
		t.Fatalf("not an *issuer.Error: %T %v", err, err)
	}
	return e
}

// operations are all calls of a cloud, by name.
var operations = map[string]func(context.Context, issuer.Cloud) error{
	"Issue": func(ctx context.Context, c issuer.Cloud) error { _, err := c.Issue(ctx, byDays); return err },
	"Check": func(ctx context.Context, c issuer.Cloud) error { return c.Check(ctx) },
	"ClusterByID": func(ctx context.Context, c issuer.Cloud) error {
		_, err := c.ClusterByID(ctx, issuer.Standard, testCluster)
		return err
	},
	"ClusterByName": func(ctx context.Context, c issuer.Cloud) error {
		_, err := c.ClusterByName(ctx, issuer.Standard, "hub")
		return err
	},
}

// eventually runs f up to five times until it has nothing to complain about: what is
// measured in milliseconds may fail on a machine that is busy with something else.
func eventually(t *testing.T, f func() string) {
	t.Helper()
	var complaint string
	for range 5 {
		if complaint = f(); complaint == "" {
			return
		}
	}
	t.Error(complaint)
}

// ending is a context that ends with an error of choice when end is called.
type ending struct {
	context.Context
	done chan struct{}
	err  error
}

func newEnding(err error) (ctx *ending, end func()) {
	ctx = &ending{Context: context.Background(), done: make(chan struct{}), err: err}
	return ctx, sync.OnceFunc(func() { close(ctx.done) })
}

func (e *ending) Done() <-chan struct{} { return e.done }

func (e *ending) Err() error {
	select {
	case <-e.done:
		return e.err
	default:
		return nil
	}
}
