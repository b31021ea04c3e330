// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// View is what a cache showed of some kinds at one moment. What has happened since is on its tapes, and can be shown
// event by event, as a watch that is late would.
type View struct {
	world *World
	shown map[string]map[string]client.Object // by kind and name
	tapes map[string]*tape
}

// tape holds the events of one kind that a view has not shown yet.
type tape struct {
	mu     sync.Mutex
	events []watch.Event
}

// allKinds are those that the cache holds.
var allKinds = []string{KindAccount, KindCredential, KindSecret}

// Look returns what the cache shows now of some kinds, or of all where none is given.
func (w *World) Look(kinds ...string) *View {
	w.T.Helper()
	if len(kinds) == 0 {
		kinds = allKinds
	}
	v := &View{world: w, shown: map[string]map[string]client.Object{}, tapes: map[string]*tape{}}
	for _, kind := range kinds {
		version := ""
		v.shown[kind], version = w.itemsNow(kind)
		v.tapes[kind] = w.record(kind, version)
	}
	return v
}

// Show makes the cache show a view from now on, whatever happens; nil: everything as it is. Showing a view that is older
// than what was shown before is a cache that was filled anew by an API server that lags behind.
func (w *World) Show(view *View) {
	w.Recorder.mu.Lock()
	defer w.Recorder.mu.Unlock()
	w.Recorder.view = view
}

// Freeze makes the cache show what it shows now, whatever happens, and returns that view.
func (w *World) Freeze(kinds ...string) *View {
	w.T.Helper()
	view := w.Look(kinds...)
	w.Show(view)
	return view
}

// Step shows one event more, the oldest that the view has missed; false: it has missed none.
func (v *View) Step() bool {
	v.world.T.Helper()
	v.await()
	oldest := ""
	var next watch.Event
	for kind, tape := range v.tapes {
		if event, more := tape.first(); more && (oldest == "" || isOlder(event, next)) {
			oldest, next = kind, event
		}
	}
	if oldest == "" {
		return false
	}
	apply(v.shown[oldest], next)
	v.tapes[oldest].forward()
	return true
}

func (t *tape) first() (event watch.Event, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 {
		return event, false
	}
	return t.events[0], true
}

func (t *tape) forward() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = t.events[1:]
}

// await waits until the tapes hold everything that has happened.
func (v *View) await() {
	v.world.T.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for kind := range v.tapes {
		for !v.isComplete(kind) {
			if time.Now().After(deadline) {
				v.world.T.Fatalf("the watch of kind %s does not tell what has happened", kind)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// isComplete says whether what was shown and the tape make up what is there.
func (v *View) isComplete(kind string) bool {
	played := maps.Clone(v.shown[kind])
	v.tapes[kind].mu.Lock()
	for _, event := range v.tapes[kind].events {
		apply(played, event)
	}
	v.tapes[kind].mu.Unlock()
	now, _ := v.world.itemsNow(kind)
	return maps.EqualFunc(played, now, func(a, b client.Object) bool { return a.GetResourceVersion() == b.GetResourceVersion() })
}

func apply(shown map[string]client.Object, event watch.Event) {
	object := event.Object.(client.Object) // it was looked at when it was recorded
	if event.Type == watch.Deleted {
		delete(shown, object.GetName())
		return
	}
	shown[object.GetName()] = object
}

func isOlder(a, b watch.Event) bool {
	versionOf := func(e watch.Event) string { return e.Object.(client.Object).GetResourceVersion() }
	order, err := resourceversion.CompareResourceVersion(versionOf(a), versionOf(b))
	return err == nil && order < 0
}

// record begins a tape of everything that happens to a kind after a version.
func (w *World) record(kind, version string) *tape {
	w.T.Helper()
	from := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version}}
	options := []client.ListOption{w.selection(kind), client.InNamespace(w.Namespace), from}
	watcher, err := w.Client.Watch(w.T.Context(), listOf(kind), options...)
	w.Must(err)
	w.T.Cleanup(watcher.Stop)
	t := &tape{}
	go func() {
		for event := range watcher.ResultChan() {
			if _, ok := event.Object.(client.Object); !ok {
				return // an error: whoever awaits the rest says so
			}
			t.mu.Lock()
			t.events = append(t.events, event)
			t.mu.Unlock()
		}
	}()
	return t
}

// itemsNow are all objects of a kind that there are, by name, and the version of that list.
func (w *World) itemsNow(kind string) (items map[string]client.Object, version string) {
	w.T.Helper()
	list := listOf(kind)
	w.Must(w.Client.List(w.T.Context(), list, w.selection(kind), client.InNamespace(w.Namespace)))
	objects, err := meta.ExtractList(list)
	w.Must(err)
	items = map[string]client.Object{}
	for _, object := range objects {
		if o, ok := object.(client.Object); ok {
			o.GetObjectKind().SetGroupVersionKind(kindOf(kind)) // the items of a metadata list carry none
			items[o.GetName()] = o
		}
	}
	return items, list.GetResourceVersion()
}

func kindOf(kind string) schema.GroupVersionKind {
	if kind == KindSecret {
		return corev1.SchemeGroupVersion.WithKind(kind)
	}
	return v1alpha1.GroupVersion.WithKind(kind)
}

func listOf(kind string) client.ObjectList {
	switch kind {
	case KindCredential:
		return &v1alpha1.ClusterCredentialList{}
	case KindAccount:
		return &v1alpha1.CloudAccountList{}
	default:
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind + "List"))
		return list
	}
}

// selection is what the cache asks for: of Secrets ours only, and what is of the operator's class.
func (w *World) selection(kind string) client.ListOption {
	return client.MatchingLabelsSelector{Selector: selectorOf(w.Recorder.class, kind)}
}

func (v *View) get(key types.NamespacedName, into client.Object) error {
	shown := v.shown[kind(into)][key.Name]
	if shown == nil || key.Namespace != v.world.Namespace {
		return apierrors.NewNotFound(schema.GroupResource{Resource: kind(into)}, key.Name)
	}
	gvk := into.GetObjectKind().GroupVersionKind()
	reflect.ValueOf(into).Elem().Set(reflect.ValueOf(shown.DeepCopyObject()).Elem())
	into.GetObjectKind().SetGroupVersionKind(gvk)
	return nil
}

func (v *View) list(kind string) []runtime.Object {
	all := make([]runtime.Object, 0, len(v.shown[kind]))
	for _, name := range slices.Sorted(maps.Keys(v.shown[kind])) {
		all = append(all, v.shown[kind][name].DeepCopyObject())
	}
	return all
}
