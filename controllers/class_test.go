// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/testkit"
)

func TestTheCacheHoldsOneClass(t *testing.T) {
	managed := labels.Set{v1alpha1.LabelManaged: "true"}
	with := func(set labels.Set, class string) labels.Set {
		return labels.Merge(set, labels.Set{v1alpha1.LabelClass: class})
	}
	of := func(class string, object client.Object) labels.Selector {
		for kind, by := range controllers.CacheOptions(class, nil).ByObject {
			if reflect.TypeOf(kind) == reflect.TypeOf(object) {
				return by.Label
			}
		}
		return labels.Everything()
	}
	for _, kind := range []client.Object{&v1alpha1.ClusterCredential{}, &v1alpha1.CloudAccount{}, &v1alpha1.ClusterCloudAccount{}} {
		if s := of("", kind); !s.Matches(labels.Set{"a": "b"}) || s.Matches(with(nil, "a")) || s.Matches(with(nil, "")) {
			t.Errorf("%T without a class: %s", kind, s)
		}
		if s := of("a", kind); s.Matches(labels.Set{}) || s.Matches(with(nil, "b")) || !s.Matches(with(nil, "a")) {
			t.Errorf("%T of class a: %s", kind, s)
		}
	}
	if s := of("", &corev1.Secret{}); !s.Matches(managed) || s.Matches(with(managed, "a")) || s.Matches(labels.Set{}) {
		t.Errorf("Secrets without a class: %s", s)
	}
	if s := of("a", &corev1.Secret{}); s.Matches(managed) || s.Matches(with(managed, "b")) || s.Matches(with(nil, "a")) || !s.Matches(with(managed, "a")) {
		t.Errorf("Secrets of class a: %s", s)
	}
	for _, kind := range []client.Object{&v1alpha1.CredentialGrant{}, &corev1.Namespace{}} {
		if s := of("a", kind); !s.Matches(labels.Set{}) {
			t.Errorf("%T is selected by class: %s", kind, s)
		}
	}
}

// label gives an object a class, or none.
func label(o client.Object, class string) {
	all := labels.Merge(o.GetLabels(), labels.Set{v1alpha1.LabelClass: class})
	if class == "" {
		delete(all, v1alpha1.LabelClass)
	}
	o.SetLabels(all)
}

func ofClass(class string) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { label(cc, class) }
}

// labelAccount moves the account of a world into a class.
func labelAccount(w *testkit.World, class string) {
	w.T.Helper()
	account := w.CloudAccount()
	w.Must(w.Client.Get(w.T.Context(), client.ObjectKeyFromObject(account), account))
	label(account, class)
	w.Must(w.Client.Update(w.T.Context(), account))
}

// classed is a world of class a with one healthy credential prod-1.
func classed(t *testing.T, changes ...func(*v1alpha1.ClusterCredential)) *testkit.World {
	t.Helper()
	w := testkit.New(t)
	w.SetClass("a")
	labelAccount(w, "a")
	w.Create(w.Credential("prod-1", append(changes, ofClass("a"))...))
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
	wantPosts(t, w, 1)
	w.Recorder.Reset(nil)
	return w
}

// handTo labels prod-1, has its former operator look, and starts one of the other class, to which the account goes too.
func handTo(t *testing.T, w *testkit.World, class string, changes ...func(*v1alpha1.ClusterCredential)) {
	t.Helper()
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		for _, change := range append(changes, ofClass(class)) {
			change(cc)
		}
	})
	w.Recorder.Reset(nil)
	if result := w.Pass("prod-1"); result.RequeueAfter != 0 {
		t.Errorf("the former operator looks again after %s", result.RequeueAfter)
	}
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("the former operator wrote %v", writes)
	}
	if n := w.Gauge("clustercredential_info"); n != 0 {
		t.Errorf("the former operator still has the gauges of %v objects", n)
	}
	labelAccount(w, class)
	w.SetClass(class)
}

// wantClass holds that Secrets carry a class.
func wantClass(t *testing.T, w *testkit.World, class string, secrets ...types.NamespacedName) {
	t.Helper()
	for _, key := range secrets {
		secret := &corev1.Secret{}
		w.Must(w.Client.Get(t.Context(), key, secret))
		if got, has := secret.Labels[v1alpha1.LabelClass]; got != class || has != (class != "") {
			t.Errorf("Secret %s has the labels %v, want those of class %q", key, secret.Labels, class)
		}
	}
}

func TestWhatIsOfAnotherClassIsLeftAlone(t *testing.T) {
	t.Parallel()
	for operator, object := range map[string]string{"": "a", "a": "", "b": "a"} {
		t.Run("operator "+operator+", object "+object, func(t *testing.T) {
			w := testkit.New(t)
			w.SetClass(operator)
			labelAccount(w, operator)
			w.Create(w.Credential("prod-1", ofClass(object)))
			w.Recorder.Reset(nil)
			w.Pass("prod-1")
			w.Advance(time.Hour)
			w.Pass("prod-1")
			wantPosts(t, w, 0)
			if writes := w.Recorder.Writes(); len(writes) > 0 {
				t.Errorf("it wrote %v", writes)
			}
		})
	}
}

func TestAnObjectIsHandedOverByItsLabelWithoutACertificate(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{"a": "b", "b": "", "": "a"} {
		t.Run("from "+from+" to "+to, func(t *testing.T) {
			w := testkit.New(t)
			w.SetClass(from)
			labelAccount(w, from)
			w.Create(w.Credential("prod-1", withOutputs(five()...), ofClass(from)))
			w.Settle("prod-1")
			wantCarried(t, w)
			before := w.Secret("prod-1-kubeconfig")
			var all []types.NamespacedName
			for _, o := range five() {
				all = append(all, w.Key(o.SecretName))
			}
			wantClass(t, w, from, all...)
			handTo(t, w, to)
			w.Settle("prod-1")
			wantPosts(t, w, 1)
			wantConditions(t, w.Get("prod-1"), healthy)
			wantClass(t, w, to, all...)
			if string(w.Secret("prod-1-kubeconfig").Data["value"]) != string(before.Data["value"]) {
				t.Error("the credential has changed")
			}
			w.Recorder.Reset(nil)
			w.Advance(time.Hour)
			w.Settle("prod-1")
			if calls := w.Recorder.Calls(); len(calls) > 0 {
				t.Errorf("at rest the new operator asks for %v", calls)
			}
			w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
			w.Pass("prod-1")
			if w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
				t.Error("the Secret was not released by the new operator")
			}
		})
	}
}

// The other operator finds what the cache of neither shows: outputs that left the spec in the very change of the class.
func TestWhatLeavesTheSpecWithTheClassIsNotForgotten(t *testing.T) {
	t.Parallel()
	outputs := five()
	outputs[1].DeletionPolicy = v1alpha1.DeletionDelete
	w := classed(t, withOutputs(outputs...))
	handTo(t, w, "b", withOutputs(v1alpha1.Output{SecretName: "renamed"}))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantClass(t, w, "b", w.Key("renamed"), w.Key("prod-1-kubeconfig"), w.Key("istio"))
	if w.Secret("istio").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("the one that stays does not say that it was released")
	}
	if err := w.Client.Get(t.Context(), w.Key(outputs[1].SecretName), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("the one with deletionPolicy Delete: %v, want it gone", err)
	}
	w.Recorder.Reset(nil)
	w.Advance(time.Hour)
	w.Settle("prod-1")
	if calls := w.Recorder.Calls(); len(calls) > 0 {
		t.Errorf("at rest: %v", calls)
	}
}

func TestWhicheverRequestFailsInAHandoverNoFormerOutputIsForgotten(t *testing.T) {
	t.Parallel()
	for number := range 14 {
		t.Run(fmt.Sprintf("number %d", number+1), func(t *testing.T) {
			t.Parallel()
			outputs := five()
			outputs[1].DeletionPolicy = v1alpha1.DeletionDelete
			w := classed(t, withOutputs(outputs...))
			handTo(t, w, "b", withOutputs(outputs[0], outputs[2]))
			w.Recorder.Reset(func(n int, _ testkit.Call) (error, bool) {
				if n == number {
					return errors.New("no answer"), false
				}
				return nil, false
			})
			_, _ = w.Try("prod-1")
			if made := len(w.Recorder.Calls()); made <= number {
				t.Logf("a pass makes %d requests", made)
			}
			w.Recorder.Reset(nil)
			w.Settle("prod-1")
			wantPosts(t, w, 1)
			wantConditions(t, w.Get("prod-1"), healthy)
			wantClass(t, w, "b", w.Key("istio"), w.Key("tls"))
			for _, name := range []string{"istio", "tls"} {
				if w.Secret(name).Annotations[v1alpha1.AnnotationReleasedAt] == "" {
					t.Errorf("%s does not say that it was released", name)
				}
			}
			if err := w.Client.Get(t.Context(), w.Key("argo"), &corev1.Secret{}); !apierrors.IsNotFound(err) {
				t.Errorf("the one with deletionPolicy Delete: %v, want it gone", err)
			}
		})
	}
}

// What waits in memory of a former operator is stored by it, for the class that the object is of, as soon as that is possible.
func TestACertificateThatWaitsIsStoredBeforeItsObjectIsLetGoOf(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.SetClass("a")
	labelAccount(w, "a")
	w.Create(w.Credential("prod-1", ofClass("a")))
	refuse := func(_ int, call testkit.Call) (error, bool) {
		if call.Kind == "Secret" && call.IsWrite() {
			return testkit.Forbidden(), false
		}
		return nil, false
	}
	w.Recorder.Reset(refuse)
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	before := w.Get("prod-1")
	w.Change("prod-1", ofClass("b"))
	for range 3 {
		if result := w.Pass("prod-1"); result.RequeueAfter != 10*time.Second {
			t.Fatalf("the former operator looks again after %s", result.RequeueAfter)
		}
		w.Advance(10 * time.Second)
	}
	if n := w.Gauge("clustercredential_info"); n != 0 {
		t.Errorf("it still has the gauges of %v objects", n)
	}
	w.Recorder.Reset(nil)
	if result := w.Pass("prod-1"); result.RequeueAfter != 0 {
		t.Errorf("once it is stored it looks again after %s", result.RequeueAfter)
	}
	wantClass(t, w, "b", w.Key("prod-1-kubeconfig"))
	if after := w.Get("prod-1"); after.Generation != before.Generation || len(after.Status.Conditions) != len(before.Status.Conditions) {
		t.Error("the former operator has written the status")
	}
	w.Recorder.Reset(nil)
	w.Pass("prod-1")
	if calls := w.Recorder.Calls(); len(calls) > 0 {
		t.Errorf("it still asks for %v", calls)
	}
	labelAccount(w, "b")
	w.SetClass("b")
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
}

// A call that is under way when the class changes is finished by who began it: the Secret, and what status says of the call.
func TestACallThatIsUnderWayIsFinishedBeforeItsObjectIsLetGoOf(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.SetClass("a")
	labelAccount(w, "a")
	w.Create(w.Credential("prod-1", ofClass("a")))
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call.Verb == "create" && call.Kind == "Secret" {
			w.Change("prod-1", ofClass("b"))
		}
		return nil, false
	})
	w.Pass("prod-1")
	if history := w.Get("prod-1").Status.History; len(history) != 1 || history[0].State != v1alpha1.CertificateActive {
		t.Errorf("the history does not have the certificate: %+v", history)
	}
	w.Recorder.Reset(nil)
	w.Pass("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("after that the former operator wrote %v", writes)
	}
	labelAccount(w, "b")
	w.SetClass("b")
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
	wantClass(t, w, "b", w.Key("prod-1-kubeconfig"))
}

// Where the new operator was faster, what waits in memory of the former one is dropped, and nothing is written.
func TestACertificateThatWaitsIsDroppedOnceTheOtherClassHasPublished(t *testing.T) {
	t.Parallel()
	w := classed(t)
	w.Change("prod-1", newValue("please"))
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call.Verb == "apply" {
			return testkit.Forbidden(), false
		}
		return nil, false
	})
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	w.Change("prod-1", ofClass("b"))
	secret := w.Secret("prod-1-kubeconfig")
	other := testkit.New(t) // whose certificate stands for what the other operator has published
	other.Create(other.Credential("prod-1"))
	other.Settle("prod-1")
	secret.Data = other.Secret("prod-1-kubeconfig").Data
	label(secret, "b")
	for _, key := range []string{v1alpha1.AnnotationIssuanceID, v1alpha1.AnnotationFingerprint} {
		secret.Annotations[key] = other.Secret("prod-1-kubeconfig").Annotations[key]
	}
	w.Must(w.Client.Update(t.Context(), secret))
	w.Recorder.Reset(nil)
	if result := w.Pass("prod-1"); result.RequeueAfter != 0 {
		t.Errorf("it looks again after %s", result.RequeueAfter)
	}
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("it wrote %v", writes)
	}
}

func TestTheSecretOfAnotherClassIsNotTaken(t *testing.T) {
	t.Parallel()
	shared := withOutputs(v1alpha1.Output{SecretName: "shared"})
	w := classed(t, shared)
	labelAccount(w, "b")
	w.SetClass("b")
	w.Create(w.Credential("prod-2", shared, ofClass("b"), func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }))
	for range 5 {
		w.Advance(w.Pass("prod-2").RequeueAfter)
	}
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-2"), conflicted)
	if got := conditionMessage(w.Get("prod-2"), v1alpha1.ConditionPublished); !strings.Contains(got, `"prod-1"`) {
		t.Errorf("the message does not name the holder: %s", got)
	}
	wantClass(t, w, "a", w.Key("shared"))
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1"))) // and nobody has it any more
	w.Settle("prod-2")
	wantConditions(t, w.Get("prod-2"), healthy)
	wantClass(t, w, "b", w.Key("shared"))
}

// The watches of Secrets and of ClusterCredentials are two: the former operator may see that the Secret went before it sees that the
// object did.
func TestALateCacheTakesNothingBack(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(*testkit.World){
		"the Secret is the other's": func(*testkit.World) {},
		"and the account":           func(w *testkit.World) { labelAccount(w, "b") },
		"and a request came":        func(w *testkit.World) { w.Change("prod-1", newValue("please")) },
		"and it has other labels": func(w *testkit.World) {
			for _, name := range []string{"prod-1-kubeconfig", "istio"} {
				secret := w.Secret(name)
				secret.Labels["env"] = "theirs"
				w.Must(w.Client.Update(w.T.Context(), secret))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			outputs := five()
			outputs[0].Labels = map[string]v1alpha1.LabelValue{"env": "ours"}
			outputs[3].Labels = outputs[0].Labels
			w := classed(t, withOutputs(outputs...))
			w.Freeze(testkit.KindCredential)
			w.Change("prod-1", ofClass("b"))
			for _, o := range five() {
				secret := w.Secret(o.SecretName)
				label(secret, "b")
				w.Must(w.Client.Update(t.Context(), secret))
			}
			meanwhile(w)
			before := w.Get("prod-1").ResourceVersion
			w.Recorder.Reset(nil)
			for range 3 {
				w.Pass("prod-1")
				w.Advance(time.Second)
			}
			wantPosts(t, w, 1)
			if writes := slices.DeleteFunc(w.Recorder.Writes(), isRefusedWrite); len(writes) > 0 {
				t.Errorf("it wrote %v", writes)
			}
			if w.Get("prod-1").ResourceVersion != before {
				t.Error("the object was written")
			}
			w.Show(nil)
			w.Pass("prod-1")
			if n := w.Gauge("clustercredential_info"); n != 0 {
				t.Errorf("the gauges of %v objects are still there", n)
			}
		})
	}
}

// isRefusedWrite is for writes of a status that the API server refuses, as they are of an older object.
func isRefusedWrite(call testkit.Call) bool { return call.Kind == "ClusterCredential/status" }

// A Secret in another namespace belongs to whom its marks name, and not to one of that name there, though no cache shows the former.
func TestOneOfTheSameNameDoesNotReleaseTheSecretOfAnotherClass(t *testing.T) {
	t.Parallel()
	h := establish(t)
	h.Change("prod-1", ofClass("a"))
	h.Pass("prod-1")
	local := h.local("prod-1", v1alpha1.Output{SecretName: "prod-1-kubeconfig"})
	for range 4 {
		_, err := h.TryAt(local)
		h.Must(err)
		h.Advance(10 * time.Second)
	}
	if h.secretAt("cluster-prod-1").Annotations[v1alpha1.AnnotationReleasedAt] != "" {
		t.Error("the Secret of another class was released")
	}
	wantClass(t, h.World, "", types.NamespacedName{Namespace: h.argocd, Name: "cluster-prod-1"})
}

// What the API server does not answer is not taken for an answer: the release is made later.
func TestAReleaseWaitsUntilItIsKnownWhoLives(t *testing.T) {
	t.Parallel()
	h := establish(t)
	h.Must(h.Client.Delete(t.Context(), h.Get("prod-1")))
	h.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call == (testkit.Call{Verb: "get", Kind: testkit.KindCredential}) {
			return testkit.ConnectionReset(), false
		}
		return nil, false
	})
	if _, err := h.Try("prod-1"); err == nil {
		t.Error("it did not fail")
	}
	h.Recorder.Reset(nil)
	h.Pass("prod-1")
	if h.secretAt("cluster-prod-1").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("the Secret does not say that it was released")
	}
}

// Relabelled and deleted at once: the other operator has written nothing yet, and still removes what goes with the object.
func TestASecretInAnotherNamespaceGoesThoughItsClassHasChanged(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]func(*v1alpha1.ClusterCredential){
		"in the spec": nil, "out of the spec": {withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"})},
	} {
		t.Run(name, func(t *testing.T) {
			h := establish(t, func(o *v1alpha1.Output) { o.DeletionPolicy = v1alpha1.DeletionDelete })
			handTo(t, h.World, "b", more...)
			h.Must(h.Client.Delete(t.Context(), h.Get("prod-1")))
			h.Pass("prod-1")
			if h.secretAt("cluster-prod-1") != nil {
				t.Error("the Secret is still there")
			}
			if err := h.Client.Get(t.Context(), h.Key("prod-1"), &v1alpha1.ClusterCredential{}); !apierrors.IsNotFound(err) {
				t.Errorf("the object: %v, want it gone", err)
			}
		})
	}
}

func TestAnAccountOfAnotherClassIsNotThereAndTheMessageSaysWhatToLabel(t *testing.T) {
	t.Parallel()
	for operator, test := range map[string]struct{ account, want string }{
		"a": {"", `there is no CloudAccount "huawei-prod" of class "a" in namespace`},
		"b": {"a", "label it clustercredential.dev/class=b"},
		"":  {"a", "take off its label clustercredential.dev/class"},
	} {
		t.Run("operator "+operator, func(t *testing.T) {
			w := testkit.New(t)
			w.SetClass(operator)
			labelAccount(w, test.account)
			w.Create(w.Credential("prod-1", ofClass(operator)))
			w.Pass("prod-1")
			wantPosts(t, w, 0)
			if got := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionIssued); !strings.Contains(got, test.want) {
				t.Errorf("Issued says %q, want %q in it", got, test.want)
			}
			if e := explain(t, w); e.Account.Reason != v1alpha1.ReasonAccountNotFound || !strings.Contains(e.Account.Message, test.want) {
				t.Errorf("explained: %+v", e.Account)
			}
			labelAccount(w, operator)
			if e := explain(t, w); e.Account.Reason != "" || !e.Decision.Due {
				t.Errorf("explained: %+v, %+v", e.Account, e.Decision)
			}
			w.Settle("prod-1")
			wantPosts(t, w, 1)
		})
	}
}

// The object was deleted and made anew for another class, and the cache of the former operator shows the one that is gone.
func TestAnObjectMadeAnewForAnotherClassKeepsItsSecret(t *testing.T) {
	t.Parallel()
	w := classed(t)
	w.Freeze(testkit.KindCredential)
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	w.Create(w.Credential("prod-1", ofClass("b")))
	secret := w.Secret("prod-1-kubeconfig")
	label(secret, "b")
	w.Must(w.Client.Update(t.Context(), secret))
	w.Recorder.Reset(nil)
	for range 3 {
		_, _ = w.Try("prod-1") // it may say that it was overtaken
		w.Advance(time.Second)
	}
	wantClass(t, w, "b", w.Key("prod-1-kubeconfig"))
	wantPosts(t, w, 1)
}

// One edit changes the class and drops an output; the new operator has removed its Secret before the former one sees the edit.
func TestAnOutputThatTheNewOperatorRemovedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	outputs := five()
	outputs[1].DeletionPolicy = v1alpha1.DeletionDelete
	dropped := withOutputs(append(outputs[:1:1], outputs[2:]...)...)
	w := classed(t, withOutputs(outputs...))
	late := w.Look(testkit.KindCredential)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		ofClass("b")(cc)
		dropped(cc)
	})
	labelAccount(w, "b")
	w.SetClass("b")
	w.Settle("prod-1")
	removed := func() bool {
		return apierrors.IsNotFound(w.Client.Get(t.Context(), w.Key(outputs[1].SecretName), &corev1.Secret{}))
	}
	if !removed() {
		t.Fatal("the new operator did not remove it")
	}
	w.SetClass("a")
	w.Show(late)
	_, _ = w.Try("prod-1")
	if !removed() {
		t.Error("the former operator has written it again")
	}
	wantPosts(t, w, 1)
}

// What leaves the spec along with the class is told of until it can be released.
func TestAnOutputThatIsDroppedWhileSuspendedIsReleasedByTheNewOperatorLater(t *testing.T) {
	t.Parallel()
	outputs := five()
	w := classed(t, withOutputs(outputs...))
	handTo(t, w, "b", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Suspend = true
		withOutputs(append(outputs[:1:1], outputs[2:]...)...)(cc)
	})
	w.Settle("prod-1")
	w.Advance(time.Hour)
	w.Settle("prod-1")
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = false })
	w.Settle("prod-1")
	former := w.Key(outputs[1].SecretName)
	wantClass(t, w, "b", former)
	if w.Secret(former.Name).Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("it was never released")
	}
}

// It waits to be accepted by a cluster that does not answer, and the other operator has published another one.
func TestACertificateThatWaitsToBeAcceptedIsGivenUpOnceTheNewOperatorHasPublished(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Verify(&cluster{answer: unreachable})
	w.SetClass("a")
	labelAccount(w, "a")
	w.Create(w.Credential("prod-1", required, ofClass("a")))
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	w.Change("prod-1", ofClass("b"))
	other := testkit.New(t)
	other.Create(other.Credential("prod-1"))
	other.Settle("prod-1")
	secret := other.Secret("prod-1-kubeconfig")
	secret.Namespace, secret.ResourceVersion, secret.UID = w.Namespace, "", ""
	secret.OwnerReferences = nil
	secret.Annotations[v1alpha1.AnnotationCredentialNamespace] = w.Namespace
	label(secret, "b")
	w.Create(secret)
	for range 10 {
		again := w.Pass("prod-1").RequeueAfter
		if again == 0 {
			return
		}
		w.Advance(again)
	}
	t.Error("it goes on and on")
}

// Status tells of a released Secret until its certificate expires, also of one that somebody has removed.
func TestAReleasedSecretThatIsGoneIsLookedForOnce(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1"))
	w.Settle("prod-1")
	w.Change("prod-1", withOutputs(v1alpha1.Output{SecretName: "renamed"}))
	w.Settle("prod-1")
	w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1-kubeconfig")))
	w.Settle("prod-1")
	w.Recorder.Reset(nil)
	for range 3 {
		w.Advance(time.Hour)
		w.Pass("prod-1")
	}
	if calls := w.Recorder.Calls(); len(calls) > 0 {
		t.Errorf("requests at rest: %v", calls)
	}
	if told := w.Get("prod-1").Status.Outputs; len(told) != 2 {
		t.Errorf("status tells of %v", told)
	}
}
