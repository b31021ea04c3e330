// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"fmt"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
)

// The views of a cache that is held back, in the words of a test's name.
var heldBack = map[string][]string{
	"everything":             nil,
	"the ClusterCredentials": {testkit.KindCredential},
	"the Secrets":            {testkit.KindSecret},
}

// process is who works on the late cache: the one that has worked so far, or one that remembers nothing.
var process = map[string]func(*testkit.World){
	"the same process": func(*testkit.World) {},
	"a new process":    (*testkit.World).Restart,
}

// passOn makes passes for two minutes, longer than any own write is waited for, whatever comes of them.
func passOn(w *testkit.World) {
	for start := w.Clock.Now(); w.Clock.Now().Sub(start) < 2*time.Minute; {
		result, err := w.Try("prod-1")
		if err != nil {
			result.RequeueAfter = time.Second
		}
		w.Advance(min(max(result.RequeueAfter, 10*time.Second), 20*time.Second))
	}
}

// catchUp shows the cache what it has missed, and lets the operator look in between.
func catchUp(w *testkit.World, view *testkit.View, stepwise bool) {
	for stepwise && view.Step() {
		_, _ = w.Try("prod-1")
	}
	w.Show(nil)
	w.Settle("prod-1")
}

// TestACacheThatStandsStillCostsNoCertificate holds the cache back just before each write of a workload, so that it never
// shows what the operator has done, and looks again and again.
func TestACacheThatStandsStillCostsNoCertificate(t *testing.T) {
	cases := 0
	for _, load := range workloads() {
		if len(load.steps) > 1 || load.likeRenewal {
			continue // what is deleted and created again has a test of its own, and the renewal stands for what is like it
		}
		reference := load.world(t)
		load.run(t, reference, nil)
		writes, want := len(reference.Recorder.Writes()), endOf(reference)
		for name, restart := range process {
			for k := range writes {
				stepwise := k%2 == 0
				cases++
				t.Run(fmt.Sprintf("%s/write %d/%s", load.name, k, name), func(t *testing.T) {
					t.Parallel()
					w := load.world(t)
					view, seen := holdBackAtWrite(t, load, w, k)
					load.steps[0](w)
					_, _ = w.Try("prod-1")
					if *view == nil {
						t.Fatal("the write was not made: the sweep is not what it says")
					}
					restart(w)
					passOn(w)
					if posts := w.Posts(); posts > want.Posts {
						t.Errorf("%d certificates were asked for on a cache that stood still, want %d", posts, want.Posts)
					}
					catchUp(w, *view, stepwise)
					seen.look(t, w)
					wantEnd(t, w, want)
				})
			}
		}
	}
	t.Logf("%d cases", cases)
	if cases < 40 {
		t.Error("too few to show anything")
	}
}

// holdBackAtWrite freezes the cache before the k-th write.
func holdBackAtWrite(t *testing.T, load workload, w *testkit.World, k int) (view **testkit.View, seen *witness) {
	view, seen = new(*testkit.View), newWitness(load)
	n := 0
	w.Recorder.Reset(seen.before(t, w, func(_ int, call testkit.Call) (error, bool) {
		if call.IsWrite() {
			if n == k {
				*view = w.Freeze()
			}
			n++
		}
		return nil, false
	}))
	return view, seen
}

// An object that is deleted and created again under its name, while the cache shows the old one: what the new one needs
// is done once it is seen, and nothing is done for the old one.
func TestAnObjectThatIsReplacedUnseenGetsWhatItNeedsAndNoMore(t *testing.T) {
	for what, kinds := range heldBack {
		for who, restart := range process {
			for _, retained := range []bool{true, false} {
				for _, stepwise := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s held back/%s/Secret retained %v/step by step %v", what, who, retained, stepwise), func(t *testing.T) {
						t.Parallel()
						w := established(t)
						before := w.Secret("prod-1-kubeconfig")
						view := w.Freeze(kinds...)
						remove(w)
						posts := 1
						if !retained {
							removeSecret(w)
							posts = 2
						}
						create()(w)
						restart(w)
						passOn(w)
						if most := posts; w.Posts() > most {
							t.Errorf("%d certificates on the late cache, want at most %d", w.Posts(), most)
						}
						catchUp(w, view, stepwise)
						wantPosts(t, w, posts)
						wantConditions(t, w.Get("prod-1"), healthy)
						wantServes(t, w, "prod-1")
						wantAllNotedSince(t, w, posts-1)
						if retained {
							wantSameBytes(t, w, before)
						}
						after := w.Secret("prod-1-kubeconfig")
						if got, want := after.Annotations[v1alpha1.AnnotationCredentialUID], string(w.Get("prod-1").UID); got != want {
							t.Errorf("the Secret names the object %s, want %s", got, want)
						}
						wantRest(t, w)
					})
				}
			}
		}
	}
}

// wantAllNotedSince checks that history tells of the POST of that index, and that no attempt is open.
func wantAllNotedSince(t *testing.T, w *testkit.World, index int) {
	t.Helper()
	s := w.Get("prod-1").Status
	if len(s.History) == 0 || s.History[0].SerialNumber != w.Sim.Ledger()[index].Serial || s.Issuance != nil {
		t.Errorf("history %+v, open %+v; want the certificate %s first, and none open", s.History, s.Issuance, w.Sim.Ledger()[index].Serial)
	}
}

// What happens to a Secret while the cache does not show it, and comes to the same as before.
func TestASecretThatIsAgainWhatItWasCostsNothing(t *testing.T) {
	events := map[string]func(*testkit.World){
		"changed and changed back": func(w *testkit.World) {
			secret := w.Secret("prod-1-kubeconfig")
			good := secret.Data["value"]
			secret.Data["value"] = []byte("garbage")
			w.Must(w.Client.Update(w.T.Context(), secret))
			secret.Data["value"] = good
			w.Must(w.Client.Update(w.T.Context(), secret))
		},
		"deleted and restored under a new UID": func(w *testkit.World) {
			secret := w.Secret("prod-1-kubeconfig")
			removeSecret(w)
			secret.ObjectMeta = metav1.ObjectMeta{
				Namespace: secret.Namespace, Name: secret.Name, Labels: secret.Labels, Annotations: secret.Annotations,
			}
			w.Create(secret)
		},
	}
	for event, happen := range events {
		for what, kinds := range heldBack {
			for who, restart := range process {
				t.Run(fmt.Sprintf("%s/%s held back/%s", event, what, who), func(t *testing.T) {
					t.Parallel()
					w := established(t)
					before := w.Secret("prod-1-kubeconfig")
					view := w.Freeze(kinds...)
					happen(w)
					restart(w)
					passOn(w)
					catchUp(w, view, who == "the same process")
					wantPosts(t, w, 1)
					wantConditions(t, w.Get("prod-1"), healthy)
					wantSameBytes(t, w, before)
					wantRest(t, w)
				})
			}
		}
	}
}

// Changes that are seen late, and as one or one by one.
func TestChangesThatAreSeenLateCostWhatTheLastOfThemAsksFor(t *testing.T) {
	tests := map[string]struct {
		changes []func(*v1alpha1.ClusterCredential)
		posts   int
	}{
		"changed and changed back": {
			[]func(*v1alpha1.ClusterCredential){forDays(60), func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = nil }}, 1,
		},
		"another cluster and back": {
			[]func(*v1alpha1.ClusterCredential){ofOtherCluster, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.ClusterID }}, 1,
		},
		"several changes and requests": {
			[]func(*v1alpha1.ClusterCredential){newValue("a"), forDays(7), newValue("b"), forDays(60), newValue("c")}, 2,
		},
		"several requests":     {[]func(*v1alpha1.ClusterCredential){newValue("a"), newValue("b"), newValue("c")}, 2},
		"a request taken back": {[]func(*v1alpha1.ClusterCredential){newValue("a"), func(cc *v1alpha1.ClusterCredential) { cc.Annotations = nil }}, 1},
		"moved and moved back": {[]func(*v1alpha1.ClusterCredential){movedTo("elsewhere"), movedTo("prod-1-kubeconfig")}, 1},
		"suspended and let go on": {[]func(*v1alpha1.ClusterCredential){
			func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = true }, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = false },
		}, 1},
	}
	for name, test := range tests {
		for who, restart := range process {
			for _, stepwise := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/step by step %v", name, who, stepwise), func(t *testing.T) {
					t.Parallel()
					w := established(t)
					w.Advance(time.Hour)
					view := w.Freeze()
					for _, change := range test.changes {
						w.Change("prod-1", change)
					}
					restart(w)
					passOn(w)
					wantPosts(t, w, 1)
					catchUp(w, view, stepwise)
					wantPosts(t, w, test.posts)
					wantConditions(t, w.Get("prod-1"), healthy)
					wantServes(t, w, "prod-1")
					wantRest(t, w)
				})
			}
		}
	}
}

// A cache that is filled anew from an API server that lags behind shows what was true before. Whatever the operator makes of
// it, it asks for nothing, takes no Secret away that the object's spec names, and stores nothing older over
// something newer.
func TestACacheThatGoesBackInTimeUndoesNothing(t *testing.T) {
	for _, load := range workloads() {
		for what, kinds := range heldBack {
			for who, restart := range process {
				t.Run(fmt.Sprintf("%s/%s of before/%s", load.name, what, who), func(t *testing.T) {
					t.Parallel()
					w := load.world(t)
					old := w.Look(kinds...)
					load.run(t, w, nil)
					want, primary := endOf(w), w.Secret(w.Get("prod-1").Status.Outputs[0].SecretName)
					seen := newWitness(load)
					seen.look(t, w)
					w.Recorder.Reset(seen.before(t, w, nil))
					w.Show(old)
					restart(w)
					passOn(w)
					wantPosts(t, w, want.Posts)
					wantSameBytes(t, w, primary)
					catchUp(w, old, who == "the same process")
					wantSameBytes(t, w, primary)
					wantEnd(t, w, want)
				})
			}
		}
	}
}

// wantSameBytes checks that a Secret is there, with what it held before.
func wantSameBytes(t *testing.T, w *testkit.World, before *corev1.Secret) {
	t.Helper()
	now := &corev1.Secret{}
	if err := w.Client.Get(t.Context(), w.Key(before.Name), now); err != nil {
		t.Errorf("Secret %s, which the spec names: %v", before.Name, err)
		return
	}
	if !maps.EqualFunc(before.Data, now.Data, bytes.Equal) {
		t.Errorf("the bytes in Secret %s have changed", before.Name)
	}
}

// After etcd was put back, watches catch up one after the other, and what is seen of the clusters goes on meanwhile. What a pass finds
// on a cache that still shows the future is not told of what was restored: a request that the restore took back would count as handled.
func TestWhatWasRestoredIsNotToldOfTheFuture(t *testing.T) {
	for what, kinds := range heldBack {
		for who, restart := range process {
			t.Run(fmt.Sprintf("%s held back/%s", what, who), func(t *testing.T) {
				t.Parallel()
				target := &cluster{answer: accepts}
				w := watched(t, target)
				look(t, w)
				credential, secret := w.Get("prod-1"), w.Secret("prod-1-kubeconfig")
				w.Change("prod-1", newValue("monday"))
				w.Settle("prod-1")
				wantPosts(t, w, 2)
				look(t, w)

				view := w.Freeze(kinds...)
				putBack(w, credential, secret)
				listed, _ := w.Sim.Cluster(testkit.ClusterID)
				w.Sim.RemoveCluster(testkit.ClusterID) // which is news without a look at the Secret
				restart(w)
				w.Advance(10 * time.Minute) // they are listed, if anything is done at all
				passOn(w)
				w.Wait()
				passOn(w)
				if now := w.Secret("prod-1-kubeconfig"); !maps.Equal(now.Annotations, secret.Annotations) {
					t.Errorf("the Secret was made to tell of what came after: %v, want %v", now.Annotations, secret.Annotations)
				}
				w.Must(w.Sim.AddCluster(listed))
				catchUp(w, view, true)
				look(t, w)
				wantPosts(t, w, 2)
				got, want := w.Get("prod-1").Status, credential.Status
				if got.LastHandledRenewRequest != want.LastHandledRenewRequest || len(got.History) != len(want.History) {
					t.Errorf("status tells of what came after: handled %q, %d certificates", got.LastHandledRenewRequest, len(got.History))
				}

				w.Change("prod-1", newValue("monday"))
				w.Settle("prod-1")
				wantPosts(t, w, 3)
				wantServes(t, w, "prod-1")
			})
		}
	}
}

// A ClusterCredential that only the cache does not show is not gone: nothing of it is released.
func TestWhatOnlyTheCacheDoesNotShowIsNotReleased(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	view := w.Freeze(testkit.KindCredential)
	w.Create(w.Credential("prod-1"))
	passOn(w)
	if at := w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt]; at != "" {
		t.Errorf("the Secret was released at %s", at)
	}
	catchUp(w, view, true)
	wantPosts(t, w, 1)
	wantServes(t, w, "prod-1")
}

// Nor is anything forgotten of it: a certificate that waits to be stored is the only copy of its key.
func TestWhatOnlyTheCacheDoesNotShowKeepsItsCertificateInHand(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	nothing := w.Look(testkit.KindCredential)
	w.Create(w.Credential("prod-1"))
	w.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
		if call.IsWrite() && call.Kind == testkit.KindSecret {
			return testkit.Forbidden(), false
		}
		return nil, false
	})
	_, _ = w.Try("prod-1")
	wantPosts(t, w, 1)

	w.Show(nothing)
	passOn(w)
	w.Recorder.Reset(nil)
	w.Show(nil)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantServes(t, w, "prod-1")
}

// putBack makes a credential and its Secret what they were, as new versions of the same objects.
func putBack(w *testkit.World, credential *v1alpha1.ClusterCredential, secret *corev1.Secret) {
	w.T.Helper()
	w.Replace(secret.DeepCopy())
	object := credential.DeepCopy()
	w.Replace(object)
	object.Status = credential.Status
	w.Must(w.Client.Status().Update(w.T.Context(), object))
}

func TestWhatAPassHasSeenOfASecretIsNoNews(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "prod-1"}, {SecretName: "prod-1-argocd", Format: v1alpha1.FormatArgoCD}}
	}))
	w.Settle("prod-1")
	isNews := func(secret *corev1.Secret) bool {
		t.Helper()
		news := w.Reconciler.SecretNews()
		shown := &metav1.PartialObjectMetadata{ObjectMeta: *secret.ObjectMeta.DeepCopy()}
		created, updated := news.Create(event.CreateEvent{Object: shown}), news.Update(event.UpdateEvent{ObjectOld: shown, ObjectNew: shown})
		if created != updated {
			t.Errorf("created it is news: %v, updated: %v", created, updated)
		}
		if !news.Delete(event.DeleteEvent{Object: shown}) {
			t.Error("that it is gone is no news")
		}
		return created
	}
	for _, name := range []string{"prod-1", "prod-1-argocd"} {
		if isNews(w.Secret(name)) {
			t.Errorf("what the operator wrote to %s is news", name)
		}
	}
	for what, edit := range map[string]func(*corev1.Secret){
		"an edit":           func(s *corev1.Secret) { s.Data["value"] = nil },
		"a label":           func(s *corev1.Secret) { s.Labels["team"] = "red" },
		"its marks changed": func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationCredential] = "another" },
	} {
		secret := w.Secret("prod-1")
		edit(secret)
		w.Must(w.Client.Update(t.Context(), secret))
		if !isNews(w.Secret("prod-1")) {
			t.Errorf("%s is no news", what)
		}
		w.Must(w.Client.Delete(t.Context(), w.Secret("prod-1")))
		w.Settle("prod-1")
		if isNews(w.Secret("prod-1")) {
			t.Errorf("what the operator wrote after %s is news", what)
		}
	}
	taken := &metav1.PartialObjectMetadata{ObjectMeta: w.Secret("prod-1").ObjectMeta}
	former := taken.DeepCopy()
	former.Annotations[v1alpha1.AnnotationCredential] = "another"
	if !w.Reconciler.SecretNews().Update(event.UpdateEvent{ObjectOld: former, ObjectNew: taken}) {
		t.Error("that a Secret was taken over is no news to the one that has lost it")
	}
	w.Restart()
	if !isNews(w.Secret("prod-1")) {
		t.Error("what a process that has ended wrote is no news to the next")
	}
}
