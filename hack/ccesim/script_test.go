// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"slices"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestTheFirstFaultThatMatchesHits(t *testing.T) {
	s := start(t)
	other := ccesim.AccessKey{ID: "AK2", Secret: "SK2", UserID: "u2"}
	if err := s.SetKeys(key, other); err != nil {
		t.Fatal(err)
	}
	s.script(
		ccesim.Fault{Name: ccesim.FaultConflict, Cluster: autopilot},
		ccesim.Fault{Name: ccesim.FaultForbidden, AccessKey: "AK2", Times: ccesim.Forever},
		ccesim.Fault{Name: ccesim.FaultUnavailable, Op: ccesim.OpShow},
		ccesim.Fault{Name: ccesim.FaultThrottled, Times: 2},
		ccesim.Fault{Name: ccesim.FaultServerError},
	)
	var statuses []int
	for range 4 {
		statuses = append(statuses, s.issue(1).status)
	}
	if want := []int{429, 429, 500, 200}; !slices.Equal(statuses, want) {
		t.Errorf("got %v, want %v", statuses, want)
	}
	for range 3 {
		r := s.request("POST", certPath, body)
		sign(r, body, other, s.clock.Now())
		if got := s.mustSend(r); got.status != 403 {
			t.Errorf("the other key got %d", got.status)
		}
	}
	if left := s.Scripted(); len(left) != 3 {
		t.Errorf("left: %+v", left)
	}
	s.ClearScript()
	r := s.request("POST", certPath, body)
	sign(r, body, other, s.clock.Now())
	if got := s.mustSend(r); got.status != 200 {
		t.Errorf("after ClearScript the other key got %d", got.status)
	}
}

func TestRetryAfterIsInSecondsWithAFraction(t *testing.T) {
	s := start(t)
	s.script(
		ccesim.Fault{Name: ccesim.FaultThrottled, RetryAfter: 56.818},
		ccesim.Fault{Name: ccesim.FaultBadGateway, RetryAfter: 2},
		ccesim.Fault{Name: ccesim.FaultThrottled},
	)
	for i, want := range []string{"56.818", "2.000", ""} {
		if got := s.issue(1).header.Get("Retry-After"); got != want {
			t.Errorf("answer %d: Retry-After %q, want %q", i, got, want)
		}
	}
}

func TestErrorBodiesComeInTheDialectThatIsAskedFor(t *testing.T) {
	s := start(t)
	const message = "The throttling threshold has been reached: policy user over ratelimit"
	const cce = `"errorCode":"CCE.02429001","errorMessage":"` + message + `"`
	const gateway = `"error_code":"APIGW.0308","error_msg":"` + message + `"`
	for dialect, want := range map[ccesim.Dialect]string{
		ccesim.DialectCCE:  "{" + cce + "}",
		ccesim.DialectBoth: "{" + cce + "," + gateway + "}",
	} {
		s.script(ccesim.Fault{Name: ccesim.FaultThrottled, Dialect: dialect})
		if got := s.issue(1).body; got != want {
			t.Errorf("%s: got %s, want %s", dialect, got, want)
		}
	}
	for _, dialect := range []ccesim.Dialect{ccesim.DialectGateway, ""} {
		s.script(ccesim.Fault{Name: ccesim.FaultThrottled, Dialect: dialect})
		got := s.issue(1)
		if want := "{" + gateway + `,"request_id":"` + got.header.Get("X-Request-Id") + `"}`; got.body != want {
			t.Errorf("%q: got %s, want %s", dialect, got.body, want)
		}
	}
}

func TestFaultsThatCannotBeAreRefusedAsAWhole(t *testing.T) {
	for name, f := range map[string]ccesim.Fault{
		"an unknown name":                         {Name: "flood"},
		"no name":                                 {},
		"an unknown operation":                    {Name: ccesim.FaultHang, Op: "delete"},
		"a certificate's fault on another":        {Name: ccesim.FaultExpired, Op: ccesim.OpShow},
		"a negative number that is not Forever":   {Name: ccesim.FaultHang, Times: -2},
		"Retry-After on an answer of 200":         {Name: ccesim.FaultGarbage, RetryAfter: 1},
		"a negative Retry-After":                  {Name: ccesim.FaultThrottled, RetryAfter: -1},
		"a negative pause":                        {Name: ccesim.FaultDelay, Pause: -1},
		"an unknown dialect":                      {Name: ccesim.FaultThrottled, Dialect: "latin"},
		"a kubeconfig's fault on the IAM request": {Name: ccesim.FaultNoUser, Op: ccesim.OpProjects},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			if err := s.Script(ccesim.Fault{Name: ccesim.FaultThrottled}, f); err == nil {
				t.Error("it was taken")
			}
			if left := s.Scripted(); len(left) != 0 {
				t.Errorf("queued: %+v", left)
			}
		})
	}
}

func TestFaultsHitOnlyCallsThatAreAuthentic(t *testing.T) {
	s := start(t)
	s.script(ccesim.Fault{Name: ccesim.FaultServerError})
	if got := s.withWrongSecret(); got.status != 401 {
		t.Errorf("a wrong signature got %d", got.status)
	}
	if got := s.issue(1); got.status != 500 {
		t.Errorf("the next call got %d", got.status)
	}
}
