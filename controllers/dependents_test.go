// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// indexed is a cache of ClusterCredentials that can be asked by its indexes, or for a namespace; whoever asks for everything fails.
type indexed struct {
	client.Client
	t        *testing.T
	by       map[string]map[string][]v1alpha1.ClusterCredential // index, namespace and value
	in       map[string][]v1alpha1.ClusterCredential            // namespace
	extracts map[string]client.IndexerFunc
	listed   int
}

func (c *indexed) IndexField(_ context.Context, o client.Object, field string, extract client.IndexerFunc) error {
	if _, ok := o.(*v1alpha1.ClusterCredential); ok {
		c.extracts[field] = extract
	}
	return nil
}

func (c *indexed) add(cc v1alpha1.ClusterCredential) {
	c.in[cc.Namespace] = append(c.in[cc.Namespace], cc)
	for field, extract := range c.extracts {
		for _, value := range extract(&cc) {
			for _, namespace := range []string{"", cc.Namespace} { // as the cache has it
				key := namespace + " " + value
				c.by[field][key] = append(c.by[field][key], cc)
			}
		}
	}
}

func (c *indexed) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	into, ok := list.(*v1alpha1.ClusterCredentialList)
	switch {
	case !ok:
		return fmt.Errorf("%T is listed", list)
	case options.FieldSelector != nil:
		requirement := options.FieldSelector.Requirements()[0]
		into.Items = c.by[requirement.Field][options.Namespace+" "+requirement.Value]
	case options.Namespace != "":
		into.Items = c.in[options.Namespace]
	default:
		c.t.Error("all objects were listed")
	}
	c.listed += len(into.Items)
	return nil
}

// A change wakes those that depend on it, and looks at no others, however many there are.
func TestAChangeWakesExactlyThoseThatDependOnIt(t *testing.T) {
	cache := &indexed{
		t: t, by: map[string]map[string][]v1alpha1.ClusterCredential{}, in: map[string][]v1alpha1.ClusterCredential{},
		extracts: map[string]client.IndexerFunc{},
	}
	if err := Index(t.Context(), cache); err != nil {
		t.Fatal(err)
	}
	for field := range cache.extracts {
		cache.by[field] = map[string][]v1alpha1.ClusterCredential{}
	}
	const namespaces, each = 100, 100 // 10,000 objects
	for n := range namespaces {
		for i := range each {
			cc := v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("ns-", n), Name: fmt.Sprint("cc-", i)}}
			cc.Spec.AccountRef.Name = fmt.Sprint("account-", i%10)
			if i%20 == 0 { // five in every namespace
				cc.Spec.AccountRef = v1alpha1.AccountReference{Kind: v1alpha1.KindClusterCloudAccount, Name: fmt.Sprint("account-", n%2)}
			}
			if i == 1 && n < 7 {
				cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "a"}, {SecretName: "b", Namespace: "argocd"}}
			}
			cache.add(cc)
		}
	}
	r := &CredentialReconciler{Config: Config{Client: cache}, wake: &waker{}}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(queue.ShutDown)
	if err := r.wake.Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	byKey := func(namespace, account string) func() []reconcile.Request {
		return func() (woken []reconcile.Request) {
			r.KeyChanged(t.Context(), types.NamespacedName{Namespace: namespace, Name: account})
			for queue.Len() > 0 {
				request, _ := queue.Get()
				queue.Done(request)
				woken = append(woken, request)
			}
			return woken
		}
	}
	meta := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	for name, test := range map[string]struct {
		wakes func() []reconcile.Request
		want  int
		in    string // all of them; empty: anywhere
		looks int
	}{
		"an account": {
			func() []reconcile.Request {
				return r.usersOf(t.Context(), &v1alpha1.CloudAccount{ObjectMeta: meta("ns-3", "account-1")})
			},
			10, "ns-3", 10,
		},
		"a lent account": {
			func() []reconcile.Request {
				return r.usersOf(t.Context(), &v1alpha1.ClusterCloudAccount{ObjectMeta: meta("", "account-1")})
			},
			50 * 5, "", 250,
		},
		"the key of an account":     {byKey("ns-3", "account-1"), 10, "ns-3", 10},
		"the key of a lent account": {byKey("", "account-1"), 50 * 5, "", 250},
		"the key that nobody uses":  {byKey("ns-3", "account-10"), 0, "", 0},
		"a label of a namespace": {
			func() []reconcile.Request {
				return r.usersInNamespace(t.Context(), &metav1.PartialObjectMetadata{ObjectMeta: meta("", "ns-4")})
			}, 5, "ns-4", each,
		},
		"a grant of a namespace": {
			func() []reconcile.Request {
				return r.usersOfGrant(t.Context(), &v1alpha1.CredentialGrant{ObjectMeta: meta("argocd", "fleet")})
			}, 7, "", 7,
		},
		"a Secret": {
			func() []reconcile.Request {
				secret := &corev1.Secret{ObjectMeta: meta("ns-5", "cc-7-kubeconfig")}
				secret.Labels = map[string]string{v1alpha1.LabelManaged: "true"}
				secret.Annotations = map[string]string{v1alpha1.AnnotationCredential: "cc-7", v1alpha1.AnnotationCredentialNamespace: "ns-5"}
				return r.credentialsIn(t.Context(), secret)
			}, 1, "ns-5", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cache.listed = 0
			got := test.wakes()
			seen := map[types.NamespacedName]bool{}
			for _, request := range got {
				seen[request.NamespacedName] = true
			}
			stray := slices.ContainsFunc(got, func(r reconcile.Request) bool { return test.in != "" && r.Namespace != test.in })
			if len(got) != test.want || len(seen) != test.want || stray {
				t.Errorf("%d are woken, want %d in %q: %v", len(got), test.want, test.in, got[:min(len(got), 5)])
			}
			if cache.listed > test.looks {
				t.Errorf("%d were looked at, want %d at the most", cache.listed, test.looks)
			}
		})
	}
}
