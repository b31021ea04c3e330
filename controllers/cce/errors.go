// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"errors"
	"net/http"

	"github.com/clustercredential/operator/controllers/issuer"
)

// unusable is an answer that says success and cannot be used. The text is ours.
type unusable string

// Error returns the text.
func (u unusable) Error() string { return string(u) }

// rejected is for what is refused before any request.
func rejected(message string) *issuer.Error {
	return &issuer.Error{Kind: issuer.Rejected, Message: message}
}

// failure names what went wrong with a call. Only the attempt counts, by its status
// first: of the SDK's error nothing is shown, since it may quote the answer.
func failure(op operation, one *attempt, err error) *issuer.Error {
	var e *issuer.Error
	switch {
	case one.status == 0 || one.isSuccess() && one.err != nil && !errors.Is(one.err, errTooLarge):
		e = unanswered(op, one)
	case one.isSuccess():
		e = &issuer.Error{Kind: issuer.InvalidResponse, Message: op.service + ": " + whyUnusable(one, err)}
	default:
		code := one.code()
		e = &issuer.Error{Code: code}
		e.Kind, e.Message = judge(op, one.status, code)
	}
	if e.Err == nil && one.err != nil {
		e.Err = one.ctx.Err()
	}
	e.Status, e.RequestID, e.RetryAfter = one.status, one.requestID(), one.retryAfter()
	e.MayHaveIssued = op.issues && one.sent.Load() && !isClientError(one.status)
	return e
}

func whyUnusable(one *attempt, err error) string {
	if errors.Is(one.err, errTooLarge) {
		return "the answer is larger than 1 MiB"
	}
	if own, ok := errors.AsType[unusable](err); ok {
		return own.Error()
	}
	return "the answer cannot be read: check the endpoint"
}

func isClientError(status int) bool { return status >= 400 && status <= 499 }

// judge says what to do about a refusal: the status decides, and the code refines it,
// since the same code comes in two dialects or not at all.
func judge(op operation, status int, code string) (issuer.Kind, string) {
	switch {
	case status >= 500 && status <= 599:
		return issuer.Unavailable, op.service + " cannot answer now"
	case !isClientError(status):
		return issuer.InvalidResponse, op.service + " answers neither yes nor no: check the endpoint"
	}
	if verdict, ok := byCode[code]; ok && status != http.StatusUnauthorized {
		return verdict.kind, verdict.message
	}
	switch status {
	case http.StatusUnauthorized:
		return issuer.Unauthorized, op.service + " does not accept the key: check that it is right, active, " +
			"not expired and of this region, and that the clock of this machine is right"
	case http.StatusForbidden, http.StatusPaymentRequired:
		return issuer.Forbidden, "the key may not do this: " + op.grant + "; see " + rightsPage
	case http.StatusNotFound, http.StatusGone:
		return issuer.NotFound, op.missing
	case http.StatusConflict, http.StatusLocked:
		return issuer.NotAvailable, "the cluster is busy with something else"
	case http.StatusTooManyRequests:
		return issuer.Throttled, op.service + " limits the requests of this account"
	case http.StatusProxyAuthRequired:
		return issuer.Unavailable, "the proxy wants a login: check HTTPS_PROXY"
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return issuer.Unavailable, op.service + " did not take the request in time"
	}
	if code == "" {
		// Such as a page of a proxy. It is asked again, since Rejected would be for good.
		return issuer.Unavailable, "something before " + op.service + " refuses the request without a code: " +
			"check the endpoint and the proxy"
	}
	return issuer.Rejected, op.service + " refuses the request: " + op.advice()
}

// advice says what may be wrong with a request.
func (op operation) advice() string {
	if op.issues {
		return "check the validity (days: -1 is the longest that is granted) and the version of the cluster"
	}
	return "check the cluster, the project and the region"
}
