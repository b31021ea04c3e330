// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// silent says the beginning of an answer, calls reached, and never ends.
func silent(beginning string, reached func()) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if beginning != "" {
			_, _ = io.WriteString(w, beginning)
			_ = http.NewResponseController(w).Flush()
		}
		reached()
		<-r.Context().Done()
	}
}

func TestEveryCallObeysItsContext(t *testing.T) {
	for place, beginning := range map[string]string{"before the answer": "", "within the body": `{"kind":`} {
		for name, call := range operations {
			for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
				t.Run(name+" "+place+" "+cause.Error(), func(t *testing.T) {
					eventually(t, func() string { return endDuring(t, call, beginning, cause, name == "Issue") })
				})
			}
		}
	}
}

// endDuring ends the context when the cloud has the request.
func endDuring(
	t *testing.T, call func(context.Context, issuer.Cloud) error, beginning string, cause error, unsure bool,
) string {
	ctx, end := newEnding(cause)
	var ended atomic.Pointer[time.Time]
	cloud := cloudAt(t, newFakeCloud(t, silent(beginning, func() {
		ended.Store(new(time.Now()))
		end()
	})).URL)
	err := call(ctx, cloud)
	took := time.Since(*ended.Load())
	e := fault(t, err)
	if e.Kind != issuer.Unavailable || !errors.Is(err, cause) || e.MayHaveIssued != unsure {
		t.Errorf("%v %+v", e.Kind, e)
	}
	if took > 100*time.Millisecond {
		return fmt.Sprintf("ended after %v", took)
	}
	return ""
}

func TestTheTimeoutOfTheOptionsBoundsACall(t *testing.T) {
	d := newDialer(t, Options{CCEEndpoint: newFakeCloud(t, silent("", func() {})).URL, Timeout: 30 * time.Millisecond})
	eventually(t, func() string {
		start := time.Now()
		if err := dial(t, d, testAccess()).Check(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took > 130*time.Millisecond {
			return fmt.Sprintf("took %v", took)
		}
		return ""
	})
}

func TestAnEndedContextMakesNoRequest(t *testing.T) {
	fake := newFakeCloud(t, answer(200, "{}"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, call := range operations {
		if e := fault(t, call(ctx, cloudAt(t, fake.URL))); e.MayHaveIssued || !errors.Is(e, context.Canceled) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if n := len(fake.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestADrippingBodyEndsAtTheDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		kind   issuer.Kind
		unsure bool
	}{
		"of a success":        {200, issuer.Unavailable, true},
		"of a refusal":        {403, issuer.Forbidden, false},
		"of a failing server": {502, issuer.Unavailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.status)
				for r.Context().Err() == nil {
					_, _ = io.WriteString(w, " ")
					_ = http.NewResponseController(w).Flush()
					time.Sleep(5 * time.Millisecond)
				}
			})
			eventually(t, func() string {
				ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
				defer cancel()
				start := time.Now()
				_, err := cloudAt(t, fake.URL).Issue(ctx, byDays)
				took, e := time.Since(start), fault(t, err)
				if e.Kind != test.kind || e.Status != test.status || e.MayHaveIssued != test.unsure ||
					!errors.Is(err, context.DeadlineExceeded) || took > 200*time.Millisecond {
					return fmt.Sprintf("after %v: %v %+v", took, e.Kind, e)
				}
				return ""
			})
		})
	}
}

func TestAnswersAreBounded(t *testing.T) {
	var written atomic.Int64
	endless := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			block := bytes.Repeat([]byte("x"), 64<<10)
			for range 1024 { // 64 MiB
				if _, err := w.Write(block); err != nil {
					return
				}
				written.Add(int64(len(block)))
			}
		}
	}
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, _ = packer.Write(bytes.Repeat([]byte(" "), 64<<20))
	_ = packer.Close()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		kind    issuer.Kind
		text    string
	}{
		"an endless success":         {endless(200), issuer.InvalidResponse, "larger than 1 MiB"},
		"an endless refusal":         {endless(403), issuer.Forbidden, "generateClientCredential"},
		"an endless server error":    {endless(500), issuer.Unavailable, "cannot answer now"},
		"a packed answer":            {answer(200, bomb.String(), "Content-Encoding", "gzip"), issuer.InvalidResponse, "cannot be read"},
		"a packed refusal":           {answer(404, bomb.String(), "Content-Encoding", "gzip"), issuer.NotFound, "no such cluster"},
		"a header that is too large": {answer(200, "{}", "X-Large", strings.Repeat("x", 1<<20)), issuer.Unavailable, "broke off"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cloudAt(t, newFakeCloud(t, test.handler).URL).Issue(context.Background(), byDays)
			e := fault(t, err)
			if e.Kind != test.kind || !strings.Contains(e.Message, test.text) {
				t.Errorf("%v %+v", e.Kind, e)
			}
			if n := written.Swap(0); n > 32<<20 { // what the buffers of the kernel take
				t.Errorf("%d bytes of the answer were taken", n)
			}
		})
	}
}
