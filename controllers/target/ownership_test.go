// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestASecretIsWhosItsMarksSay(t *testing.T) {
	marked := func(managed, credential string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Labels: map[string]string{}, Annotations: map[string]string{}}}
		if managed != "" {
			s.Labels[v1alpha1.LabelManaged] = managed
		}
		if credential != "" {
			s.Annotations[v1alpha1.AnnotationCredential] = credential
		}
		return s
	}
	foreignUID := marked("true", "prod-1")
	foreignUID.Annotations[v1alpha1.AnnotationCredentialUID] = "of-another-life"
	foreignUID.Annotations[v1alpha1.AnnotationCredentialNamespace] = "former-name"
	elsewhere := func(credential, namespace string) *corev1.Secret {
		s := marked("true", credential)
		s.Namespace = "argocd"
		if namespace != "" {
			s.Annotations[v1alpha1.AnnotationCredentialNamespace] = namespace
		}
		return s
	}
	bare := marked("", "")
	bare.Namespace = "argocd"
	for name, test := range map[string]struct {
		secret           *corev1.Secret
		holds, published string
		want             Standing
	}{
		"label and annotation name us":                        {marked("true", "prod-1"), "", "", Ours},
		"ours, whatever it holds":                             {marked("true", "prod-1"), "fp-2", "fp-1", Ours},
		"restored under another UID, in a renamed namespace":  {foreignUID, "", "", Ours},
		"label and annotation name another":                   {marked("true", "prod-2"), "", "", Others},
		"another's, though it holds what we published":        {marked("true", "prod-2"), "fp-1", "fp-1", Others},
		"without marks, with the certificate we published":    {marked("", ""), "fp-1", "fp-1", Stripped},
		"without the label, with our annotation and our cert": {marked("", "prod-1"), "fp-1", "fp-1", Stripped},
		"without the label, with our annotation alone":        {marked("", "prod-1"), "", "fp-1", Foreign},
		"without the label, with another's annotation":        {marked("", "prod-2"), "fp-1", "fp-1", Stripped},
		"without the annotation":                              {marked("true", ""), "", "fp-1", Foreign},
		"without the annotation, with our certificate":        {marked("true", ""), "fp-1", "fp-1", Stripped},
		"a label of another value":                            {marked("yes", "prod-1"), "", "", Foreign},
		"another certificate":                                 {marked("", ""), "fp-2", "fp-1", Foreign},
		"nothing readable, nothing published":                 {marked("", ""), "", "", Foreign},
		"a certificate, and nothing published":                {marked("", ""), "fp-1", "", Foreign},
		"elsewhere, name and namespace are ours":              {elsewhere("prod-1", "fleet"), "", "", Ours},
		"elsewhere, of one of our name in that namespace":     {elsewhere("prod-1", "argocd"), "", "", Others},
		"elsewhere, of one of our name in a third namespace":  {elsewhere("prod-1", "other"), "fp-1", "fp-1", Others},
		"elsewhere, without a namespace":                      {elsewhere("prod-1", ""), "", "", Others},
		"elsewhere, another of our namespace":                 {elsewhere("prod-2", "fleet"), "", "", Others},
		"elsewhere, without marks, with our certificate":      {bare, "fp-1", "fp-1", Stripped},
		"elsewhere, without marks":                            {bare, "", "fp-1", Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			if got := StandingOf(test.secret, types.NamespacedName{Namespace: "fleet", Name: "prod-1"}, test.holds, test.published); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func inFleet(name string) types.NamespacedName {
	if name == "" {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: "fleet", Name: name}
}

func contender(name string, age time.Duration, began bool) Contender {
	return Contender{Name: inFleet(name), Created: metav1.NewTime(noon.Add(-age)), Began: began}
}

func TestOneOfThemHoldsTheName(t *testing.T) {
	old, young, twin := contender("old", time.Hour, false), contender("young", 0, false), contender("twin", 0, false)
	begun, begunTwin := contender("begun", 0, true), contender("begun-twin", 0, true)
	for name, test := range map[string]struct {
		marked     string
		contenders []Contender
		want       string
		sure       bool
	}{
		"nobody":                                   {"", nil, "", true},
		"the only one":                             {"", []Contender{young}, "young", true},
		"the one whose marks it carries":           {"young", []Contender{old, young, begun}, "young", true},
		"marks of one that is gone hold nothing":   {"gone", []Contender{old, young}, "old", true},
		"marks of one that is gone, and nobody":    {"gone", nil, "", true},
		"the one that has begun":                   {"", []Contender{old, begun}, "begun", true},
		"the oldest":                               {"", []Contender{young, old}, "old", true},
		"of two in one second the first by name":   {"", []Contender{young, twin}, "twin", false},
		"two in one second, but a third is older":  {"", []Contender{young, twin, old}, "old", true},
		"two in one second, but one has begun":     {"", []Contender{young, begun}, "begun", true},
		"two that have begun need not look again":  {"", []Contender{begunTwin, begun}, "begun", true},
		"two in one second, and one has its marks": {"young", []Contender{twin, young}, "young", true},
	} {
		t.Run(name, func(t *testing.T) {
			holder, sure := HolderOf(inFleet(test.marked), "fleet", test.contenders)
			if holder != inFleet(test.want) || sure != test.sure {
				t.Errorf("got %q, %v; want %q, %v", holder, sure, test.want, test.sure)
			}
		})
	}
}

func TestOfTwoOfOneNameTheOneWhoseMarksItCarriesHolds(t *testing.T) {
	guest := Contender{Name: types.NamespacedName{Namespace: "platform", Name: "old"}, Created: metav1.NewTime(noon)}
	at := contender("old", time.Hour, true)
	for namespace, want := range map[string]string{"platform": "platform", "fleet": "fleet", "former-name": "fleet"} {
		marked := types.NamespacedName{Namespace: namespace, Name: "old"}
		if holder, sure := HolderOf(marked, "fleet", []Contender{at, guest}); holder.Namespace != want || !sure {
			t.Errorf("marks of %s: %s holds it, want that of %s", marked, holder, want)
		}
	}
}

// Two that see each other in another order must not both think that they hold it.
func TestTheHolderDoesNotDependOnTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		var all []Contender
		for i := range 1 + random.IntN(5) {
			all = append(all, contender("c-"+strconv.Itoa(i), time.Duration(random.IntN(3))*time.Second, random.IntN(3) == 0))
		}
		marked := []string{"", "gone", "c-0", "c-3"}[random.IntN(4)]
		holder, sure := HolderOf(inFleet(marked), "fleet", all)
		permutations(all, func(order []Contender) {
			if again, alsoSure := HolderOf(inFleet(marked), "fleet", order); again != holder || alsoSure != sure {
				t.Fatalf("%v with marks of %q: %q, %v, and in another order %q, %v", all, marked, holder, sure, again, alsoSure)
			}
		})
	}
}

func permutations(all []Contender, visit func([]Contender)) {
	var place func(int)
	place = func(i int) {
		if i == len(all) {
			visit(all)
			return
		}
		for j := i; j < len(all); j++ {
			all[i], all[j] = all[j], all[i]
			place(i + 1)
			all[i], all[j] = all[j], all[i]
		}
	}
	place(0)
}
