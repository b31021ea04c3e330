// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/hack/realkube"
)

func TestMain(m *testing.M) { os.Exit(realkube.Main(m, realkube.Options{})) }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// canary is what every Secret holds here: it must stand in no text of ours.
const canary = "canary-key-material"

// desired is the Secret of the ClusterCredential prod-1. Tests change what they are about.
func desired(namespace string, changes ...func(*Desired)) Desired {
	handled := "r-1"
	d := Desired{
		Key: types.NamespacedName{Namespace: namespace, Name: "prod-1-kubeconfig"},
		Rendered: output.Rendered{
			Type:        corev1.SecretTypeOpaque,
			Data:        map[string]issuer.Sensitive{"value": issuer.Sensitive(canary)},
			Labels:      map[string]string{"env": "prod", "team": "a"},
			Annotations: map[string]string{"note": "ours"},
		},
		Marks: Marks{
			Managed: true, Credential: "prod-1", Namespace: namespace, UID: "uid-1", Revision: 4, IssuanceID: "i-1",
			Fingerprint: "fp-1", NotAfter: noon, RenewRequest: &handled, Request: `{"v":1}`,
			Source: Source{ClusterName: "prod-1", Trigger: v1alpha1.TriggerFirst},
		},
	}
	for _, change := range changes {
		change(&d)
	}
	return d
}

// on are the labels, annotations and data that a Secret of ours carries.
func (d Desired) on(secret *corev1.Secret) *corev1.Secret {
	secret.Labels, secret.Annotations, secret.Data = d.labels(), d.annotations(), d.data()
	return secret
}

func withOwner(uid types.UID) func(*Desired) {
	return func(d *Desired) {
		d.Owner = &metav1.OwnerReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ClusterCredential", Name: "prod-1", UID: uid}
	}
}

func ofClass(class string) func(*Desired) {
	return func(d *Desired) { d.Marks.Class = class }
}

func without(label string) func(*Desired) {
	return func(d *Desired) { delete(d.Rendered.Labels, label) }
}

func underKey(key string) func(*Desired) {
	return func(d *Desired) { d.Rendered.Data = map[string]issuer.Sensitive{key: issuer.Sensitive(canary)} }
}

// place is a namespace of its own on the real API server, with what to write there.
type place struct {
	Store
	client.Client
	namespace string
}

func newPlace(t *testing.T) place {
	t.Helper()
	c, err := client.New(realkube.Shared(t).Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "target-"}}
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return place{Store: Store{Live: c, Writer: c}, Client: c, namespace: namespace.Name}
}

// as is the same place for a user who may do nothing.
func (p place) as(t *testing.T, user string) place {
	t.Helper()
	config, err := realkube.Shared(t).UserConfig(user)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Writer = c
	return p
}

// read returns the Secret as it stands.
func (p place) read(t *testing.T) *corev1.Secret {
	t.Helper()
	secret, err := p.Read(t.Context(), desired(p.namespace).Key)
	if err != nil || secret == nil {
		t.Fatalf("the Secret cannot be read: %v, %v", secret, err)
	}
	return secret
}

// put writes, and holds that the answer is the Secret's.
func (p place) put(t *testing.T, live *corev1.Secret, want Desired) *corev1.Secret {
	t.Helper()
	uid, version, err := p.Put(t.Context(), live, want)
	if err != nil {
		t.Fatal(err)
	}
	secret := p.read(t)
	if secret.UID != uid || secret.ResourceVersion != version {
		t.Fatalf("answered %s/%s, stands %s/%s", uid, version, secret.UID, secret.ResourceVersion)
	}
	if !want.Carries(secret) {
		t.Fatalf("written, and yet it does not carry what is desired: %v, %v, leftovers %v", secret.Labels, secret.Annotations, want.leftovers(secret))
	}
	return secret
}
