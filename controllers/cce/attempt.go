// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/response"
)

var (
	errNoAnswer = errors.New("no whole answer")
	errRefused  = errors.New("the answer is not 2xx")
	errTooLarge = errors.New("the answer is too large")
)

// attempt is one wire request of the SDK. It is the SDK's http.RoundTripper and its
// error handler for one call: so it gives the call a context, which the SDK lacks,
// hands the SDK a whole and bounded answer, and keeps what really happened, since
// the SDK's errors lose the status and quote the body, which may hold a private key.
type attempt struct {
	ctx       context.Context
	transport http.RoundTripper
	reduce    func([]byte) []byte

	used bool
	// sent is set by the goroutines of the transport.
	sent   atomic.Bool
	status int
	header http.Header
	body   []byte
	// err is why there is no whole answer.
	err error
}

// RoundTrip sends the request once and reads the answer to its end.
func (a *attempt) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.used {
		return nil, errNoAnswer
	}
	a.used = true
	answer, err := a.transport.RoundTrip(a.outgoing(r))
	if err != nil {
		a.err = err
		return nil, errNoAnswer
	}
	defer func() { _ = answer.Body.Close() }()
	a.status, a.header = answer.StatusCode, answer.Header
	if a.body, a.err = readBounded(answer.Body); a.err != nil && a.isSuccess() {
		return nil, errNoAnswer
	}
	return a.forSDK(r), nil
}

// outgoing binds the request to the context, and keeps any http.Transport from sending
// it again: one that keeps connections does so when the body can be had anew or is
// known to be empty (http.Request.isReplayable), so neither is left true.
func (a *attempt) outgoing(r *http.Request) *http.Request {
	ctx := httptrace.WithClientTrace(a.ctx, &httptrace.ClientTrace{
		// From here on bytes may have left. Dialing, the proxy and TLS come before.
		GotConn: func(httptrace.GotConnInfo) { a.sent.Store(true) },
	})
	out := r.WithContext(ctx)
	out.GetBody = nil
	if r.Body != nil {
		out.Body = struct{ io.ReadCloser }{r.Body}
	}
	return out
}

// forSDK is the answer as the SDK may see it: the content type would let the remote
// side pick another decoder (XML, BSON), and other headers would become fields.
func (a *attempt) forSDK(r *http.Request) *http.Response {
	body := a.body
	if a.isSuccess() && a.reduce != nil {
		body = a.reduce(body)
	}
	return &http.Response{
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}

// HandleError makes the SDK stop at everything that is not 2xx; its own handlers let
// 3xx pass as success.
func (a *attempt) HandleError(*request.DefaultHttpRequest, *response.DefaultHttpResponse) error {
	if a.isSuccess() {
		return nil
	}
	return errRefused
}

func (a *attempt) isSuccess() bool { return a.status >= 200 && a.status <= 299 }

func readBounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		return nil, errTooLarge
	}
	return body, err
}
