// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/target"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

// five are outputs for five kinds of consumers.
func five() []v1alpha1.Output {
	return []v1alpha1.Output{
		{SecretName: "prod-1-kubeconfig"},
		{SecretName: "argo", Format: v1alpha1.FormatArgoCD},
		{SecretName: "capi-kubeconfig", Format: v1alpha1.FormatClusterAPI},
		{SecretName: "istio", Format: v1alpha1.FormatIstio, ClusterName: "prod-1"},
		{SecretName: "tls", Format: v1alpha1.FormatTLS},
	}
}

func withOutputs(outputs ...v1alpha1.Output) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Outputs = outputs }
}

// wantCarried holds that every output holds the published certificate, in its format.
func wantCarried(t *testing.T, w *testkit.World) {
	t.Helper()
	cc := w.Get("prod-1")
	for i, o := range cc.Spec.Outputs {
		data, fingerprint := w.Secret(o.SecretName).Data, ""
		if c, err := output.Read(data, o, output.Facts{Namespace: cc.Namespace, Name: "prod-1"}); err == nil {
			fingerprint = c.Fingerprint
			if c.Server != cc.Status.Server {
				t.Errorf("%s names the server %s, want %s", o.SecretName, c.Server, cc.Status.Server)
			}
		} else if id, found := output.IdentityIn(data, o); found {
			fingerprint = id.Fingerprint
		}
		if fingerprint != cc.Status.Certificate.FingerprintSHA256 {
			t.Errorf("%s does not hold the published certificate", o.SecretName)
		}
		said := cc.Status.Outputs[i]
		want := v1alpha1.OutputStatus{
			Namespace: cc.Namespace, SecretName: o.SecretName, Format: said.Format, Revision: cc.Status.Revision,
			NotAfter: &cc.Status.Certificate.NotAfter, State: v1alpha1.OutputCurrent,
		}
		if diff := cmp.Diff(want, said); diff != "" || o.Format != "" && said.Format != o.Format {
			t.Errorf("status of %s (-want +got):\n%s", o.SecretName, diff)
		}
	}
}

// states are those of the outputs in status, by the name of the Secret.
func states(w *testkit.World) map[string]string {
	all := map[string]string{}
	for _, o := range w.Get("prod-1").Status.Outputs {
		all[o.SecretName] = strings.TrimSuffix(string(o.State)+"/"+string(o.Reason), "/")
	}
	return all
}

func TestFiveOutputsCostOneCertificateAndEachOneWriteMore(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("prod-1", withOutputs(five()...)))
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantCarried(t, w)
	wantConditions(t, w.Get("prod-1"), healthy)
	if n := len(w.Recorder.Writes()); n != 4+4 { // intent, five Secrets, status, event
		t.Errorf("%d writes, want 8: %v", n, w.Recorder.Writes())
	}
	w.Recorder.Reset(nil)
	w.Change("prod-1", newValue("1"))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
	w.Recorder.Reset(nil)
	w.Pass("prod-1")
	if calls := w.Recorder.Calls(); slices.ContainsFunc(calls, func(c testkit.Call) bool { return c.IsWrite() || c.Verb == "get" }) {
		t.Errorf("at rest: %v", calls)
	}
	w.Restart()
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("after a restart: %v", writes)
	}
}

func TestWhatAConsumerPutsIntoItsSecretStaysThroughARotation(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(five()...))
	secret := w.Secret("argo")
	secret.Data["shard"] = []byte("3")
	secret.Annotations["managed-by"] = "argocd.argoproj.io"
	secret.Labels["team"] = "a"
	w.Must(w.Client.Update(t.Context(), secret))
	w.Change("prod-1", newValue("1"))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
	secret = w.Secret("argo")
	got := []string{string(secret.Data["shard"]), secret.Annotations["managed-by"], secret.Labels["team"]}
	if diff := cmp.Diff([]string{"3", "argocd.argoproj.io", "a"}, got); diff != "" {
		t.Errorf("what Argo CD added (-want +got):\n%s", diff)
	}
}

func TestALostOutputIsMadeAnewFromTheOthersWithoutACertificate(t *testing.T) {
	t.Parallel()
	for _, lost := range [][]string{{"argo"}, {"tls"}, {"prod-1-kubeconfig"}, {"prod-1-kubeconfig", "argo", "tls"}, {"prod-1-kubeconfig", "capi-kubeconfig", "istio"}} {
		for name, meanwhile := range map[string]func(*testkit.World){
			"": func(*testkit.World) {}, " while the operator is restarted": (*testkit.World).Restart,
			" while status is wiped": func(w *testkit.World) { w.WipeStatus("prod-1"); w.Restart() },
		} {
			t.Run(strings.Join(lost, " and ")+name, func(t *testing.T) {
				t.Parallel()
				w := established(t, withOutputs(five()...))
				serial := w.Get("prod-1").Status.Certificate.SerialNumber
				for _, secret := range lost {
					w.Must(w.Client.Delete(t.Context(), w.Secret(secret)))
				}
				meanwhile(w)
				w.Settle("prod-1")
				wantPosts(t, w, 1)
				wantCarried(t, w)
				wantConditions(t, w.Get("prod-1"), healthy)
				if got := w.Get("prod-1").Status.Certificate.SerialNumber; got != serial {
					t.Errorf("certificate %s, want %s", got, serial)
				}
			})
		}
	}
}

func TestOutputsThatChangeTheirPlacesCostNoCertificate(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(five()...))
	for _, first := range []int{1, 3, 2, 0} {
		w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
			outputs := five()
			outputs[0], outputs[first] = outputs[first], outputs[0]
			cc.Spec.Outputs = outputs
		})
		w.Settle("prod-1")
		wantPosts(t, w, 1)
		wantCarried(t, w)
		wantConditions(t, w.Get("prod-1"), healthy)
		primary := w.Get("prod-1").Spec.Outputs[0].SecretName
		for _, o := range five() {
			if _, has := w.Secret(o.SecretName).Annotations[v1alpha1.AnnotationSource]; has != (o.SecretName == primary) {
				t.Errorf("with %s first: %s says what the cloud said: %v", primary, o.SecretName, has)
			}
		}
	}
	w.Change("prod-1", newValue("1"))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
}

func TestAnOutputThatFailsHarmsNoOther(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(foreign(w, "argo"))
	w.Create(w.Credential("prod-1", withOutputs(five()...)))
	w.Pass("prod-1")
	w.Pass("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/SecretConflict", "Issued": "True/Issued", "Published": "False/SecretConflict", "Stalled": "True/SecretConflict",
	})
	if message := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionPublished); !strings.Contains(message, "spec.outputs[1].secretName") {
		t.Errorf("Published says %q", message)
	}
	want := map[string]string{
		"prod-1-kubeconfig": "Current", "argo": "Failed/SecretConflict", "capi-kubeconfig": "Current", "istio": "Current", "tls": "Current",
	}
	if diff := cmp.Diff(want, states(w)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if string(w.Secret("argo").Data["theirs"]) == "" && len(w.Secret("argo").Labels) > 0 {
		t.Error("the Secret of somebody else was written")
	}
	w.Must(w.Client.Delete(t.Context(), w.Secret("argo")))
	w.Pass("prod-1") // which comes after a minute: no watch shows a Secret that is not ours
	wantPosts(t, w, 1)
	wantCarried(t, w)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestAnOutputThatIsRefusedServesWhatItHasWhileThatIsValid(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(five()...))
	before := w.Secret("argo").Data
	secret := w.Secret("argo")
	secret.Immutable = new(true)
	w.Must(w.Client.Update(t.Context(), secret))
	w.Change("prod-1", newValue("1"))
	for range 5 {
		w.Pass("prod-1")
	}
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "True/Valid", "Issued": "True/Issued", "Published": "False/WriteRefused", "Reconciling": "True/WriteRefused",
	})
	if got := states(w); got["argo"] != "Stale/WriteRefused" || got["istio"] != "Current" {
		t.Errorf("states: %v", got)
	}
	if diff := cmp.Diff(before, w.Secret("argo").Data); diff != "" {
		t.Error("its bytes have changed")
	}
	expiry := w.Get("prod-1").Status.Outputs[1].NotAfter
	w.Clock.SetTime(expiry.Add(1))
	w.Pass("prod-1") // renews, and still cannot write there
	w.Pass("prod-1")
	if got := conditions(w.Get("prod-1"))["Ready"]; got != "False/WriteRefused" {
		t.Errorf("Ready is %s once the old one has expired", got)
	}
	w.Must(w.Client.Delete(t.Context(), w.Secret("argo")))
	w.Settle("prod-1")
	wantCarried(t, w)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestAnOutputThatIsWrittenOnceIsLeftToItsConsumer(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"},
		v1alpha1.Output{SecretName: "auto-import-secret", Key: "kubeconfig", Type: "auto-import/kubeconfig", WritePolicy: v1alpha1.WriteOnce}))
	wantCarried(t, w)
	if secret := w.Secret("auto-import-secret"); secret.Type != "auto-import/kubeconfig" || len(secret.Data["kubeconfig"]) == 0 {
		t.Errorf("the Secret has the type %s", secret.Type)
	}
	w.Must(w.Client.Delete(t.Context(), w.Secret("auto-import-secret")))
	w.Settle("prod-1")
	w.Change("prod-1", newValue("1"))
	w.Settle("prod-1")
	w.Restart()
	w.Settle("prod-1")
	w.WipeStatus("prod-1")
	w.Restart()
	w.Settle("prod-1")
	if err := w.Client.Get(t.Context(), w.Key("auto-import-secret"), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret that its consumer deleted: %v, want it gone", err)
	}
	wantPosts(t, w, 2)
	wantConditions(t, w.Get("prod-1"), healthy)
	if o := w.Get("prod-1").Status.Outputs[1]; o.State != v1alpha1.OutputCurrent {
		t.Errorf("status: %+v", o)
	}
}

// The mark that it was written stands on the primary Secret, which is written before it.
func TestAnOutputThatWasWrittenOnceIsMarkedSoon(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"},
		v1alpha1.Output{SecretName: "once", Format: v1alpha1.FormatArgoCD, WritePolicy: v1alpha1.WriteOnce}))
	for range 3 {
		again := w.Pass("prod-1").RequeueAfter
		if slices.Contains(target.MarksOf(w.Secret("prod-1-kubeconfig")).Source.Once, w.Namespace+"/once") {
			return
		}
		if again > time.Minute {
			t.Fatalf("the next look is after %s, and there is no mark yet", again)
		}
		w.Advance(again)
	}
	t.Error("three passes made no mark")
}

func TestAnOutputThatLeavesTheSpecIsReleasedOrRemovedAsItSaid(t *testing.T) {
	t.Parallel()
	outputs := five()
	outputs[1].DeletionPolicy = v1alpha1.DeletionDelete
	outputs[2].DeletionPolicy = v1alpha1.DeletionRetain
	w := established(t, withOutputs(outputs...))
	w.Change("prod-1", withOutputs(outputs[0]))
	w.Settle("prod-1")
	if err := w.Client.Get(t.Context(), w.Key("argo"), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("the one with deletionPolicy Delete: %v, want it gone", err)
	}
	want := map[string]string{"prod-1-kubeconfig": "Current", "capi-kubeconfig": "Released", "istio": "Released", "tls": "Released"}
	if diff := cmp.Diff(want, states(w)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	for _, o := range w.Get("prod-1").Status.Outputs {
		if o.SecretName == "istio" && o.Format != v1alpha1.FormatIstio {
			t.Errorf("the released one has the format %s", o.Format)
		}
	}
	w.Change("prod-1", withOutputs(outputs...))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantCarried(t, w)
	if slices.Contains(slices.Collect(maps.Keys(w.Secret("istio").Annotations)), v1alpha1.AnnotationReleasedAt) {
		t.Error("the one that was taken back still says that it is released")
	}
}

func TestATypeThatCannotBeChangedIsSaidAndTheSecretIsKeptInStep(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "b"}))
	for i, field := range []string{"spec.outputs[0].secretName", "spec.outputs[1].secretName"} {
		outputs := []v1alpha1.Output{{SecretName: "prod-1-kubeconfig"}, {SecretName: "b"}}
		outputs[i].Type = "example.com/kubeconfig"
		w.Change("prod-1", withOutputs(outputs...))
		for range 3 {
			w.Pass("prod-1")
		}
		if message := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionPublished); !strings.Contains(message, field) || !strings.Contains(message, `"Opaque"`) {
			t.Errorf("Published says %q", message)
		}
		w.Advance(2 * time.Minute)
		w.Change("prod-1", newValue(field))
		w.Pass("prod-1")
		w.Pass("prod-1")
		wantPosts(t, w, i+2)
		wantCarried(t, w)
	}
}

func TestTwoThatNameOneSecretAsFurtherOutputAreTold(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "shared"}))
	w.Create(w.Credential("prod-2", withOutputs(v1alpha1.Output{SecretName: "prod-2-kubeconfig"}, v1alpha1.Output{SecretName: "shared"})))
	w.Advance(10 * time.Second)
	for range 3 {
		w.Pass("prod-2")
	}
	if message := conditionMessage(w.Get("prod-2"), v1alpha1.ConditionPublished); !strings.Contains(message, `belongs to ClusterCredential "prod-1"`) {
		t.Errorf("Published of the second says %q", message)
	}
	w.Settle("prod-1")
	wantCarried(t, w)
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	_, _ = w.Try("prod-1")
	for range 3 {
		w.Pass("prod-2")
	}
	if got := w.Secret("shared").Annotations[v1alpha1.AnnotationCredential]; got != "prod-2" {
		t.Errorf("once the holder is gone the Secret belongs to %s", got)
	}
}

func TestWhileTheClusterChangesFurtherOutputsKeepTheirBytes(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(five()...))
	before := map[string]map[string][]byte{}
	for _, o := range five() {
		before[o.SecretName] = w.Secret(o.SecretName).Data
	}
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Times: ccesim.Forever}))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Cluster.ID = testkit.OtherID
		cc.Spec.Outputs[1].Labels = map[string]v1alpha1.LabelValue{"env": "prod"}
	})
	w.Pass("prod-1")
	for _, o := range five() {
		if diff := cmp.Diff(before[o.SecretName], w.Secret(o.SecretName).Data); diff != "" {
			t.Errorf("the bytes of %s have changed", o.SecretName)
		}
	}
	w.Sim.ClearScript()
	w.Settle("prod-1")
	wantPosts(t, w, 3)
	wantCarried(t, w)
	wantConditions(t, w.Get("prod-1"), healthy)
	if w.Secret("argo").Labels["env"] != "prod" {
		t.Error("the label is not there")
	}
}

func TestBeforeThePrimaryHoldsACertificateNoOtherGetsIt(t *testing.T) {
	t.Parallel()
	w := established(t, withOutputs(five()...))
	before := w.Secret("argo").Data
	refused := false
	w.Recorder.Reset(func(_ int, c testkit.Call) (error, bool) {
		if c.Verb == "apply" && !refused {
			refused = true
			return testkit.Forbidden(), false
		}
		return nil, false
	})
	w.Change("prod-1", newValue("1"))
	w.Pass("prod-1")
	wantPosts(t, w, 2)
	if !reflect.DeepEqual(before, w.Secret("argo").Data) || !refused {
		t.Error("another output got it before the primary one")
	}
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	wantCarried(t, w)
}
