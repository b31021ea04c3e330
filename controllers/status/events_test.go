// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestOneEventTellsOfATransition(t *testing.T) {
	due := wants(v1alpha1.TriggerExpiry, "old")
	first := wants(v1alpha1.TriggerFirst, "first")
	unavailable := failing(v1alpha1.ReasonUnavailable, "the cloud said 503", at(time.Minute))
	renewed := rest(func(f *Facts) { f.Stored = storedOf("0B"); f.Stored.Certificate.RequestID = "" })
	elsewhere := rest(func(f *Facts) { f.Stored = storedOf("0B"); f.Stored.ClusterID = "c-2" })
	for name, test := range map[string]struct {
		before []Facts
		then   Facts
		want   string // type, reason and the beginning of the message; empty: no event
	}{
		"a first visit without trouble":              {nil, rest(empty, first), ""},
		"a first visit with trouble":                 {nil, rest(empty, first, unavailable), "Warning Unavailable no credential is stored: the cloud said 503"},
		"a first visit in line":                      {nil, rest(empty, first, waiting(v1alpha1.ReasonRateLimited, "in line", noon)), "Normal RateLimited no credential is stored: in line"},
		"the first certificate":                      {[]Facts{rest(empty, first)}, rest(), "Normal Issued certificate 0A is published, valid until 2026-12-14T12:00:00Z, request req-0A"},
		"the next certificate, without a request id": {[]Facts{rest()}, renewed, "Normal Issued certificate 0B is published, valid until 2026-12-14T12:00:00Z"},
		"a certificate for another cluster warns":    {[]Facts{rest()}, elsewhere, "Warning Issued certificate 0B is published, valid until 2026-12-14T12:00:00Z, request req-0B; it is for cluster c-2, the one before was for c-1: whoever reads the Secret follows"},
		"at rest":                              {[]Facts{rest()}, rest(), ""},
		"other words for the same":             {[]Facts{rest()}, rest(func(f *Facts) { f.Decision.RenewalTime = at(day) }), ""},
		"a renewal begins":                     {[]Facts{rest()}, rest(due), "Normal Renewing old"},
		"a renewal fails":                      {[]Facts{rest()}, rest(due, unavailable), "Warning Unavailable the cloud said 503"},
		"it fails again the same way":          {[]Facts{rest(due, unavailable)}, rest(due, failing(v1alpha1.ReasonUnavailable, "the cloud said 502", noon)), ""},
		"it fails in another way":              {[]Facts{rest(due, unavailable)}, rest(due, failing(v1alpha1.ReasonForbidden, "403", noon)), "Warning Forbidden 403"},
		"a need that is gone":                  {[]Facts{rest(due, unavailable)}, rest(), "Normal Issued certificate 0A is valid until"},
		"it waits for the floor":               {[]Facts{rest()}, rest(due, waitsUntil(at(time.Minute), v1alpha1.ReasonRateLimited, "floor")), "Normal RateLimited floor"},
		"it waits for a window":                {[]Facts{rest()}, rest(due, waitsUntil(at(time.Minute), v1alpha1.ReasonWaitingForWindow, "window")), "Normal WaitingForWindow window"},
		"Ready goes before Issued":             {[]Facts{rest()}, rest(expired, wants(v1alpha1.TriggerMissing, "expired"), unavailable), "Warning Expired certificate 0A expired"},
		"the Secret is lost: a warning":        {[]Facts{rest()}, rest(empty, wants(v1alpha1.TriggerMissing, "lost")), "Warning Issuing no credential is stored: lost"},
		"another cluster is wanted: a warning": {[]Facts{rest()}, rest(otherCluster, wants(v1alpha1.TriggerSpec, "c-2")), "Warning Issuing the Secret still holds the credential of cluster c-1"},
		"Ready comes back":                     {[]Facts{rest(), rest(empty, wants(v1alpha1.TriggerMissing, "lost"))}, rest(), "Normal Valid the published credential is valid until"},
		"another validity is wanted":           {[]Facts{rest()}, rest(changed, wants(v1alpha1.TriggerSpec, "longer")), "Normal Issuing longer"},
		"the write is refused":                 {[]Facts{rest()}, rest(refused(v1alpha1.ReasonWriteRefused, "quota")), "Warning WriteRefused quota"},
		"suspended":                            {[]Facts{rest()}, rest(suspended), "Normal Suspended spec.suspend is true"},
		"a first conflict":                     {nil, rest(empty, refused(v1alpha1.ReasonSecretConflict, "theirs")), "Warning SecretConflict theirs"},
	} {
		t.Run(name, func(t *testing.T) {
			previous := after(test.before...)
			var got []string
			for _, event := range EventsOf(previous, Next(previous, test.then), News{Published: true}) {
				got = append(got, event.Type+" "+event.Reason+" "+event.Message)
			}
			if len(got) > 1 || (len(got) == 0) != (test.want == "") || len(got) == 1 && !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestACertificateOutsideOfTheWindowsIsToldOfAsOne(t *testing.T) {
	next := Next(settled(), rest(func(f *Facts) { f.Stored = storedOf("0B") }))
	got := EventsOf(settled(), next, News{Published: true, Overrode: true})
	want := []Event{{Type: "Normal", Reason: "Issued", Message: "certificate 0B is published, valid until 2026-12-14T12:00:00Z, request req-0B; " +
		"expiry overrode spec.renewal.windows, none of which opened in time"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := EventsOf(next, next, News{Published: true, Overrode: true}); got != nil {
		t.Errorf("told without a certificate: %+v", got)
	}
}

func TestAnotherIdentityIsToldBesides(t *testing.T) {
	other := rest(func(f *Facts) { f.Stored = storedOf("0B"); f.Stored.Certificate.CommonName = "user-2" })
	got := EventsOf(settled(), Next(settled(), other), News{Published: true})
	want := []Event{
		{Type: "Warning", Reason: "IdentityChanged", Message: `the new certificate carries the identity "user-2", the one before carried "user-1": check that the new one has the same permissions in the cluster`},
		{Type: "Normal", Reason: "Issued", Message: "certificate 0B is published, valid until 2026-12-14T12:00:00Z, request req-0B"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := EventsOf(v1alpha1.ClusterCredentialStatus{}, Next(v1alpha1.ClusterCredentialStatus{}, other), News{Published: true}); len(got) != 1 {
		t.Errorf("a first certificate has no identity before it: %+v", got)
	}
}
