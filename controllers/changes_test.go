// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
)

// freely is how many of a small fleet may change within an hour.
const freely = 5

// someFleet is a world of healthy credentials, more than may change within an hour.
type someFleet struct {
	*testkit.World
	names []string
	first int // certificates at the beginning
}

func newFleet(t *testing.T) *someFleet {
	t.Helper()
	f := &someFleet{World: testkit.New(t)}
	for i := range 2*freely + 1 {
		name := fmt.Sprintf("c%02d", i)
		f.names = append(f.names, name)
		f.Create(f.Credential(name))
	}
	f.settle()
	f.first = f.Posts()
	f.wantAnew(t, 0, 0)
	return f
}

func (f *someFleet) settle() {
	f.T.Helper()
	for _, name := range f.names {
		f.Settle(name)
	}
}

// changeAll makes every credential want another certificate.
func (f *someFleet) changeAll() {
	f.T.Helper()
	for _, name := range f.names {
		f.Change(name, validFor(60))
	}
	f.settle()
}

func validFor(days int32) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: &days} }
}

// held are those that wait since too many others ask.
func (f *someFleet) held() []string {
	var held []string
	for _, name := range f.names {
		if issued := meta.FindStatusCondition(f.Get(name).Status.Conditions, v1alpha1.ConditionIssued); issued.Reason == string(v1alpha1.ReasonFleetHeld) {
			held = append(held, name)
		}
	}
	return held
}

// wantAnew fails unless so many certificates were asked for since the beginning, and so many are held.
func (f *someFleet) wantAnew(t *testing.T, posts, held int) {
	t.Helper()
	if got := f.Posts() - f.first; got != posts {
		t.Errorf("%d certificates were asked for, want %d", got, posts)
	}
	if got := f.held(); len(got) != held {
		t.Errorf("%d are held, want %d: %v", len(got), held, got)
	}
}

var ofOneHeld = map[string]string{
	"Ready": "True/Valid", "Issued": "False/FleetHeld", "Published": "True/Published", "Reconciling": "True/FleetHeld",
}

func TestAMassChangeIsHeldAndToldOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.TakeEvents()
	f.changeAll()
	f.wantAnew(t, freely, freely+1)
	one := f.Get(f.held()[0])
	wantConditions(t, one, ofOneHeld)
	issued := meta.FindStatusCondition(one.Status.Conditions, v1alpha1.ConditionIssued)
	for _, word := range []string{"of 11 ClusterCredentials", "more than 5", "a validity of 1440h", v1alpha1.AnnotationRenewRequestedAt} {
		if !strings.Contains(issued.Message, word) {
			t.Errorf("the message does not say %q: %s", word, issued.Message)
		}
	}
	told := 0
	for _, event := range f.TakeEvents() {
		if strings.HasPrefix(event, "Warning FleetHeld ") {
			told++
		}
	}
	if told != freely+1 {
		t.Errorf("%d events tell of it, want one for each that is held", told)
	}
	f.Recorder.Reset(nil)
	for range 3 {
		f.Advance(changeLook)
		f.settle()
	}
	if calls := f.Recorder.Calls(); len(calls) > 0 {
		t.Errorf("waiting reads or writes: %v", calls)
	}
	f.wantAnew(t, freely, freely+1)
}

// What waits for its turn under the account's limit counts already: who comes after it need not wait for a turn to learn that it is held.
func TestWhoComesAfterALineOfChangesIsHeldAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	account := f.CloudAccount()
	account.Spec.Limits.IssuesPerMinute = new(int32(1))
	f.Replace(account)
	f.TakeEvents()
	for _, name := range f.names {
		f.Change(name, validFor(60))
		f.Pass(name)
	}
	f.wantAnew(t, 0, freely+1)
	if told := f.TakeEvents(); len(told) != len(f.names) {
		t.Errorf("%d events, want one for each, that it waits or is held: %v", len(told), told)
	}
	for range 2 * freely {
		f.Advance(time.Minute)
		f.settle()
	}
	f.wantAnew(t, freely, freely+1)
}

// changeLook is how soon a held one is looked at again.
const changeLook = 5 * time.Minute

func TestAMassChangeIsHeldAcrossARestart(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.changeAll()
	for range 2 {
		f.Restart()
		f.Advance(time.Minute)
		f.settle()
		f.wantAnew(t, freely, freely+1)
	}
}

func TestWhatIsHeldGoesOnAFewAnHour(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.changeAll()
	f.Advance(time.Hour)
	f.settle()
	f.wantAnew(t, 2*freely, 1)
	f.Advance(time.Hour)
	f.settle()
	f.wantAnew(t, 2*freely+1, 0)
	for _, name := range f.names {
		wantConditions(t, f.Get(name), healthy)
	}
}

func TestARequestLetsGoWhatIsHeld(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.changeAll()
	one := f.held()[0]
	f.Change(one, newValue("meant"))
	f.Settle(one)
	wantConditions(t, f.Get(one), healthy)
	f.wantAnew(t, freely+1, freely)
	for _, name := range f.names { // kubectl annotate --all
		f.Change(name, newValue("meant"))
	}
	f.settle()
	// Those that had not been held were asked for once more: it is what the annotation means.
	f.wantAnew(t, len(f.names)+freely, 0)
}

func TestWhileAMassChangeIsHeldEverythingElseGoesOn(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.changeAll()
	posts := f.Posts()

	f.Create(f.Credential("new"))
	f.Settle("new")
	wantConditions(t, f.Get("new"), healthy)
	wantPosts(t, f.World, posts+1)

	f.Change("new", newValue("x"))
	f.Advance(time.Minute)
	f.Settle("new")
	wantPosts(t, f.World, posts+2)

	f.Change("new", validFor(7)) // a change like any other: it is held, too
	f.Settle("new")
	wantPosts(t, f.World, posts+2)
	wantConditions(t, f.Get("new"), ofOneHeld)
}

func TestWhatIsHeldIsRenewedInTime(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	soonest := slices.MinFunc(f.names, func(a, b string) int { return f.renewal(a).Compare(f.renewal(b)) })
	due := f.renewal(soonest)
	f.Clock.SetTime(due.Add(-10 * time.Minute))
	for _, name := range f.names {
		if name != soonest {
			f.Change(name, validFor(60))
			f.Settle(name)
		}
	}
	f.Change(soonest, validFor(60))
	f.Settle(soonest)
	wantConditions(t, f.Get(soonest), ofOneHeld)
	f.Clock.SetTime(due)
	f.Settle(soonest)
	wantConditions(t, f.Get(soonest), healthy)
	f.wantAnew(t, freely+1, freely)
}

func (f *someFleet) renewal(name string) time.Time { return f.Get(name).Status.RenewalTime.Time }

func TestLostSecretsAreHeldOnceTheyAreMany(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for _, name := range f.names {
		f.Must(f.Client.Delete(t.Context(), f.Secret(name+"-kubeconfig")))
	}
	f.settle()
	f.wantAnew(t, freely, freely+1)
	wantConditions(t, f.Get(f.held()[0]), map[string]string{
		"Ready": "False/FleetHeld", "Issued": "False/FleetHeld", "Published": "False/FleetHeld", "Reconciling": "True/FleetHeld",
	})
}

func TestALostSecretThatIsHeldIsReplacedOnceItWouldHaveBeenRenewed(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	soonest := slices.MinFunc(f.names, func(a, b string) int { return f.renewal(a).Compare(f.renewal(b)) })
	due := f.renewal(soonest)
	f.Clock.SetTime(due.Add(-10 * time.Minute))
	lose := func(name string) {
		f.Must(f.Client.Delete(t.Context(), f.Secret(name+"-kubeconfig")))
		f.Settle(name)
	}
	for _, name := range f.names {
		if name != soonest {
			lose(name)
		}
	}
	lose(soonest)
	f.wantAnew(t, freely, freely+1)
	f.Clock.SetTime(due)
	f.Settle(soonest)
	wantConditions(t, f.Get(soonest), healthy)
}

func TestCertificatesThatExpiredAreReplacedHoweverMany(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.suspendAccount(true)
	f.Advance(40 * day)
	f.settle()
	f.wantAnew(t, 0, 0)
	f.suspendAccount(false)
	f.settle()
	f.wantAnew(t, len(f.names), 0)
	// They are no change, for the next process neither.
	f.Restart()
	f.Must(f.Client.Delete(t.Context(), f.Secret("c00-kubeconfig")))
	f.Settle("c00")
	f.wantAnew(t, len(f.names)+1, 0)
}

func (f *someFleet) suspendAccount(asleep bool) {
	account := f.CloudAccount()
	account.Spec.Suspend = asleep
	f.Replace(account)
}

func TestChangesThatFailKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	for _, name := range f.names[1:] {
		f.Change(name, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "nobody"} })
	}
	f.settle()
	f.Change("c00", validFor(7))
	f.Settle("c00")
	wantConditions(t, f.Get("c00"), healthy)
	f.wantAnew(t, 1, 0)
}

func TestWithoutTheHoldEverybodyGetsWhatTheyWant(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.SetFleetHold(false)
	f.changeAll()
	f.wantAnew(t, len(f.names), 0)
}
