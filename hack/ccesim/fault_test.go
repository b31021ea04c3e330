// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

// faultCase says what a caller of clustercert sees of a fault.
type faultCase struct {
	status int
	has    string // in the body; empty: an empty body
	mints  bool
	check  func(t *testing.T, s *sim, got reply)
}

// faultCases has the faults that answer something; those that end the
// connection have tests of their own.
func faultCases() map[ccesim.FaultName]faultCase {
	return map[ccesim.FaultName]faultCase{
		ccesim.FaultThrottled:     {status: 429, has: `"error_code":"APIGW.0308"`},
		ccesim.FaultUnauthorized:  {status: 401, has: `"error_code":"APIGW.0301"`},
		ccesim.FaultForbidden:     {status: 403, has: `"errorCode":"CCE.01403001"`},
		ccesim.FaultWrongState:    {status: 403, has: `"errorCode":"CCE.01403003"`},
		ccesim.FaultNotFound:      {status: 404, has: `"error_code":"CCE_CM.0003"`},
		ccesim.FaultWrongPath:     {status: 404, has: `"error_code":"APIGW.0101"`},
		ccesim.FaultConflict:      {status: 409, has: `"errorCode":"CCE.01409001"`},
		ccesim.FaultBadRequest:    {status: 400, has: `"errorCode":"CCE.01400001"`},
		ccesim.FaultServerError:   {status: 500, has: `"errorCode":"CCE.01500001"`},
		ccesim.FaultUnavailable:   {status: 503, has: `"error_code":"APIGW.0613"`},
		ccesim.FaultEmptyError:    {status: 500},
		ccesim.FaultBadGateway:    {status: 502, has: "<h1>502 Bad Gateway</h1>", check: hasContentType("text/html")},
		ccesim.FaultRedirect:      {status: 302, has: "302 Found", check: hasLocation},
		ccesim.FaultNoContent:     {status: 204},
		ccesim.FaultGarbage:       {status: 200, has: "not JSON at all", check: isNoJSON},
		ccesim.FaultEmptyObject:   {status: 200, has: "{}"},
		ccesim.FaultNoUser:        {status: 200, has: `"users":null`, mints: true},
		ccesim.FaultNoCertificate: {status: 200, has: `"user":{"client-key-data":`, mints: true},
		ccesim.FaultNoKey:         {status: 200, has: `"client-certificate-data":`, mints: true, check: hasNoKey},
		ccesim.FaultNoContexts:    {status: 200, has: `"contexts":null`, mints: true},
		ccesim.FaultInsecureOnly:  {status: 200, has: `"insecure-skip-tls-verify":true`, mints: true, check: isInsecureOnly},
		ccesim.FaultOtherServer:   {status: 200, has: "https://elsewhere.invalid:5443", mints: true, check: hasNoOwnServer},
		ccesim.FaultWrongKey:      {status: 200, has: `"kind":"Config"`, mints: true, check: keyDoesNotFit},
		ccesim.FaultExpired:       {status: 200, has: `"kind":"Config"`, mints: true, check: refusedAsClient},
		ccesim.FaultNotYetValid:   {status: 200, has: `"kind":"Config"`, mints: true, check: refusedAsClient},
		ccesim.FaultOtherCA:       {status: 200, has: `"kind":"Config"`, mints: true, check: refusedAsClient},
		ccesim.FaultNoClientAuth:  {status: 200, has: `"kind":"Config"`, mints: true, check: refusedAsClient},
		ccesim.FaultTruncated:     {status: 200, has: `{"kind":"Config"`, mints: true, check: isNoJSON},
		ccesim.FaultHugeBody:      {status: 200, has: `"kind":"Config"`, mints: true, check: isHuge},
		ccesim.FaultSlowDrip:      {status: 200, has: `"kind":"Config"`, mints: true, check: works},
		ccesim.FaultDelay:         {status: 200, has: `"kind":"Config"`, mints: true, check: works},
	}
}

// silentFaults end without an answer or in the middle of it.
func silentFaults() map[ccesim.FaultName]bool { // whether it mints
	return map[ccesim.FaultName]bool{
		ccesim.FaultCutOff: true, ccesim.FaultHang: false, ccesim.FaultHangAfter: true,
		ccesim.FaultDropBefore: false, ccesim.FaultDropAfter: true,
	}
}

func TestEveryFaultHasATestAndTellsTheTruthAboutMinting(t *testing.T) {
	for _, f := range ccesim.Faults() {
		answered, isAnswered := faultCases()[f.Name]
		mints, isSilent := silentFaults()[f.Name]
		if isAnswered == isSilent {
			t.Errorf("%s is in none or both of the tables", f.Name)
		}
		if f.Mints != (answered.mints || mints) || f.About == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestFaultsAnswerAsTheySayAndWearOff(t *testing.T) {
	for name, tc := range faultCases() {
		t.Run(string(name), func(t *testing.T) {
			s := start(t)
			s.script(ccesim.Fault{Name: name, Pause: 1e-6})
			got := s.issue(1)
			if got.status != tc.status || !strings.Contains(got.body, tc.has) || tc.has == "" && got.body != "" {
				t.Fatalf("got %d %.300q, want %d and %q", got.status, got.body, tc.status, tc.has)
			}
			if tc.check != nil {
				tc.check(t, s, got)
			}
			e := s.Ledger()[0]
			if e.Fault != name || e.Minted() != tc.mints || e.Status != tc.status || !e.Complete || !e.Finished {
				t.Errorf("ledger: %+v", e)
			}
			works(t, s, s.issue(1))
		})
	}
}

func TestConnectionsThatEndEarlyAreInTheLedger(t *testing.T) {
	for name, mints := range silentFaults() {
		t.Run(string(name), func(t *testing.T) {
			s := start(t)
			s.script(ccesim.Fault{Name: name})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if strings.HasPrefix(string(name), "hang") {
				go func() { s.until(func(e ccesim.Entry) bool { return e.Fault == name }); cancel() }()
			}
			got, err := s.send(s.signed("POST", certPath, body).WithContext(ctx))
			if err == nil {
				t.Fatalf("got %d %.100s", got.status, got.body)
			}
			e := s.until(func(e ccesim.Entry) bool { return e.Finished })
			if e.Fault != name || e.Minted() != mints || e.Complete || (e.Status == 200) != (name == ccesim.FaultCutOff) {
				t.Errorf("ledger: %+v", e)
			}
			works(t, s, s.issue(1))
		})
	}
}

// until returns the first entry as soon as it is as wanted.
func (s *sim) until(wanted func(ccesim.Entry) bool) ccesim.Entry {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if all := s.Ledger(); len(all) > 0 && wanted(all[0]) {
			return all[0]
		}
		time.Sleep(time.Millisecond)
	}
	s.t.Error("the ledger did not get there")
	return ccesim.Entry{}
}

func TestCutOffEndsInTheMiddleOfTheBody(t *testing.T) {
	s := start(t)
	s.script(ccesim.Fault{Name: ccesim.FaultCutOff})
	if got, err := s.send(s.signed("POST", certPath, body)); !errors.Is(err, io.ErrUnexpectedEOF) || len(got.body) == 0 {
		t.Errorf("got %.50q, %v", got.body, err)
	}
}

func TestExpiredAndEarlyCertificatesAreSoByTheClock(t *testing.T) {
	s := start(t)
	s.script(ccesim.Fault{Name: ccesim.FaultExpired}, ccesim.Fault{Name: ccesim.FaultNotYetValid})
	expired, _ := s.issue(1).kubeconfig(t).leaf(t)
	early, _ := s.issue(1).kubeconfig(t).leaf(t)
	if !expired.NotAfter.Before(s.clock.Now()) {
		t.Errorf("ends %v", expired.NotAfter)
	}
	if !early.NotBefore.After(s.clock.Now()) || !early.NotAfter.After(early.NotBefore) {
		t.Errorf("from %v to %v", early.NotBefore, early.NotAfter)
	}
	if got := s.Ledger()[0].NotAfter; !got.Equal(expired.NotAfter) {
		t.Errorf("the ledger says %v, the certificate %v", got, expired.NotAfter)
	}
}

func TestOtherOperationsCanGoWrongToo(t *testing.T) {
	for op, path := range map[ccesim.Op]string{
		ccesim.OpShow:      "/api/v3/projects/" + project + "/clusters/" + cluster,
		ccesim.OpList:      "/api/v3/projects/" + project + "/clusters",
		ccesim.OpEndpoints: "/api/v3/projects/" + project + "/clusters/" + cluster + "/openapi",
		ccesim.OpProjects:  "/v3/projects",
		ccesim.OpVersion:   "/",
	} {
		s := start(t)
		s.script(ccesim.Fault{Name: ccesim.FaultUnavailable, Op: op})
		if got := s.call("GET", path, ""); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", op, got.status, got.body)
		}
		if got := s.call("GET", path, ""); got.status != http.StatusOK {
			t.Errorf("%s afterwards: %d %s", op, got.status, got.body)
		}
	}
}
