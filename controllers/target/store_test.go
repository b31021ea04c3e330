// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/hack/realkube"
)

func TestASecretIsCreatedWithEverything(t *testing.T) {
	p := newPlace(t)
	if secret, err := p.Read(t.Context(), desired(p.namespace).Key); secret != nil || err != nil {
		t.Fatalf("before: %v, %v", secret, err)
	}
	want := desired(p.namespace, withOwner("uid-1"))
	live := p.put(t, nil, want)
	if diff := cmp.Diff(want.data(), live.Data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if live.Type != corev1.SecretTypeOpaque || StandingOf(live, types.NamespacedName{Namespace: live.Namespace, Name: "prod-1"}, "", "") != Ours || len(live.OwnerReferences) != 1 {
		t.Errorf("got %s of %v with %v", live.Type, live.OwnerReferences, live.Labels)
	}
	if diff := cmp.Diff(want.Marks, MarksOf(live)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatOthersPutOnASecretStays(t *testing.T) {
	p := newPlace(t)
	live := p.put(t, nil, desired(p.namespace))
	before := live.UID
	theirs := live.DeepCopy()
	theirs.Labels["shard"], theirs.Annotations["seen"], theirs.Data["config"] = "1", "x", []byte("theirs")
	theirs.Finalizers = []string{"example.com/theirs"}
	if err := p.Update(t.Context(), theirs, client.FieldOwner("consumer")); err != nil {
		t.Fatal(err)
	}
	live = p.put(t, p.read(t), desired(p.namespace, func(d *Desired) { d.Marks.Revision, d.Rendered.Labels["env"] = 5, "test" }, without("team")))
	if live.Labels["shard"] != "1" || live.Annotations["seen"] != "x" || string(live.Data["config"]) != "theirs" || len(live.Finalizers) != 1 {
		t.Errorf("something of theirs is gone: %v, %v, %v", live.Labels, live.Annotations, slices.Collect(maps.Keys(live.Data)))
	}
	if _, there := live.Labels["team"]; there || live.Labels["env"] != "test" || MarksOf(live).Revision != 5 {
		t.Errorf("ours is not up to date: %v, %v", live.Labels, live.Annotations)
	}
	if live.UID != before {
		t.Errorf("the UID changed from %s to %s", before, live.UID)
	}
	theirs = live.DeepCopy()
	theirs.Finalizers = nil
	if err := p.Update(t.Context(), theirs, client.FieldOwner("consumer")); err != nil {
		t.Fatal(err)
	}
}

func TestWhatSomebodyEditedIsPutRight(t *testing.T) {
	p := newPlace(t)
	want := desired(p.namespace)
	edited := p.put(t, nil, want)
	edited.Data["value"], edited.Labels["env"] = []byte("theirs"), "theirs"
	delete(edited.Labels, v1alpha1.LabelManaged)
	delete(edited.Annotations, v1alpha1.AnnotationFingerprint)
	if err := p.Update(t.Context(), edited, client.FieldOwner("kubectl-edit")); err != nil {
		t.Fatal(err)
	}
	live := p.read(t)
	if want.Carries(live) {
		t.Fatal("an edited Secret counts as carrying what is desired")
	}
	p.put(t, live, want)
}

// Whatever leaves the desire leaves the Secret, however it came there, in one write or two.
func TestWhatIsNotDesiredAnyMoreDisappears(t *testing.T) {
	for name, test := range map[string]struct {
		first, then func(*Desired)
		gone        func(*corev1.Secret) bool
	}{
		"a label":               {nil, without("team"), func(s *corev1.Secret) bool { return s.Labels["team"] == "" }},
		"all labels":            {nil, func(d *Desired) { d.Rendered.Labels = nil }, func(s *corev1.Secret) bool { return len(s.Labels) == 2 }},
		"an annotation":         {nil, func(d *Desired) { d.Rendered.Annotations = nil }, func(s *corev1.Secret) bool { return s.Annotations["note"] == "" }},
		"a record of a request": {nil, func(d *Desired) { d.Marks.RenewRequest = nil }, func(s *corev1.Secret) bool { return MarksOf(s).RenewRequest == nil }},
		"an old data key": {nil, underKey("kubeconfig"), func(s *corev1.Secret) bool {
			return slices.Equal(slices.Collect(maps.Keys(s.Data)), []string{"kubeconfig"})
		}},
		"an owner":                 {withOwner("uid-1"), func(*Desired) {}, func(s *corev1.Secret) bool { return s.OwnerReferences == nil }},
		"an owner of another life": {withOwner("uid-1"), withOwner("uid-2"), func(s *corev1.Secret) bool { return len(s.OwnerReferences) == 1 && s.OwnerReferences[0].UID == "uid-2" }},
	} {
		for _, applied := range []bool{false, true} {
			t.Run(name+map[bool]string{false: " that was created", true: " that was applied"}[applied], func(t *testing.T) {
				p := newPlace(t)
				first := desired(p.namespace)
				if test.first != nil {
					test.first(&first)
				}
				live := p.put(t, nil, first)
				if applied {
					first.Marks.Revision++
					live = p.put(t, live, first)
				}
				then := desired(p.namespace, test.then)
				if then.Carries(live) {
					t.Fatal("it counts as carrying what is desired")
				}
				if live = p.put(t, live, then); !test.gone(live) {
					t.Errorf("still there: %v, %v, %v, %v", live.Labels, live.Annotations, slices.Collect(maps.Keys(live.Data)), live.OwnerReferences)
				}
			})
		}
	}
}

func TestAReleasedSecretIsTakenBack(t *testing.T) {
	p := newPlace(t)
	want := desired(p.namespace)
	live := p.put(t, nil, want)
	if gone, err := p.Release(t.Context(), live, "", noon); gone || err != nil {
		t.Fatal(gone, err)
	}
	released := p.read(t)
	if got := MarksOf(released).ReleasedAt; got != "2026-11-24T12:00:00Z" {
		t.Errorf("released at %q", got)
	}
	if diff := cmp.Diff(live.Data, released.Data); diff != "" {
		t.Errorf("the bytes changed (-before +after):\n%s", diff)
	}
	if want.Carries(released) {
		t.Error("a released Secret counts as carrying what is desired")
	}
	back := p.put(t, released, want)
	if got := MarksOf(back).ReleasedAt; got != "" || back.UID != live.UID {
		t.Errorf("taken back, and yet released at %q, UID %s", got, back.UID)
	}
}

// The label of a class goes, whoever has written it, and a released Secret changes its class with its ClusterCredential.
func TestASecretChangesItsClass(t *testing.T) {
	p := newPlace(t)
	live := p.put(t, nil, desired(p.namespace, ofClass("a")))
	live = p.put(t, live, desired(p.namespace, ofClass("b")))
	live = p.put(t, live, desired(p.namespace))
	live.Labels[v1alpha1.LabelClass] = "theirs"
	if err := p.Update(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	live = p.put(t, p.read(t), desired(p.namespace))
	for _, class := range []string{"a", "b", ""} {
		if _, err := p.Release(t.Context(), live, class, noon.AddDate(0, 0, len(class))); err != nil {
			t.Fatal(err)
		}
		live = p.read(t)
		if !OfClass(live, class) || MarksOf(live).ReleasedAt != "2026-11-25T12:00:00Z" {
			t.Errorf("of class %q: labels %v, released at %s", class, live.Labels, MarksOf(live).ReleasedAt)
		}
	}
}

func TestALateWriterIsRefused(t *testing.T) {
	p := newPlace(t)
	want := desired(p.namespace)
	stale := p.put(t, nil, want)
	newer := desired(p.namespace, func(d *Desired) { d.Marks.Revision = 5 })
	p.put(t, stale.DeepCopy(), newer)
	moved := desired(p.namespace, without("team"))
	for name, late := range map[string]func() error{
		"apply":               func() error { _, _, err := p.Put(t.Context(), stale.DeepCopy(), want); return err },
		"apply with handOver": func() error { _, _, err := p.Put(t.Context(), stale.DeepCopy(), moved); return err },
		"create":              func() error { _, _, err := p.Put(t.Context(), nil, want); return err },
		"release":             func() error { _, err := p.Release(t.Context(), stale, "", noon); return err },
		"delete":              func() error { return p.Store.Delete(t.Context(), stale) },
	} {
		if err := late(); !errors.Is(err, ErrTaken) {
			t.Errorf("%s: %v, want ErrTaken", name, err)
		}
	}
	if live := p.read(t); MarksOf(live).Revision != 5 {
		t.Errorf("the late writer won: %v", live.Annotations)
	}
}

func TestASecretThatIsGoneIsNotMadeAgain(t *testing.T) {
	p := newPlace(t)
	want := desired(p.namespace)
	live := p.put(t, nil, want)
	if err := p.Store.Delete(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Put(t.Context(), live, want); !errors.Is(err, ErrTaken) {
		t.Errorf("apply: %v, want ErrTaken", err)
	}
	if gone, err := p.Release(t.Context(), live, "", noon); !gone || err != nil {
		t.Errorf("release: gone %t, %v", gone, err)
	}
	if err := p.Store.Delete(t.Context(), live); err != nil {
		t.Errorf("delete: %v, want nothing: it is gone", err)
	}
	if secret, err := p.Read(t.Context(), want.Key); secret != nil || err != nil {
		t.Errorf("it is back: %v, %v", secret, err)
	}
	again := p.put(t, nil, want)
	if _, _, err := p.Put(t.Context(), live, want); !errors.Is(err, ErrTaken) || again.UID == live.UID {
		t.Errorf("another of the same name: %v, want ErrTaken", err)
	}
}

func TestTwoThatCreateAtOnceMakeOne(t *testing.T) {
	p := newPlace(t)
	errs := make(chan error, 8)
	for i := range cap(errs) {
		go func() {
			_, _, err := p.Put(t.Context(), nil, desired(p.namespace, func(d *Desired) { d.Marks.Revision = int64(i) }))
			errs <- err
		}()
	}
	won := 0
	for range cap(errs) {
		switch err := <-errs; {
		case err == nil:
			won++
		case !errors.Is(err, ErrTaken):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

// What stands is looked at without a write, and nothing is written where it fits.
func TestNothingIsWrittenWhereNothingDiffers(t *testing.T) {
	p := newPlace(t)
	want := desired(p.namespace, withOwner("uid-1"))
	live := p.put(t, nil, want)
	if !want.Carries(live) {
		t.Fatal("what was created does not carry what is desired")
	}
	again := p.put(t, live, want)
	if again.ResourceVersion == live.ResourceVersion {
		t.Log("the API server made no write of it either")
	}
	for range 3 { // applying what stands already changes nothing, not even managedFields
		next := p.put(t, again, want)
		if next.ResourceVersion != again.ResourceVersion {
			t.Errorf("resourceVersion %s, then %s", again.ResourceVersion, next.ResourceVersion)
		}
		again = next
	}
}

func TestARefusedWriteSaysWhatToLookAt(t *testing.T) {
	for name, test := range map[string]struct {
		arrange func(*testing.T, place) (place, *corev1.Secret, Desired)
		reason  metav1.StatusReason
		text    string
	}{
		"no role": {func(t *testing.T, p place) (place, *corev1.Secret, Desired) {
			return p.as(t, "nobody"), nil, desired(p.namespace)
		}, "Forbidden", "the operator's role"},
		"no role to apply": {func(t *testing.T, p place) (place, *corev1.Secret, Desired) {
			return p.as(t, "nobody"), p.put(t, nil, desired(p.namespace)), desired(p.namespace, underKey("other"))
		}, "Forbidden", "the operator's role"},
		"no namespace": {func(_ *testing.T, p place) (place, *corev1.Secret, Desired) {
			return p, nil, desired("nowhere")
		}, "NotFound", "of the namespace"},
		"a namespace that goes": {func(t *testing.T, p place) (place, *corev1.Secret, Desired) {
			if err := p.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}}); err != nil {
				t.Fatal(err)
			}
			awaitRefusal(t, p)
			return p, nil, desired(p.namespace)
		}, "Forbidden", "the namespace is being deleted"},
		"a quota": {func(t *testing.T, p place) (place, *corev1.Secret, Desired) {
			noSecrets(t, p)
			return p, nil, desired(p.namespace)
		}, "Forbidden", "quota"},
		"an immutable Secret": {func(t *testing.T, p place) (place, *corev1.Secret, Desired) {
			live := p.put(t, nil, desired(p.namespace))
			yes := true
			live.Immutable = &yes
			if err := p.Update(t.Context(), live, client.FieldOwner("somebody")); err != nil {
				t.Fatal(err)
			}
			other := desired(p.namespace, func(d *Desired) { d.Rendered.Data["value"] = issuer.Sensitive(canary + "-2") })
			return p, p.read(t), other
		}, "Invalid", "invalid data"},
		"a label that is none": {func(_ *testing.T, p place) (place, *corev1.Secret, Desired) {
			return p, nil, desired(p.namespace, func(d *Desired) { d.Rendered.Labels["env"] = "not a label " + canary })
		}, "Invalid", "invalid metadata.labels"},
		"a data key that is none": {func(_ *testing.T, p place) (place, *corev1.Secret, Desired) {
			return p, nil, desired(p.namespace, underKey("not/a/key"))
		}, "Invalid", "invalid data[not/a/key]"},
		"a Secret that is too large": {func(_ *testing.T, p place) (place, *corev1.Secret, Desired) {
			return p, nil, desired(p.namespace, func(d *Desired) { d.Rendered.Data["value"] = issuer.Sensitive(strings.Repeat(canary, 60_000)) })
		}, "Invalid", "invalid data"},
		"an admission policy": {func(t *testing.T, p place) (place, *corev1.Secret, Desired) {
			forbidByPolicy(t, p)
			return p, nil, desired(p.namespace)
		}, "Invalid", "admission policy"},
	} {
		t.Run(name, func(t *testing.T) {
			p, live, want := test.arrange(t, newPlace(t))
			_, _, err := p.Put(t.Context(), live, want)
			refused, ok := errors.AsType[*Refused](err)
			if !ok || refused.Reason != test.reason || refused.Key != want.Key {
				t.Fatalf("got %#v, want refused for %s", err, test.reason)
			}
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q does not say %q", err, test.text)
			}
			checkNoCanary(t, err)
		})
	}
}

// noSecrets gives the namespace a quota of none, as the quota controller would.
func noSecrets(t *testing.T, p place) {
	t.Helper()
	none := corev1.ResourceList{"count/secrets": resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	if err := p.Create(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := p.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, p)
}

// forbidByPolicy lets a ValidatingAdmissionPolicy refuse all Secrets of the namespace,
// quoting what they hold.
func forbidByPolicy(t *testing.T, p place) {
	t.Helper()
	match := &admissionv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": p.namespace}},
		ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.OperationAll},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
		}}},
	}
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: p.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: match,
			Validations: []admissionv1.Validation{{
				Expression:        "false",
				MessageExpression: `has(object.data) && "value" in object.data ? "no such Secret here: " + string(object.data["value"]) : "no such Secret here"`,
			}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: p.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	for _, object := range []client.Object{policy, binding} {
		if err := p.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Client.Delete(context.WithoutCancel(t.Context()), object) })
	}
	awaitRefusal(t, p)
}

// awaitRefusal returns once the API server has noticed why it should refuse.
func awaitRefusal(t *testing.T, p place) {
	t.Helper()
	admin, err := client.New(realkube.Shared(t).Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, GenerateName: "probe-"}}
		return admin.Create(ctx, probe, client.DryRunAll) != nil, nil
	})
	if err != nil {
		t.Fatal("the API server refuses nothing:", err)
	}
}

func TestReadingSaysWhatItReads(t *testing.T) {
	p := newPlace(t)
	nobody, err := realkube.Shared(t).UserConfig("nobody")
	if err != nil {
		t.Fatal(err)
	}
	p.Live, err = client.New(nobody, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := p.Read(t.Context(), desired(p.namespace).Key); secret != nil || err == nil || !strings.Contains(err.Error(), "read Secret "+p.namespace+"/prod-1-kubeconfig") {
		t.Errorf("got %v, %v", secret, err)
	}
}

// The samples of TestWhatIsOursAndNotDesiredIsLeftOver stand for what the API server writes.
func TestTheSamplesOfFieldsAreReal(t *testing.T) {
	p := newPlace(t)
	live := p.put(t, nil, desired(p.namespace, withOwner("uid-1")))
	if _, err := p.Release(t.Context(), live, "", noon); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range p.read(t).ManagedFields {
		got = append(got, string(entry.Operation)+" "+entry.FieldsV1.GetRawString())
	}
	released := strings.Replace(fieldsOfPOST, `"f:clustercredential.dev/renew`, `"f:clustercredential.dev/released-at":{},"f:clustercredential.dev/renew`, 1)
	if diff := cmp.Diff([]string{"Update " + released}, got); diff != "" {
		t.Errorf("(-sample +real):\n%s", diff)
	}
}
