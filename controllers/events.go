// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/status"
)

// eventDeadline bounds the write of one event.
const eventDeadline = 5 * time.Second

// maxNote bounds the text of an event, in bytes; the API allows 1024.
const maxNote = 1000

// tell writes an event, within the pass and before the process may end: the usual
// recorder writes later, and drops what is too much or too late, and an auditor wants every
// certificate. An event that cannot be written is logged and forgotten.
func (r *CredentialReconciler) tell(ctx context.Context, about corev1.ObjectReference, event status.Event) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventDeadline)
	defer cancel()
	now := time.Now() // unlike a decision, an event happens at the time of the clock on the wall
	written := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: about.Namespace,
			Name:      fmt.Sprintf("%s.%x", strings.TrimRight(fmt.Sprintf("%.200s", about.Name), "-."), now.UnixNano()),
		},
		EventTime:           metav1.NewMicroTime(now),
		ReportingController: v1alpha1.FieldOwner,
		ReportingInstance:   instance(),
		Action:              "Reconcile",
		Type:                event.Type,
		Reason:              event.Reason,
		Regarding:           about,
		Note:                strings.ToValidUTF8(event.Message[:min(len(event.Message), maxNote)], ""),
	}
	if err := r.Client.Create(ctx, written, client.FieldOwner(v1alpha1.FieldOwner)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Wrote no event", "reason", event.Reason)
	}
}

// instance names this process among its replicas.
func instance() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	return v1alpha1.FieldOwner + "-" + host
}

func credentialReference(cc *v1alpha1.ClusterCredential) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ClusterCredential",
		Namespace: cc.Namespace, Name: cc.Name, UID: cc.UID, ResourceVersion: cc.ResourceVersion,
	}
}

func secretReference(secret metav1.Object) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: "v1", Kind: "Secret", Namespace: secret.GetNamespace(), Name: secret.GetName(), UID: secret.GetUID(),
	}
}
