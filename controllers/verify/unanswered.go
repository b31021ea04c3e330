// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"
)

// unanswered names why no whole answer came. Texts of the network stay inside, since they hold addresses, names of the
// remote certificate and, with a proxy, words of its answer and passwords.
func (x *exchange) unanswered(ctx context.Context, err error) finding {
	if errors.Is(ctx.Err(), context.Canceled) {
		return unreachable(0, "the try was cancelled")
	}
	late := isTimeout(ctx, err)
	switch x.reached() {
	case dialing, resolving, connecting:
		return unreachable(0, x.notConnected(late, err))
	case atProxy:
		// The code stands in the text only: a 401 of a proxy says nothing of the certificate.
		code := int(x.proxyCode.Load())
		return unreachable(0, withCode(notThrough(late, code, err), code))
	case handshaking:
		return x.noHandshake(late, err)
	case answering:
		return unreachable(0, notAnswered(late, err))
	default:
		return unreachable(0, "the server could not be asked")
	}
}

func isTimeout(ctx context.Context, err error) bool {
	var network net.Error
	return ctx.Err() != nil || errors.As(err, &network) && network.Timeout()
}

func (x *exchange) notConnected(late bool, err error) string {
	whom := "the server"
	if x.proxied.Load() {
		whom = "the proxy"
	}
	_, unresolved := errors.AsType[*net.DNSError](err)
	switch {
	case late && x.reached() == resolving:
		return "the name of " + whom + " was not resolved in time: check DNS"
	case unresolved || x.reached() == resolving:
		return "the name of " + whom + " cannot be resolved: check it and DNS"
	case late:
		return "no connection to " + whom + " in time: check the address, firewalls and network policies"
	case errors.Is(err, syscall.ECONNREFUSED):
		return whom + " refuses the connection: check the address and whether the cluster runs"
	}
	return "no connection to " + whom + ": check the address, firewalls and network policies"
}

func notThrough(late bool, code int, err error) string {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case code == http.StatusProxyAuthRequired:
		return "the proxy wants a login"
	case code != 0:
		return "the proxy does not connect to the server"
	case late:
		return "the proxy did not connect to the server in time"
	case certificate:
		return "the certificate of the proxy does not pass: clients verify it like that of the server"
	}
	return "the proxy did not connect to the server: check its address and its kind"
}

func (x *exchange) noHandshake(late bool, err error) finding {
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return x.notVerified(verification)
	}
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case refusesInTLS(err):
		return unreachable(0, "the server breaks off the TLS handshake: it wants another certificate, or another version of TLS")
	case late:
		return unreachable(0, "no TLS handshake with the server in time")
	case noTLS:
		return unreachable(0, "the server does not speak TLS: check the port")
	}
	return unreachable(0, "the TLS handshake with the server failed")
}

// notVerified is worth another attempt where a server may be about to take up the certificate that was just signed for it.
func (x *exchange) notVerified(err error) finding {
	var why string
	again := true
	_, otherName := errors.AsType[x509.HostnameError](err)
	_, otherCA := errors.AsType[x509.UnknownAuthorityError](err)
	invalid, _ := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case otherName:
		why = "TLS: the certificate of the server is not for " + x.target.verifyFor
	case otherCA:
		why, again = "TLS: the certificate of the server is not signed by the CA of the credential", false
	case invalid.Cert != nil && invalid.Reason == x509.Expired:
		why = "TLS: the certificate of the server has expired or is not valid yet"
	default:
		why, again = "TLS: the certificate of the server does not pass", false
	}
	found := unreachable(0, why)
	found.ServerCertificate, found.again = true, again
	return found
}

func notAnswered(late bool, err error) string {
	switch {
	case errors.Is(err, errTooLarge):
		return "the answer of the server is larger than 64 KiB"
	case refusesInTLS(err):
		// In TLS 1.3 a client learns of it after its handshake.
		return "the server, or something before it, refuses the certificate during TLS"
	case late:
		return "the server did not answer in time"
	}
	return "the server broke off before its answer was complete, or does not speak HTTP"
}

// refusesInTLS tells an alert that came from the remote side.
func refusesInTLS(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && network.Op == "remote error"
}
