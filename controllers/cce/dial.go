// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

const (
	defaultTimeout   = 10 * time.Second
	defaultUserAgent = "clustercredential-operator"

	giveIAM = "(--iam-endpoint, or spec.endpoints.iam of a ClusterCloudAccount)"
)

// Options say how the clouds of all accounts are reached. The proxy comes from
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the process, as in every Go program.
type Options struct {
	// CCEEndpoint is the address of CCE, such as https://cce.eu-de.otc.t-systems.com:
	// scheme and host only, http for loopback addresses only. Empty: that of the region.
	CCEEndpoint string
	// IAMEndpoint is the address of IAM, in the same form. Empty: that of the region, or
	// with a CCEEndpoint the host beside it (cce.eu-de… → iam.eu-de…), so that a token
	// for one cloud is never shown to another. Used to look up project ids, and for logins
	// with OIDC.
	IAMEndpoint string
	// RootCAs are the authorities that are trusted. Nil: those of the system.
	RootCAs *x509.CertPool
	// UserAgent is added to the SDK's own, such as clustercredential-operator/1.0.0.
	// Printable ASCII. Empty: clustercredential-operator.
	UserAgent string
	// Timeout bounds one call of a Cloud, the look-up of its project included. Zero: 10s.
	Timeout time.Duration
	// DialContext opens every connection to CCE and IAM. Nil: over the network, in 5s at the most.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dialer makes the Cloud of an account. Its clouds share a transport if they trust the
// same authorities, the project ids that were looked up, and the temporary keys that
// were obtained in one way. It is safe for use by several goroutines.
type Dialer struct {
	cceEndpoint, iamEndpoint string
	userAgent                string
	timeout                  time.Duration
	transport                *http.Transport
	transports               bounded[[sha256.Size]byte, *http.Transport]
	projects                 projectCache
	sources                  bounded[sourceID, *source]
}

var _ issuer.Dialer = (*Dialer)(nil)

// Format keeps the keys that were obtained out of every fmt verb: a verb that does not
// fit shows what pointers point to, however deep.
func (d *Dialer) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "cce dialer") }

// New checks the options and makes a Dialer. Its errors name the option.
func New(options Options) (*Dialer, error) {
	d := &Dialer{userAgent: options.UserAgent, timeout: options.Timeout}
	var err error
	if d.cceEndpoint, err = parseEndpoint(options.CCEEndpoint); err != nil {
		return nil, fmt.Errorf("CCE endpoint: %w", err)
	}
	if d.iamEndpoint, err = parseEndpoint(options.IAMEndpoint); err != nil {
		return nil, fmt.Errorf("IAM endpoint: %w", err)
	}
	if d.userAgent == "" {
		d.userAgent = defaultUserAgent
	}
	if !isPrintable(d.userAgent) {
		return nil, errors.New("user agent: write printable ASCII")
	}
	if d.timeout < 0 {
		return nil, errors.New("timeout: write a positive duration, or 0 for 10s")
	}
	if d.timeout == 0 {
		d.timeout = defaultTimeout
	}
	guardLocalKeys()
	d.transports.limit, d.sources.limit = maxTransports, maxSources
	d.transport = newTransport(options.RootCAs)
	if options.DialContext != nil {
		d.transport.DialContext = options.DialContext
	}
	return d, nil
}

// Dial checks the access and makes its Cloud, without any call: it costs about a
// microsecond, and a hash of the authorities, so that every reconcile can dial with the
// key that it just read. The addresses of the access win over those of the Options.
func (d *Dialer) Dial(access issuer.Access) (issuer.Cloud, error) {
	if !isRegion(access.Region) {
		return nil, rejected("region must be an id such as ap-southeast-3")
	}
	if access.ProjectID != "" && !isProjectID(access.ProjectID) {
		return nil, rejected("projectID must be 32 lower-case hex digits, or empty to be looked up")
	}
	if err := checkKey(access.Key); err != nil {
		return nil, err
	}
	a := &account{dialer: d, region: access.Region, projectID: access.ProjectID, key: cloneKey(access.Key)}
	var err error
	if a.at, a.transport, err = d.locate(access.Region, access.Endpoints); err != nil {
		return nil, err
	}
	switch {
	case a.at.iam == "" && a.projectID == "":
		return nil, rejected("projectID is needed, since no IAM endpoint is known to look it up " + giveIAM)
	case a.at.iam == "" && a.key.Keyless.Method == issuer.OIDC:
		return nil, rejected("oidc logs in at IAM, of which no endpoint is known " + giveIAM)
	}
	a.source = d.sourceOf(a)
	return a, nil
}

// cloneKey keeps a key from changing with the buffers of the caller.
func cloneKey(key issuer.Key) issuer.Key {
	return issuer.Key{
		ID:            key.ID,
		Secret:        bytes.Clone(key.Secret),
		SecurityToken: bytes.Clone(key.SecurityToken),
		Token:         bytes.Clone(key.Token),
		Keyless:       key.Keyless,
	}
}
