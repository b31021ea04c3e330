// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/rotation"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// explained is a credential with ten days of thirty gone, as the operator would see it.
func explained(change func(*controllers.Explanation)) *controllers.Explanation {
	cc := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: "prod", Generation: 2}}
	cc.Status.ObservedGeneration = 2
	e := &controllers.Explanation{
		Credential: cc,
		Wanted:     rotation.Wanted{UID: "u", Record: rotation.RecordOf(cc.Spec), Floor: controllers.DefaultMinIssueInterval, With: "now"},
		Found: rotation.Found{Published: true, Handled: []string{""}, Stored: &rotation.Stored{Validity: rotation.Validity{
			NotBefore: noon.Add(-10 * 24 * time.Hour), NotAfter: noon.Add(20 * 24 * time.Hour), Serial: "0A",
		}}},
		Account: controllers.ExplainedAccount{Kind: v1alpha1.KindCloudAccount, Name: "huawei"},
	}
	change(e)
	e.Decision = rotation.Decide(noon, e.Wanted, e.Found)
	return e
}

func says(kind string, status metav1.ConditionStatus, reason v1alpha1.Reason) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: string(reason), Message: "what status says", ObservedGeneration: 2}
}

func TestWhatMattersMostIsSaidFirst(t *testing.T) {
	requested := func(e *controllers.Explanation) { e.Wanted.RenewRequest = "please" }
	for _, test := range []struct {
		name    string
		change  func(*controllers.Explanation)
		want    string
		stalled bool
	}{
		{"nothing is due", func(*controllers.Explanation) {}, "No certificate is due. The next one is asked for at 2026-03-", false},
		{"never by time", func(e *controllers.Explanation) { e.Wanted.Schedule.Manual = true }, "none will be by time", false},
		{"a request", requested, "A certificate is asked for now (Request)", false},
		{"a request within the minute", func(e *controllers.Explanation) {
			requested(e)
			e.Found.Attempts = []rotation.Attempt{{Trigger: v1alpha1.TriggerRequest, At: noon.Add(-30 * time.Second)}}
		}, "waits until 2026-03-01T12:00:31Z (in 31s), RateLimited", false},
		{"failures", func(e *controllers.Explanation) {
			requested(e)
			e.Found.Failures, e.Found.FailedWith, e.Found.RetryAt = 3, "now", noon.Add(time.Minute)
		}, "After failures it is tried again at 2026-03-01T12:01:00Z", false},
		{"refused for good", func(e *controllers.Explanation) {
			requested(e)
			e.Found.Failures, e.Found.FailedWith = 1, "now"
		}, "not asked for before something changes", false},
		{"suspended, with what would be otherwise", func(e *controllers.Explanation) {
			requested(e)
			e.Wanted.Suspended = true
		}, "spec.suspend is true: nothing is asked for. Set it to false to go on. Then: A certificate is asked for now (Request)", false},
		{"being asked for", func(e *controllers.Explanation) {
			requested(e)
			e.Credential.Status.Issuance = &v1alpha1.Issuance{StartedAt: metav1.NewTime(noon.Add(-5 * time.Second)), Trigger: v1alpha1.TriggerRequest}
		}, "is being asked for since 2026-03-01T11:59:55Z (5s ago) (Request)", false},
		{"stalled", func(e *controllers.Explanation) {
			requested(e)
			e.Credential.Status.Conditions = []metav1.Condition{
				says(v1alpha1.ConditionIssued, metav1.ConditionFalse, v1alpha1.ReasonRejected), says(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRejected),
			}
		}, "Nothing will change until somebody acts. Issued is False, Rejected: what status says", true},
		{"the account's key is missing", func(e *controllers.Explanation) {
			e.Account.Reason, e.Account.Message = v1alpha1.ReasonCredentialsMissing, "there is no Secret"
		}, "The account cannot be used: there is no Secret. Once it can: No certificate is due", false},
		{"the account's key may not be read from here, which says nothing of the operator", func(e *controllers.Explanation) {
			e.Account.Reason, e.Account.Unread = v1alpha1.ReasonCredentialsMissing, true
		}, "No certificate is due", false},
		{"the account is not ready, and a certificate is wanted", func(e *controllers.Explanation) {
			requested(e)
			ready := says(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonThrottled)
			e.Account.Ready = &ready
		}, "CloudAccount huawei is not ready, Throttled: what status says. Besides that: A certificate is asked for now", false},
		{"a spec that nobody has looked at", func(e *controllers.Explanation) { e.Credential.Generation = 3 }, "has not told of this spec yet", false},
		{"due, and held for what only the operator sees", func(e *controllers.Explanation) {
			requested(e)
			e.Credential.Status.Conditions = []metav1.Condition{says(v1alpha1.ConditionIssued, metav1.ConditionFalse, v1alpha1.ReasonFleetHeld)}
		}, "status says what it waits for: FleetHeld: what status says", false},
		{"being deleted", func(e *controllers.Explanation) { e.Credential.DeletionTimestamp = &metav1.Time{Time: noon} }, "It is being deleted", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			said := verdictOf(explained(test.change), noon)
			if !strings.Contains(said.Text, test.want) || said.Stalled != test.stalled {
				t.Errorf("%+v, want %q", said, test.want)
			}
		})
	}
}

func TestWhyShowsTheClassIfThereIsOne(t *testing.T) {
	for _, class := range []string{"", "team-a"} {
		e := explained(func(e *controllers.Explanation) {
			if class != "" {
				e.Credential.Labels = map[string]string{v1alpha1.LabelClass: class}
			}
		})
		said := verdictOf(e, noon)
		shown := slices.ContainsFunc(whyText(e, said, controllers.ExplainOptions{}, noon).all, func(l line) bool {
			return l.title == "Class" && l.text == class
		})
		if shown != (class != "") {
			t.Errorf("class %q is shown: %v", class, shown)
		}
		if got := reasonsOf(e, said, controllers.ExplainOptions{}); got.Wanted.Class != class {
			t.Errorf("as JSON: %+v", got.Wanted)
		}
	}
}
