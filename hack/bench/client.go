// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// connect returns clients with one connection each.
func (b *bed) connect(n int) ([]client.WithWatch, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), eventsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	clients := make([]client.WithWatch, n)
	var mapper meta.RESTMapper // discovered once
	for i := range clients {
		config := b.stack.Kube.Config()
		tls, err := rest.TLSConfigFor(config)
		if err != nil {
			return nil, err
		}
		transport := &http.Transport{TLSClientConfig: tls, ForceAttemptHTTP2: true}
		options := client.Options{Scheme: scheme, Mapper: mapper, HTTPClient: &http.Client{Transport: transport}}
		clients[i], err = client.NewWithWatch(config, options)
		if err != nil {
			return nil, fmt.Errorf("making a client: %w", err)
		}
		mapper = clients[i].RESTMapper()
	}
	return clients, nil
}

// each does something for every i below n, on all connections as fast as they go, until one fails.
func (b *bed) each(ctx context.Context, n int, do func(context.Context, client.Client, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for _, c := range b.clients {
		group.Go(func() {
			for i := range next {
				if err := do(ctx, c, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}
