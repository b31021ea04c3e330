// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/controllers/budget"
)

// waker puts objects back into the controller's queue, for things that no watch tells.
type waker struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	names map[types.UID]types.NamespacedName
}

// Start takes the queue; it is the waker's side of a controller-runtime source.
func (w *waker) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = queue
	return nil
}

// knows remembers the name behind a UID that waits in line.
func (w *waker) knows(uid types.UID, name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.names == nil {
		w.names = map[types.UID]types.NamespacedName{}
	}
	w.names[uid] = name
}

// wake puts the objects behind the UIDs into the queue, when it is their time.
func (w *waker) wake(now time.Time, call budget.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, uid := range call.IDs {
		if name, known := w.names[types.UID(uid)]; known && w.queue != nil {
			w.queue.AddAfter(reconcile.Request{NamespacedName: name}, call.At.Sub(now))
		}
	}
}

// add puts one object into the queue.
func (w *waker) add(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue != nil {
		w.queue.Add(reconcile.Request{NamespacedName: name})
	}
}

func (w *waker) forget(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.names, uid)
}

// workInProgress counts passes, so that the process can end after them, and the work beside them.
type workInProgress struct{ passes, beside atomic.Int64 }

// begin counts a pass until the returned function is called.
func (w *workInProgress) begin() func() {
	w.passes.Add(1)
	return func() { w.passes.Add(-1) }
}

// Wait returns when no pass is under way, or after most. controller-runtime returns at
// once when leadership is lost, and a certificate that is being stored must not be lost with it.
func (r *CredentialReconciler) Wait(most time.Duration) {
	const pause = 20 * time.Millisecond
	for end := time.Now().Add(most); r.work.passes.Load() > 0 && time.Now().Before(end); {
		time.Sleep(pause)
	}
}
