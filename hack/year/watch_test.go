// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// selection is which objects of a kind a list or a watch shows, and in which form.
type selection struct {
	list func() client.ObjectList
	// keep says whether an object is shown; nil: every one is.
	keep func(metav1.Object) bool
	// metadata shows nothing else of it.
	metadata bool
}

func (s selection) shows(o metav1.Object) bool { return s.keep == nil || s.keep(o) }

func (s selection) form(o runtime.Object) runtime.Object {
	secret, isSecret := o.(*corev1.Secret)
	if !s.metadata || !isSecret {
		return o
	}
	only := &metav1.PartialObjectMetadata{ObjectMeta: *secret.ObjectMeta.DeepCopy()}
	only.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return only
}

// event is an event of the selection: an object that is not shown any more is gone from it.
func (s selection) event(e watch.Event) (watch.Event, bool) {
	object, err := meta.Accessor(e.Object)
	if err != nil {
		return e, false
	}
	if !s.shows(object) {
		e.Type = watch.Deleted
	}
	e.Object = s.form(e.Object)
	return e, true
}

func (s selection) items(list runtime.Object) (runtime.Object, error) {
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, err
	}
	shown := &metav1.List{}
	for _, item := range items {
		if object, err := meta.Accessor(item); err == nil && s.shows(object) {
			shown.Items = append(shown.Items, runtime.RawExtension{Object: s.form(item)})
		}
	}
	return shown, nil
}

// source lists and watches. It watches before it lists, since the fake client starts a
// watch with what comes next, and what came in between would be lost.
type source struct {
	api client.WithWatch
	selection
	mu    sync.Mutex
	begun watch.Interface
}

// List shows everything, and begins the watch.
func (s *source) List(options metav1.ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun != nil {
		s.begun.Stop()
	}
	begun, err := s.api.Watch(context.Background(), s.list())
	if err != nil {
		return nil, err
	}
	s.begun = begun
	list := s.list()
	if err := s.api.List(context.Background(), list); err != nil {
		return nil, err
	}
	return s.items(list)
}

// Watch goes on from the list.
func (s *source) Watch(metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := s.begun
	if begun == nil {
		return nil, fmt.Errorf("watch %T: list first", s.list())
	}
	s.begun = nil
	return filter(begun, s.event), nil
}

// IsWatchListSemanticsUnSupported keeps client-go from asking the fake for a list by watch.
func (*source) IsWatchListSemanticsUnSupported() bool { return true }

// informerOf makes the informers of the manager's cache read from the fake client.
func informerOf(api client.WithWatch, managed labels.Selector) func(
	cache.ListerWatcher, runtime.Object, time.Duration, cache.Indexers,
) cache.SharedIndexInformer {
	return func(_ cache.ListerWatcher, o runtime.Object, resync time.Duration, indexers cache.Indexers) cache.SharedIndexInformer {
		var s selection
		switch o := o.(type) {
		case *v1alpha1.ClusterCredential:
			s.list = func() client.ObjectList { return &v1alpha1.ClusterCredentialList{} }
		case *v1alpha1.CloudAccount:
			s.list = func() client.ObjectList { return &v1alpha1.CloudAccountList{} }
		case *v1alpha1.ClusterCloudAccount: // none is in the story
			s.list = func() client.ObjectList { return &v1alpha1.ClusterCloudAccountList{} }
		case *metav1.PartialObjectMetadata:
			if o.Kind == "Namespace" { // no grant asks for their labels
				s.list = func() client.ObjectList { return &corev1.NamespaceList{} }
				break
			}
			s.list = func() client.ObjectList { return &corev1.SecretList{} }
			s.keep = func(o metav1.Object) bool { return managed.Matches(labels.Set(o.GetLabels())) }
			s.metadata = true
		default:
			panic(fmt.Sprintf("nobody was expected to watch %T", o))
		}
		return cache.NewSharedIndexInformer(&source{api: api, selection: s}, o, resync, indexers)
	}
}

// keyWatches are the watches of single Secrets that the keyring begins.
type keyWatches struct {
	metadata.Interface
	api client.WithWatch
}

// Resource is that of Secrets.
func (k keyWatches) Resource(schema.GroupVersionResource) metadata.Getter {
	return keyWatch{api: k.api}
}

// IsWatchListSemanticsUnSupported is as for source.
func (keyWatches) IsWatchListSemanticsUnSupported() bool { return true }

type keyWatch struct {
	metadata.ResourceInterface
	api       client.WithWatch
	namespace string
}

// Namespace narrows it.
func (k keyWatch) Namespace(name string) metadata.ResourceInterface {
	k.namespace = name
	return k
}

func (k keyWatch) selection(options metav1.ListOptions) (selection, error) {
	only, err := fields.ParseSelector(options.FieldSelector)
	if err != nil {
		return selection{}, err
	}
	return selection{metadata: true, keep: func(o metav1.Object) bool {
		return only.Matches(fields.Set{metav1.ObjectNameField: o.GetName()})
	}}, nil
}

// List shows the one Secret, if it is there.
func (k keyWatch) List(ctx context.Context, options metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	s, err := k.selection(options)
	if err != nil {
		return nil, err
	}
	var list corev1.SecretList
	if err := k.api.List(ctx, &list, client.InNamespace(k.namespace)); err != nil {
		return nil, err
	}
	shown := &metav1.PartialObjectMetadataList{}
	for i := range list.Items {
		if only, ok := s.form(&list.Items[i]).(*metav1.PartialObjectMetadata); ok && s.shows(only) {
			shown.Items = append(shown.Items, *only)
		}
	}
	return shown, nil
}

// Watch tells of the one Secret.
func (k keyWatch) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s, err := k.selection(options)
	if err != nil {
		return nil, err
	}
	w, err := k.api.Watch(ctx, &corev1.SecretList{}, client.InNamespace(k.namespace))
	if err != nil {
		return nil, err
	}
	return filter(w, func(e watch.Event) (watch.Event, bool) {
		object, err := meta.Accessor(e.Object)
		if err != nil || !s.shows(object) {
			return e, false
		}
		return s.event(e)
	}), nil
}

// filtered is a watch that can be stopped whether or not anybody reads it: watch.Filter
// would leave a goroutine behind, and a bubble ends with all of its goroutines.
type filtered struct {
	inner watch.Interface
	out   chan watch.Event
	done  chan struct{}
	once  sync.Once
}

func filter(inner watch.Interface, keep func(watch.Event) (watch.Event, bool)) watch.Interface {
	f := &filtered{inner: inner, out: make(chan watch.Event), done: make(chan struct{})}
	go f.run(keep)
	return f
}

func (f *filtered) run(keep func(watch.Event) (watch.Event, bool)) {
	defer close(f.out)
	for e := range f.inner.ResultChan() {
		kept, ok := keep(e)
		if !ok {
			continue
		}
		select {
		case f.out <- kept:
		case <-f.done:
			return
		}
	}
}

// Stop ends the watch.
func (f *filtered) Stop() {
	f.once.Do(func() {
		close(f.done)
		f.inner.Stop()
	})
}

// ResultChan has the events.
func (f *filtered) ResultChan() <-chan watch.Event { return f.out }
