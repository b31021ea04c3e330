// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// maxRetryAfter bounds what the remote side can make an account wait.
const maxRetryAfter = time.Hour

// unanswered names why no whole answer came. Texts of the network stay inside, since
// they hold addresses and, with a proxy, passwords.
func unanswered(op operation, one *attempt) *issuer.Error {
	if err := one.ctx.Err(); err != nil {
		message := "no connection to " + op.service + " in time: check the endpoint, the proxy and network policies"
		switch {
		case errors.Is(err, context.Canceled):
			message = "the call to " + op.service + " was cancelled"
		case one.sent.Load():
			message = op.service + " did not answer in time"
		}
		return &issuer.Error{Kind: issuer.Unavailable, Message: message, Err: err}
	}
	return &issuer.Error{Kind: issuer.Unavailable, Message: whyUnanswered(op, one)}
}

func whyUnanswered(op operation, one *attempt) string {
	endpoint := "the " + op.service + " endpoint"
	var (
		unknownCA   x509.UnknownAuthorityError
		wrongName   x509.HostnameError
		certificate *tls.CertificateVerificationError
		noTLS       tls.RecordHeaderError
		name        *net.DNSError
		network     net.Error
	)
	switch {
	case errors.As(one.err, &unknownCA):
		return "the certificate of " + endpoint + " is not signed by a known authority: " +
			"give the CA with --ca-bundle, or spec.endpoints.caBundle of a ClusterCloudAccount"
	case errors.As(one.err, &wrongName):
		return "the certificate of " + endpoint + " is for another name: check the endpoint"
	case errors.As(one.err, &certificate):
		return "the certificate of " + endpoint + " is not valid: check it and the clock of this machine"
	case errors.As(one.err, &noTLS):
		return endpoint + " does not speak TLS: check it"
	case errors.As(one.err, &name):
		return "the name of " + endpoint + " cannot be resolved: check the region, the endpoint and DNS"
	case one.sent.Load():
		return op.service + " broke off the connection before its answer was complete"
	case errors.As(one.err, &network):
		return "no connection to " + op.service + ": check the endpoint, the proxy and network policies"
	}
	return op.service + " could not be asked: check the endpoint and the proxy"
}

// retryAfter reads seconds, which CCE writes with a fraction ("56.818"), or a date,
// which counts from the Date of the same answer, so that no clock must agree.
func (a *attempt) retryAfter() time.Duration {
	text := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(seconds) {
		seconds = min(max(seconds, 0), maxRetryAfter.Seconds())
		return time.Duration(seconds * float64(time.Second))
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}
