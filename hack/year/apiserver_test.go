// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// newScheme knows what the operator's own does.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	err := errors.Join(corev1.AddToScheme(scheme), eventsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
	return scheme, err
}

// newAPI is an API server without faults. It gives a UID to what is created, which the
// fake client does not.
func newAPI(scheme *runtime.Scheme) client.WithWatch {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, kind := range []schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithKind(secretKind), eventsv1.SchemeGroupVersion.WithKind(eventKind),
		v1alpha1.GroupVersion.WithKind(credentialKind), v1alpha1.GroupVersion.WithKind(accountKind),
	} {
		mapper.Add(kind, meta.RESTScopeNamespace)
	}
	for _, kind := range []schema.GroupVersionKind{
		v1alpha1.GroupVersion.WithKind("ClusterCloudAccount"), corev1.SchemeGroupVersion.WithKind("Namespace"),
	} {
		mapper.Add(kind, meta.RESTScopeRoot)
	}
	builder := func() *fake.ClientBuilder {
		return fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper).WithGlobalResourceVersionCounter()
	}
	secrets := builder().WithReturnManagedFields().Build()
	// Nobody looks at the managed fields of the others, which cost more than all the rest.
	plain := testing.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	others := builder().WithObjectTracker(plain).WithStatusSubresource(&v1alpha1.ClusterCredential{}, &v1alpha1.CloudAccount{}).Build()
	return split(secrets, others)
}

// split sends what is about Secrets to one client, and the rest to another.
func split(secrets, others client.WithWatch) client.WithWatch {
	var created atomic.Int64
	by := func(o runtime.Object) client.WithWatch {
		switch o.(type) {
		case *corev1.Secret, *corev1.SecretList:
			return secrets
		default:
			return others
		}
	}
	return interceptor.NewClient(secrets, interceptor.Funcs{
		Create: func(ctx context.Context, _ client.WithWatch, o client.Object, options ...client.CreateOption) error {
			if len((&client.CreateOptions{}).ApplyOptions(options).DryRun) == 0 {
				o.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", created.Add(1))))
				o.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
				o.SetGeneration(1)
			}
			return by(o).Create(ctx, o, options...)
		},
		Get: func(ctx context.Context, _ client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			return by(o).Get(ctx, key, o, options...)
		},
		List: func(ctx context.Context, _ client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			return by(list).List(ctx, list, options...)
		},
		Watch: func(ctx context.Context, _ client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
			return by(list).Watch(ctx, list, options...)
		},
		Update: func(ctx context.Context, _ client.WithWatch, o client.Object, options ...client.UpdateOption) error {
			return by(o).Update(ctx, o, options...)
		},
		Patch: func(ctx context.Context, _ client.WithWatch, o client.Object, patch client.Patch, options ...client.PatchOption) error {
			return by(o).Patch(ctx, o, patch, options...)
		},
		Delete: func(ctx context.Context, _ client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			return by(o).Delete(ctx, o, options...)
		},
		SubResourceUpdate: func(
			ctx context.Context, _ client.Client, sub string, o client.Object, options ...client.SubResourceUpdateOption,
		) error {
			return by(o).SubResource(sub).Update(ctx, o, options...)
		},
	})
}

// request is what an operator asks of the API server.
type request struct {
	verb string // create, update, patch, apply, delete, get or dryrun
	kind string // of the object
	name string
}

func (r request) isWrite() bool { return r.verb != "get" && r.verb != "dryrun" }

func (r request) String() string { return r.verb + " " + r.kind + " " + r.name }

func requestOf(verb string, o client.Object, dryRun []string) request {
	if len(dryRun) > 0 {
		verb = "dryrun"
	}
	kind := fmt.Sprintf("%T", o)
	switch o.(type) {
	case *corev1.Secret:
		kind = secretKind
	case *v1alpha1.ClusterCredential:
		kind = credentialKind
	case *v1alpha1.CloudAccount:
		kind = accountKind
	case *eventsv1.Event:
		kind = eventKind
	}
	return request{verb, kind, o.GetName()}
}

const (
	secretKind     = "Secret"
	credentialKind = "ClusterCredential"
	accountKind    = "CloudAccount"
	eventKind      = "Event"
)

// clientOf is the client of one process, whose every request goes through do.
func clientOf(api client.WithWatch, do func(request, func() error) error) client.WithWatch {
	return interceptor.NewClient(api, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			return do(requestOf("create", o, (&client.CreateOptions{}).ApplyOptions(options).DryRun), func() error {
				if _, isEvent := o.(*eventsv1.Event); isEvent {
					return nil // nobody reads them here, and a year has many
				}
				return c.Create(ctx, o, options...)
			})
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, options ...client.PatchOption) error {
			return do(requestOf("patch", o, (&client.PatchOptions{}).ApplyOptions(options).DryRun), func() error {
				return c.Patch(ctx, o, patch, options...)
			})
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			name := o.(interface{ GetName() *string }).GetName()
			return do(request{"apply", secretKind, *name}, func() error { return c.Apply(ctx, o, options...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			return do(requestOf("delete", o, nil), func() error { return c.Delete(ctx, o, options...) })
		},
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			r := requestOf("get", o, nil)
			r.name = key.Name
			return do(r, func() error { return c.Get(ctx, key, o, options...) })
		},
		SubResourceUpdate: func(
			ctx context.Context, c client.Client, sub string, o client.Object, options ...client.SubResourceUpdateOption,
		) error {
			return do(requestOf("update", o, nil), func() error { return c.SubResource(sub).Update(ctx, o, options...) })
		},
	})
}

// trouble is how the API server behaves for a while.
type trouble struct {
	until time.Time
	// every: one request in so many fails; 0: none.
	every int
	// quota refuses all writes of Secrets for good.
	quota bool
}

var errGone = errors.New("the process is dead")

// refuse says what becomes of a request: an error, and whether it is carried out all the same.
func (w *world) refuse(r request) (after bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.trouble
	switch {
	case w.spoils > 0 && r.kind == secretKind && r.isWrite():
		w.spoils--
		w.tally.spoiled++
		if w.dice.IntN(2) == 0 {
			return true, apierrors.NewInternalError(errors.New("etcdserver: request timed out"))
		}
		return false, apierrors.NewForbidden(corev1.Resource("secrets"), r.name, errors.New("denied by an admission webhook"))
	case !time.Now().Before(t.until):
		return false, nil
	case t.quota && r.kind == secretKind && r.verb != "get":
		return false, apierrors.NewForbidden(corev1.Resource("secrets"), r.name, errors.New("exceeded quota"))
	case t.every == 0 || w.dice.IntN(t.every) != 0:
		return false, nil
	}
	w.tally.apiErrors++
	after = r.isWrite() && w.dice.IntN(2) == 0
	if w.dice.IntN(2) == 0 {
		return after, apierrors.NewInternalError(errors.New("etcdserver: leader changed"))
	}
	return after, errors.New("connection reset by peer")
}
