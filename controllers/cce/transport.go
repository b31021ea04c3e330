// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

const (
	connectTimeout = 5 * time.Second
	// maxHeader and maxBody bound an answer. A kubeconfig has about 10 KiB, and a
	// cluster in a list about 4 KiB.
	maxHeader = 64 << 10
	maxBody   = 1 << 20
)

// newTransport makes a transport that all accounts of the same authorities share. Every call has a new
// connection, made cheap by resumed TLS sessions, since calls are few and a kept
// connection has three faults:
//
//   - one that died unseen leaves it unknown whether a certificate was issued, while
//     all that fails before a new one stands is known to have issued nothing;
//   - http.Transport sends a request again when a kept one breaks;
//   - http.Transport logs what arrives on an idle one, such as a part of an answer.
//
// HTTP/2 is off, since it has retry rules of its own. Compression is off, so that no
// small answer can unpack to a large one.
func newTransport(rootCAs *x509.CertPool) *http.Transport {
	http1 := &http.Protocols{}
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout: connectTimeout,
		TLSClientConfig: &tls.Config{
			RootCAs:            rootCAs,
			MinVersion:         tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(32),
		},
		Protocols:              http1,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
}
