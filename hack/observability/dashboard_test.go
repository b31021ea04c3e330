// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"fmt"
	"regexp"
	"testing"
)

var variable = regexp.MustCompile(`\$\{?(\w+)\}?`)

func TestDashboardsCanBeImportedAnywhere(t *testing.T) {
	for file, d := range dashboards(t) {
		if d.UID == "" || d.Title == "" || len(d.Panels) == 0 {
			t.Errorf("%s has the uid %q, the title %q and %d panels", file, d.UID, d.Title, len(d.Panels))
		}
		variables := map[string]bool{"__rate_interval": true}
		for _, v := range d.Templating.List {
			variables[v.Name] = true
		}
		if !variables["datasource"] || !variables["namespace"] || !variables["account"] {
			t.Errorf("%s lets nobody choose: %v", file, variables)
		}
		ids := map[int]string{}
		for _, p := range d.Panels {
			if other, taken := ids[p.ID]; taken || p.ID == 0 {
				t.Errorf("%s: %q and %q have the id %d", file, other, p.Title, p.ID)
			}
			ids[p.ID] = p.Title
			p.check(t, file, variables)
		}
	}
}

// check looks at one panel: it says what it shows, from the source that was chosen.
func (p panel) check(t *testing.T, file string, variables map[string]bool) {
	t.Helper()
	if p.Type == "row" {
		return
	}
	where := fmt.Sprintf("%s: %q", file, p.Title)
	if p.Title == "" || p.About == "" || len(p.Targets) == 0 {
		t.Errorf("%s has no title, no description or nothing to show", where)
	}
	if p.Datasource.UID != "${datasource}" {
		t.Errorf("%s is bound to the source %q", where, p.Datasource.UID)
	}
	for _, target := range p.Targets {
		for _, match := range variable.FindAllStringSubmatch(target.Expr, -1) {
			if !variables[match[1]] {
				t.Errorf("%s uses the variable %s, which is not there", where, match[1])
			}
		}
	}
}
