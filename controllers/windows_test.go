// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

var waitingForWindow = map[string]string{"Ready": "True/Valid", "Issued": "False/WaitingForWindow", "Published": "True/Published"}

func issuedOf(w *testkit.World) string {
	return meta.FindStatusCondition(w.Get("prod-1").Status.Conditions, v1alpha1.ConditionIssued).Message
}

// withWindow makes a healthy credential and gives it a window of four hours on one day of the year in
// Shanghai, which opens that long after the renewal is due.
func withWindow(t *testing.T, later time.Duration) (w *testkit.World, plain, opens time.Time) {
	t.Helper()
	w = established(t)
	plain = w.Get("prod-1").Status.RenewalTime.Time
	opens = plain.Add(later).Truncate(time.Minute)
	local := opens.In(time.FixedZone("Shanghai", 8*60*60))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Renewal = &v1alpha1.Renewal{Windows: []v1alpha1.RenewalWindow{{
			Schedule: fmt.Sprintf("%d %d %d %d *", local.Minute(), local.Hour(), local.Day(), local.Month()),
			Duration: metav1.Duration{Duration: 4 * time.Hour}, TimeZone: "Asia/Shanghai",
		}}}
	})
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
	w.TakeEvents()
	w.Recorder.Reset(nil)
	return w, plain, opens
}

func TestARenewalThatIsDueWaitsForItsWindow(t *testing.T) {
	t.Parallel()
	w, plain, opens := withWindow(t, 2*day)
	renewal := w.Get("prod-1").Status.RenewalTime.Time
	if renewal.Before(opens) || renewal.After(opens.Add(2*time.Hour)) {
		t.Errorf("renewalTime %s, want it in the first half of the window that opens at %s", renewal, opens)
	}
	if message := issuedOf(w); !strings.Contains(message, "in the window of spec.renewal.windows that opens at "+opens.Format(time.RFC3339)) {
		t.Errorf("Issued: %s", message)
	}
	w.Clock.SetTime(plain.Add(-time.Minute))
	if result := w.Pass("prod-1"); result.RequeueAfter > time.Minute {
		t.Errorf("the next look is in %s, after the renewal is due", result.RequeueAfter)
	}
	for w.Clock.SetTime(plain); w.Clock.Now().Before(renewal); w.Advance(time.Hour) {
		w.Pass("prod-1")
		wantConditions(t, w.Get("prod-1"), waitingForWindow)
	}
	if got := w.Get("prod-1").Status.NextAttemptTime; got == nil || !got.Time.Equal(renewal) {
		t.Errorf("nextAttemptTime %v, want %s", got, renewal)
	}
	want := []testkit.Call{{Verb: "update", Kind: "ClusterCredential/status"}, {Verb: "create", Kind: "Event"}}
	if diff := cmp.Diff(want, w.Recorder.Calls()); diff != "" {
		t.Errorf("requests while it waits (-want +got):\n%s", diff)
	}
	if events := w.TakeEvents(); len(events) != 1 || !strings.HasPrefix(events[0], "Normal WaitingForWindow the renewal is due since "+plain.Format(time.RFC3339)) {
		t.Errorf("events %q", events)
	}
	wantPosts(t, w, 1)
	w.Clock.SetTime(renewal)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
	if s := w.Get("prod-1").Status; s.History[0].Trigger != v1alpha1.TriggerExpiry || s.NextAttemptTime != nil {
		t.Errorf("status: %+v", s)
	}
	if events := w.TakeEvents(); len(events) != 1 || strings.Contains(events[0], "expiry overrode") {
		t.Errorf("events %q", events)
	}
}

func TestOnlyRenewalsForExpiryWaitForAWindow(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*v1alpha1.ClusterCredential){
		"a request": newValue("now"),
		"another validity": func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(60))}
		},
		"no window any more": func(cc *v1alpha1.ClusterCredential) { cc.Spec.Renewal = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w, plain, _ := withWindow(t, 2*day)
			w.Clock.SetTime(plain)
			w.Settle("prod-1")
			wantConditions(t, w.Get("prod-1"), waitingForWindow)
			wantPosts(t, w, 1)
			w.Change("prod-1", change)
			w.Settle("prod-1")
			wantPosts(t, w, 2)
			wantConditions(t, w.Get("prod-1"), healthy)
		})
	}
}

func TestExpiryOverridesTheWindowsAndSaysSo(t *testing.T) {
	t.Parallel()
	w, plain, _ := withWindow(t, 60*day)
	status := w.Get("prod-1").Status
	renewal, limit := status.RenewalTime.Time, status.Certificate.NotAfter.Add(-3*day)
	if renewal.After(limit) || renewal.Before(limit.Add(-day)) {
		t.Errorf("renewalTime %s, want it at most a day before %s", renewal, limit)
	}
	if message := issuedOf(w); !strings.Contains(message, "outside of spec.renewal.windows: none opens in time") {
		t.Errorf("Issued: %s", message)
	}
	w.Clock.SetTime(plain)
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), waitingForWindow)
	w.Clock.SetTime(renewal.Add(-time.Second))
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	w.TakeEvents()
	w.Restart()
	w.Clock.SetTime(renewal)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
	if events := w.TakeEvents(); len(events) != 1 || !strings.HasPrefix(events[0], "Normal Issued certificate ") ||
		!strings.HasSuffix(events[0], "; expiry overrode spec.renewal.windows, none of which opened in time") {
		t.Errorf("events %q", events)
	}
}

// A maintenance window is over when it is over, also for what failed in it.
func TestWhatFailedInAWindowIsTriedAgainInTheNextOne(t *testing.T) {
	t.Parallel()
	w, _, opens := withWindow(t, 2*day)
	next := opens.Add(2 * day)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		first := &cc.Spec.Renewal.Windows[0]
		second := *first
		local := next.In(time.FixedZone("Shanghai", 8*60*60))
		second.Schedule = fmt.Sprintf("%d %d %d %d *", local.Minute(), local.Hour(), local.Day(), local.Month())
		cc.Spec.Renewal.Windows = append(cc.Spec.Renewal.Windows, second)
	})
	w.Settle("prod-1")
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultUnavailable, Times: ccesim.Forever}))
	for w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Time); w.Clock.Now().Before(next.Add(-time.Hour)); {
		w.Advance(max(time.Second, w.Settle("prod-1")))
	}
	s := w.Get("prod-1").Status
	if s.NextAttemptTime == nil || s.NextAttemptTime.Before(&metav1.Time{Time: next}) || s.LastFailureTime.After(opens.Add(4*time.Hour)) || s.Failures < 3 {
		t.Errorf("%d failures, the last at %v, the next attempt at %v; the windows open at %s and %s", s.Failures, s.LastFailureTime, s.NextAttemptTime, opens, next)
	}
	if got := conditions(w.Get("prod-1")); got["Ready"] != "True/Valid" || got["Issued"] != "False/Unavailable" {
		t.Errorf("conditions %v", got)
	}
	w.Sim.ClearScript()
	w.Clock.SetTime(s.NextAttemptTime.Time)
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestWindowsThatDoNotCountAreTold(t *testing.T) {
	t.Parallel()
	window := v1alpha1.RenewalWindow{Schedule: "@yearly", Duration: metav1.Duration{Duration: time.Hour}}
	unknown := window
	unknown.TimeZone = "Europe/Atlantis"
	for name, test := range map[string]struct {
		change func(*v1alpha1.ClusterCredential)
		want   string
	}{
		"a short lifetime": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Validity = &v1alpha1.Validity{Duration: &metav1.Duration{Duration: 6 * time.Hour}}
			cc.Spec.Renewal = &v1alpha1.Renewal{Windows: []v1alpha1.RenewalWindow{window}}
		}, "spec.renewal.windows is ignored, since the certificate was granted for 6h"},
		"a zone that is not there": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Renewal = &v1alpha1.Renewal{Windows: []v1alpha1.RenewalWindow{unknown}}
		}, `spec.renewal.windows[0] is ignored: timeZone "Europe/Atlantis" is not known: write a name of`},
	} {
		t.Run(name, func(t *testing.T) {
			w := established(t, test.change)
			if message := issuedOf(w); !strings.Contains(message, test.want) {
				t.Errorf("Issued: %s", message)
			}
			w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Time)
			w.Settle("prod-1")
			wantPosts(t, w, 2)
		})
	}
}
