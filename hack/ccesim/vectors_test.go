// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The vectors are those that the vendor's SDK publishes with its signer.
func TestSignaturesOfTheVendorsVectorsAreAccepted(t *testing.T) {
	for name, tc := range map[string]struct{ method, target, body, signature string }{
		"a GET with a query": {
			"GET", "/path?limit=1", "", "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624",
		},
		"a POST with a body that ends in a line break": {
			"POST", "/path?key=value", "{\"Name\":\"test\",\"Id\":1}\n", "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
			r.Header.Set("X-Sdk-Date", "20060102T150405Z")
			sig, err := parseAuthorization("SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, Signature=" + tc.signature)
			if err != nil {
				t.Fatal(err)
			}
			if err := sig.verify(r, []byte(tc.body), "SecretKey", time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestQueriesAreSortedAndEscapedLikeTheVendorsVector(t *testing.T) {
	const want = "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
	got, err := canonicalQuery("multi=3&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29&multi=1&path=/tmp/123&multi=2&limit=1&enable=true")
	if err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if got, err := canonicalQuery("detail"); err != nil || got != "detail=" {
		t.Errorf("a name without a value gives %q, %v, want %q", got, err, "detail=")
	}
	if got, err := canonicalQuery("a=%zz"); err == nil {
		t.Errorf("a broken escape gives %q and no error", got)
	}
}

func TestPathsAreEscapedAndEndInASlash(t *testing.T) {
	for path, want := range map[string]string{"/": "/", "/a": "/a/", "/a/": "/a/", "/a b/~c": "/a%20b/~c/", "/a+b": "/a%2Bb/"} {
		if got := canonicalPath(path); got != want {
			t.Errorf("%q gives %q, want %q", path, got, want)
		}
	}
}
