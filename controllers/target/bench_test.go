// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// fullyMarked says all that is known of a certificate, as an issued one does.
func fullyMarked(d *Desired) {
	issued := metav1.NewTime(noon)
	d.Marks.Request = `{"v":1,"accountKind":"CloudAccount","accountName":"prod","projectID":"p","clusterID":"c-1","clusterType":"Standard","validity":"720h0m0s"}`
	d.Marks.Source = Source{
		ClusterName: "prod-1", Trigger: v1alpha1.TriggerExpiry, IssuedAt: &issued, RequestID: "req-1", PreviousRequest: "r-0", KeyID: "key-1",
		Contexts: []v1alpha1.OfferedContext{
			{Name: "internal", Server: "https://192.168.0.64:5443", Verified: true}, {Name: "external", Server: "https://203.0.113.7:5443"},
			{Name: "externalTLSVerify", Server: "https://203.0.113.7:5443", Verified: true},
		},
	}
}

// onServer is the Secret as the API server shows it.
func (d Desired) onServer() *corev1.Secret {
	secret := d.on(&corev1.Secret{})
	secret.Namespace, secret.Name = d.Key.Namespace, d.Key.Name
	secret.ManagedFields = []metav1.ManagedFieldsEntry{fieldsOf(metav1.ManagedFieldsOperationApply, fieldsOfPOST)}
	if d.Owner != nil {
		secret.OwnerReferences = []metav1.OwnerReference{*d.Owner}
	}
	return secret
}

func BenchmarkMarksOf(b *testing.B) {
	d := desired("fleet", fullyMarked)
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Annotations: map[string]string{"note": "theirs"}}}
	for _, test := range []struct {
		name    string
		secret  *corev1.Secret
		managed bool
	}{{"ours", d.onServer(), true}, {"foreign", foreign, false}} {
		b.Run("secret="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if MarksOf(test.secret).Managed != test.managed {
					b.Fatalf("managed is not %v", test.managed)
				}
			}
		})
	}
}

// What a Secret is to carry besides its data.
func BenchmarkDesired(b *testing.B) {
	d := desired("fleet", fullyMarked)
	for _, test := range []struct {
		name string
		of   func() map[string]string
	}{{"labels", d.labels}, {"annotations", d.annotations}} {
		b.Run("of="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(test.of()) == 0 {
					b.Fatal("none")
				}
			}
		})
	}
}

func BenchmarkCarries(b *testing.B) {
	d := desired("fleet", fullyMarked, withOwner("uid-1"))
	foreignKey := d.onServer()
	foreignKey.Data["theirs"] = []byte("some text")
	changed := d.onServer()
	changed.Data["value"] = []byte("theirs")
	for _, test := range []struct {
		name   string
		secret *corev1.Secret
		want   bool
	}{{"unchanged", d.onServer(), true}, {"foreign-key", foreignKey, true}, {"changed", changed, false}} {
		b.Run("secret="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d.Carries(test.secret) != test.want {
					b.Fatalf("Carries is not %v", test.want)
				}
			}
		})
	}
}

func BenchmarkStandingOf(b *testing.B) {
	secret := desired("fleet", fullyMarked).onServer()
	b.ReportAllocs()
	for b.Loop() {
		if StandingOf(secret, inFleet("prod-1"), "fp-1", "fp-1") != Ours {
			b.Fatal("it is not ours")
		}
	}
}

// BenchmarkHolderOf has many of the same age ask for one Secret: they are told apart by name.
func BenchmarkHolderOf(b *testing.B) {
	for _, n := range []int{2, 100} {
		var contenders []Contender
		for i := range n {
			contenders = append(contenders, contender(fmt.Sprintf("c-%d", n-i), 0, false))
		}
		b.Run(fmt.Sprintf("contenders=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, sure := HolderOf(inFleet(""), "fleet", contenders); sure {
					b.Fatal("more than the name decided")
				}
			}
		})
	}
}
