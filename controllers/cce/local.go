// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"sync"
)

// maxLocalAnswer bounds the answers of pod identity and the metadata service. They have about 2 KiB.
const maxLocalAnswer = 64 << 10

// errRedirect is what becomes of a redirect: it would be followed with the token.
var errRedirect = errors.New("a redirect is not followed")

// localTransport carries what is asked within the Pod or its node for a temporary key, and leaves everything else to others. The SDK
// gives no way to choose a transport there and takes http.DefaultTransport, which would go through a proxy, keep connections, log parts of
// answers that come late, and take answers of any length; its clients would follow redirects.
type localTransport struct {
	others http.RoundTripper
	direct *http.Transport
}

// direct goes straight to its addresses, with a connection for each request.
var direct = func() *http.Transport {
	transport := newTransport(nil)
	transport.Proxy = nil
	return transport
}()

// guardLocalKeys puts the transport into the place where the SDK looks for one.
var guardLocalKeys = sync.OnceFunc(func() {
	http.DefaultTransport = &localTransport{others: http.DefaultTransport, direct: direct}
})

// RoundTrip makes a request.
func (t *localTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !givesKeys(r.URL) {
		return t.others.RoundTrip(r)
	}
	answer, err := t.direct.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 && answer.StatusCode <= 399 {
		_ = answer.Body.Close()
		return nil, errRedirect
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxLocalAnswer)
	return answer, nil
}

// givesKeys tells whether an address is that of the metadata service, or the one that CCE has put into the Pod.
func givesKeys(at *url.URL) bool {
	return at.Scheme+"://"+at.Host == metadataAddress || at.String() == os.Getenv(podIdentityURI)
}
