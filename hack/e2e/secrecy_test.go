// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// needle is a piece of something secret, in one of the forms in which it could be said.
type needle struct{ what, text string }

// needles are pieces of the account's key, of any private key, and of the private keys that stand in the world's Secrets.
func (w *world) needles() []needle {
	all := []needle{
		// client-go has these words before the body of a request, which may be a Secret in any encoding.
		{"the body of a request", "Request Body"},
		{"the body of an answer", "Response Body"},
	}
	all = append(all, inEveryForm("the secret key", "CANARYSK")...)
	all = append(all, inEveryForm("the security token", "CANARYST")...)
	all = append(all, inEveryForm("the IAM token", "CANARYTK")...)
	all = append(all, inEveryForm("the token of the Pod", "CANARYPT")...)
	all = append(all, inEveryForm("the ID token", "CANARYID")...)
	for _, key := range w.cloud.sim.TemporaryKeys() {
		all = append(all, needle{"the secret of a temporary key", key.Secret}, needle{"a security token", key.SecurityToken[:40]})
	}
	for _, token := range w.cloud.sim.LoginTokens() {
		all = append(all, needle{"a token of a login", token[:40]})
	}
	all = append(all, w.secrets...)
	all = append(all, inEveryForm("a private key", "PRIVATE KEY")...)
	var secrets corev1.SecretList
	if err := w.client.List(context.Background(), &secrets, client.InNamespace(w.namespace), client.HasLabels{v1alpha1.LabelManaged}); err != nil {
		w.t.Error(err)
	}
	const marker, skip, length = "client-key-data: ", 60, 40
	for _, secret := range secrets.Items {
		for _, kubeconfig := range secret.Data {
			at := bytes.Index(kubeconfig, []byte(marker))
			if at < 0 {
				continue
			}
			at += len(marker) + skip
			outer := base64.StdEncoding.EncodeToString(kubeconfig)
			what := "the private key in Secret " + secret.Name
			all = append(all, needle{what, string(kubeconfig[at : at+length])}, needle{what, outer[at*4/3 : at*4/3+length]})
		}
	}
	return all
}

// inEveryForm is a text as it is, and as base64 shows the middle of it wherever it begins.
func inEveryForm(what, text string) []needle {
	all := []needle{{what, text}}
	for before := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text + "xxx"))
		first := (before*8 + 5) / 6 // the characters before it are mixed with what stands before
		all = append(all, needle{what + " in base64", encoded[first : (before+len(text))*8/6]})
	}
	return all
}

// said is a place where the operator says something, and what it said there.
type said struct{ where, text string }

// everythingSaid is what the operator has said in this world: logs, metrics, status of all objects, events, and the labels and
// annotations of its Secrets.
func (w *world) everythingSaid() []said {
	var all []said
	for _, m := range w.managers {
		all = append(all, said{"the log of " + m.Name, m.Log()})
		select {
		case <-m.Exited():
		default:
			if metrics, err := m.Metrics(context.Background()); err == nil {
				all = append(all, said{"the metrics of " + m.Name, fmt.Sprint(metrics)})
			}
		}
	}
	out, err := w.Kubectl("--namespace", w.namespace, "get",
		"cloudaccounts,clustercloudaccounts,credentialgrants,clustercredentials,events.events.k8s.io", "--output", "json")
	if err != nil && !strings.Contains(err.Error(), "NotFound") {
		w.t.Error(err)
	}
	ofCluster, err := w.Kubectl("--namespace", metav1.NamespaceDefault, "get", "events.events.k8s.io", "--output", "json")
	w.must(err)
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := w.client.List(context.Background(), secrets, client.InNamespace(w.namespace), client.HasLabels{v1alpha1.LabelManaged}); err != nil {
		w.t.Error(err)
	}
	return append(all, said{"the objects and events", out}, said{"events of what has no namespace", ofCluster}, said{"labels and annotations of Secrets", fmt.Sprint(secrets.Items)})
}

// scanForSecrets fails the test for every secret that was said. It shows where, and not the secret.
func (w *world) scanForSecrets() {
	needles := w.needles()
	for _, place := range w.everythingSaid() {
		for _, n := range needles {
			if at := strings.Index(place.text, n.text); at >= 0 {
				line := 1 + strings.Count(place.text[:at], "\n")
				before := place.text[max(0, at-200):at]
				w.t.Errorf("%s holds %s, in line %d, after %q", place.where, n.what, line, before)
			}
		}
	}
}

func TestNothingSecretIsSaidAtTheHighestVerbosity(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"loud-1", "loud-2"}})
	manager := w.startManager("--zap-log-level=10")
	w.apply(accountYAML(), credentialYAML("loud-1", "loud-1"), credentialYAML("loud-2", "loud-2"))
	w.waitReady("loud-1", "loud-2")

	// Every kind of write and read once more: an apply, a repair, a refused key, a malformed one.
	before := w.serial("loud-1")
	w.apply(credentialYAML("loud-1", "loud-1", "  validity: {days: 7}"))
	w.kubectl("delete", "secret", "loud-2-kubeconfig")
	w.eventually(eventTime, func() error {
		if w.serial("loud-1") == before || w.serial("loud-2") == "" {
			return fmt.Errorf("loud-1 is not renewed or loud-2 not repaired")
		}
		return nil
	})
	w.apply(strings.ReplaceAll(keyYAML(theKeys, stack.AccessKey, canarySecretKey+"-wrong"), "stringData:", "stringData:\n  securityToken: "+canarySecurityToken))
	w.apply(credentialYAML("loud-1", "loud-1", "  validity: {days: 8}"))
	w.eventually(eventTime, func() error {
		return w.says("loud-1", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnauthorized)
	})
	if !strings.Contains(manager.Log(), "loud-1") {
		t.Error("the log says nothing at all")
	}
	// What was said is scanned when the world is left.
}
