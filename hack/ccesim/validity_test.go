// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestValidityIsGrantedOrRefusedAsDocumented(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // of start; five years from here hold one leap day
	at := func(d time.Duration) string {
		return fmt.Sprintf(`"expire_at":%q`, now.Add(d).Format("2006-01-02 15:04:05 +0000 UTC"))
	}
	const day = 24 * time.Hour
	fiveYears := now.AddDate(5, 0, 0).Sub(now)
	for name, tc := range map[string]struct {
		body      string
		autopilot bool
		want      time.Duration // 0: refused with 400
	}{
		"one day is the shortest duration":              {body: `{"duration":1}`, want: day},
		"a month is thirty days":                        {body: `{"duration":30}`, want: 30 * day},
		"minus one is five years":                       {body: `{"duration":-1}`, want: fiveYears},
		"1827 days are cut to five years":               {body: `{"duration":1827}`, want: fiveYears},
		"1828 days are refused":                         {body: `{"duration":1828}`},
		"zero days are refused":                         {body: `{"duration":0}`},
		"minus two days are refused":                    {body: `{"duration":-2}`},
		"a fraction of a day is refused":                {body: `{"duration":1.5}`},
		"days in quotes are refused":                    {body: `{"duration":"1"}`},
		"expire_at in 15 minutes is the earliest":       {body: `{` + at(15*time.Minute) + `}`, want: 15 * time.Minute},
		"expire_at a second earlier is refused":         {body: `{` + at(15*time.Minute-time.Second) + `}`},
		"expire_at in five years is the latest":         {body: `{` + at(fiveYears) + `}`, want: fiveYears},
		"expire_at a second later is refused":           {body: `{` + at(fiveYears+time.Second) + `}`},
		"expire_at in RFC 3339 is refused":              {body: `{"expire_at":"2026-03-02T12:00:00Z"}`},
		"expire_at with a fraction is refused":          {body: `{"expire_at":"2026-03-02 12:00:00.5 +0000 UTC"}`},
		"expire_at wins over duration":                  {body: `{"duration":30,` + at(time.Hour) + `}`, want: time.Hour},
		"neither is refused":                            {body: `{}`},
		"two nulls are neither":                         {body: `{"duration":null,"expire_at":null}`},
		"an unknown field is refused":                   {body: `{"duration":1,"days":1}`},
		"a field in another case is unknown":            {body: `{"Duration":1}`},
		"a list is refused":                             {body: `[1]`},
		"null is refused":                               {body: `null`},
		"a second value is refused":                     {body: `{"duration":1}{}`},
		"no body is refused":                            {body: ``},
		"Autopilot grants days":                         {body: `{"duration":1}`, autopilot: true, want: day},
		"Autopilot refuses expire_at":                   {body: `{` + at(time.Hour) + `}`, autopilot: true},
		"Autopilot refuses expire_at also with days":    {body: `{"duration":1,` + at(time.Hour) + `}`, autopilot: true},
		"a line break after the body is no second body": {body: "{\"duration\":1}\n", want: day},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			path := certPath
			if tc.autopilot {
				path = "/autopilot/v3/projects/" + project + "/clusters/" + autopilot + "/clustercert"
			}
			r := s.signed("POST", path, tc.body)
			r.Header.Set("Content-Type", "application/json")
			got := s.mustSend(r)
			if tc.want == 0 {
				if got.status != http.StatusBadRequest || !strings.Contains(got.body, `"errorCode":"CCE.01400001"`) {
					t.Errorf("got %d %s", got.status, got.body)
				}
				return
			}
			leaf, _ := got.kubeconfig(t).leaf(t)
			if !leaf.NotBefore.Equal(now) || !leaf.NotAfter.Equal(now.Add(tc.want)) {
				t.Errorf("valid from %v to %v, want %v from %v", leaf.NotBefore, leaf.NotAfter, tc.want, now)
			}
		})
	}
}

func TestGrantedLifetimeCapsAndBackdateMovesTheBeginning(t *testing.T) {
	s := start(t, func(c *ccesim.Config) { c.GrantedLifetime, c.Backdate = 40*time.Second, time.Minute })
	leaf, _ := s.issue(30).kubeconfig(t).leaf(t)
	if want := s.clock.Now().Add(40 * time.Second); !leaf.NotAfter.Equal(want) {
		t.Errorf("ends %v, want %v", leaf.NotAfter, want)
	}
	if want := s.clock.Now().Add(-time.Minute); !leaf.NotBefore.Equal(want) {
		t.Errorf("begins %v, want %v", leaf.NotBefore, want)
	}
	s.SetGrantedLifetime(48 * time.Hour)
	leaf, _ = s.issue(1).kubeconfig(t).leaf(t)
	if want := s.clock.Now().Add(24 * time.Hour); !leaf.NotAfter.Equal(want) {
		t.Errorf("a cap above what was asked for changed the end to %v, want %v", leaf.NotAfter, want)
	}
}
