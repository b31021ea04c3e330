// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer/algorithm"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"

	"github.com/clustercredential/operator/controllers/issuer"
)

// federate are the two calls of a login: an ID token for a token of IAM (OS-AUTH/id-token/tokens),
// and that for a key of six hours (OS-CREDENTIAL/securitytokens).
var federate = operation{service: iamService}

// federation logs in at IAM as a federated user, who is another one each time.
type federation struct {
	keyless   issuer.Keyless
	iam       string
	transport http.RoundTripper
	userAgent string
}

// key logs in. The IAM endpoint is always given, since the SDK would take it from
// HUAWEICLOUD_SDK_IAM_ENDPOINT otherwise.
func (f federation) key(ctx context.Context) (temporaryKey, error) {
	if fault := tokenFileFault(f.keyless.TokenFile); fault != "" {
		return temporaryKey{}, noneHere(issuer.OIDC, fault)
	}
	calls := &login{ctx: ctx, transport: f.transport, userAgent: f.userAgent}
	client := impl.NewDefaultHttpClient(&config.HttpConfig{
		RoundTripper:     calls,
		SigningAlgorithm: algorithm.GetDefaultSigningAlgorithm(),
	})
	credentials, err := obtained(func() (auth.ICredential, error) {
		made, err := basic.NewCredentialsBuilder().
			WithIdpId(f.keyless.IdpID).WithIdTokenFile(f.keyless.TokenFile).WithIamEndpointOverride(f.iam).SafeBuild()
		if err != nil {
			return nil, err
		}
		return made, made.ProcessSts(client)
	})
	if err != nil {
		return temporaryKey{}, calls.failure()
	}
	fresh, fault := read(credentials)
	if fault != "" {
		return temporaryKey{}, noKey(issuer.OIDC, fault)
	}
	return fresh, nil
}

// login makes the calls of a login like every other: each is an attempt, and the last
// one tells why there is no key.
type login struct {
	ctx       context.Context
	transport http.RoundTripper
	userAgent string
	last      *attempt
}

// Format keeps what was answered out of every fmt verb.
func (l *login) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "login") }

// RoundTrip makes one call. IAM wants to see a content type, which the SDK forgets in
// the second one. Of the headers the SDK uses the token only, and wants to see an id of
// the call, which not every cloud sends.
func (l *login) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", l.userAgent)
	r.Header.Set("Content-Type", "application/json;charset=utf8")
	l.last = &attempt{ctx: l.ctx, transport: l.transport}
	answer, err := l.last.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Header.Set("X-Subject-Token", l.last.header.Get("X-Subject-Token"))
	answer.Header.Set("X-Request-Id", "-")
	return answer, nil
}

// failure says why a login brought no key.
func (l *login) failure() *issuer.Error {
	one := l.last
	if one == nil {
		return noKey(issuer.OIDC, "no login could be tried")
	}
	var e *issuer.Error
	switch {
	case one.status == 0 || one.isSuccess() && one.err != nil && !errors.Is(one.err, errTooLarge):
		e = unanswered(federate, one)
		e.Message = string(issuer.OIDC) + " gives no key, since " + e.Message
	case one.isSuccess():
		e = noKey(issuer.OIDC, unreadable)
	case one.status == http.StatusTooManyRequests || !isClientError(one.status):
		_, message := judge(federate, one.status, "")
		e = noKey(issuer.OIDC, message)
	default:
		e = noneHere(issuer.OIDC, "IAM refuses the login")
	}
	e.Status, e.Code, e.RequestID = one.status, one.code(), one.requestID()
	return e
}
