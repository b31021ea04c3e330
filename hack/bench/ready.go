// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// patience bounds the wait for n objects: far above what any of them should take.
func patience(n int) time.Duration { return time.Minute + time.Duration(n)*200*time.Millisecond }

// createUntilReady creates ClusterCredentials on all connections, and returns the time from the first creation until the
// last is Ready.
func (b *bed) createUntilReady(ctx context.Context, namespace string, all []*v1alpha1.ClusterCredential) (time.Duration, error) {
	isReady := func(cc *v1alpha1.ClusterCredential) bool {
		return meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady)
	}
	return b.changeUntil(ctx, namespace, len(all), isReady, func(ctx context.Context, c client.Client, i int) error {
		return c.Create(ctx, all[i])
	})
}

// changeUntil changes n ClusterCredentials on all connections, and returns the time from the first change until a watch has
// shown all as wanted.
func (b *bed) changeUntil(ctx context.Context, namespace string, n int, wanted func(*v1alpha1.ClusterCredential) bool,
	change func(context.Context, client.Client, int) error,
) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience(n))
	defer cancel()
	watcher, err := b.stack.Client() // a connection of its own
	if err != nil {
		return 0, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	begin := time.Now()
	var changes sync.WaitGroup
	changes.Go(func() {
		if err := b.each(ctx, n, change); err != nil {
			fail(err)
		}
	})
	seen, err := awaitAll(ctx, listerWatcher(watcher, namespace), n, wanted)
	changes.Wait()
	if err != nil {
		return 0, fmt.Errorf("%d of %d done: %w", seen, n, errors.Join(err, context.Cause(ctx)))
	}
	return time.Since(begin), context.Cause(ctx)
}

// awaitAll returns once n ClusterCredentials were as wanted, and how many were.
func awaitAll(ctx context.Context, source cache.ListerWatcher, n int, wanted func(*v1alpha1.ClusterCredential) bool) (int, error) {
	done := map[string]bool{}
	_, err := toolswatch.UntilWithSync(ctx, source, &v1alpha1.ClusterCredential{}, nil, func(e watch.Event) (bool, error) {
		if cc, ok := e.Object.(*v1alpha1.ClusterCredential); ok && wanted(cc) {
			done[cc.Name] = true
		}
		return len(done) >= n, nil
	})
	return len(done), err
}

// listerWatcher is what an informer needs: a watch that the API server ends is begun again.
func listerWatcher(c client.WithWatch, namespace string) cache.ListerWatcher {
	in := client.InNamespace(namespace)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.ClusterCredentialList{}
			return list, c.List(ctx, list, in, &client.ListOptions{Raw: &o})
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return c.Watch(ctx, &v1alpha1.ClusterCredentialList{}, in, &client.ListOptions{Raw: &o})
		},
	}
}
