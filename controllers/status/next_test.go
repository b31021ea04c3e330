// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
)

func TestTheStatusTellsWhatIsStored(t *testing.T) {
	got := settled()
	c := certificate("0A")
	want := v1alpha1.ClusterCredentialStatus{
		ObservedGeneration: 3, Cluster: "prod-1", ClusterID: "c-1",
		Access: v1alpha1.AccessExternal, Server: "https://203.0.113.1:5443",
		Contexts:    []v1alpha1.OfferedContext{{Name: "externalTLSVerify", Server: "https://203.0.113.1:5443", Verified: true}},
		Certificate: &c, Revision: 4, RenewalTime: stampOf(10 * day), LastHandledRenewRequest: "r-1",
		History: []v1alpha1.HistoryEntry{{
			IssuanceID: "i-0A", SerialNumber: "0A", FingerprintSHA256: "fp-0A", CommonName: "user-1", ClusterID: "c-1",
			IssuedAt: *stampOf(-10 * day), NotAfter: stampOf(20 * day), RequestID: "req-0A", Trigger: v1alpha1.TriggerExpiry, State: v1alpha1.CertificateActive,
		}},
		Outputs: []v1alpha1.OutputStatus{{
			Namespace: "fleet", SecretName: "prod-1-kubeconfig", Format: "Kubeconfig", Revision: 4, NotAfter: stampOf(20 * day), State: v1alpha1.OutputCurrent,
		}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "Conditions")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheColumnsSayWhatIsKnown(t *testing.T) {
	type columns struct{ Cluster, ClusterID, Server string }
	nameless := func(f *Facts) { f.Stored.ClusterName = "" }
	for name, test := range map[string]struct {
		passes []Facts
		want   columns
	}{
		"before the first certificate, what the spec names":    {[]Facts{rest(empty)}, columns{"prod-1", "", ""}},
		"a corrected spec before the first certificate":        {[]Facts{rest(empty, func(f *Facts) { f.Wanted = "prdo" }), rest(empty, func(f *Facts) { f.Generation = 4 })}, columns{"prod-1", "", ""}},
		"the name, where it is known":                          {[]Facts{rest()}, columns{"prod-1", "c-1", "https://203.0.113.1:5443"}},
		"else the id":                                          {[]Facts{rest(nameless)}, columns{"c-1", "c-1", "https://203.0.113.1:5443"}},
		"the published cluster while another is wanted":        {[]Facts{rest(), rest(otherCluster, func(f *Facts) { f.Generation, f.Wanted = 4, "prod-2" })}, columns{"prod-1", "c-1", "https://203.0.113.1:5443"}},
		"the lost one after the Secret is gone":                {[]Facts{rest(), rest(empty, func(f *Facts) { f.Generation, f.Wanted = 4, "prod-2" })}, columns{"prod-1", "c-1", "https://203.0.113.1:5443"}},
		"what was found of the cluster stays before a first":   {[]Facts{rest(empty), rest(empty, func(f *Facts) { f.Wanted = "c-1" })}, columns{"prod-1", "", ""}},
		"a record that lost the id keeps the one that is told": {[]Facts{rest(), rest(func(f *Facts) { f.Stored.ClusterID = "" })}, columns{"prod-1", "c-1", "https://203.0.113.1:5443"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := after(test.passes...)
			if diff := cmp.Diff(test.want, columns{got.Cluster, got.ClusterID, got.Server}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestALostSecretLeavesTheRecordOfItsCertificate(t *testing.T) {
	got := Next(settled(), rest(empty, wants(v1alpha1.TriggerMissing, "lost")))
	if got.Certificate == nil || got.Certificate.SerialNumber != "0A" || got.Revision != 4 || got.RenewalTime != nil {
		t.Errorf("got %+v", got)
	}
	if got.Outputs[0].State != v1alpha1.OutputFailed || got.Outputs[0].NotAfter != nil {
		t.Errorf("got %+v", got.Outputs[0])
	}
}

func TestARestoredSecretDoesNotTurnTheRevisionBack(t *testing.T) {
	previous := settled()
	previous.Revision = 7
	if got := Next(previous, rest()).Revision; got != 7 {
		t.Errorf("got %d", got)
	}
	if got := Next(previous, rest(func(f *Facts) { f.Stored.Revision = 9 })).Revision; got != 9 {
		t.Errorf("got %d", got)
	}
}

func TestTheRequestIDOfTheSameCertificateIsKept(t *testing.T) {
	bare := func(f *Facts) { f.Stored.Certificate.RequestID, f.Stored.Certificate.Request = "", "" }
	if got := Next(settled(), rest(bare)).Certificate; got.RequestID != "req-0A" || got.Request != `{"v":1}` {
		t.Errorf("the same certificate: %+v", got)
	}
	other := rest(func(f *Facts) { f.Stored = storedOf("0B") }, bare)
	if got := Next(settled(), other).Certificate; got.RequestID != "" || got.Request != "" {
		t.Errorf("another certificate: %+v", got)
	}
}

// tried is what status says of attempts.
type tried struct {
	Failures      int32
	AttemptedWith string
	Last, Next    string
}

func triedOf(s v1alpha1.ClusterCredentialStatus) tried {
	got := tried{Failures: s.Failures, AttemptedWith: s.AttemptedWith}
	if s.LastFailureTime != nil {
		got.Last = s.LastFailureTime.Format("15:04:05")
	}
	if s.NextAttemptTime != nil {
		got.Next = s.NextAttemptTime.Format("15:04:05")
	}
	return got
}

func TestFailuresAreCountedUntilSomethingChanges(t *testing.T) {
	due := wants(v1alpha1.TriggerExpiry, "old")
	soon := at(time.Minute)
	failure := rest(due, failing(v1alpha1.ReasonUnavailable, "503", soon))
	other := rest(due, func(f *Facts) { f.With = "with-2" }, failing(v1alpha1.ReasonUnavailable, "503", soon))
	for name, test := range map[string]struct {
		passes []Facts
		want   tried
	}{
		"none at rest":            {[]Facts{rest()}, tried{}},
		"one":                     {[]Facts{failure}, tried{1, "with-1", "12:00:00", "12:01:00"}},
		"three in a row":          {[]Facts{failure, failure, failure}, tried{3, "with-1", "12:00:00", "12:01:00"}},
		"a success starts afresh": {[]Facts{failure, failure, rest(func(f *Facts) { f.Attempt = &Attempt{With: "with-1"} })}, tried{}},
		"another spec, account, key or request, too":       {[]Facts{failure, failure, other}, tried{1, "with-2", "12:00:00", "12:01:00"}},
		"already before it is tried":                       {[]Facts{failure, failure, rest(due, func(f *Facts) { f.With = "with-2" })}, tried{}},
		"so does a need that is gone":                      {[]Facts{failure, failure, rest()}, tried{}},
		"so does suspending":                               {[]Facts{failure, failure, rest(suspended)}, tried{}},
		"a pass between two attempts changes nothing":      {[]Facts{failure, rest(due, waitsUntil(soon, v1alpha1.ReasonRenewing, "old"))}, tried{1, "with-1", "12:00:00", "12:01:00"}},
		"a pass that may try and does not changes nothing": {[]Facts{failure, rest(due)}, tried{1, "with-1", "12:00:00", "12:01:00"}},
		"waiting for a turn is no failure":                 {[]Facts{rest(due, waiting(v1alpha1.ReasonRateLimited, "in line", soon))}, tried{Next: "12:01:00"}},
		"waiting for a turn after a failure keeps it":      {[]Facts{failure, rest(due, waiting(v1alpha1.ReasonRateLimited, "in line", at(time.Hour)))}, tried{1, "with-1", "12:00:00", "12:01:00"}},
		"waiting for somebody is no failure":               {[]Facts{rest(due, waiting(v1alpha1.ReasonAccountNotFound, "create it", time.Time{}))}, tried{}},
		"waiting for somebody ends the wait for a turn":    {[]Facts{rest(due, waiting(v1alpha1.ReasonRateLimited, "in line", soon)), rest(due, waiting(v1alpha1.ReasonAccountNotFound, "create it", time.Time{}))}, tried{}},
		"waiting for the floor says until when":            {[]Facts{rest(due, waitsUntil(soon, v1alpha1.ReasonRateLimited, "floor"))}, tried{Next: "12:01:00"}},
		"waiting for a window says until when":             {[]Facts{rest(due, waitsUntil(soon, v1alpha1.ReasonWaitingForWindow, "window"))}, tried{Next: "12:01:00"}},
		"also after a failure in the one before":           {[]Facts{failure, rest(due, waitsUntil(at(time.Hour), v1alpha1.ReasonWaitingForWindow, "window"))}, tried{1, "with-1", "12:00:00", "13:00:00"}},
		"a refused request waits for the user":             {[]Facts{rest(due, failing(v1alpha1.ReasonRejected, "no", time.Time{}))}, tried{1, "with-1", "12:00:00", ""}},
		"a lost answer is a failure":                       {[]Facts{rest(due, lostAt(soon))}, tried{1, "with-1", "12:00:00", "12:01:00"}},
		"a lost answer is one more":                        {[]Facts{failure, rest(due, lostAt(at(2*time.Minute)))}, tried{2, "with-1", "12:00:00", "12:02:00"}},
		"a lost answer that was followed by a success":     {[]Facts{failure, rest(due, lostAt(soon), func(f *Facts) { f.Attempt = &Attempt{With: "with-1"} })}, tried{}},
		"whole seconds, and never told too early":          {[]Facts{rest(due, func(f *Facts) { f.Now = at(999 * time.Millisecond) }, failing(v1alpha1.ReasonUnavailable, "", at(1999*time.Millisecond)))}, tried{1, "with-1", "12:00:00", "12:00:02"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, triedOf(after(test.passes...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func lostAt(retry time.Time) func(*Facts) {
	return func(f *Facts) {
		f.Lost = &Lost{Issuance: *begun("i-lost", v1alpha1.TriggerExpiry, time.Minute), ClusterID: "c-1", NotAfter: at(30 * day), With: f.With, RetryAt: retry}
	}
}

func TestAFailureThatIsToldTwiceCountsOnce(t *testing.T) {
	told := rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonUnavailable, "503", at(time.Minute)))
	told.Attempt.At = noon
	once := Next(v1alpha1.ClusterCredentialStatus{}, told)
	again := told
	again.Now = at(10 * time.Second)
	twice := Next(once, again)
	if twice.Failures != once.Failures || !twice.LastFailureTime.Equal(once.LastFailureTime) {
		t.Errorf("%d failures, the last at %s, want %d at %s", twice.Failures, twice.LastFailureTime, once.Failures, once.LastFailureTime)
	}
	another := again
	anotherAttempt := *told.Attempt
	anotherAttempt.At = at(20 * time.Second)
	another.Attempt = &anotherAttempt
	if got := Next(twice, another).Failures; got != once.Failures+1 {
		t.Errorf("another failure makes %d, want %d", got, once.Failures+1)
	}
}

func TestTheIntentStandsUntilTheNextPass(t *testing.T) {
	issuance := *begun("i-1", v1alpha1.TriggerFirst, 0)
	facts := rest(empty, wants(v1alpha1.TriggerFirst, "first"))
	begin := Begin(v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}, facts, issuance)
	if begin.Issuance == nil || *begin.Issuance != issuance {
		t.Errorf("got %+v", begin.Issuance)
	}
	checkConditions(t, begin, facts) // the first visit's conditions go with it
	if got := Next(begin, rest()); got.Issuance != nil {
		t.Errorf("after the attempt: %+v", got.Issuance)
	}
}

// Before the call nobody has looked at the outputs in this pass, and they seem not to be current.
func TestARoutineRenewalDoesNotTurnPublishedOffForAMoment(t *testing.T) {
	copied := func(f *Facts) {
		f.Copies = []Copy{{Output: Output{Namespace: "argocd", SecretName: "cluster-prod-1", Format: v1alpha1.FormatArgoCD, Current: f.Output.Current}, Works: true}}
	}
	refusedCopy := func(f *Facts) { f.Copies[0].Reason, f.Copies[0].Message = v1alpha1.ReasonWriteRefused, "no" }
	for name, test := range map[string]struct {
		facts Facts
		want  words
	}{
		"a renewal by time": {rest(wants(v1alpha1.TriggerExpiry, "old"), stale, copied), words{"True Valid", "True Renewing", "True Published", "", ""}},
		"one on request":    {rest(wants(v1alpha1.TriggerRequest, "asked"), stale, copied), words{"True Valid", "True Renewing", "True Published", "", ""}},
		"another validity": {rest(wants(v1alpha1.TriggerSpec, "days"), changed, stale, copied, func(f *Facts) { f.Generation++ }),
			words{"True Valid", "False Issuing", "False Issuing", "True Issuing", ""}},
		"an output that was refused": {rest(wants(v1alpha1.TriggerExpiry, "old"), stale, copied, refusedCopy),
			words{"True Valid", "True Renewing", "False WriteRefused", "True WriteRefused", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			begin := Begin(after(rest(copied)), test.facts, *begun("i-1", test.facts.Decision.Trigger, 0))
			if diff := cmp.Diff(test.want, wordsOf(begin)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			state := begin.Outputs[1].State
			if stands := test.want.Published == "True Published"; stands != (state == v1alpha1.OutputCurrent) {
				t.Errorf("the other output is %s", state)
			}
		})
	}
	first := Begin(after(rest(stale, copied)), rest(wants(v1alpha1.TriggerExpiry, "old"), stale, copied), *begun("i-1", v1alpha1.TriggerExpiry, 0))
	if got := wordsOf(first).Published; got == "True Published" {
		t.Error("what was not published before is told to be")
	}
}

func TestADiscardedAnswerLeavesWhatItOffered(t *testing.T) {
	offered := []v1alpha1.OfferedContext{{Name: "internal", Server: "https://192.168.0.1:5443", Verified: true}}
	discarded := rest(wants(v1alpha1.TriggerExpiry, "old"), failing(v1alpha1.ReasonContextNotFound, "none", noon), func(f *Facts) {
		f.Attempt.Issuance, f.Attempt.Discarded, f.Attempt.Contexts = begun("i-2", v1alpha1.TriggerExpiry, 0), &v1alpha1.Certificate{}, offered
	})
	got := after(rest(), discarded, rest(wants(v1alpha1.TriggerExpiry, "old")))
	if diff := cmp.Diff(offered, got.Contexts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = Next(got, rest(func(f *Facts) { f.Stored = storedOf("0B") }))
	if diff := cmp.Diff(storedOf("0B").Contexts, got.Contexts); diff != "" {
		t.Errorf("with the next certificate (-want +got):\n%s", diff)
	}
}

func TestEqualIsWhatTheAPIServerCannotTellApart(t *testing.T) {
	a := settled()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var b v1alpha1.ClusterCredentialStatus
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	if !Equal(a, b) || !Equal(b, Next(b, rest())) {
		t.Error("a status that was stored and read differs")
	}
	b.Revision++
	if Equal(a, b) {
		t.Error("another revision is equal")
	}
}

// Wiping the status loses the history, the failures and the request id, and nothing else.
func TestAWipedStatusIsMadeAgain(t *testing.T) {
	for name, facts := range map[string]Facts{
		"at rest":                    rest(),
		"a renewal is due":           rest(wants(v1alpha1.TriggerExpiry, "old")),
		"the floor holds":            rest(wants(v1alpha1.TriggerExpiry, "old"), waitsUntil(at(time.Minute), v1alpha1.ReasonRateLimited, "floor")),
		"another validity is wanted": rest(changed, wants(v1alpha1.TriggerSpec, "longer")),
		"another cluster is wanted":  rest(otherCluster, wants(v1alpha1.TriggerSpec, "c-2")),
		"suspended":                  rest(suspended),
		"expired":                    rest(expired, wants(v1alpha1.TriggerMissing, "expired")),
		"not current":                rest(stale),
		"a conflict":                 rest(refused(v1alpha1.ReasonWriteRefused, "quota")),
		"by hand":                    rest(func(f *Facts) { f.Manual = true }),
	} {
		t.Run(name, func(t *testing.T) {
			kept := after(
				rest(func(f *Facts) { f.Stored = storedOf("09"); f.Stored.Revision = 3 }),
				rest(wants(v1alpha1.TriggerExpiry, "old"), func(f *Facts) { f.Stored = storedOf("09") }, failing(v1alpha1.ReasonUnavailable, "503", noon)),
				rest(func(f *Facts) { f.Attempt = &Attempt{With: f.With} }),
				facts,
			)
			wiped := after(facts)
			if diff := cmp.Diff(kept, wiped, cmpopts.IgnoreFields(kept, "History")); diff != "" {
				t.Errorf("(-kept +wiped):\n%s", diff)
			}
		})
	}
}

// Random lives of an object: the status is always whole, applying the same facts again
// changes nothing, it survives the API server, and Next shares no memory with anything.
func TestTheStatusIsSoundThroughAnyLife(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for life := range 500 {
		s := v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1}
		for pass := range 40 {
			facts := randomFacts(random, life, pass)
			frozen := s.DeepCopy()
			next := Next(s, facts)
			if !reflect.DeepEqual(*frozen, s) {
				t.Fatalf("the previous status was changed:\n%s", cmp.Diff(*frozen, s))
			}
			overwrite(reflect.ValueOf(&s).Elem())
			if again := Next(*frozen, facts); !reflect.DeepEqual(next, again) {
				t.Fatalf("it shares memory, or is not a function of its arguments:\n%s", cmp.Diff(next, again))
			}
			checkConditions(t, next, facts)
			checkHistory(t, next, facts)
			if facts.Attempt == nil && facts.Lost == nil {
				if still := Next(next, facts); !Equal(next, still) {
					t.Fatalf("the same facts again change it:\n%s", cmp.Diff(next, still))
				}
			}
			for _, event := range EventsOf(*frozen, next, News{Published: true}) {
				if event.Reason == "" || event.Message == "" {
					t.Fatalf("an empty event: %+v", event)
				}
			}
			if events := EventsOf(next, next, News{Published: true}); events != nil {
				t.Fatalf("events without a transition: %+v", events)
			}
			if t.Failed() {
				t.Fatalf("life %d, pass %d", life, pass)
			}
			s = next
		}
	}
}

// overwrite changes everything that can be reached.
func overwrite(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			overwrite(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for _, field := range v.Fields() {
			overwrite(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			overwrite(v.Index(i))
		}
	case reflect.String:
		v.SetString("overwritten")
	case reflect.Int32, reflect.Int64:
		v.SetInt(-77)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	}
}

func randomFacts(random *rand.Rand, life, pass int) Facts {
	one := func(changes ...func(*Facts)) func(*Facts) { return changes[random.IntN(len(changes))] }
	nothing := func(*Facts) {}
	triggers := []v1alpha1.Trigger{v1alpha1.TriggerFirst, v1alpha1.TriggerMissing, v1alpha1.TriggerSpec, v1alpha1.TriggerRequest, v1alpha1.TriggerExpiry}
	reasons := []v1alpha1.Reason{
		v1alpha1.ReasonUnavailable, v1alpha1.ReasonUnauthorized, v1alpha1.ReasonForbidden, v1alpha1.ReasonRejected, v1alpha1.ReasonCredentialsMissing,
		v1alpha1.ReasonContextNotFound, v1alpha1.ReasonSecretConflict, v1alpha1.ReasonRateLimited, v1alpha1.ReasonUnknownOutcome,
	}
	trigger, reason := triggers[random.IntN(len(triggers))], reasons[random.IntN(len(reasons))]
	f := rest(
		func(f *Facts) {
			f.Now = at(time.Duration(pass)*3*time.Hour + time.Duration(random.IntN(1e9)))
			f.Generation, f.With = int64(1+pass/4), fmt.Sprint("with-", random.IntN(3))
			f.Stored = storedOf(fmt.Sprintf("%02X", random.IntN(6)))
			f.Stored.IssuedAt = at(time.Duration(pass-random.IntN(4)) * time.Hour)
			f.Stored.Certificate.NotAfter = *stampOf(time.Duration(random.IntN(200)) * time.Hour)
		},
		one(nothing, nothing, empty, expired),
		one(nothing, suspended), one(nothing, stale, refused(reason, "refused")), one(nothing, changed, otherCluster, wrongAccess),
		one(nothing, wants(trigger, "wanted")),
	)
	if f.Decision.Trigger != "" {
		one(nothing, waitsUntil(f.Now.Add(time.Minute), v1alpha1.ReasonRateLimited, "floor"), failing(reason, "failed", f.Now.Add(time.Minute)),
			waiting(reason, "waiting", time.Time{}), func(f *Facts) { f.Attempt = &Attempt{With: f.With} }, lostAt(f.Now.Add(time.Minute)))(&f)
	}
	if f.Attempt != nil && f.Attempt.Failure != nil && random.IntN(2) == 0 {
		f.Attempt.Issuance = begun(fmt.Sprintf("i-%d-%d", life, pass), trigger, -f.Now.Sub(noon))
		f.Attempt.NotAfter, f.Attempt.Unknown = f.Now.Add(30*day), true
	}
	if random.IntN(3) == 0 {
		f.Released = []v1alpha1.OutputStatus{{Namespace: "fleet", SecretName: fmt.Sprint("former-", random.IntN(3)), NotAfter: stampOf(time.Duration(random.IntN(100)) * time.Hour), State: v1alpha1.OutputReleased}}
	}
	return f
}

func TestEveryErrorOfTheCloudHasItsReason(t *testing.T) {
	want := map[issuer.Kind]v1alpha1.Reason{
		issuer.Unavailable: v1alpha1.ReasonUnavailable, issuer.Throttled: v1alpha1.ReasonThrottled, issuer.Unauthorized: v1alpha1.ReasonUnauthorized,
		issuer.Forbidden: v1alpha1.ReasonForbidden, issuer.NotFound: v1alpha1.ReasonClusterNotFound, issuer.Ambiguous: v1alpha1.ReasonClusterAmbiguous,
		issuer.NotAvailable: v1alpha1.ReasonClusterNotAvailable, issuer.Rejected: v1alpha1.ReasonRejected, issuer.InvalidResponse: v1alpha1.ReasonInvalidResponse,
	}
	for kind := issuer.Unavailable; kind.String() != ""; kind++ {
		if got := ReasonOf(kind); got != want[kind] {
			t.Errorf("%s: got %s, want %s", kind, got, want[kind])
		}
	}
	if got := ReasonOf(issuer.Kind(99)); got != v1alpha1.ReasonUnavailable {
		t.Errorf("an unknown kind: %s", got)
	}
	if len(slices.Compact(slices.Sorted(maps.Values(want)))) != len(want) {
		t.Error("two kinds share a reason")
	}
}
