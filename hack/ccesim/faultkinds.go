// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import "net/http"

// The faults. What each does says Faults.
const (
	FaultThrottled     FaultName = "throttled"
	FaultUnauthorized  FaultName = "unauthorized"
	FaultForbidden     FaultName = "forbidden"
	FaultWrongState    FaultName = "wrong-state"
	FaultNotFound      FaultName = "not-found"
	FaultWrongPath     FaultName = "wrong-path"
	FaultConflict      FaultName = "conflict"
	FaultBadRequest    FaultName = "bad-request"
	FaultServerError   FaultName = "server-error"
	FaultEmptyError    FaultName = "empty-error"
	FaultBadGateway    FaultName = "bad-gateway"
	FaultUnavailable   FaultName = "unavailable"
	FaultRedirect      FaultName = "redirect"
	FaultNoContent     FaultName = "no-content"
	FaultGarbage       FaultName = "garbage"
	FaultEmptyObject   FaultName = "empty-object"
	FaultNoUser        FaultName = "no-user"
	FaultNoCertificate FaultName = "no-certificate"
	FaultNoKey         FaultName = "no-key"
	FaultNoContexts    FaultName = "no-contexts"
	FaultInsecureOnly  FaultName = "insecure-only"
	FaultOtherServer   FaultName = "other-server"
	FaultWrongKey      FaultName = "wrong-key"
	FaultExpired       FaultName = "expired"
	FaultNotYetValid   FaultName = "not-yet-valid"
	FaultOtherCA       FaultName = "other-ca"
	FaultNoClientAuth  FaultName = "no-client-auth"
	FaultTruncated     FaultName = "truncated-json"
	FaultCutOff        FaultName = "cut-off"
	FaultHugeBody      FaultName = "huge-body"
	FaultSlowDrip      FaultName = "slow-drip"
	FaultDelay         FaultName = "delay"
	FaultHang          FaultName = "hang"
	FaultHangAfter     FaultName = "hang-after"
	FaultDropBefore    FaultName = "drop-before"
	FaultDropAfter     FaultName = "drop-after"
)

// FaultDoc describes a fault.
type FaultDoc struct {
	// Name is the value of Fault.Name.
	Name FaultName `json:"name"`
	// About is one line of what it does.
	About string `json:"about"`
	// AnyOp tells that it may hit every operation, not only OpIssue.
	AnyOp bool `json:"anyOp"`
	// Mints tells that a certificate is made although the call fails or its
	// answer is bad, if the call is in order otherwise.
	Mints bool `json:"mints"`
}

// Faults lists all faults.
func Faults() []FaultDoc {
	kinds := faultKinds()
	docs := make([]FaultDoc, 0, len(kinds))
	for _, k := range kinds {
		docs = append(docs, FaultDoc{k.name, k.about, !k.onlyCertificates(), k.refusal == nil && k.instead == nil})
	}
	return docs
}

func faultKinds() []faultKind {
	var all []faultKind
	all = append(all, refusals()...)
	all = append(all, strangeAnswers()...)
	all = append(all, badKubeconfigs()...)
	all = append(all, badCertificates()...)
	return append(all, badDeliveries()...)
}

func refusals() []faultKind {
	refuse := func(name FaultName, about string, refusal func() *apiError) faultKind {
		return faultKind{name: name, about: about, refusal: refusal, status: true}
	}
	return []faultKind{
		refuse(FaultThrottled, "429 APIGW.0308; retryAfter adds Retry-After", throttled),
		refuse(FaultUnauthorized, "401 APIGW.0301, as for a wrong signature", wrongSignature),
		refuse(FaultForbidden, "403 CCE.01403001", noPermission),
		refuse(FaultWrongState, "403 CCE.01403003, as for a phase that allows no certificate", upgrading),
		refuse(FaultNotFound, "404 in both dialects, as for a missing cluster", notFound),
		refuse(FaultWrongPath, "404 APIGW.0101, as for a path that does not exist", noSuchAPI),
		refuse(FaultConflict, "409 CCE.01409001", conflict),
		refuse(FaultBadRequest, "400 CCE.01400001", scripted),
		refuse(FaultServerError, "500 CCE.01500001", serverError),
		refuse(FaultUnavailable, "503 APIGW.0613, as when IAM is down", iamUnavailable),
	}
}

func wrongSignature() *apiError { return incorrectIAM("verify aksk signature fail") }
func noPermission() *apiError   { return forbidden("no permission for the operation") }
func upgrading() *apiError      { return wrongState("Upgrading") }
func scripted() *apiError       { return badRequest("scripted") }

func strangeAnswers() []faultKind {
	fixed := func(status int, body string) func() answer {
		return func() answer { return answer{status: status, body: []byte(body)} }
	}
	badGateway := func() answer { return html(http.StatusBadGateway, "502 Bad Gateway") }
	return []faultKind{
		{name: FaultEmptyError, about: "500 with an empty body", status: true, instead: fixed(http.StatusInternalServerError, "")},
		{name: FaultBadGateway, about: "502 with a page of HTML", status: true, instead: badGateway},
		{name: FaultRedirect, about: "302 to the version document", instead: redirect},
		{name: FaultNoContent, about: "204", instead: fixed(http.StatusNoContent, "")},
		{name: FaultGarbage, about: "200 with bytes that are no JSON", instead: fixed(http.StatusOK, "\x00\xff not JSON at all \xfe")},
		{name: FaultEmptyObject, about: "200 with {}", instead: fixed(http.StatusOK, "{}")},
	}
}
