// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"encoding/json"
	"regexp"

	"github.com/clustercredential/operator/controllers/issuer"
)

type verdict struct {
	kind    issuer.Kind
	message string
}

const (
	wrongState   = "the cluster's state does not allow this now"
	wrongAddress = "endpoint or region is wrong: the gateway does not know this API"
	inArrears    = "the account is frozen or in arrears: settle it in the console"
)

// byCode holds the codes that mean something else than the status of the answer.
// Sources: CCE "Error codes", API Gateway "Error codes" (APIG. is its older prefix).
var byCode = map[string]verdict{
	"CCE.01400023": {issuer.NotAvailable, wrongState},
	"CCE.01400024": {issuer.NotAvailable, wrongState},
	"CCE.01403003": {issuer.NotAvailable, wrongState},
	"CCE.01403004": {issuer.NotAvailable, wrongState},
	"CCE.01403005": {issuer.NotAvailable, wrongState},
	"CCE.01403006": {issuer.NotAvailable, wrongState},
	"CCE.01403007": {issuer.NotAvailable, wrongState},
	"CCE.01403009": {issuer.NotAvailable, wrongState},
	"CCE.01403002": {issuer.Forbidden, "the account is restricted: see the console"},
	"CCE.01403008": {issuer.Forbidden, "CCE lacks its agency: authorize it in the console"},
	"CCE.01429004": {issuer.Forbidden, inArrears},
	"APIGW.0502":   {issuer.Forbidden, inArrears},
	"APIG.0502":    {issuer.Forbidden, inArrears},
	"APIGW.0101":   {issuer.NotFound, wrongAddress},
	"APIG.0101":    {issuer.NotFound, wrongAddress},
}

// codeForm is what CCE, IAM and the gateway write: CCE.01404001, CCE_CM.0003. Nothing
// else is kept, since anything may stand there; an access key is longer than the first
// part, and has no second.
var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,15}(\.[0-9]{1,10}){1,2}$`)

// requestIDForm is a UUID or plain hex. A secret key is longer and has other letters.
var requestIDForm = regexp.MustCompile(`^[0-9a-fA-F-]{8,36}$`)

// code returns the error code of the answer, CCE's own before the gateway's if a body
// holds both (a 404 of a cluster says CCE.01404001 and CCE_CM.0003).
func (a *attempt) code() string {
	return a.field(codeForm, "errorCode", "error_code", "code")
}

// requestID returns the cloud's id of the call, from the header or else the body.
func (a *attempt) requestID() string {
	if id := a.header.Get("X-Request-Id"); requestIDForm.MatchString(id) {
		return id
	}
	if a.isSuccess() {
		return ""
	}
	return a.field(requestIDForm, "request_id", "requestId")
}

// field returns the first of these strings that has the form, from the top of an
// error's body or from the error within it ({"error": {…}}).
func (a *attempt) field(form *regexp.Regexp, names ...string) string {
	var outer map[string]json.RawMessage
	if json.Unmarshal(a.body, &outer) != nil {
		return ""
	}
	var inner map[string]json.RawMessage
	_ = json.Unmarshal(outer["error"], &inner)
	for _, object := range []map[string]json.RawMessage{outer, inner} {
		for _, name := range names {
			var value string
			if json.Unmarshal(object[name], &value) == nil && form.MatchString(value) {
				return value
			}
		}
	}
	return ""
}
