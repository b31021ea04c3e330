// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
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
	changes, err := watcher.Watch(ctx, &v1alpha1.ClusterCredentialList{}, client.InNamespace(namespace))
	if err != nil {
		return 0, err
	}
	defer changes.Stop()
	begin := time.Now()
	changed := make(chan error, 1)
	go func() { changed <- b.each(ctx, n, change) }()
	err = awaitAll(ctx, changes, n, wanted, changed)
	return time.Since(begin), err
}

// awaitAll returns once n ClusterCredentials were as wanted, and all changes are made.
func awaitAll(ctx context.Context, seen watch.Interface, n int, wanted func(*v1alpha1.ClusterCredential) bool, changed <-chan error) error {
	done := map[string]bool{}
	for len(done) < n || changed != nil {
		select {
		case err := <-changed:
			if err != nil {
				return err
			}
			changed = nil
		case e, open := <-seen.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended with %d of %d done: %w", len(done), n, context.Cause(ctx))
			}
			if cc, ok := e.Object.(*v1alpha1.ClusterCredential); ok && wanted(cc) {
				done[cc.Name] = true
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d done: %w", len(done), n, ctx.Err())
		}
	}
	return nil
}
