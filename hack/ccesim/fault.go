// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"maps"
	"net/http"
	"strconv"
)

// FaultName names a kind of fault.
type FaultName string

// faultKind is what a fault does, at up to four points on the way of a call.
type faultKind struct {
	name  FaultName
	about string // one line for users
	// refusal is the error that is answered in place of the work.
	refusal func() *apiError
	// instead is what is answered in place of the work.
	instead func() answer
	// alter changes what the certificate will say.
	alter func(*Server, *issuance) error
	// rewrite changes the kubeconfig around the certificate.
	rewrite func(*Server, *kubeconfig) error
	// deliver puts the answer on the wire, or not.
	deliver func(*call, answer) delivery
	status  bool // answers with an error status, so Retry-After may come along
}

func (k faultKind) onlyCertificates() bool { return k.alter != nil || k.rewrite != nil }

// firedFault is a fault that hit a call; what is nil goes its usual way.
type firedFault struct {
	name    FaultName
	pause   float64
	instead func(*call) answer
	alter   func(*Server, *issuance) error
	rewrite func(*Server, *kubeconfig) error
	deliver func(*call, answer) delivery
}

func (k faultKind) fire(f Fault) firedFault {
	fired := firedFault{name: k.name, pause: f.Pause, alter: k.alter, rewrite: k.rewrite, deliver: k.deliver}
	switch {
	case k.refusal != nil:
		fired.instead = func(c *call) answer {
			e := k.refusal()
			if f.Dialect != "" {
				e.dialect = f.Dialect
			}
			return c.refuse(e).retryAfter(f.RetryAfter)
		}
	case k.instead != nil:
		fired.instead = func(*call) answer { return k.instead().retryAfter(f.RetryAfter) }
	}
	return fired
}

// retryAfter adds the header as the real API writes it: seconds with a
// fraction, which RFC 9110 does not allow.
func (a answer) retryAfter(seconds float64) answer {
	if seconds > 0 {
		header := map[string]string{"Retry-After": strconv.FormatFloat(seconds, 'f', 3, 64)}
		maps.Copy(header, a.header)
		a.header = header
	}
	return a
}

// html is what a proxy answers that never heard of JSON.
func html(status int, text string) answer {
	page := "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n"
	return answer{status: status, header: map[string]string{"Content-Type": "text/html"}, body: []byte(page)}
}

func redirect() answer {
	a := html(http.StatusFound, "302 Found")
	a.header["Location"] = "/" // a follower lands on the version document, with status 200
	return a
}
