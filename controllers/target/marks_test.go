// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestTheMarksHaveAFixedForm(t *testing.T) {
	issued := metav1.NewTime(noon)
	d := desired("fleet", func(d *Desired) {
		d.Marks.Source = Source{
			ClusterName: "prod-1", Trigger: "Expiry", IssuedAt: &issued, RequestID: "req-1", PreviousRequest: "r-0",
			Contexts: []v1alpha1.OfferedContext{{Name: "internal", Server: "https://192.168.0.1:5443", Verified: true}},
		}
	})
	wantLabels := map[string]string{"clustercredential.dev/managed": "true", "app.kubernetes.io/managed-by": "clustercredential-operator"}
	if diff := cmp.Diff(wantLabels, d.Marks.Labels()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantAnnotations := map[string]string{
		"clustercredential.dev/credential":           "prod-1",
		"clustercredential.dev/credential-namespace": "fleet",
		"clustercredential.dev/credential-uid":       "uid-1",
		"clustercredential.dev/revision":             "4",
		"clustercredential.dev/issuance-id":          "i-1",
		"clustercredential.dev/fingerprint":          "fp-1",
		"clustercredential.dev/not-after":            "2026-11-24T12:00:00Z",
		"clustercredential.dev/renew-request":        "r-1",
		"clustercredential.dev/request":              `{"v":1}`,
		"clustercredential.dev/source":               `{"clusterName":"prod-1","trigger":"Expiry","issuedAt":"2026-11-24T12:00:00Z","requestID":"req-1","previousRenewRequest":"r-0","contexts":[{"name":"internal","server":"https://192.168.0.1:5443","verified":true}]}`,
	}
	if diff := cmp.Diff(wantAnnotations, d.Marks.annotations()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNotKnownIsNotWritten(t *testing.T) {
	bare := Marks{Credential: "prod-1", Namespace: "fleet", UID: "uid-1", Revision: 1, Fingerprint: "fp", NotAfter: noon}
	for _, key := range []string{v1alpha1.AnnotationIssuanceID, v1alpha1.AnnotationRequest, v1alpha1.AnnotationSource, v1alpha1.AnnotationRenewRequest, v1alpha1.AnnotationReleasedAt} {
		if value, ok := bare.annotations()[key]; ok {
			t.Errorf("%s = %q", key, value)
		}
	}
	none := ""
	bare.RenewRequest = &none
	if value, ok := bare.annotations()[v1alpha1.AnnotationRenewRequest]; !ok || value != "" {
		t.Errorf("a record of no request is a record: %q, %v", value, ok)
	}
	if !bare.Source.Empty() || (Source{ClusterName: "x"}).Empty() {
		t.Error("Empty is wrong")
	}
}

func TestMarksThatCannotBeReadAreEmpty(t *testing.T) {
	for name, test := range map[string]struct {
		annotations map[string]string
		want        Marks
	}{
		"none at all":                  {nil, Marks{}},
		"a revision that is no number": {map[string]string{v1alpha1.AnnotationRevision: "four"}, Marks{}},
		"an expiry that is no time":    {map[string]string{v1alpha1.AnnotationNotAfter: "tomorrow"}, Marks{}},
		"a source that is no JSON":     {map[string]string{v1alpha1.AnnotationSource: "{"}, Marks{}},
		"a source of a later release":  {map[string]string{v1alpha1.AnnotationSource: `{"x":1,"clusterName":"a"}`}, Marks{Source: Source{ClusterName: "a"}}},
		"when it was released":         {map[string]string{v1alpha1.AnnotationReleasedAt: "2026-11-24T12:00:00Z"}, Marks{ReleasedAt: "2026-11-24T12:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := MarksOf(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Annotations: test.annotations}})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for value, want := range map[string]bool{"true": true, "": false, "True": false, "false": false} {
		got := MarksOf(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{v1alpha1.LabelManaged: value}}})
		if got.Managed != want {
			t.Errorf("managed: %q counts as %v", value, got.Managed)
		}
	}
}

// What is written is read back, whatever it says.
func TestTheMarksAreReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "a", "prod-1", `{"v":1}`, "r <&> 世", "\u2028", `"\`}
	text := func() string { return texts[random.IntN(len(texts))] }
	for range 50_000 {
		m := Marks{
			Managed: true, Credential: text(), Namespace: text(), UID: text(), Revision: random.Int64() - 1<<62,
			IssuanceID: text(), Fingerprint: text(), Request: text(),
			NotAfter: noon.Add(time.Duration(random.Int64N(1e9)) * time.Second),
			Source:   Source{ClusterName: text(), Trigger: v1alpha1.Trigger(text()), RequestID: text(), PreviousRequest: text()},
		}
		if random.IntN(2) == 0 {
			value := text()
			m.RenewRequest = &value
		}
		if random.IntN(2) == 0 {
			at := metav1.NewTime(noon.Add(time.Duration(random.Int64N(1e9)) * time.Second))
			m.Source.IssuedAt = &at
		}
		for range random.IntN(3) {
			m.Source.Contexts = append(m.Source.Contexts, v1alpha1.OfferedContext{Name: text(), Server: text(), Verified: random.IntN(2) == 0})
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: m.Labels(), Annotations: m.annotations()}}
		got := MarksOf(secret)
		if diff := cmp.Diff(m, got); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
		if diff := cmp.Diff(m.annotations(), got.annotations()); diff != "" {
			t.Fatalf("written again it differs (-first +second):\n%s", diff)
		}
	}
}

// Times of other zones are the same moment, and are written the same way.
func TestAnExpiryIsWrittenInUTC(t *testing.T) {
	m := Marks{NotAfter: noon.In(time.FixedZone("x", 3600)).Add(999 * time.Millisecond)}
	if got := m.annotations()[v1alpha1.AnnotationNotAfter]; got != "2026-11-24T12:00:00Z" {
		t.Errorf("got %s", got)
	}
	if got := m.annotations()[v1alpha1.AnnotationRevision]; got != strconv.Itoa(0) {
		t.Errorf("got %s", got)
	}
}
