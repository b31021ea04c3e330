// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Dialect is one of the forms that error bodies have.
type Dialect string

// The dialects.
const (
	DialectCCE     Dialect = "cce"     // errorCode, errorMessage: CCE itself
	DialectGateway Dialect = "gateway" // error_code, error_msg, request_id: the API gateway before it
	DialectBoth    Dialect = "both"    // all of them, as seen for missing clusters
)

// unauthenticated is CCE's code for everyone who is not who they say.
const unauthenticated = "CCE.01401001"

// apiError is a refusal in the words of both dialects.
type apiError struct {
	status  int
	cce     string // code of CCE
	gateway string // code of the gateway
	message string
	dialect Dialect
}

type errorBody struct {
	ErrorCode    string `json:"errorCode,omitempty"`
	ErrorMessage string `json:"errorMessage,omitempty"`
	GatewayCode  string `json:"error_code,omitempty"`
	GatewayMsg   string `json:"error_msg,omitempty"`
	RequestID    string `json:"request_id,omitempty"`
}

func (e *apiError) body(requestID string) []byte {
	var b errorBody
	if e.dialect != DialectGateway {
		b.ErrorCode, b.ErrorMessage = e.cce, e.message
	}
	if e.dialect != DialectCCE {
		b.GatewayCode, b.GatewayMsg = e.gateway, e.message
	}
	if e.dialect == DialectGateway {
		b.RequestID = requestID
	}
	return encode(b)
}

// encode cannot fail for the types of this package: they hold strings, numbers
// and lists of them.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

func badRequest(why string) *apiError {
	return &apiError{http.StatusBadRequest, "CCE.01400001", "APIGW.0201", "Invalid request: " + why, DialectCCE}
}

func wrongContentType() *apiError {
	return &apiError{
		http.StatusBadRequest, "CCE.01400006", "APIGW.0201",
		"Invalid Content-Type: use application/json", DialectCCE,
	}
}

func bodyTooLarge() *apiError {
	return &apiError{
		http.StatusRequestEntityTooLarge, "CCE.01400001", "APIGW.0201",
		"Request body too large, limit " + strconv.Itoa(maxBody) + " bytes", DialectGateway,
	}
}

// incorrectIAM has the prefix of all answers to failed IAM authentication.
func incorrectIAM(why string) *apiError {
	return &apiError{
		http.StatusUnauthorized, unauthenticated, "APIGW.0301",
		"Incorrect IAM authentication information: " + why, DialectGateway,
	}
}

func signatureExpired(why string) *apiError {
	return &apiError{
		http.StatusUnauthorized, unauthenticated, "APIGW.0303",
		"Incorrect app authentication information: " + why, DialectGateway,
	}
}

func tokenExpired() *apiError {
	return &apiError{
		http.StatusUnauthorized, unauthenticated, "APIGW.0307",
		"The token must be updated.", DialectGateway,
	}
}

func forbidden(why string) *apiError {
	return &apiError{http.StatusForbidden, "CCE.01403001", "APIGW.0302", "Forbidden: " + why, DialectCCE}
}

// wrongState is an assumption: the documents do not say what clustercert
// answers in a phase like Hibernation.
func wrongState(phase string) *apiError {
	return &apiError{
		http.StatusForbidden, "CCE.01403003", "CCE_CM.0203",
		"The cluster does not allow the operation in phase " + phase, DialectCCE,
	}
}

// notFound has both dialects, as seen live; the documents show CCE's only.
func notFound() *apiError {
	return &apiError{http.StatusNotFound, "CCE.01404001", "CCE_CM.0003", "Resource not found", DialectBoth}
}

func noSuchAPI() *apiError {
	return &apiError{
		http.StatusNotFound, "CCE.01404001", "APIGW.0101",
		"The API does not exist or has not been published in the environment", DialectGateway,
	}
}

func conflict() *apiError {
	return &apiError{http.StatusConflict, "CCE.01409001", "CCE_CM.0009", "Resource conflict", DialectCCE}
}

func throttled() *apiError {
	return &apiError{
		http.StatusTooManyRequests, "CCE.02429001", "APIGW.0308",
		"The throttling threshold has been reached: policy user over ratelimit", DialectGateway,
	}
}

func serverError() *apiError {
	return &apiError{http.StatusInternalServerError, "CCE.01500001", "APIGW.0601", "Internal error", DialectCCE}
}

func iamUnavailable() *apiError {
	return &apiError{
		http.StatusServiceUnavailable, "CCE.01500001", "APIGW.0613",
		"Failed to connect to IAM", DialectGateway,
	}
}
