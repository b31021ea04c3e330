// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// What tools such as Velero, and people with files, bring back: each credential loses something else and gets it back in
// another way, while no manager runs. Their certificates are good, so nothing is asked for.
var backups = []struct {
	name string
	// object says whether the ClusterCredential is made anew: without status, under another UID.
	object bool
	// secret is what becomes of the Secret; nil: it stays as it is.
	secret func(*corev1.Secret)
	// foreign says that nothing tells any more whose the Secret is: it is left alone, and that is told.
	foreign bool
}{
	{name: "object-anew", object: true},
	{name: "both-anew", object: true, secret: func(*corev1.Secret) {}},
	{name: "secret-anew", secret: func(*corev1.Secret) {}},
	{name: "bare-secret", secret: stripMarks},
	{name: "no-annotations", object: true, secret: func(s *corev1.Secret) { s.Annotations = nil }, foreign: true},
	{name: "no-labels", object: true, secret: func(s *corev1.Secret) { s.Labels = nil }, foreign: true},
	{name: "both-bare", object: true, secret: stripMarks, foreign: true},
}

func stripMarks(s *corev1.Secret) { s.Labels, s.Annotations = nil, nil }

func TestWhatABackupBringsBackAsksForNothing(t *testing.T) {
	var names []string
	documents := []string{accountYAML()}
	for _, backup := range backups {
		names = append(names, backup.name)
		documents = append(documents, credentialYAML(backup.name, backup.name))
	}
	w := newWorld(t, options{clusters: names})
	manager := w.startManager()
	w.apply(documents...)
	w.waitReady(names...)
	w.must(manager.Kill())

	before := map[string]*corev1.Secret{}
	for _, backup := range backups {
		before[backup.name] = w.secret(backup.name + v1alpha1.DefaultSecretSuffix)
		if backup.object {
			w.kubectl("delete", "clustercredential", backup.name)
		}
		if backup.secret != nil {
			w.restoreSecret(before[backup.name], backup.secret)
		}
	}
	// One manager sees the Secrets alone, before their objects are there.
	w.startManager()
	w.eventually(eventTime, func() error {
		if w.secret("both-anew-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
			return fmt.Errorf("the manager has not looked at a Secret without an object")
		}
		return nil
	})
	w.apply(documents...)
	for _, backup := range backups {
		w.eventually(eventTime, func() error {
			if backup.foreign {
				return w.says(backup.name, v1alpha1.ConditionPublished, "False", v1alpha1.ReasonSecretConflict)
			}
			return w.says(backup.name, v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
		})
		w.wantRestored(backup.name, before[backup.name], backup.foreign)
	}
	w.wantPosts(len(backups))
}

// restoreSecret makes a Secret anew with what a backup holds of it, under another UID.
func (w *world) restoreSecret(secret *corev1.Secret, change func(*corev1.Secret)) {
	w.t.Helper()
	restored := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: secret.Namespace, Name: secret.Name, Labels: secret.Labels, Annotations: secret.Annotations,
		},
		Type: secret.Type, Data: secret.Data,
	}
	change(restored)
	w.must(w.client.Delete(context.Background(), secret, client.Preconditions{UID: &secret.UID}))
	w.must(w.client.Create(context.Background(), restored))
}

// wantRestored looks that a Secret holds what it held, with our marks or, where it is nobody's, without what it did not have.
func (w *world) wantRestored(name string, before *corev1.Secret, foreign bool) {
	w.t.Helper()
	after := w.secret(before.Name)
	if after == nil || !bytes.Equal(after.Data["value"], before.Data["value"]) {
		w.t.Errorf("%s: the Secret holds something else now", name)
		return
	}
	ours := after.Labels[v1alpha1.LabelManaged] == "true" && after.Annotations[v1alpha1.AnnotationCredentialUID] == string(w.get(name).UID) &&
		after.Annotations[v1alpha1.AnnotationReleasedAt] == ""
	if ours == foreign {
		w.t.Errorf("%s: the Secret has the labels %v and the annotations %v", name, after.Labels, after.Annotations)
	}
	if !foreign {
		if serial := w.get(name).Status.Certificate.SerialNumber; serial != w.serial(name) {
			w.t.Errorf("%s: status tells of the certificate %s, and the Secret holds %s", name, serial, w.serial(name))
		}
	}
}
