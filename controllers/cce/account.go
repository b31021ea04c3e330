// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer/algorithm"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"

	"github.com/clustercredential/operator/controllers/issuer"
)

// account is the Cloud of one account. It holds no connection and nothing that must
// be closed.
type account struct {
	dialer            *Dialer
	region, projectID string
	at                place
	transport         *http.Transport
	key               issuer.Key
	// source gives the keys of an account that has none itself; nil: key is the key.
	source *source
}

// Format keeps the key, its id included, out of every fmt verb: fmt does not call the
// methods of fields that are not exported.
func (a *account) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "cce account in "+a.region)
}

// bound gives a call its upper bound in time.
func (a *account) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.dialer.timeout)
}

// ask makes one call through the SDK. What send returns beside an unusable error is
// given back with the cloud's id of the call; everything that goes wrong becomes an
// *issuer.Error.
func ask[T any](
	ctx context.Context, a *account, op operation, projectID string, send func(*core.HcHttpClient) (T, error),
) (answer T, requestID string, err error) {
	key, err := a.signingKey(ctx)
	if err != nil {
		return answer, "", err
	}
	one := &attempt{ctx: ctx, transport: a.transport, reduce: op.reduce}
	endpoint := a.at.cce
	if op.service == iamService {
		endpoint = a.at.iam
	}
	client := core.NewHcHttpClient(impl.NewDefaultHttpClient(&config.HttpConfig{
		RoundTripper:     one,
		UserAgent:        a.dialer.userAgent,
		SigningAlgorithm: algorithm.GetDefaultSigningAlgorithm(),
	})).WithEndpoints([]string{endpoint}).WithCredential(credential(key, projectID)).WithErrorHandler(one)

	answer, err = recovered(client, send)
	if err != nil {
		var none T
		e := failure(op, one, err)
		if e.Kind == issuer.Unauthorized && a.source != nil {
			a.source.doubt(key)
			e.Obtained = true
			e.Message = op.service + " does not accept the key that " + string(a.source.method) + " gave; another one is obtained soon: " +
				whatToCheck[a.source.method]
		}
		return none, "", e
	}
	return answer, one.requestID(), nil
}

// signingKey is the key of the account, or the one that is obtained for it.
func (a *account) signingKey(ctx context.Context) (issuer.Key, error) {
	if a.source == nil {
		return a.key, nil
	}
	return a.source.key(ctx)
}

// recovered turns a panic of the SDK, which has many, into an error. The panic's text
// may quote the answer and is dropped.
func recovered[T any](client *core.HcHttpClient, send func(*core.HcHttpClient) (T, error)) (answer T, err error) {
	defer func() {
		if recover() != nil {
			err = unusable("the answer cannot be read")
		}
	}()
	return send(client)
}
