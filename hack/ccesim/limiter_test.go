// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestWritesAboveTheLimitAreThrottledInAnyMinute(t *testing.T) {
	s := start(t, func(c *ccesim.Config) { c.WritesPerMinute = 2 })
	for step, tc := range []struct {
		after time.Duration
		want  int
	}{
		{0, 200},
		{30 * time.Second, 200},
		{29 * time.Second, 429},   // 59 s: the third within a minute
		{2 * time.Second, 429},    // 61 s: the refused one counts
		{58*time.Second - 1, 429}, // 119 s less 1 ns: so does this one, but that of 59 s is still too young
		{time.Minute, 200},        // 179 s less 1 ns: that of 61 s is gone
		{time.Minute - 1, 200},    // the one before is alone
		{0, 429},                  // and now it is not
		{time.Minute, 200},        // a minute later it is gone to the nanosecond
	} {
		s.clock.advance(tc.after)
		if got := s.issue(1); got.status != tc.want || tc.want == 429 && !strings.Contains(got.body, "APIGW.0308") {
			t.Errorf("step %d: got %d %.100s, want %d", step, got.status, got.body, tc.want)
		}
	}
}

func TestTheLimitIsPerAccessKeyAndForWritesOnly(t *testing.T) {
	other := ccesim.AccessKey{ID: "AK2", Secret: "SK2", UserID: "u2"}
	s := start(t, func(c *ccesim.Config) {
		c.WritesPerMinute = 1
		c.Keys = append(c.Keys, other)
	})
	for range 3 {
		if got := s.call("GET", clusterPath, ""); got.status != 200 {
			t.Fatalf("a read: %d %s", got.status, got.body)
		}
	}
	if got := s.issue(1); got.status != 200 {
		t.Fatalf("the first write: %d %s", got.status, got.body)
	}
	r := s.request("POST", certPath, body)
	sign(r, body, other, s.clock.Now())
	if got := s.mustSend(r); got.status != 200 {
		t.Errorf("the other key's: %d %s", got.status, got.body)
	}
	s.SetWritesPerMinute(0)
	for range 3 {
		if got := s.issue(1); got.status != 200 {
			t.Errorf("without a limit: %d %s", got.status, got.body)
		}
	}
}

func TestThrottledWritesAreInTheLedgerWithoutACertificate(t *testing.T) {
	s := start(t, func(c *ccesim.Config) { c.WritesPerMinute = 1 })
	s.issue(1)
	s.issue(1)
	if e := s.Ledger()[1]; e.Status != 429 || e.Minted() || e.AccessKey != "AK1" || e.Fault != "" {
		t.Errorf("got %+v", e)
	}
}
