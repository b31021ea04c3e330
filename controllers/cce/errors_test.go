// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

func TestRefusalsOfAnIssue(t *testing.T) {
	const unsure = true
	for name, test := range map[string]struct {
		status int
		body   string
		kind   issuer.Kind
		code   string
		unsure bool
		text   string
	}{
		"an invalid request":                  {400, `{"errorCode":"CCE.01400001","errorMessage":"canary-remote"}`, issuer.Rejected, "CCE.01400001", false, "days: -1"},
		"an invalid parameter":                {400, `{"error_code":"CCE_CM.0004"}`, issuer.Rejected, "CCE_CM.0004", false, ""},
		"a body that the gateway refuses":     {413, `{"error_code":"APIGW.0201"}`, issuer.Rejected, "APIGW.0201", false, ""},
		"a version that is too old":           {400, `{"errorCode":"CCE.01400015"}`, issuer.Rejected, "CCE.01400015", false, "version"},
		"a 400 of a passing state":            {400, `{"errorCode":"CCE.01400023"}`, issuer.NotAvailable, "CCE.01400023", false, "state"},
		"a 400 without a code is asked again": {400, `<html>Bad Request</html>`, issuer.Unavailable, "", false, "proxy"},
		"an unknown 4xx without a code":       {418, ``, issuer.Unavailable, "", false, "proxy"},
		"a wrong key":                         {401, `{"error_code":"APIGW.0301","error_msg":"verify aksk signature fail"}`, issuer.Unauthorized, "APIGW.0301", false, "clock"},
		"a wrong key, at CCE":                 {401, `{"errorCode":"CCE.01401001"}`, issuer.Unauthorized, "CCE.01401001", false, ""},
		"a wrong key, old gateway":            {401, `{"error_code":"APIG.0301"}`, issuer.Unauthorized, "APIG.0301", false, ""},
		"a wrong key, whatever the code":      {401, `{"errorCode":"CCE.01403003"}`, issuer.Unauthorized, "CCE.01403003", false, ""},
		"a wrong key without a word":          {401, ``, issuer.Unauthorized, "", false, ""},
		"a key that may not":                  {403, `{"errorCode":"CCE.01403001"}`, issuer.Forbidden, "CCE.01403001", false, "cce:cluster:generateClientCredential"},
		"a key that may not, says Kubernetes": {403, `{"kind":"Status","code":403,"message":"canary-remote","reason":"Forbidden"}`, issuer.Forbidden, "", false, "CCE FullAccess lacks"},
		"a restricted account":                {403, `{"errorCode":"CCE.01403002"}`, issuer.Forbidden, "CCE.01403002", false, "restricted"},
		"no agency":                           {403, `{"errorCode":"CCE.01403008"}`, issuer.Forbidden, "CCE.01403008", false, "agency"},
		"a state that forbids it (3)":         {403, `{"errorCode":"CCE.01403003"}`, issuer.NotAvailable, "CCE.01403003", false, "state"},
		"a state that forbids it (4)":         {403, `{"errorCode":"CCE.01403004"}`, issuer.NotAvailable, "CCE.01403004", false, "state"},
		"a state that forbids it (5)":         {403, `{"errorCode":"CCE.01403005"}`, issuer.NotAvailable, "CCE.01403005", false, "state"},
		"a state that forbids it (6)":         {403, `{"errorCode":"CCE.01403006"}`, issuer.NotAvailable, "CCE.01403006", false, "state"},
		"a state that forbids it (7)":         {403, `{"errorCode":"CCE.01403007"}`, issuer.NotAvailable, "CCE.01403007", false, "state"},
		"a state that forbids it (9)":         {403, `{"errorCode":"CCE.01403009"}`, issuer.NotAvailable, "CCE.01403009", false, "state"},
		"no such cluster, in both dialects":   {404, `{"errorCode":"CCE.01404001","error_code":"CCE_CM.0003"}`, issuer.NotFound, "CCE.01404001", false, "no such cluster"},
		"no such cluster":                     {404, `{"error_code":"CCE_CM.0003"}`, issuer.NotFound, "CCE_CM.0003", false, "no such cluster"},
		"no such API":                         {404, `{"error_code":"APIGW.0101"}`, issuer.NotFound, "APIGW.0101", false, "endpoint or region is wrong"},
		"no such API, old gateway":            {404, `{"error_code":"APIG.0101"}`, issuer.NotFound, "APIG.0101", false, "endpoint or region is wrong"},
		"arrears":                             {405, `{"error_code":"APIGW.0502"}`, issuer.Forbidden, "APIGW.0502", false, "arrears"},
		"a method that is not known":          {405, `{"error_code":"APIGW.0201"}`, issuer.Rejected, "APIGW.0201", false, ""},
		"a proxy that wants a login":          {407, ``, issuer.Unavailable, "", false, "HTTPS_PROXY"},
		"a request that came too slowly":      {408, ``, issuer.Unavailable, "", false, ""},
		"a conflict":                          {409, `{"errorCode":"CCE.01409001"}`, issuer.NotAvailable, "CCE.01409001", false, "busy"},
		"a limit of the gateway":              {429, `{"error_code":"APIGW.0308"}`, issuer.Throttled, "APIGW.0308", false, "limits"},
		"a limit without a word":              {429, ``, issuer.Throttled, "", false, "limits"},
		"no money, which looks like a limit":  {429, `{"errorCode":"CCE.01429004"}`, issuer.Forbidden, "CCE.01429004", false, "arrears"},
		"a server error":                      {500, `{"errorCode":"CCE.01500001"}`, issuer.Unavailable, "CCE.01500001", unsure, "cannot answer now"},
		"a server error with a code of a 400": {500, `{"errorCode":"CCE.01400001"}`, issuer.Unavailable, "CCE.01400001", unsure, ""},
		"a page of a gateway":                 {502, `<html>canary-remote</html>`, issuer.Unavailable, "", unsure, ""},
		"IAM down":                            {503, `{"error_code":"APIGW.0613"}`, issuer.Unavailable, "APIGW.0613", unsure, ""},
		"a gateway's timeout":                 {504, ``, issuer.Unavailable, "", unsure, ""},
		"a redirect":                          {302, ``, issuer.InvalidResponse, "", unsure, "endpoint"},
		"not modified":                        {304, ``, issuer.InvalidResponse, "", unsure, "endpoint"},
		"a status out of this world":          {999, ``, issuer.InvalidResponse, "", unsure, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeCloud(t, answer(test.status, test.body))
			_, err := cloudAt(t, fake.URL).Issue(context.Background(), byDays)
			e := fault(t, err)
			if e.Kind != test.kind || e.Code != test.code || e.Status != test.status || e.MayHaveIssued != test.unsure {
				t.Errorf("%v %+v", e.Kind, e)
			}
			if e.RequestID != testRequest || !strings.Contains(e.Message, test.text) || e.Message == "" {
				t.Errorf("%+v", e)
			}
			assertNoCanary(t, err.Error())
			// A read says the same, but never that something was issued.
			read := fault(t, cloudAt(t, fake.URL).Check(context.Background()))
			if read.Kind != test.kind || read.MayHaveIssued {
				t.Errorf("a read: %v %+v", read.Kind, read)
			}
			if n := len(fake.requests()); n != 2 {
				t.Errorf("%d requests for two calls", n)
			}
		})
	}
}

func TestA403NamesTheActionToGrant(t *testing.T) {
	fake := newFakeCloud(t, answer(403, ""))
	for name, action := range map[string]string{
		"Issue": "cce:cluster:generateClientCredential", "ClusterByID": "cce:cluster:get",
		"ClusterByName": "cce:cluster:list", "Check": "cce:cluster:list",
	} {
		e := fault(t, operations[name](context.Background(), cloudAt(t, fake.URL)))
		if !strings.Contains(e.Message, action) {
			t.Errorf("%s: %q", name, e.Message)
		}
	}
}

func TestCodesAreTakenFromEveryDialect(t *testing.T) {
	for body, want := range map[string]string{
		`{"errorCode":"CCE.01400001","errorMessage":"x"}`:         "CCE.01400001",
		`{"error_code":"APIGW.0308","error_msg":"x"}`:             "APIGW.0308",
		`{"errorCode":"CCE.1","error_code":"CCE_CM.0003"}`:        "CCE.1",
		`{"errorCode":null,"error_code":"CCE_CM.0003"}`:           "CCE_CM.0003",
		`{"errorCode":"no code","error_code":"CCE_CM.0003"}`:      "CCE_CM.0003",
		`{"code":"IAM.0101","message":"x"}`:                       "IAM.0101",
		`{"code":403,"message":"x"}`:                              "",
		`{"error":{"code":"CCE.01400001","message":"x"}}`:         "CCE.01400001",
		`{"error":{"error_code":"APIGW.0308"}}`:                   "APIGW.0308",
		`{"error":{"code":401,"title":"Unauthorized"}}`:           "",
		`{"error":"Forbidden"}`:                                   "",
		`{"error_code":"PAP5.0010"}`:                              "PAP5.0010",
		`{"error_code":"CANARYACCESSKEYX.0001"}`:                  "CANARYACCESSKEYX.0001",
		`{"error_code":"ABCDEFGHIJKLMNOPQRST"}`:                   "", // an access key
		`{"error_code":"ABCDEFGHIJKLMNOPQRST.1"}`:                 "",
		`{"error_code":"CCE.secret"}`:                             "",
		`{"error_code":"CCE.0\n1"}`:                               "",
		`{"error_code":"` + strings.Repeat("A", 5000) + `.0001"}`: "",
		`[]`: "", `"CCE.0001"`: "", `null`: "", ``: "", `<html>`: "", `{"errorCode":`: "",
	} {
		if got := (&attempt{body: []byte(body)}).code(); got != want {
			t.Errorf("%.60s: %q, want %q", body, got, want)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	for name, test := range map[string]struct {
		header, body, want string
	}{
		"from the header":              {testRequest, `{"request_id":"aaaaaaaaaaaa"}`, testRequest},
		"from the body of an error":    {"", `{"request_id":"aaaaaaaaaaaa"}`, "aaaaaaaaaaaa"},
		"a UUID":                       {testCluster, ``, testCluster},
		"one that is no id is dropped": {"canary-remote text", ``, ""},
		"one that is too long":         {strings.Repeat("a", 37), ``, ""},
		"a line break":                 {"aaaaaaaa\n", ``, ""},
	} {
		one := &attempt{status: 400, header: http.Header{"X-Request-Id": {test.header}}, body: []byte(test.body)}
		if got := one.requestID(); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 24 Nov 2026 01:00:00 GMT"
	for text, want := range map[string]time.Duration{
		"": 0, "57": 57 * time.Second, "56.818": 56818 * time.Millisecond, "0": 0, "-5": 0,
		"Tue, 24 Nov 2026 01:00:30 GMT": 30 * time.Second,
		"Tue, 24 Nov 2026 00:00:00 GMT": 0,
		"Tue, 24 Nov 2036 00:00:00 GMT": time.Hour,
		"86400":                         time.Hour, "1e300": time.Hour, "Inf": time.Hour, "-Inf": 0, "NaN": 0, "soon": 0,
	} {
		one := &attempt{header: http.Header{"Retry-After": {text}, "Date": {date}}}
		if got := one.retryAfter(); math.Abs(float64(got-want)) > float64(time.Microsecond) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	withoutDate := &attempt{header: http.Header{"Retry-After": {time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)}}}
	if got := withoutDate.retryAfter(); got < 30*time.Second || got > time.Minute {
		t.Errorf("without a date: %v", got)
	}
}

func TestAThrottledCallTellsHowLongToWait(t *testing.T) {
	fake := newFakeCloud(t, answer(429, `{"error_code":"APIGW.0308"}`, "Retry-After", "56.818"))
	_, err := cloudAt(t, fake.URL).Issue(context.Background(), byDays)
	if e := fault(t, err); e.Kind != issuer.Throttled || e.RetryAfter != 56818*time.Millisecond {
		t.Errorf("%v %+v", e.Kind, e)
	}
}
