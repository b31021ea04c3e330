// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package grants

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

const (
	teamCluster  = "11111111-1111-4111-8111-111111111111"
	otherCluster = "22222222-2222-4222-8222-222222222222"
)

func grant(changes ...func(*v1alpha1.AccountGrant)) v1alpha1.AccountGrant {
	g := v1alpha1.AccountGrant{Namespaces: v1alpha1.GrantNamespaces{Names: []string{"team-a"}}}
	for _, change := range changes {
		change(&g)
	}
	return g
}

func ids(ids ...string) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) { g.Clusters = &v1alpha1.GrantClusters{IDs: ids} }
}

func names(names ...string) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) { g.Clusters = &v1alpha1.GrantClusters{Names: names} }
}

func most(validity time.Duration) func(*v1alpha1.AccountGrant) {
	return func(g *v1alpha1.AccountGrant) { g.MaxValidity = &metav1.Duration{Duration: validity} }
}

func custom(g *v1alpha1.AccountGrant)   { g.CustomEndpoint = true }
func insecure(g *v1alpha1.AccountGrant) { g.AllowInsecureTLS = true }

func TestAGrantIsForNamespacesByNameOrLabel(t *testing.T) {
	label := &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}
	broken := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Like"}}}
	for name, test := range map[string]struct {
		namespaces v1alpha1.GrantNamespaces
		namespace  Namespace
		want       bool
	}{
		"by name":                     {v1alpha1.GrantNamespaces{Names: []string{"a", "b"}}, Namespace{Name: "b"}, true},
		"no wildcards":                {v1alpha1.GrantNamespaces{Names: []string{"team-*"}}, Namespace{Name: "team-a"}, false},
		"another name":                {v1alpha1.GrantNamespaces{Names: []string{"a"}}, Namespace{Name: "b"}, false},
		"by label":                    {v1alpha1.GrantNamespaces{Selector: label}, Namespace{Name: "b", Labels: map[string]string{"tier": "gold"}}, true},
		"another label":               {v1alpha1.GrantNamespaces{Selector: label}, Namespace{Name: "b", Labels: map[string]string{"tier": "tin"}}, false},
		"by either":                   {v1alpha1.GrantNamespaces{Names: []string{"b"}, Selector: label}, Namespace{Name: "b"}, true},
		"an empty selector is all":    {v1alpha1.GrantNamespaces{Selector: &metav1.LabelSelector{}}, Namespace{Name: "b"}, true},
		"nothing is nobody":           {v1alpha1.GrantNamespaces{}, Namespace{Name: "b"}, false},
		"a broken selector is nobody": {v1alpha1.GrantNamespaces{Selector: broken}, Namespace{Name: "b"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			all := []v1alpha1.AccountGrant{{Namespaces: test.namespaces}}
			if got := len(For(all, test.namespace)) == 1; got != test.want {
				t.Errorf("it is: %v, want %v", got, test.want)
			}
			if got := NeedsLabels(all); got != (test.namespaces.Selector != nil) {
				t.Errorf("it needs labels: %v", got)
			}
		})
	}
}

func TestOneGrantHasToAllowEverything(t *testing.T) {
	team := Wish{ClusterID: teamCluster, ClusterName: "team-a-prod"}
	with := func(change func(*Wish)) Wish { w := team; change(&w); return w }
	asksCustom, asksInsecure := func(w *Wish) { w.CustomEndpoint = true }, func(w *Wish) { w.InsecureTLS = true }
	type grants = []v1alpha1.AccountGrant
	for name, test := range map[string]struct {
		grants grants
		wish   Wish
		want   Terms
	}{
		"none":                                  {nil, team, Terms{Rule: NotThisNamespace}},
		"all clusters":                          {grants{grant()}, team, Terms{}},
		"by id":                                 {grants{grant(ids(teamCluster))}, team, Terms{}},
		"another id":                            {grants{grant(ids(otherCluster))}, team, Terms{Rule: NotThisCluster}},
		"by name":                               {grants{grant(names("x", "team-a-*"))}, team, Terms{}},
		"another name":                          {grants{grant(names("team-b-*"))}, team, Terms{Rule: NotThisCluster}},
		"an unknown name fits no pattern":       {grants{grant(names("*"))}, Wish{ClusterID: teamCluster}, Terms{Rule: NotThisCluster}},
		"an id is not taken for a name":         {grants{grant(names(teamCluster))}, team, Terms{Rule: NotThisCluster}},
		"the second allows it":                  {grants{grant(ids(otherCluster)), grant()}, team, Terms{}},
		"a bound":                               {grants{grant(most(time.Hour))}, team, Terms{MaxValidity: time.Hour}},
		"the longest of several":                {grants{grant(most(time.Hour)), grant(most(3 * time.Hour)), grant(most(2 * time.Hour))}, team, Terms{MaxValidity: 3 * time.Hour}},
		"one without a bound":                   {grants{grant(most(time.Hour)), grant()}, team, Terms{}},
		"the bound of another cluster":          {grants{grant(most(time.Hour)), grant(ids(otherCluster))}, team, Terms{MaxValidity: time.Hour}},
		"no server of its own":                  {grants{grant()}, with(asksCustom), Terms{Rule: NoCustomEndpoint}},
		"a server of its own":                   {grants{grant(custom)}, with(asksCustom), Terms{}},
		"a server of its own, of another":       {grants{grant(), grant(custom, ids(otherCluster))}, with(asksCustom), Terms{Rule: NoCustomEndpoint}},
		"grants do not add up":                  {grants{grant(), grant(custom, most(time.Hour))}, with(asksCustom), Terms{MaxValidity: time.Hour}},
		"insecure, which nobody asks for":       {grants{grant(insecure)}, team, Terms{}},
		"insecure":                              {grants{grant(insecure)}, with(asksInsecure), Terms{InsecureTLS: true}},
		"insecure, which nobody allows":         {grants{grant()}, with(asksInsecure), Terms{}},
		"insecure, and not for so long":         {grants{grant(), grant(insecure, most(time.Hour))}, with(asksInsecure), Terms{InsecureTLS: true, MaxValidity: time.Hour}},
		"insecure, but not with its own server": {grants{grant(custom), grant(insecure)}, with(func(w *Wish) { asksCustom(w); asksInsecure(w) }), Terms{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Decide(test.grants, test.wish); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAStarStandsForAnyText(t *testing.T) {
	for pattern, names := range map[string]struct{ fit, not []string }{
		"a":         {[]string{"a"}, []string{"", "b", "ab", "ba"}},
		"*":         {[]string{"", "a", "a.b-c"}, nil},
		"cluster-*": {[]string{"cluster-", "cluster-a", "cluster-a.b"}, []string{"cluster", "my-cluster-a"}},
		"*-a":       {[]string{"-a", "b-a", "-a-a"}, []string{"a", "b-a-c"}},
		"a*b*c":     {[]string{"abc", "a-b-c", "abbcc", "abcbc"}, []string{"ac", "acb", "ab", "xabc"}},
		"a*a":       {[]string{"aa", "aba"}, []string{"a", "ab"}},
		"a**b":      {[]string{"ab", "axb"}, []string{"a", "b"}},
		"a.b":       {[]string{"a.b"}, []string{"axb"}},
	} {
		for _, name := range names.fit {
			if !Matches(pattern, name) {
				t.Errorf("%s does not fit %s", name, pattern)
			}
		}
		for _, name := range names.not {
			if Matches(pattern, name) {
				t.Errorf("%s fits %s", name, pattern)
			}
		}
	}
}
