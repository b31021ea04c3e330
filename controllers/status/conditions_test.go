// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestTheConditionsSayHowThingsStand(t *testing.T) {
	const (
		valid, issued, published = "True Valid", "True Issued", "True Published"
	)
	soon := at(time.Minute)
	for name, test := range map[string]struct {
		before []Facts // earlier passes
		facts  Facts
		want   words
	}{
		"at rest": {nil, rest(), words{valid, issued, published, "", ""}},
		"a certificate was issued and stored": {nil, rest(func(f *Facts) { f.Attempt = &Attempt{} }),
			words{valid, issued, published, "", ""}},
		"a first certificate is due": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first")),
			words{"False Issuing", "False Issuing", "False Issuing", "True Issuing", ""}},
		"a renewal is due, and nothing suffers": {nil, rest(wants(v1alpha1.TriggerExpiry, "old")),
			words{valid, "True Renewing", published, "", ""}},
		"a requested renewal is due": {nil, rest(wants(v1alpha1.TriggerRequest, "asked")),
			words{valid, "True Renewing", published, "", ""}},
		"a renewal waits for the floor": {nil, rest(wants(v1alpha1.TriggerExpiry, "old"), waitsUntil(soon, v1alpha1.ReasonRateLimited, "floor")),
			words{valid, "True RateLimited", published, "", ""}},
		"a renewal waits for its window, which is not progress": {nil, rest(wants(v1alpha1.TriggerExpiry, "old"), waitsUntil(soon, v1alpha1.ReasonWaitingForWindow, "window")),
			words{valid, "False WaitingForWindow", published, "", ""}},
		"a renewal failed, and waits for the next window": {
			[]Facts{rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonUnavailable, "503", soon))},
			rest(wants(v1alpha1.TriggerExpiry, "old"), waitsUntil(soon, v1alpha1.ReasonWaitingForWindow, "window")),
			words{valid, "False Unavailable", published, "", ""}},
		"a renewal failed, and what is published still works": {nil, rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonUnavailable, "503", soon)),
			words{valid, "False Unavailable", published, "", ""}},
		"a renewal was refused, and is not stalled while Ready is True": {nil, rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonRejected, "no", time.Time{})),
			words{valid, "False Rejected", published, "", ""}},
		"a renewal without a working key, twice, is not stalled either": {
			[]Facts{rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonUnauthorized, "401", soon))},
			rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonUnauthorized, "401", soon)),
			words{valid, "False Unauthorized", published, "", ""}},
		"another validity is wanted": {nil, rest(changed, wants(v1alpha1.TriggerSpec, "longer")),
			words{valid, "False Issuing", published, "True Issuing", ""}},
		"another validity is refused: Ready stays": {nil, rest(changed, wants(v1alpha1.TriggerSpec, "longer"), failing(v1alpha1.ReasonRejected, "no", time.Time{})),
			words{valid, "False Rejected", published, "True Rejected", ""}},
		"another cluster is wanted: Ready goes": {nil, rest(otherCluster, wants(v1alpha1.TriggerSpec, "c-2")),
			words{"False Issuing", "False Issuing", published, "True Issuing", ""}},
		"another cluster is not there": {nil, rest(otherCluster, wants(v1alpha1.TriggerSpec, "c-2"), failing(v1alpha1.ReasonClusterNotFound, "404", soon)),
			words{"False ClusterNotFound", "False ClusterNotFound", published, "True ClusterNotFound", ""}},
		"another cluster is refused": {nil, rest(otherCluster, wants(v1alpha1.TriggerSpec, "c-2"), failing(v1alpha1.ReasonRejected, "no", time.Time{})),
			words{"False Rejected", "False Rejected", published, "", "True Rejected"}},
		"another address is wanted and not known": {nil, rest(wrongAccess, stale, wants(v1alpha1.TriggerSpec, "addr")),
			words{"False Issuing", "False Issuing", "False Issuing", "True Issuing", ""}},
		"another address is not on offer": {nil, rest(wrongAccess, wants(v1alpha1.TriggerSpec, "addr"), failing(v1alpha1.ReasonContextNotFound, "none", soon)),
			words{"False ContextNotFound", "False ContextNotFound", published, "", "True ContextNotFound"}},
		"another address is there without TLS": {nil, rest(wrongAccess, wants(v1alpha1.TriggerSpec, "addr"), failing(v1alpha1.ReasonInsecureEndpoint, "tls", soon)),
			words{"False InsecureEndpoint", "False InsecureEndpoint", published, "", "True InsecureEndpoint"}},
		"a label is not written yet": {nil, rest(stale), words{valid, issued, "False Issuing", "True Issuing", ""}},
		"the write was refused, the old bytes work": {nil, rest(refused(v1alpha1.ReasonWriteRefused, "quota")),
			words{valid, issued, "False WriteRefused", "True WriteRefused", ""}},
		"the Secret belongs to somebody else": {nil, rest(empty, refused(v1alpha1.ReasonSecretConflict, "theirs"), wants(v1alpha1.TriggerFirst, "first"), waiting(v1alpha1.ReasonSecretConflict, "theirs", time.Time{})),
			words{"False SecretConflict", "False SecretConflict", "False SecretConflict", "", "True SecretConflict"}},
		"the namespace takes no Secret": {nil, rest(empty, refused(v1alpha1.ReasonWriteRefused, "quota"), wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonWriteRefused, "quota", soon)),
			words{"False WriteRefused", "False WriteRefused", "False WriteRefused", "True WriteRefused", ""}},
		"it expired, and the cloud is down": {nil, rest(expired, wants(v1alpha1.TriggerMissing, "expired"), failing(v1alpha1.ReasonUnavailable, "503", soon)),
			words{"False Expired", "False Unavailable", published, "", ""}},
		"it expired, and the key is refused for good": {
			[]Facts{rest(expired, wants(v1alpha1.TriggerMissing, "expired"), failing(v1alpha1.ReasonUnauthorized, "401", soon))},
			rest(expired, wants(v1alpha1.TriggerMissing, "expired"), failing(v1alpha1.ReasonUnauthorized, "401", soon)),
			words{"False Expired", "False Unauthorized", published, "", "True Unauthorized"}},
		"the Secret is lost": {nil, rest(empty, wants(v1alpha1.TriggerMissing, "lost")),
			words{"False Issuing", "False Issuing", "False Issuing", "True Issuing", ""}},
		"there is no account": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first"), waiting(v1alpha1.ReasonAccountNotFound, "create it", time.Time{})),
			words{"False AccountNotFound", "False AccountNotFound", "False AccountNotFound", "True AccountNotFound", ""}},
		"the account is asleep": {nil, rest(wants(v1alpha1.TriggerExpiry, "old"), waiting(v1alpha1.ReasonAccountSuspended, "wake it", time.Time{})),
			words{valid, "False AccountSuspended", published, "", ""}},
		"the key is missing for the first time": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonCredentialsMissing, "create it", soon)),
			words{"False CredentialsMissing", "False CredentialsMissing", "False CredentialsMissing", "True CredentialsMissing", ""}},
		"the key is missing for the second time": {
			[]Facts{rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonCredentialsMissing, "create it", soon))},
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonCredentialsMissing, "create it", soon)),
			words{"False CredentialsMissing", "False CredentialsMissing", "False CredentialsMissing", "", "True CredentialsMissing"}},
		"the key is refused for the first time": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonUnauthorized, "401", soon)),
			words{"False Unauthorized", "False Unauthorized", "False Unauthorized", "True Unauthorized", ""}},
		"the key is known to be refused": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first"), waiting(v1alpha1.ReasonUnauthorized, "401", soon), func(f *Facts) { f.Attempt.Failure.Final = true }),
			words{"False Unauthorized", "False Unauthorized", "False Unauthorized", "", "True Unauthorized"}},
		"the key may not do this: somebody may grant it": {
			[]Facts{rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonForbidden, "403", soon))},
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonForbidden, "403", soon)),
			words{"False Forbidden", "False Forbidden", "False Forbidden", "True Forbidden", ""}},
		"a first one waits in line": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first"), waiting(v1alpha1.ReasonRateLimited, "in line", soon)),
			words{"False RateLimited", "False RateLimited", "False RateLimited", "True RateLimited", ""}},
		"an answer was lost": {nil, rest(empty, wants(v1alpha1.TriggerFirst, "first"), func(f *Facts) {
			f.Lost = &Lost{Issuance: *begun("i-1", v1alpha1.TriggerFirst, time.Minute), With: "with-1", RetryAt: soon}
		}), words{"False UnknownOutcome", "False UnknownOutcome", "False UnknownOutcome", "True UnknownOutcome", ""}},
		"suspended at rest": {nil, rest(suspended), words{valid, "True Suspended", published, "", ""}},
		"suspended and expired": {nil, rest(suspended, expired),
			words{"False Expired", "True Suspended", published, "", ""}},
		"suspended before anything was published": {nil, rest(suspended, empty),
			words{"False Suspended", "True Suspended", "False Suspended", "True Suspended", ""}},
		"suspended while a label waits": {nil, rest(suspended, stale),
			words{valid, "True Suspended", "False Suspended", "True Suspended", ""}},
		"suspended while another cluster is wanted": {nil, rest(suspended, otherCluster),
			words{"False Suspended", "True Suspended", published, "True Suspended", ""}},
		"between two attempts, the last words stay": {
			[]Facts{rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonForbidden, "403", soon))},
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), waitsUntil(soon, v1alpha1.ReasonIssuing, "first")),
			words{"False Forbidden", "False Forbidden", "False Forbidden", "True Forbidden", ""}},
		"between two attempts at a refused spec, it stays stalled": {
			[]Facts{rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonRejected, "no", time.Time{}))},
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), waitsUntil(time.Time{}, v1alpha1.ReasonIssuing, "first")),
			words{"False Rejected", "False Rejected", "False Rejected", "", "True Rejected"}},
		"a corrected spec is not stalled by the words about the old one": {
			[]Facts{rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonRejected, "no", time.Time{}))},
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), func(f *Facts) { f.With = "with-2"; f.Generation++ }),
			words{"False Issuing", "False Issuing", "False Issuing", "True Issuing", ""}},
		"once it works, nothing of the failures is left": {
			[]Facts{rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonRejected, "no", time.Time{}))},
			rest(func(f *Facts) { f.Attempt = &Attempt{With: "with-1"} }),
			words{valid, issued, published, "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Next(after(test.before...), test.facts)
			if diff := cmp.Diff(test.want, wordsOf(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkConditions(t, got, test.facts)
		})
	}
}

// checkConditions holds what is true of every status.
func checkConditions(t *testing.T, s v1alpha1.ClusterCredentialStatus, facts Facts) {
	t.Helper()
	w := wordsOf(s)
	switch {
	case s.ObservedGeneration != facts.Generation:
		t.Errorf("observedGeneration = %d, want %d", s.ObservedGeneration, facts.Generation)
	case w.Ready == "" || w.Issued == "" || w.Published == "":
		t.Errorf("a condition is missing: %+v", w)
	case strings.HasPrefix(w.Reconciling+w.Stalled, "False"):
		t.Errorf("conditions that are abnormal when True must be absent otherwise: %+v", w)
	case w.Stalled != "" && strings.HasPrefix(w.Ready, "True"):
		t.Errorf("stalled, and yet Ready: %+v", w)
	case w.Stalled != "" && w.Reconciling != "":
		t.Errorf("stalled and reconciling at once: %+v", w)
	}
	for _, c := range s.Conditions {
		if c.ObservedGeneration != facts.Generation || c.Message == "" || c.Reason == "" || c.LastTransitionTime.IsZero() || len(c.Message) > maxMessage {
			t.Errorf("not whole: %+v", c)
		}
	}
	if reason := s.Outputs[0].Reason; s.Outputs[0].State != v1alpha1.OutputCurrent && "False "+string(reason) != w.Published {
		t.Errorf("the output says %s, Published %s", reason, w.Published)
	}
}

func TestTheMessagesSayWhatToDo(t *testing.T) {
	byHand := func(f *Facts) { f.Manual = true }
	for name, test := range map[string]struct {
		facts     Facts
		condition string
		want      string
	}{
		"at rest, when the next one comes":          {rest(), "Issued", "certificate 0A is valid until 2026-12-14T12:00:00Z; the next one is asked for at 2026-12-04T12:00:00Z"},
		"by hand, when one is advised":              {rest(byHand), "Issued", "spec.renewal.policy is Manual: a renewal is advised from 2026-12-04T12:00:00Z"},
		"by hand, that one is due, and how":         {rest(byHand, func(f *Facts) { f.Decision.RenewalTime = at(-day) }), "Issued", "a manual renewal is due since 2026-11-23T12:00:00Z: annotate with clustercredential.dev/renew-requested-at"},
		"by hand, that one is due this second":      {rest(byHand, func(f *Facts) { f.Decision.RenewalTime = noon }), "Issued", "a manual renewal is due since"},
		"moved by windows, why":                     {rest(func(f *Facts) { f.Decision.Moved = "in the window" }), "Issued", "; the next one is asked for at 2026-12-04T12:00:00Z, in the window"},
		"waiting for a window, which are ignored":   {rest(wants(v1alpha1.TriggerExpiry, "old"), waitsUntil(at(time.Minute), v1alpha1.ReasonWaitingForWindow, "it waits"), func(f *Facts) { f.Decision.Note = "the second is ignored" }), "Issued", "it waits; the second is ignored"},
		"the note of the schedule":                  {rest(func(f *Facts) { f.Decision.Note = "before is too long" }), "Issued", "; before is too long"},
		"the note of the certificate":               {rest(func(f *Facts) { f.Stored.Note = "another CA" }), "Issued", "; another CA"},
		"suspended, how to go on":                   {rest(suspended), "Issued", "set it to false to go on"},
		"suspended, that the Secret lags behind":    {rest(suspended, stale), "Published", "Secret fleet/prod-1-kubeconfig is not brought up to date while spec.suspend is true"},
		"a failure, in the words of whoever failed": {rest(failing(v1alpha1.ReasonForbidden, "grant cce:cluster:get", noon)), "Issued", "grant cce:cluster:get"},
		"nothing stored, why":                       {rest(empty, failing(v1alpha1.ReasonForbidden, "grant cce:cluster:get", noon)), "Ready", "no credential is stored: grant cce:cluster:get"},
		"nothing published, why":                    {rest(empty, failing(v1alpha1.ReasonForbidden, "grant cce:cluster:get", noon)), "Published", "Secret fleet/prod-1-kubeconfig holds no credential: grant cce:cluster:get"},
		"Ready, until when":                         {rest(), "Ready", "the published credential is valid until 2026-12-14T12:00:00Z"},
		"expired, where to look":                    {rest(expired), "Ready", "certificate 0A expired at 2026-11-24T12:00:00Z; Issued says why there is no newer one"},
		"another cluster, which one is there":       {rest(otherCluster, wants(v1alpha1.TriggerSpec, "other")), "Ready", "the Secret still holds the credential of cluster c-1, which spec does not name any more: other"},
		"another address":                           {rest(wrongAccess, wants(v1alpha1.TriggerSpec, "other")), "Ready", "the Secret does not hold the address that spec.endpoint asks for: other"},
		"a conflict, in Ready too":                  {rest(empty, refused(v1alpha1.ReasonSecretConflict, "belongs to x")), "Ready", "belongs to x"},
		"a conflict, in Stalled too":                {rest(empty, refused(v1alpha1.ReasonSecretConflict, "belongs to x")), "Stalled", "belongs to x"},
		"the floor, until when":                     {rest(wants(v1alpha1.TriggerExpiry, ""), waitsUntil(at(time.Minute), v1alpha1.ReasonRateLimited, "at least 10m")), "Issued", "at least 10m; the next one may be asked for at 2026-11-24T12:01:00Z"},
		"a lost answer, which and until when": {rest(wants(v1alpha1.TriggerExpiry, ""), func(f *Facts) {
			f.Lost = &Lost{Issuance: *begun("i-9", v1alpha1.TriggerExpiry, time.Minute), RetryAt: at(time.Minute)}
		}), "Issued", "the outcome of attempt i-9 of 2026-11-24T11:59:00Z is not known: a certificate may exist that is not stored (see status.history); asked for again after 2026-11-24T12:01:00Z"},
		"published, which":  {rest(), "Published", "Secret fleet/prod-1-kubeconfig carries certificate 0A"},
		"not written yet":   {rest(stale), "Published", "Secret fleet/prod-1-kubeconfig does not carry what spec asks for yet"},
		"reconciling, what": {rest(changed, wants(v1alpha1.TriggerSpec, "a validity of max")), "Reconciling", "a validity of max"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := message(Next(v1alpha1.ClusterCredentialStatus{}, test.facts), test.condition); !strings.Contains(got, test.want) {
				t.Errorf("%s says %q, want %q in it", test.condition, got, test.want)
			}
		})
	}
}

// What the API server stores must be what is compared with, or each pass writes anew.
func TestALongMessageIsCutBetweenCharacters(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 2000), strings.Repeat("世", 2000), "a" + strings.Repeat("世", 2000), "aa" + strings.Repeat("é", 2000)} {
		got := message(Next(v1alpha1.ClusterCredentialStatus{}, rest(failing(v1alpha1.ReasonUnavailable, text, noon))), "Issued")
		if !utf8.ValidString(got) || len(got) > maxMessage || len(got) < maxMessage-3 || !strings.HasPrefix(text, got) {
			t.Errorf("%d bytes, valid: %v", len(got), utf8.ValidString(got))
		}
	}
}

func TestATransitionTimeMovesWithTheValueOnly(t *testing.T) {
	first := settled()
	later := rest(func(f *Facts) {
		f.Now, f.Generation = at(time.Hour), 4
		f.Stored = storedOf("0B")
	}, wants(v1alpha1.TriggerExpiry, "old"))
	second := Next(first, later)
	for _, c := range second.Conditions {
		if !c.LastTransitionTime.Time.Equal(noon) {
			t.Errorf("%s moved with its words: %s", c.Type, c.LastTransitionTime)
		}
	}
	third := Next(second, rest(expired, func(f *Facts) { f.Now = at(2*time.Hour + 999*time.Millisecond) }))
	moved := map[string]time.Time{}
	for _, c := range third.Conditions {
		moved[c.Type] = c.LastTransitionTime.Time
	}
	want := map[string]time.Time{"Ready": at(2 * time.Hour), "Issued": noon, "Published": noon}
	if diff := cmp.Diff(want, moved); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The verdicts of kstatus on our statuses. What the library itself says is in hack/conformance.
func TestToolsThatWaitAreNotMisled(t *testing.T) {
	for name, test := range map[string]struct {
		facts Facts
		want  string
	}{
		"at rest":                                  {rest(), "Current"},
		"a routine renewal":                        {rest(wants(v1alpha1.TriggerExpiry, "old")), "Current"},
		"a failed renewal":                         {rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonUnavailable, "503", noon)), "Current"},
		"suspended":                                {rest(suspended), "Current"},
		"a first certificate is under way":         {rest(empty, wants(v1alpha1.TriggerFirst, "first")), "InProgress"},
		"another validity is under way":            {rest(changed, wants(v1alpha1.TriggerSpec, "longer")), "InProgress"},
		"a label is under way":                     {rest(stale), "InProgress"},
		"the cloud is down":                        {rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonUnavailable, "503", noon)), "InProgress"},
		"nothing will change until the user acts":  {rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonRejected, "no", time.Time{})), "Failed"},
		"the Secret is somebody else's":            {rest(empty, refused(v1alpha1.ReasonSecretConflict, "theirs")), "Failed"},
		"refused, but what is published works on":  {rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonRejected, "no", time.Time{})), "Current"},
		"the renewal failed and nothing works now": {rest(expired, wants(v1alpha1.TriggerMissing, "x"), failing(v1alpha1.ReasonUnavailable, "503", noon)), "InProgress"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kstatus(Next(v1alpha1.ClusterCredentialStatus{}, test.facts), test.facts.Generation); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if got := kstatus(v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}, 1); got != "InProgress" {
		t.Errorf("before the first pass: %s, want InProgress", got)
	}
	if got := kstatus(settled(), 4); got != "InProgress" {
		t.Errorf("with a newer spec: %s, want InProgress", got)
	}
}

// kstatus is the library's rule for objects of these shapes.
func kstatus(s v1alpha1.ClusterCredentialStatus, generation int64) string {
	switch {
	case s.ObservedGeneration != generation:
		return "InProgress"
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReconciling):
		return "InProgress"
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionStalled):
		return "Failed"
	case !meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReady):
		return "InProgress"
	default:
		return "Current"
	}
}

// While an attempt waits in line Issued keeps its words, as long as they are true.
func TestWaitingInLineRepeatsOnlyWhatStillHolds(t *testing.T) {
	line := func(f *Facts) { f.Waiting = true }
	for name, test := range map[string]struct {
		before, now Facts
		want        string
	}{
		"a failure that is waited out": {
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), failing(v1alpha1.ReasonUnavailable, "503", noon)),
			rest(empty, wants(v1alpha1.TriggerFirst, "first"), line), "False Unavailable"},
		"a turn that was told of": {
			rest(wants(v1alpha1.TriggerExpiry, "old"), waiting(v1alpha1.ReasonRateLimited, "in line", at(time.Hour))),
			rest(wants(v1alpha1.TriggerExpiry, "old"), line), "True RateLimited"},
		"a good certificate": {
			rest(), rest(wants(v1alpha1.TriggerExpiry, "old"), line), "True Issued"},
		"a Secret that stood in the way and still does": {
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), refused(v1alpha1.ReasonWriteRefused, "immutable"), waiting(v1alpha1.ReasonWriteRefused, "immutable", time.Time{})),
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), refused(v1alpha1.ReasonWriteRefused, "immutable"), line), "False WriteRefused"},
		"a Secret that stood in the way and has gone": {
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), refused(v1alpha1.ReasonWriteRefused, "immutable"), waiting(v1alpha1.ReasonWriteRefused, "immutable", time.Time{})),
			rest(empty, wants(v1alpha1.TriggerMissing, "lost"), line), "False Issuing"},
		"a good certificate that has gone": {
			rest(), rest(empty, wants(v1alpha1.TriggerMissing, "lost"), line), "False Issuing"},
		"held, and held still": {
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), waiting(v1alpha1.ReasonFleetHeld, "too many", time.Time{})),
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), line, func(f *Facts) { f.FleetHeld = true }), "False FleetHeld"},
		"held until now": {
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), waiting(v1alpha1.ReasonFleetHeld, "too many", time.Time{})),
			rest(changed, wants(v1alpha1.TriggerSpec, "longer"), line), "False Issuing"},
		"suspended until now": {
			rest(suspended), rest(wants(v1alpha1.TriggerExpiry, "old"), line), "True Renewing"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wordsOf(after(test.before, test.now)).Issued; got != test.want {
				t.Errorf("Issued %q, want %q", got, test.want)
			}
		})
	}
}
