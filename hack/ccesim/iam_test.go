// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"slices"
	"testing"

	"github.com/clustercredential/operator/hack/ccesim"
)

func TestProjectsAreFoundByTheirExactName(t *testing.T) {
	s := start(t)
	only := ccesim.AccessKey{ID: "AK2", Secret: "SK2", UserID: "u2", Projects: []string{elsewhere}}
	if err := s.SetKeys(key, only); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		key   ccesim.AccessKey
		query string
		want  []string
	}{
		"by name":                       {key, "?name=ap-southeast-3", []string{project}},
		"all without a name":            {key, "", []string{project, elsewhere}},
		"none by a part of the name":    {key, "?name=ap-southeast", []string{}},
		"those only that the key may":   {only, "", []string{elsewhere}},
		"none that the key may not use": {only, "?name=ap-southeast-3", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.request("GET", "/v3/projects"+tc.query, "")
			sign(r, "", tc.key, s.clock.Now())
			list := read[struct {
				Projects []struct {
					ID, Name string
					Enabled  bool
				}
			}](t, s.mustSend(r))
			ids := []string{}
			for _, p := range list.Projects {
				ids = append(ids, p.ID)
				if !p.Enabled || p.Name == "" {
					t.Errorf("project %+v", p)
				}
			}
			if !slices.Equal(ids, tc.want) || list.Projects == nil {
				t.Errorf("got %v, want %v", ids, tc.want)
			}
		})
	}
}

func TestIAMNeedsASignatureToo(t *testing.T) {
	s := start(t)
	if got := s.mustSend(s.request("GET", "/v3/projects", "")); got.status != 401 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
