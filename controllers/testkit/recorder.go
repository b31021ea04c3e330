// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
)

// Call is one request to the API server.
type Call struct {
	// Verb is get, list, create, update, patch, apply, delete or dryrun.
	Verb string
	// Kind is the kind of the object, Status after a slash for its status.
	Kind string
}

// IsWrite says whether the request changes something.
func (c Call) IsWrite() bool { return c.Verb != "get" && c.Verb != "list" && c.Verb != "dryrun" }

// Fault decides what happens to a request: the number counts all requests from 0. A
// non-nil error is what the caller gets; after says whether the request was carried out first.
type Fault func(number int, call Call) (err error, after bool)

// Recorder is the client that counts and fails.
type Recorder struct {
	mu      sync.Mutex
	calls   []Call
	fault   Fault
	indexes map[string]client.IndexerFunc
	// namespaces are all that the cache lists, as with --namespaces: worlds share an API server.
	namespaces []string
	// view is what the cache shows of some kinds; nil: everything as it is.
	view *View
	// class is that of the operator: see controllers.CacheOptions.
	class string
	// hidden are kinds of which the cache shows no object.
	hidden []string
}

// Calls returns the requests since the last Reset.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Call(nil), r.calls...)
}

// Writes returns those that changed something.
func (r *Recorder) Writes() []Call {
	var writes []Call
	for _, call := range r.Calls() {
		if call.IsWrite() {
			writes = append(writes, call)
		}
	}
	return writes
}

// Reset forgets the requests so far, and sets what happens to the next ones.
func (r *Recorder) Reset(fault Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls, r.fault = nil, fault
}

// IndexField keeps an index function, as a manager's cache would.
func (r *Recorder) IndexField(_ context.Context, _ client.Object, field string, extract client.IndexerFunc) error {
	r.indexes[field] = extract
	return nil
}

// Hide makes the cache show no object of these kinds from now on, as one that is not filled yet.
func (r *Recorder) Hide(kinds ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hidden = kinds
}

func (r *Recorder) isHidden(kind string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.hidden, kind)
}

// heldBack returns the view if it holds the kind back, nil if the cache shows that kind as it is.
func (r *Recorder) heldBack(kind string) *View {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view == nil || r.view.shown[kind] == nil {
		return nil
	}
	return r.view
}

// do counts a request and carries it out, unless the fault says otherwise.
func (r *Recorder) do(call Call, carryOut func() error) error {
	r.mu.Lock()
	number, fault := len(r.calls), r.fault
	r.calls = append(r.calls, call)
	r.mu.Unlock()
	if fault == nil {
		return carryOut()
	}
	err, after := fault(number, call)
	if err == nil {
		return carryOut()
	}
	if after {
		if real := carryOut(); real != nil {
			return real
		}
	}
	return err
}

// wrap returns a client that goes through the recorder. cached makes it see Secrets as
// the manager's cache does: ours only, by their metadata, by index.
func (r *Recorder) wrap(inner client.WithWatch, cached bool) client.WithWatch {
	funcs := interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			verb := "create"
			if len((&client.CreateOptions{}).ApplyOptions(opts).DryRun) > 0 {
				verb = "dryrun"
			}
			return r.do(Call{verb, kind(obj)}, func() error { return c.Create(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			verb := "patch"
			if len((&client.PatchOptions{}).ApplyOptions(opts).DryRun) > 0 {
				verb = "dryrun"
			}
			return r.do(Call{verb, kind(obj)}, func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return r.do(Call{"apply", "Secret"}, func() error { return c.Apply(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return r.do(Call{"delete", kind(obj)}, func() error { return c.Delete(ctx, obj, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, obj client.Object, opts ...client.SubResourceUpdateOption) error {
			return r.do(Call{"update", kind(obj) + "/" + sub}, func() error { return c.SubResource(sub).Update(ctx, obj, opts...) })
		},
	}
	if cached {
		funcs.Get, funcs.List = r.cachedGet, r.cachedList
	} else {
		funcs.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			return r.do(Call{"get", kind(obj)}, func() error { return c.Get(ctx, key, obj, opts...) })
		}
	}
	return interceptor.NewClient(inner, funcs)
}

// cachedGet reads without counting: a cache costs the API server nothing.
func (r *Recorder) cachedGet(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if view := r.heldBack(kind(obj)); view != nil {
		if err := view.get(key, obj); err != nil {
			return err
		}
		return r.transform(kind(obj), obj)
	}
	if r.isHidden(kind(obj)) {
		return apierrors.NewNotFound(schema.GroupResource{Resource: kind(obj)}, key.Name)
	}
	if err := c.Get(ctx, key, obj, opts...); err != nil {
		return err
	}
	if !r.selects(kind(obj), obj) {
		return apierrors.NewNotFound(schema.GroupResource{Resource: kind(obj)}, key.Name)
	}
	return r.transform(kind(obj), obj)
}

// transform takes away of an object what the cache does not hold of it.
func (r *Recorder) transform(of string, object any) error {
	options := controllers.CacheOptions(r.class, nil)
	transform := options.DefaultTransform
	for selected, by := range options.ByObject {
		if kind(selected) == of && by.Transform != nil {
			transform = by.Transform
		}
	}
	_, err := transform(object)
	return err
}

// selects says whether the cache holds an object of a kind.
func (r *Recorder) selects(of string, object client.Object) bool {
	return selectorOf(r.class, of).Matches(labels.Set(object.GetLabels()))
}

// selectorOf is what the cache of an operator asks the API server for.
func selectorOf(class, of string) labels.Selector {
	for object, by := range controllers.CacheOptions(class, nil).ByObject {
		if kind(object) == of {
			return by.Label
		}
	}
	return labels.Everything()
}

// cachedList lists by index, without counting.
func (r *Recorder) cachedList(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	selector := options.FieldSelector
	namespaces := r.namespaces
	if options.Namespace != "" {
		namespaces = []string{options.Namespace}
	}
	items, err := r.itemsOf(ctx, c, list, namespaces)
	if err != nil {
		return err
	}
	var kept []runtime.Object
	for _, item := range items {
		shown := item.DeepCopyObject()
		object, ok := shown.(client.Object)
		if !ok || !r.selects(listedKind(list), object) {
			continue
		}
		if err := r.transform(listedKind(list), object); err != nil {
			return err
		}
		if r.matches(object, selector) {
			kept = append(kept, shown)
		}
	}
	slices.Reverse(kept) // a cache lists in any order
	return meta.SetList(list, kept)
}

// itemsOf are all objects of a kind that the cache shows in some namespaces.
func (r *Recorder) itemsOf(ctx context.Context, c client.WithWatch, list client.ObjectList, namespaces []string) ([]runtime.Object, error) {
	if view := r.heldBack(listedKind(list)); view != nil {
		return view.list(listedKind(list)), nil
	}
	var all []runtime.Object
	for _, namespace := range namespaces {
		part, ok := list.DeepCopyObject().(client.ObjectList)
		if !ok {
			return nil, fmt.Errorf("%T is no list", list)
		}
		if err := c.List(ctx, part, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		items, err := meta.ExtractList(part)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	return all, nil
}

func (r *Recorder) matches(object client.Object, selector fields.Selector) bool {
	if selector == nil {
		return true
	}
	for _, requirement := range selector.Requirements() {
		found := false
		for _, value := range r.indexes[requirement.Field](object) {
			found = found || value == requirement.Value
		}
		if !found {
			return false
		}
	}
	return true
}

// The kinds of objects that the operator's cache shows.
const (
	KindCredential = "ClusterCredential"
	KindAccount    = "CloudAccount"
	KindSecret     = "Secret"
	KindGrant      = "CredentialGrant"
)

// listedKind is the kind of the objects in a list.
func listedKind(list client.ObjectList) string {
	switch list.(type) {
	case *v1alpha1.ClusterCredentialList:
		return KindCredential
	case *v1alpha1.CloudAccountList:
		return KindAccount
	case *v1alpha1.CredentialGrantList:
		return KindGrant
	default: // the cache holds nothing else
		return KindSecret
	}
}

func kind(obj client.Object) string {
	switch obj.(type) {
	case *corev1.Secret:
		return KindSecret
	case *v1alpha1.ClusterCredential:
		return KindCredential
	case *eventsv1.Event:
		return "Event"
	case *v1alpha1.CloudAccount:
		return KindAccount
	case *v1alpha1.ClusterCloudAccount:
		return "ClusterCloudAccount"
	default:
		return obj.GetObjectKind().GroupVersionKind().Kind
	}
}
