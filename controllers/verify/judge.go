// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"encoding/json"
	"net/http"
	"strings"
)

// anonymous is whom kube-apiserver takes a request for that shows nothing.
const anonymous = "system:anonymous"

// What is read of an answer.
type (
	reviewAnswer struct {
		Kind   string `json:"kind"`
		Status struct {
			UserInfo struct {
				Username string `json:"username"`
			} `json:"userInfo"`
		} `json:"status"`
	}
	statusAnswer struct {
		Kind    string `json:"kind"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	versionAnswer struct {
		GitVersion string `json:"gitVersion"`
	}
)

// judgeReview is false where the answer leaves it open, and the version has to be asked for: before Kubernetes 1.28 the API
// is missing, and what refuses a POST without Kubernetes' words is something before the API server.
func (x *exchange) judgeReview() (finding, bool) {
	if found, told := x.judge(); told {
		return found, true
	}
	switch {
	case isSuccess(x.code):
		return x.judgeUser(), true
	case x.code == http.StatusNotFound, x.code == http.StatusMethodNotAllowed, x.code == http.StatusForbidden:
		return finding{}, false
	}
	return x.neither(), true
}

func (x *exchange) judgeUser() finding {
	var r reviewAnswer
	if json.Unmarshal(x.body, &r) != nil || r.Kind != "SelfSubjectReview" || r.Status.UserInfo.Username == "" {
		return x.foreign()
	}
	switch r.Status.UserInfo.Username {
	case anonymous:
		return refused(x.code, "the server takes the bearer of the certificate for anonymous")
	case x.target.commonName:
		return accepted(x.code, "the server accepts the certificate")
	}
	return accepted(x.code, "the server accepts the certificate, for another user than its common name says")
}

// judgeVersion takes a version for acceptance, although anybody may read it: kube-apiserver answers a certificate that it
// does not believe with 401 whatever is asked for, and the certificate was shown.
func (x *exchange) judgeVersion() finding {
	if found, told := x.judge(); told {
		return found
	}
	var v versionAnswer
	switch {
	case !isSuccess(x.code):
		return x.neither()
	case json.Unmarshal(x.body, &v) != nil || v.GitVersion == "":
		return x.foreign()
	}
	return accepted(x.code, "the server accepts the certificate, and cannot say for whom")
}

// judge tells what does not depend on what was asked for. A 403 in Kubernetes' words comes after authentication: it names
// the user, and only an anonymous one was not accepted.
func (x *exchange) judge() (finding, bool) {
	if !x.asked.Load() {
		// Neither yes nor no of such a server is about the certificate.
		return unreachable(x.code, "the server does not ask for a client certificate: something before the API server ends TLS"), true
	}
	switch x.code {
	case http.StatusUnauthorized:
		return refused(x.code, "the server does not accept the certificate"), true
	case http.StatusForbidden:
		return x.judgeForbidden()
	}
	return finding{}, false
}

func (x *exchange) judgeForbidden() (finding, bool) {
	var s statusAnswer
	if json.Unmarshal(x.body, &s) != nil || s.Kind != "Status" || s.Reason != "Forbidden" {
		return finding{}, false
	}
	if strings.Contains(s.Message, `"`+anonymous+`"`) {
		return refused(x.code, "the server takes the bearer of the certificate for anonymous"), true
	}
	return accepted(x.code, "the server accepts the certificate, and its user may not ask"), true
}

func (x *exchange) foreign() finding {
	return unreachable(x.code, "what answers is not a Kubernetes API server")
}

func (x *exchange) neither() finding {
	switch {
	case x.code >= 300 && x.code <= 399:
		return unreachable(x.code, "the server points elsewhere, where no client follows with a certificate")
	case x.code == http.StatusForbidden:
		return unreachable(x.code, "something before the API server refuses the request")
	case x.code == http.StatusTooManyRequests:
		return unreachable(x.code, "the server limits its requests")
	case x.code >= 500:
		return unreachable(x.code, "the server cannot answer now")
	}
	return unreachable(x.code, "the server answers neither yes nor no")
}
