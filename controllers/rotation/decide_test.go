// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
)

const none v1alpha1.Trigger = ""

// The faults stand in the order in which they are named: of any two at once, the earlier.
func TestTheFirstReasonThatHoldsIsNamed(t *testing.T) {
	type fault struct {
		name  string
		fault func(*situation)
		want  v1alpha1.Trigger
	}
	ordered := []fault{
		{"nothing was published", neverPublished, v1alpha1.TriggerFirst},
		{"the Secret is lost", lostSecret, v1alpha1.TriggerMissing},
		{"the certificate expired", expired, v1alpha1.TriggerMissing},
		{"another cluster by name", otherName, v1alpha1.TriggerSpec},
		{"another cluster by id", otherCluster, v1alpha1.TriggerSpec},
		{"another validity", otherSpec, v1alpha1.TriggerSpec},
		{"another account", func(s *situation) { s.want.Record.AccountName = "other" }, v1alpha1.TriggerSpec},
		{"an address that is not known", unreachable, v1alpha1.TriggerSpec},
		{"the cluster refuses the certificate", refused, v1alpha1.TriggerNotAccepted},
		{"the cluster has another CA", otherCA, v1alpha1.TriggerCAChanged},
		{"a request", request, v1alpha1.TriggerRequest},
		{"the renewal time has come", dueByTime, v1alpha1.TriggerExpiry},
	}
	for i, first := range ordered {
		t.Run(first.name, func(t *testing.T) {
			got := rest(first.fault).decide()
			if got.Trigger != first.want || !got.Due || got.Message == "" || !got.At.Equal(noon) {
				t.Errorf("got %+v, want %s at once", got, first.want)
			}
		})
		for _, second := range ordered[i+1:] {
			t.Run(first.name+" and "+second.name, func(t *testing.T) {
				lostBoth := first.want == v1alpha1.TriggerMissing || first.want == v1alpha1.TriggerFirst
				if lostBoth && (second.name == "the certificate expired" || second.want == v1alpha1.TriggerExpiry) {
					return // what is not there, or not valid, is not due by time
				}
				if got := rest(second.fault, first.fault).decide(); got.Trigger != first.want {
					t.Errorf("got %s, want %s", got.Trigger, first.want)
				}
			})
		}
	}
}

func TestACertificateIsAskedForOnlyWithReason(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*situation)
		want   v1alpha1.Trigger
	}{
		"at rest, nothing":                              {func(*situation) {}, none},
		"an expired certificate, also by hand":          {func(s *situation) { expired(s); manual(s) }, v1alpha1.TriggerMissing},
		"Manual holds back what is due by time":         {func(s *situation) { dueByTime(s); manual(s) }, none},
		"Manual does not hold back a request":           {func(s *situation) { request(s); manual(s) }, v1alpha1.TriggerRequest},
		"Manual does not hold back another spec":        {func(s *situation) { otherSpec(s); manual(s) }, v1alpha1.TriggerSpec},
		"suspended, nothing for a lost Secret":          {func(s *situation) { lostSecret(s); suspended(s) }, none},
		"suspended, nothing for a request":              {func(s *situation) { request(s); suspended(s) }, none},
		"suspended, nothing though it expired":          {func(s *situation) { expired(s); suspended(s) }, none},
		"suspended, no first one":                       {func(s *situation) { neverPublished(s); suspended(s) }, none},
		"a request that was handled":                    {func(s *situation) { s.want.RenewRequest = "done" }, none},
		"the one handled before that":                   {func(s *situation) { s.want.RenewRequest = "before" }, none},
		"a request without any record is handled":       {func(s *situation) { request(s); s.have.Handled = nil }, none},
		"a request beside a record of none":             {func(s *situation) { request(s); s.have.Handled = []string{""} }, v1alpha1.TriggerRequest},
		"no request beside a record of one":             {func(s *situation) { s.want.RenewRequest = "" }, none},
		"a long request that was handled":               {func(s *situation) { longRequest(s, 300) }, none},
		"without a record, nothing counts as changed":   {func(s *situation) { otherSpec(s); otherCluster(s); s.have.Record = nil }, none},
		"a cluster that is not looked up is the same":   {func(s *situation) { s.want.Record.ClusterID = "" }, none},
		"the project and the type alone":                {func(s *situation) { s.want.Record.ProjectID, s.want.Record.ClusterType = "q", "Autopilot" }, none},
		"a lost Secret of an object never published":    {func(s *situation) { lostSecret(s); s.have.Published = false }, v1alpha1.TriggerFirst},
		"a certificate that expires in a second":        {func(s *situation) { dueByTime(s); s.have.Stored.NotAfter = at(time.Second) }, v1alpha1.TriggerExpiry},
		"a certificate that is not valid yet is served": {func(s *situation) { s.have.Stored.NotBefore, s.have.Stored.NotAfter = at(day), at(31*day) }, none},
		"failures alone ask for nothing":                {failed(3, "with-1", at(-time.Second)), none},
	} {
		t.Run(name, func(t *testing.T) {
			got := rest(test.change).decide()
			if got.Trigger != test.want {
				t.Errorf("got %q (%s), want %q", got.Trigger, got.Message, test.want)
			}
			if test.want == none && (got.Due || !got.At.IsZero() || got.Reason != "" || got.Message != "") {
				t.Errorf("nothing is wanted, and yet %+v", got)
			}
		})
	}
}

func longRequest(s *situation, characters int) {
	s.want.RenewRequest = strings.Repeat("é", characters)
	s.have.Handled = []string{strings.Repeat("é", min(characters, maxRequest))}
}

func TestEverythingThatItWaitsForCounts(t *testing.T) {
	const (
		issuing, renewing = v1alpha1.ReasonIssuing, v1alpha1.ReasonRenewing
		limited           = v1alpha1.ReasonRateLimited
		first, missing    = v1alpha1.TriggerFirst, v1alpha1.TriggerMissing
		spec, byRequest   = v1alpha1.TriggerSpec, v1alpha1.TriggerRequest
		expiry            = v1alpha1.TriggerExpiry
		replaced, newCA   = v1alpha1.TriggerNotAccepted, v1alpha1.TriggerCAChanged
	)
	parked := time.Time{}
	spent := append(several(1, byRequest, 30*time.Minute), several(5, spec, 40*time.Minute)...)
	for name, test := range map[string]struct {
		fault   func(*situation)
		waits   func(*situation)
		at      time.Time
		reason  v1alpha1.Reason
		message string // part of it
	}{
		"a failure waits until its back-off is over":        {lostSecret, failed(2, "with-1", at(time.Minute)), at(time.Minute), issuing, "no readable credential"},
		"a back-off that is over waits no longer":           {lostSecret, failed(2, "with-1", at(-time.Minute)), noon, issuing, ""},
		"a back-off that ends now is over":                  {dueByTime, failed(2, "with-1", noon), noon, renewing, ""},
		"failures with something else do not count":         {lostSecret, failed(2, "other", at(time.Minute)), noon, issuing, ""},
		"a refused request waits for another spec":          {otherSpec, failed(1, "with-1", parked), parked, issuing, ""},
		"what was refused with another spec waits no more":  {otherSpec, failed(1, "other", parked), noon, issuing, ""},
		"a back-off of a day comes from a wrong clock":      {dueByTime, failed(1, "with-1", at(day)), noon, renewing, ""},
		"an unknown outcome is held off":                    {dueByTime, attempts(lost(5 * time.Second)), at(40 * time.Second), v1alpha1.ReasonUnknownOutcome, "a certificate may exist that is not stored"},
		"a hold-off that is over waits no longer":           {dueByTime, attempts(lost(45 * time.Second)), noon, renewing, ""},
		"a newer request does not shorten the hold-off":     {request, attempts(lost(5 * time.Second)), at(40 * time.Second), v1alpha1.ReasonUnknownOutcome, ""},
		"another leader's clock is half a minute ahead":     {dueByTime, attempts(lost(-30 * time.Second)), at(75 * time.Second), v1alpha1.ReasonUnknownOutcome, ""},
		"an attempt of tomorrow comes from a wrong clock":   {dueByTime, attempts(lost(-day)), noon, renewing, ""},
		"the latest of back-off and hold-off":               {lostSecret, both(failed(1, "with-1", at(time.Minute)), attempts(lost(0))), at(time.Minute), issuing, "no readable credential"},
		"the latest of hold-off and back-off":               {lostSecret, both(failed(1, "with-1", at(time.Second)), attempts(lost(0))), at(45 * time.Second), v1alpha1.ReasonUnknownOutcome, ""},
		"by time, not before the floor":                     {dueByTime, attempts(made(first, 4*time.Minute)), at(6 * time.Minute), limited, "at least 10m0s between two certificates (--min-issue-interval)"},
		"by time, when the floor is over":                   {dueByTime, attempts(made(byRequest, 10*time.Minute)), noon, renewing, ""},
		"by time, a lost answer moves no floor":             {dueByTime, attempts(lost(4*time.Minute), made(first, day)), noon, renewing, ""},
		"by time, a discarded one moves no floor":           {dueByTime, attempts(discarded(4*time.Minute), made(first, day)), noon, renewing, ""},
		"by time, one of tomorrow moves no floor":           {dueByTime, attempts(made(expiry, -day), made(expiry, day)), noon, renewing, ""},
		"by time, behind one of tomorrow the floor counts":  {dueByTime, attempts(made(expiry, -day), made(expiry, time.Minute)), at(9 * time.Minute), limited, ""},
		"the first lost Secret of an hour is free":          {lostSecret, attempts(made(first, time.Minute)), noon, issuing, ""},
		"the second lost Secret of an hour is free":         {lostSecret, attempts(several(1, missing, time.Minute)...), noon, issuing, ""},
		"the third waits for the floor":                     {lostSecret, attempts(several(2, missing, time.Minute)...), at(9 * time.Minute), limited, "--min-issue-interval"},
		"repairs of the hour before do not count":           {lostSecret, attempts(several(2, missing, time.Hour)...), noon, issuing, ""},
		"lost and discarded repairs do not count":           {lostSecret, attempts(made(missing, time.Minute), Attempt{Trigger: missing, At: at(-2 * time.Minute), Discarded: true}, Attempt{Trigger: missing, At: at(-3 * time.Minute), Lost: true}), noon, issuing, ""},
		"an expired certificate has no free repair":         {expired, attempts(made(first, 4*time.Minute)), at(6 * time.Minute), limited, "--min-issue-interval"},
		"a third repair does not wait if spec has changed":  {both(lostSecret, otherCluster), attempts(several(2, missing, time.Minute)...), noon, issuing, ""},
		"nor if another name is wanted":                     {both(lostSecret, otherName), attempts(several(2, missing, time.Minute)...), noon, issuing, ""},
		"a request frees a lost Secret of the floor":        {both(lostSecret, request), attempts(several(2, missing, 20*time.Second)...), noon, issuing, ""},
		"expired, and another validity is free of it":       {both(expired, otherSpec), attempts(made(first, 4*time.Minute)), noon, issuing, ""},
		"another spec is free of the floor":                 {otherSpec, attempts(made(first, time.Second)), noon, issuing, ""},
		"the sixth change of an hour is free":               {otherSpec, attempts(several(5, spec, time.Second)...), noon, issuing, ""},
		"the seventh waits until the oldest is an hour old": {otherSpec, attempts(several(6, spec, time.Second)...), at(time.Hour - 5*time.Minute - time.Second), limited, "at most 6 certificates an hour for changed specs and requests"},
		"requests and changes are counted together":         {request, attempts(spent...), at(16 * time.Minute), limited, "at most 6 certificates an hour"},
		"six changes an hour ago do not count":              {otherSpec, attempts(several(6, spec, time.Hour)...), noon, issuing, ""},
		"renewals and repairs are not counted as changes":   {otherSpec, attempts(several(9, expiry, time.Second)...), noon, issuing, ""},
		"a request waits for no other certificate":          {request, attempts(made(first, time.Second)), noon, renewing, ""},
		"a request waits a minute after the last one":       {request, attempts(made(byRequest, 20*time.Second)), at(41 * time.Second), limited, "at most one certificate a minute by request"},
		"a request waits no longer than that":               {request, attempts(made(byRequest, 61*time.Second)), noon, renewing, ""},
		"four discarded a day hold everything":              {otherSpec, attempts(discarded(time.Hour), discarded(2*time.Hour), discarded(3*time.Hour), discarded(4*time.Hour)), at(20 * time.Hour), limited, "4 certificates in a day were issued and not fit to be published"},
		"also a first one":                                  {neverPublished, attempts(discarded(time.Hour), discarded(2*time.Hour), discarded(3*time.Hour), discarded(23*time.Hour)), at(time.Hour), limited, ""},
		"also a request":                                    {request, attempts(discarded(time.Hour), discarded(2*time.Hour), discarded(3*time.Hour), discarded(4*time.Hour)), at(20 * time.Hour), limited, ""},
		"three discarded hold nothing":                      {otherSpec, attempts(discarded(time.Hour), discarded(2*time.Hour), discarded(3*time.Hour), discarded(day)), noon, issuing, ""},
		"a refused one waits for the floor only":            {refused, attempts(made(first, 4*time.Minute)), at(6 * time.Minute), limited, "--min-issue-interval"},
		"refused again, it waits for an hour":               {refused, attempts(made(replaced, 20*time.Minute)), at(40 * time.Minute), limited, "one was asked for at 2026-11-24T11:40:00Z already"},
		"another CA counts with it":                         {otherCA, attempts(made(replaced, 20*time.Minute)), at(40 * time.Minute), limited, "waits for 1h0m0s after it"},
		"a third time, for six hours":                       {refused, attempts(made(newCA, 2*time.Hour), made(replaced, 3*time.Hour)), at(4 * time.Hour), limited, "waits for 6h0m0s after it"},
		"from then on for a day":                            {refused, attempts(made(replaced, time.Hour), made(newCA, 7*time.Hour), made(replaced, 8*time.Hour), made(replaced, 2*day)), at(23 * time.Hour), limited, "waits for 24h0m0s after it"},
		"those of three days ago do not count":              {refused, attempts(several(4, replaced, 3*day)...), noon, issuing, "does not accept the published certificate"},
		"refused again, a request does not wait":            {both(refused, request), attempts(made(replaced, 20*time.Minute)), noon, issuing, ""},
		"refused again, what is due does not wait":          {both(refused, dueByTime), attempts(made(replaced, 20*time.Minute)), noon, issuing, ""},
		"a first one knows no floor":                        {neverPublished, attempts(made(first, time.Second)), noon, issuing, "the first certificate is asked for"},
		"no attempts at all":                                {dueByTime, attempts(), noon, renewing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := rest(test.waits, test.fault).decide()
			if !got.At.Equal(test.at) || got.Reason != test.reason || !strings.Contains(got.Message, test.message) {
				t.Errorf("waits until %s: %s, %q; want %s: %s, %q", got.At, got.Reason, got.Message, test.at, test.reason, test.message)
			}
			if want := !test.at.IsZero() && !test.at.After(noon); got.Due != want {
				t.Errorf("Due = %v, want %v", got.Due, want)
			}
			if look := at(time.Hour); test.at.After(noon) && test.at.Before(look) && got.NextLook.After(test.at) {
				t.Errorf("looks again at %s, after %s", got.NextLook, test.at)
			}
		})
	}
}

func both(changes ...func(*situation)) func(*situation) {
	return func(s *situation) {
		for _, change := range changes {
			change(s)
		}
	}
}

func TestWhatNobodyAskedForIsKnown(t *testing.T) {
	for name, test := range map[string]struct {
		situation situation
		want      bool
	}{
		"nothing is wanted":              {rest(), false},
		"the first":                      {rest(neverPublished), false},
		"a lost Secret":                  {rest(lostSecret), true},
		"another validity":               {rest(otherSpec), true},
		"another cluster":                {rest(otherCluster), true},
		"an address that is not known":   {rest(unreachable), true},
		"a request":                      {rest(request), false},
		"a lost Secret and a request":    {rest(lostSecret, request), false},
		"another validity and a request": {rest(otherSpec, request), false},
		"another validity and a request that was handled": {rest(otherSpec, func(s *situation) { s.want.RenewRequest = "done" }), true},
		"a lost Secret, and nobody knows what was handled": {
			rest(lostSecret, request, func(s *situation) { s.have.Handled = nil }), false,
		},
		"a lost Secret that was due":             {rest(lostSecret, func(s *situation) { s.have.Last = &Validity{NotBefore: at(-29 * day), NotAfter: at(day)} }), false},
		"a lost Secret that was due, by hand":    {rest(lostSecret, manual, func(s *situation) { s.have.Last = &Validity{NotBefore: at(-29 * day), NotAfter: at(day)} }), true},
		"a lost Secret that was not due":         {rest(lostSecret, func(s *situation) { s.have.Last = &Validity{NotBefore: at(-day), NotAfter: at(29 * day)} }), true},
		"expired":                                {rest(expired), false},
		"expired, and by hand":                   {rest(expired, manual), false},
		"due by time":                            {rest(dueByTime), false},
		"another validity, and due by time":      {rest(otherSpec, dueByTime), false},
		"another validity, and due, by hand":     {rest(otherSpec, dueByTime, manual), true},
		"another validity while it is suspended": {rest(otherSpec, suspended), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.situation.decide(); got.Unprompted != test.want {
				t.Errorf("Unprompted is %v with trigger %s, want %v", got.Unprompted, got.Trigger, test.want)
			}
		})
	}
}

func TestTheNextLookIsTheSoonestOfWhatCanChange(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*situation)
		want   time.Time
	}{
		"at rest, an hour":                             {func(*situation) {}, at(time.Hour)},
		"the renewal, if it is sooner":                 {grantedUntil(-20*time.Minute, 20*time.Minute), rest(grantedUntil(-20*time.Minute, 20*time.Minute)).decide().RenewalTime},
		"the renewal, also by hand: the message tells": {both(manual, grantedUntil(-20*time.Minute, 20*time.Minute)), rest(grantedUntil(-20*time.Minute, 20*time.Minute)).decide().RenewalTime},
		"the expiry of what is due":                    {grantedUntil(-6*time.Hour, 30*time.Minute), at(30 * time.Minute)},
		"the expiry, suspended":                        {both(suspended, grantedUntil(-6*time.Hour, 30*time.Minute)), at(30 * time.Minute)},
		"the end of a wait":                            {both(lostSecret, failed(1, "with-1", at(3*time.Minute))), at(3 * time.Minute)},
		"an hour, if nothing but the user can help":    {both(lostSecret, failed(1, "with-1", time.Time{})), at(time.Hour)},
		"an hour, if the wait is longer":               {both(otherSpec, attempts(discarded(0), discarded(0), discarded(0), discarded(0))), at(time.Hour)},
		"an hour, if it is due: it is done now":        {lostSecret, at(time.Hour)},
		"an hour, without anything":                    {neverPublished, at(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rest(test.change).decide().NextLook; !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func grantedUntil(from, to time.Duration) func(*situation) {
	return func(s *situation) { s.have.Stored.NotBefore, s.have.Stored.NotAfter = at(from), at(to) }
}

func TestWhatDiffersIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*situation)
		want   string
	}{
		"the cluster":  {otherCluster, "spec asks for another cluster than the published one (c-1)"},
		"its name":     {otherName, "spec names another cluster than the published one"},
		"the validity": {otherSpec, "spec asks for a validity of max; the published certificate was asked for with 720h0m0s"},
		"the account":  {func(s *situation) { s.want.Record.AccountName = "other" }, "spec asks for another account than the published certificate's (prod)"},
		"the address":  {unreachable, "spec.endpoint names an address that is not known yet"},
		"the expiry":   {expired, "the certificate expired at 2026-11-24T12:00:00Z"},
		"the renewal":  {dueByTime, "the certificate expires at 2026-11-25T12:00:00Z"},
		"the request":  {request, "a renewal was requested by annotation"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rest(test.change).decide().Message; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestADecisionSaysWhatIsNotCarriedOutYet(t *testing.T) {
	type answer struct{ Changed, OtherCluster bool }
	for name, test := range map[string]struct {
		change func(*situation)
		want   answer
	}{
		"nothing at rest":                                {func(*situation) {}, answer{}},
		"a renewal is no change":                         {dueByTime, answer{}},
		"a request is no change":                         {request, answer{}},
		"another validity":                               {otherSpec, answer{Changed: true}},
		"another cluster":                                {otherCluster, answer{true, true}},
		"another name":                                   {otherName, answer{true, true}},
		"another cluster, suspended":                     {both(otherCluster, suspended), answer{true, true}},
		"without a record nothing has changed":           {both(otherSpec, func(s *situation) { s.have.Record = nil }), answer{}},
		"without a credential there is no other cluster": {both(lostSecret, otherCluster), answer{}},
	} {
		t.Run(name, func(t *testing.T) {
			d := rest(test.change).decide()
			if diff := cmp.Diff(test.want, answer{d.Changed, d.OtherCluster}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheRenewalTimeStandsWhereverACertificateDoes(t *testing.T) {
	want, _ := RenewAt(rest().have.Stored.Validity, Schedule{}, "uid-1")
	for name, change := range map[string]func(*situation){
		"at rest": func(*situation) {}, "by hand": manual, "suspended": suspended, "while another spec waits": otherSpec,
	} {
		if got := rest(change).decide().RenewalTime; !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := rest(lostSecret).decide().RenewalTime; !got.IsZero() {
		t.Errorf("without a certificate: got %s", got)
	}
}

func TestALifetimeThatDoesNotFitIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		granted time.Duration
		floor   time.Duration
		before  time.Duration
		want    string
	}{
		"long enough":                           {15 * time.Minute, 10 * time.Minute, 0, ""},
		"too short for the floor":               {15*time.Minute - time.Second, 10 * time.Minute, 0, "the certificate was granted for 14m59s only, too short for 10m0s between two certificates (--min-issue-interval)"},
		"no floor":                              {time.Second, 0, 0, ""},
		"the user's before goes first":          {10 * time.Minute, 10 * time.Minute, time.Hour, "spec.renewal.before is 1h0m0s"},
		"longer than a duration can say":        {1<<63 - 1, 10 * time.Minute, 0, ""},
		"a floor of a day wants a day and half": {35 * time.Hour, day, 0, "ask for a longer validity or lower the flag"},
	} {
		t.Run(name, func(t *testing.T) {
			s := rest(func(s *situation) {
				s.want.Floor, s.want.Schedule.Before = test.floor, test.before
				s.have.Stored.NotBefore, s.have.Stored.NotAfter = noon, noon.Add(test.granted)
			})
			if got := s.decide().Note; (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}

// A certificate without an end, as some private clouds grant.
func TestACertificateOfEightThousandYearsIsAtRest(t *testing.T) {
	got := rest(func(s *situation) { s.have.Stored.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }).decide()
	if got.Trigger != none || got.Note != "" || !got.NextLook.Equal(at(time.Hour)) {
		t.Errorf("got %+v", got)
	}
}

func TestARequestIsCutBetweenCharacters(t *testing.T) {
	for name, test := range map[string]struct{ value, want string }{
		"nothing":          {"", ""},
		"a time":           {"2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"},
		"256 letters":      {strings.Repeat("a", 256), strings.Repeat("a", 256)},
		"257 letters":      {strings.Repeat("a", 257), strings.Repeat("a", 256)},
		"257 characters":   {strings.Repeat("世", 257), strings.Repeat("世", 256)},
		"not whole bytes":  {"a" + strings.Repeat("é", 300), "a" + strings.Repeat("é", 255)},
		"256 wide letters": {strings.Repeat("世", 256), strings.Repeat("世", 256)},
	} {
		t.Run(name, func(t *testing.T) {
			got := CutRequest(test.value)
			if got != test.want || !utf8.ValidString(got) || CutRequest(got) != got {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
