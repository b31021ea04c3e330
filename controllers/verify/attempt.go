// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

const (
	reviewPath  = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	versionPath = "/version"
	reviewBody  = `{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}`
	// maxHeader and maxBody bound an answer. A review has about 1 KiB.
	maxHeader = 64 << 10
	maxBody   = 64 << 10
	// maxRequest is more than a request has. A connection is for one, so its buffers need not be larger.
	maxRequest = 1 << 10
)

var errTooLarge = errors.New("the answer is too large")

// exchange is one request over one connection, and what is known of how far it came. The goroutines of the transport
// write to it.
type exchange struct {
	target    *target
	phase     atomic.Int32
	proxied   atomic.Bool
	proxyTLS  atomic.Bool
	proxyCode atomic.Int32
	// asked is set once the server wanted the certificate.
	asked atomic.Bool

	code int
	body []byte
}

// attempt asks for the user, and for the version where the former cannot be asked. It leaves nothing behind: the end of
// its context closes what is still open.
func (p *Prober) attempt(ctx context.Context, t *target) finding {
	ctx, cancel := context.WithTimeout(ctx, p.options.Attempt)
	defer cancel()
	review := &exchange{target: t}
	if err := p.send(ctx, review, http.MethodPost, reviewPath, reviewBody); err != nil {
		return review.unanswered(ctx, err)
	}
	if found, told := review.judgeReview(); told {
		return found
	}
	version := &exchange{target: t}
	if err := p.send(ctx, version, http.MethodGet, versionPath, ""); err != nil {
		return version.unanswered(ctx, err)
	}
	return version.judgeVersion()
}

// send makes one round trip, which follows no redirect.
func (p *Prober) send(ctx context.Context, x *exchange, method, path, body string) error {
	ctx = x.traced(ctx)
	request, err := http.NewRequestWithContext(ctx, method, x.target.server+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", p.options.UserAgent)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := p.newTransport(ctx, x).RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	x.code = answer.StatusCode
	return x.read(answer.Body)
}

// read takes a body only where it says more than the code. It is not read to the end otherwise, since the connection is
// not used again.
func (x *exchange) read(body io.Reader) (err error) {
	switch {
	case isSuccess(x.code):
		x.body, err = readBounded(body)
	case x.code == http.StatusForbidden:
		x.body, _ = readBounded(body) // without it the code still counts
	}
	return err
}

func isSuccess(code int) bool { return code >= 200 && code <= 299 }

func readBounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errTooLarge
	}
	return body, nil
}
