// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// sample is what the operator wrote for one ClusterCredential.
type sample struct {
	status v1alpha1.ClusterCredentialStatus
	secret corev1.Secret
	event  eventsv1.Event
	// bytes are how many each has in etcd: custom resources are JSON there, the others protobuf.
	bytes storedBytes
}

func (b *bed) sampleOf(ctx context.Context, cc *v1alpha1.ClusterCredential) (sample, error) {
	var s sample
	var current v1alpha1.ClusterCredential
	var events eventsv1.EventList
	c := b.clients[0]
	err := errors.Join(
		c.Get(ctx, client.ObjectKeyFromObject(cc), &current),
		c.Get(ctx, client.ObjectKey{Namespace: cc.Namespace, Name: cc.Name + "-kubeconfig"}, &s.secret),
		c.List(ctx, &events, client.InNamespace(cc.Namespace)),
	)
	if err != nil {
		return s, fmt.Errorf("reading what the operator writes: %w", err)
	}
	s.status = current.Status
	stored, err := json.Marshal(current)
	if err != nil {
		return s, fmt.Errorf("measuring the ClusterCredential: %w", err)
	}
	s.bytes = storedBytes{Object: len(stored), Secret: s.secret.Size()}
	for _, event := range events.Items {
		if event.Regarding.Name == cc.Name {
			s.event, s.bytes.Event = event, event.Size()
			return s, nil
		}
	}
	return s, fmt.Errorf("the operator recorded no event about %s", cc.Name)
}

// floor has the bare client do for N objects what the operator's run has: create the ClusterCredential, the intent in its
// status, the Secret, the status and the event, of the same sizes, one after the other, with a watch that sees the end. And then
// what a renewal on request has: the annotation, the intent, a read of the Secret and its new content, the status and the event.
// Before that it makes for N other objects the three writes alone that nobody can do without: the object, the Secret, the status.
func (b *bed) floor(ctx context.Context, r *run, namespace string, s sample) error {
	if err := b.kill(); err != nil {
		return err
	}
	if err := b.clients[0].Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return err
	}
	all := newCredentials(namespace, b.n)
	published := func(cc *v1alpha1.ClusterCredential) bool { return cc.Status.Certificate != nil }
	write := func(write writer) (time.Duration, error) {
		return b.changeUntil(ctx, namespace, b.n, published, func(ctx context.Context, c client.Client, i int) error {
			return write(ctx, c, all[i])
		})
	}
	elapsed, err := write(s.writeThree)
	if err != nil {
		return err
	}
	r.BareFloors = append(r.BareFloors, elapsed.Seconds())
	if err := b.clear(ctx, namespace); err != nil {
		return err
	}
	all = newCredentials(namespace, b.n)
	if elapsed, err = write(s.writeAs); err != nil {
		return err
	}
	r.Floors = append(r.Floors, elapsed.Seconds())
	renewed := func(cc *v1alpha1.ClusterCredential) bool { return cc.Status.Revision > s.status.Revision }
	elapsed, err = b.changeUntil(ctx, namespace, b.n, renewed, func(ctx context.Context, c client.Client, i int) error {
		return s.renewAs(ctx, c, all[i])
	})
	if err != nil {
		return err
	}
	r.RenewalFloors = append(r.RenewalFloors, elapsed.Seconds())
	return b.clear(ctx, namespace)
}

// writer makes the writes for one object.
type writer func(ctx context.Context, c client.Client, cc *v1alpha1.ClusterCredential) error

// writeThree creates an object, its Secret and its status.
func (s sample) writeThree(ctx context.Context, c client.Client, cc *v1alpha1.ClusterCredential) error {
	if err := c.Create(ctx, cc); err != nil {
		return err
	}
	return s.publish(ctx, c, cc)
}

// writeAs makes the five writes that there are with the operator.
func (s sample) writeAs(ctx context.Context, c client.Client, cc *v1alpha1.ClusterCredential) error {
	if err := c.Create(ctx, cc); err != nil {
		return err
	}
	cc.Status = v1alpha1.ClusterCredentialStatus{ObservedGeneration: 1, Conditions: s.status.Conditions, Issuance: intent()}
	if err := c.Status().Update(ctx, cc); err != nil {
		return err
	}
	if err := s.publish(ctx, c, cc); err != nil {
		return err
	}
	event := s.event.DeepCopy()
	event.ObjectMeta = alike(s.event.ObjectMeta, cc.Namespace, cc.Name+".0123456789abcdef")
	event.Regarding.Namespace, event.Regarding.Name = cc.Namespace, cc.Name
	return c.Create(ctx, event)
}

func (s sample) publish(ctx context.Context, c client.Client, cc *v1alpha1.ClusterCredential) error {
	secret := s.secret.DeepCopy()
	secret.ObjectMeta = alike(s.secret.ObjectMeta, cc.Namespace, cc.Name+"-kubeconfig")
	if err := c.Create(ctx, secret); err != nil {
		return err
	}
	cc.Status = *s.status.DeepCopy()
	return c.Status().Update(ctx, cc)
}

func alike(o metav1.ObjectMeta, namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: o.Labels, Annotations: o.Annotations}
}

// renewAs makes the requests of a renewal for one object that writeAs has made.
func (s sample) renewAs(ctx context.Context, c client.Client, cc *v1alpha1.ClusterCredential) error {
	patch := []byte(`{"metadata":{"annotations":{"` + v1alpha1.AnnotationRenewRequestedAt + `":"floor"}}}`)
	if err := c.Patch(ctx, cc, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return err
	}
	cc.Status = *s.status.DeepCopy()
	cc.Status.Issuance = intent()
	if err := c.Status().Update(ctx, cc); err != nil {
		return err
	}
	secret := &corev1.Secret{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: cc.Namespace, Name: cc.Name + "-kubeconfig"}, secret); err != nil {
		return err
	}
	applied := corev1ac.Secret(secret.Name, secret.Namespace).WithLabels(secret.Labels).WithAnnotations(secret.Annotations).
		WithAnnotations(map[string]string{v1alpha1.AnnotationRevision: "2"}).WithType(secret.Type).WithData(secret.Data)
	if err := c.Apply(ctx, applied, client.FieldOwner("floor"), client.ForceOwnership); err != nil {
		return err
	}
	cc.Status = *s.status.DeepCopy()
	cc.Status.Revision++
	if err := c.Status().Update(ctx, cc); err != nil {
		return err
	}
	event := s.event.DeepCopy()
	event.ObjectMeta = metav1.ObjectMeta{Namespace: cc.Namespace, Name: cc.Name + ".fedcba9876543210"}
	event.Regarding.Namespace, event.Regarding.Name = cc.Namespace, cc.Name
	return c.Create(ctx, event)
}

func intent() *v1alpha1.Issuance {
	return &v1alpha1.Issuance{
		ID: "0123456789abcdef0123456789abcdef", Trigger: v1alpha1.TriggerFirst, StartedAt: metav1.NewTime(time.Now()),
	}
}
