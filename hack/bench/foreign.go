// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// foreign is the namespace of Secrets that are none of the operator's business.
	foreign = "foreign"
	// foreignEach is how many of them there are for each ClusterCredential, and foreignBytes how large one is.
	foreignEach  = 3
	foreignBytes = 10 << 10
)

// makeForeign makes them, the first time.
func (b *bed) makeForeign(ctx context.Context) error {
	if err := b.clients[0].Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: foreign}}); err != nil {
		return err
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), foreignBytes/16)
	return b.each(ctx, foreignEach*b.n, func(ctx context.Context, c client.Client, i int) error {
		return c.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: foreign, Name: fmt.Sprintf("secret-%05d", i)},
			Data:       map[string][]byte{"data": data},
		})
	})
}
