// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

func (w *world) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.namespace, Name: name}
}

// get reads a ClusterCredential.
func (w *world) get(name string) *v1alpha1.ClusterCredential {
	w.t.Helper()
	cc := &v1alpha1.ClusterCredential{}
	w.must(w.client.Get(context.Background(), w.key(name), cc))
	return cc
}

// list reads all ClusterCredentials of the world.
func (w *world) list() []v1alpha1.ClusterCredential {
	w.t.Helper()
	var all v1alpha1.ClusterCredentialList
	w.must(w.client.List(context.Background(), &all, client.InNamespace(w.namespace)))
	return all.Items
}

// secret reads a Secret; nil: there is none.
func (w *world) secret(name string) *corev1.Secret {
	w.t.Helper()
	secret := &corev1.Secret{}
	err := w.client.Get(context.Background(), w.key(name), secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.must(err)
	return secret
}

// published is the kubeconfig that a ClusterCredential without outputs has published.
func (w *world) published(name string) []byte {
	w.t.Helper()
	secret := w.secret(name + v1alpha1.DefaultSecretSuffix)
	if secret == nil {
		return nil
	}
	return secret.Data[v1alpha1.DefaultSecretKey]
}

// allPublished is what is published of all credentials of the world, by their names.
func (w *world) allPublished() map[string][]byte {
	w.t.Helper()
	var all corev1.SecretList
	w.must(w.client.List(context.Background(), &all, client.InNamespace(w.namespace)))
	published := map[string][]byte{}
	for _, secret := range all.Items {
		if name, ok := strings.CutSuffix(secret.Name, v1alpha1.DefaultSecretSuffix); ok {
			published[name] = secret.Data[v1alpha1.DefaultSecretKey]
		}
	}
	return published
}

// serial is that of the published certificate; empty: there is none.
func (w *world) serial(name string) string {
	w.t.Helper()
	kubeconfig := w.published(name)
	if kubeconfig == nil {
		return ""
	}
	serial, err := stack.Serial(kubeconfig)
	w.must(err)
	return serial
}

// condition returns a condition; where it is not there, an empty one.
func condition(cc *v1alpha1.ClusterCredential, conditionType string) metav1.Condition {
	if c := meta.FindStatusCondition(cc.Status.Conditions, conditionType); c != nil {
		return *c
	}
	return metav1.Condition{Type: conditionType}
}

// says checks a condition's status and reason, and that it is about the spec as it is now.
func (w *world) says(name, conditionType string, status metav1.ConditionStatus, reason v1alpha1.Reason) error {
	w.t.Helper()
	cc := w.get(name)
	c := condition(cc, conditionType)
	if c.Status != status || c.Reason != string(reason) || c.ObservedGeneration != cc.Generation {
		return fmt.Errorf("%s of %s is %s/%s of generation %d (%s), want %s/%s of generation %d",
			conditionType, name, c.Status, c.Reason, c.ObservedGeneration, c.Message, status, reason, cc.Generation)
	}
	return nil
}

// events are what was recorded about an object of that name, oldest first.
func (w *world) events(name string) []eventsv1.Event {
	w.t.Helper()
	all, err := kubernetes.NewForConfigOrDie(w.Kube.Config()).EventsV1().Events(w.namespace).List(context.Background(), metav1.ListOptions{})
	w.must(err)
	about := slices.DeleteFunc(all.Items, func(e eventsv1.Event) bool { return name != "" && e.Regarding.Name != name })
	slices.SortFunc(about, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	return about
}

// wantEvent fails unless there is an event with that reason whose note holds text, within seconds: events come on their own.
func (w *world) wantEvent(name, reason, text string) error {
	w.t.Helper()
	var seen []string
	for _, e := range w.events(name) {
		if e.Reason == reason && strings.Contains(e.Note, text) {
			return nil
		}
		seen = append(seen, e.Reason+": "+e.Note)
	}
	return fmt.Errorf("no event %s with %q about %s; there are:\n%s", reason, text, name, strings.Join(seen, "\n"))
}

// requestsSince are those of this world's managers that the API server has answered, from a number of them on.
func (w *world) requestsSince(number int) []request {
	w.t.Helper()
	all, err := w.audit.read()
	w.must(err)
	var ours []request
	for _, r := range all[number:] {
		if r.Object.Namespace == w.namespace {
			ours = append(ours, r)
		}
	}
	return ours
}

// requestsSoFar is the number to give to requestsSince.
func (w *world) requestsSoFar() int {
	w.t.Helper()
	all, err := w.audit.read()
	w.must(err)
	return len(all)
}

// changesSince are the requests that changed something.
func (w *world) changesSince(number int) []request {
	w.t.Helper()
	return slices.DeleteFunc(w.requestsSince(number), func(r request) bool { return !r.changes() })
}
