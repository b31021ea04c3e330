// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
)

const day = 24 * time.Hour

// conditions writes the conditions of an object in one line each.
func conditions(cc *v1alpha1.ClusterCredential) map[string]string {
	all := map[string]string{}
	for _, c := range cc.Status.Conditions {
		all[c.Type] = fmt.Sprintf("%s/%s", c.Status, c.Reason)
	}
	return all
}

func wantConditions(t *testing.T, cc *v1alpha1.ClusterCredential, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, conditions(cc)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
		for _, c := range cc.Status.Conditions {
			t.Logf("%s: %s", c.Type, c.Message)
		}
	}
}

var healthy = map[string]string{"Ready": "True/Valid", "Issued": "True/Issued", "Published": "True/Published"}

func wantPosts(t *testing.T, w *testkit.World, want int) {
	t.Helper()
	if got := w.Posts(); got != want {
		t.Errorf("the cloud was asked for %d certificates, want %d", got, want)
	}
}

// established makes a world with one healthy credential prod-1.
func established(t *testing.T, changes ...func(*v1alpha1.ClusterCredential)) *testkit.World {
	t.Helper()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1", changes...))
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
	wantPosts(t, w, 1)
	w.Recorder.Reset(nil)
	return w
}

// newValue asks for a renewal.
func newValue(value string) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) {
		metav1.SetMetaDataAnnotation(&cc.ObjectMeta, v1alpha1.AnnotationRenewRequestedAt, value)
	}
}

func TestAFirstCredentialTakesFourWritesOneReadAndOneCertificate(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	want := []testkit.Call{
		{Verb: "get", Kind: "Secret"}, {Verb: "dryrun", Kind: "Secret"}, {Verb: "update", Kind: "ClusterCredential/status"},
		{Verb: "create", Kind: "Secret"}, {Verb: "update", Kind: "ClusterCredential/status"},
		{Verb: "create", Kind: "Event"},
	}
	if diff := cmp.Diff(want, w.Recorder.Calls()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
	if user := w.Login("prod-1-kubeconfig", "value"); user != testkit.UserID {
		t.Errorf("the API server takes its bearer for %q, want %q", user, testkit.UserID)
	}
	if events := w.TakeEvents(); len(events) != 1 || !strings.HasPrefix(events[0], "Normal Issued certificate ") {
		t.Errorf("events: %q, want one that tells of the certificate", events)
	}
}

func TestAtRestNothingIsReadOrWritten(t *testing.T) {
	t.Parallel()
	w := established(t)
	for range 3 {
		w.Advance(time.Hour)
		w.Settle("prod-1")
	}
	if calls := w.Recorder.Calls(); len(calls) != 0 {
		t.Errorf("requests at rest: %v", calls)
	}
	wantPosts(t, w, 1)
}

func TestARestartWritesNothingAndAsksForNothing(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Restart()
	w.Settle("prod-1")
	if diff := cmp.Diff([]testkit.Call{{Verb: "get", Kind: "Secret"}}, w.Recorder.Calls()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	wantPosts(t, w, 1)
}

func TestAWipedStatusComesBackWithoutACertificate(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"while the operator runs": false, "while it was down": true} {
		t.Run(name, func(t *testing.T) {
			w := established(t)
			w.Advance(21 * day)
			w.Settle("prod-1")
			before := w.Get("prod-1").Status
			w.Advance(time.Minute)
			w.WipeStatus("prod-1")
			if restart {
				w.LookOut() // what the Secret says of the addresses, the cloud has to say again
			}
			w.Settle("prod-1")
			w.Wait()
			w.Settle("prod-1")
			ignored := cmpopts.IgnoreFields(v1alpha1.ClusterCredentialStatus{}, "History")
			times := cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")
			if diff := cmp.Diff(before, w.Get("prod-1").Status, ignored, times); diff != "" {
				t.Errorf("status (-before +after):\n%s", diff)
			}
			wantPosts(t, w, 2)
		})
	}
}

func TestACertificateIsRenewedWhenAThirdOfItsLifeIsLeftAndNotBefore(t *testing.T) {
	t.Parallel()
	w := established(t)
	uid := w.Secret("prod-1-kubeconfig").UID
	first := w.Get("prod-1").Status
	renewal := first.RenewalTime.Time
	if latest := first.Certificate.NotAfter.Add(-10 * day); renewal.After(latest) || renewal.Before(latest.Add(-day)) {
		t.Errorf("renewalTime %v, want at most a day before %v", renewal, latest)
	}
	w.Clock.SetTime(renewal.Add(-time.Second))
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	w.Clock.SetTime(renewal)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	second := w.Get("prod-1").Status
	wantConditions(t, w.Get("prod-1"), healthy)
	if second.Revision != 2 || second.History[0].Trigger != v1alpha1.TriggerExpiry || second.History[1].State != v1alpha1.CertificateSuperseded {
		t.Errorf("revision %d, history %+v", second.Revision, second.History)
	}
	if w.Secret("prod-1-kubeconfig").UID != uid {
		t.Error("the Secret was replaced, not applied")
	}
}

func TestAManualPolicyWaitsForARequest(t *testing.T) {
	t.Parallel()
	w := established(t, func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Renewal = &v1alpha1.Renewal{Policy: v1alpha1.RenewalManual}
	})
	w.Advance(25 * day)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	issued := meta.FindStatusCondition(w.Get("prod-1").Status.Conditions, v1alpha1.ConditionIssued)
	if issued.Status != metav1.ConditionTrue || !strings.Contains(issued.Message, "manual renewal is due") {
		t.Errorf("Issued: %+v", issued)
	}
	w.Change("prod-1", newValue("now"))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if got := w.Get("prod-1").Status.LastHandledRenewRequest; got != "now" {
		t.Errorf("lastHandledRenewRequest %q, want now", got)
	}
	w.Advance(6 * day)
	w.Settle("prod-1")
	w.Advance(30 * day)
	w.Settle("prod-1")
	wantPosts(t, w, 3) // expired: Missing, which Manual does not hold back
}

func TestOneRequestMakesOneRenewal(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Advance(time.Hour)
	for i, value := range []string{"a", "a", "b", "a", "b"} {
		w.Change("prod-1", newValue(value))
		w.Settle("prod-1")
		w.Advance(2 * time.Minute)
		w.Settle("prod-1")
		if want := map[int]int{0: 2, 1: 2, 2: 3, 3: 3, 4: 3}[i]; w.Posts() != want {
			t.Fatalf("after request %d (%s): %d certificates, want %d", i, value, w.Posts(), want)
		}
	}
	w.WipeStatus("prod-1")
	w.Restart()
	w.Settle("prod-1")
	wantPosts(t, w, 3)
}

func TestARequestThatIsThereAtTheFirstCertificateIsHandledByIt(t *testing.T) {
	t.Parallel()
	w := established(t, newValue("2026-01-01"))
	w.Advance(time.Hour)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	if got := w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationRenewRequest]; got != "2026-01-01" {
		t.Errorf("annotation renew-request %q", got)
	}
}

func TestWhatIsWrongWithTheSecretIsRepaired(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		harm  func(*corev1.Secret)
		posts int
	}{
		"stripped labels and annotations": {func(s *corev1.Secret) { s.Labels, s.Annotations = nil, nil }, 1},
		"a changed annotation":            {func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationNotAfter] = "never" }, 1},
		"another label of ours":           {func(s *corev1.Secret) { s.Labels[v1alpha1.LabelManagedBy] = "Helm" }, 1},
		"a kubeconfig that was edited by hand": {func(s *corev1.Secret) {
			s.Data["value"] = []byte(strings.Replace(string(s.Data["value"]), "contexts:\n- context:\n", "contexts:\n- context:\n    namespace: default\n", 1))
		}, 1},
		"another server": {func(s *corev1.Secret) {
			s.Data["value"] = []byte(strings.Replace(string(s.Data["value"]), "server: https://", "server: https://evil.example:1/#", 1))
		}, 2},
		"an emptied kubeconfig":    {func(s *corev1.Secret) { s.Data["value"] = nil }, 2},
		"a garbled kubeconfig":     {func(s *corev1.Secret) { s.Data["value"] = s.Data["value"][:len(s.Data["value"])/2] }, 2},
		"a key that was taken out": {func(s *corev1.Secret) { delete(s.Data, "value") }, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := established(t)
			before := w.Secret("prod-1-kubeconfig")
			harmed := before.DeepCopy()
			test.harm(harmed)
			w.Must(w.Client.Update(t.Context(), harmed))
			w.Settle("prod-1")
			wantPosts(t, w, test.posts)
			wantConditions(t, w.Get("prod-1"), healthy)
			after := w.Secret("prod-1-kubeconfig")
			if test.posts == 1 {
				if diff := cmp.Diff(before.Data, after.Data); diff != "" {
					t.Error("the data is not what it was")
				}
				if diff := cmp.Diff(before.Annotations, after.Annotations); diff != "" {
					t.Errorf("annotations (-before +after):\n%s", diff)
				}
			}
			w.Recorder.Reset(nil)
			w.Settle("prod-1")
			if writes := w.Recorder.Writes(); len(writes) > 0 {
				t.Errorf("writes at rest: %v", writes)
			}
		})
	}
}

func TestADeletedSecretIsMadeAnewTwiceAnHourAndThenAtTheFloor(t *testing.T) {
	t.Parallel()
	w := established(t)
	for i := range 4 {
		w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
		w.Pass("prod-1")
		w.Pass("prod-1")
		if want := min(2+i, 3); w.Posts() != want {
			t.Fatalf("after loss %d: %d certificates, want %d", i+1, w.Posts(), want)
		}
		if w.Posts() != 2+i {
			break
		}
		w.Advance(time.Minute)
	}
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/RateLimited", "Issued": "False/RateLimited", "Published": "False/RateLimited", "Reconciling": "True/RateLimited",
	})
	w.Advance(10 * time.Minute)
	w.Settle("prod-1")
	wantPosts(t, w, 4)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestASuspendedCredentialIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true })
	w.Change("prod-1", newValue("x"))
	w.Settle("prod-1")
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Settle("prod-1")
	w.Advance(40 * day)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	w.Create(w.Credential("prod-2", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true }))
	w.Settle("prod-2")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-2"), map[string]string{
		"Ready": "False/Suspended", "Issued": "True/Suspended", "Published": "False/Suspended", "Reconciling": "True/Suspended",
	})
	if got := conditions(w.Get("prod-1"))["Issued"]; got != "True/Suspended" {
		t.Errorf("Issued: %s", got)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = false })
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestASuspendedCredentialIsLookedAtAfterARestartAndNotWritten(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true })
	w.Settle("prod-1")
	want := map[string]string{"Ready": "True/Valid", "Issued": "True/Suspended", "Published": "True/Published"}
	wantConditions(t, w.Get("prod-1"), want)
	w.Recorder.Reset(nil)
	w.Restart()
	w.Settle("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("writes: %v", writes)
	}
	secret := w.Secret("prod-1-kubeconfig")
	secret.Annotations = nil
	w.Must(w.Client.Update(t.Context(), secret))
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "True/Valid", "Issued": "True/Suspended", "Published": "False/Suspended", "Reconciling": "True/Suspended",
	})
	if w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationFingerprint] != "" {
		t.Error("a suspended credential was repaired")
	}
}

func TestASuspendedAccountIsNotUsedButRepairGoesOn(t *testing.T) {
	t.Parallel()
	w := established(t)
	account := &v1alpha1.CloudAccount{}
	w.Must(w.Client.Get(t.Context(), w.Key(testkit.Account), account))
	account.Spec.Suspend = true
	w.Must(w.Client.Update(t.Context(), account))
	secret := w.Secret("prod-1-kubeconfig")
	secret.Annotations = nil
	w.Must(w.Client.Update(t.Context(), secret))
	w.Change("prod-1", newValue("x"))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), map[string]string{"Ready": "True/Valid", "Issued": "False/AccountSuspended", "Published": "True/Published"})
	if w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationFingerprint] == "" {
		t.Error("the marks were not put back")
	}
}
