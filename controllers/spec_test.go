// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

func TestAChangedSpecAsksForACertificateOnlyWhereItMust(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*v1alpha1.ClusterCredential)
		posts  int
	}{
		"a longer validity": {func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: new(int32(60))} }, 2},
		"the default validity spelled out": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Validity = &v1alpha1.Validity{Duration: &metav1.Duration{Duration: 30 * day}}
		}, 1},
		"the same cluster by name": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-1"}
		}, 1},
		"another cluster": {func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }, 2},
		"another cluster by name": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Cluster = v1alpha1.ClusterReference{Name: "prod-2"}
		}, 2},
		"the internal address": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Endpoint = &v1alpha1.Endpoint{Access: v1alpha1.AccessInternal}
		}, 1},
		"a context on offer": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Endpoint = &v1alpha1.Endpoint{Context: "internal"}
		}, 1},
		"a label": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "prod-1-kubeconfig", Labels: map[string]v1alpha1.LabelValue{"env": "prod"}}}
		}, 1},
		"another key and name in the kubeconfig": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "prod-1-kubeconfig", Key: "kubeconfig", ClusterName: "prod"}}
		}, 1},
		"another Secret": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "elsewhere"}}
		}, 1},
		"another renewal": {func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Renewal = &v1alpha1.Renewal{BeforePercent: new(int32(50))}
		}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := established(t)
			w.Advance(time.Hour)
			w.Change("prod-1", test.change)
			w.Settle("prod-1")
			wantPosts(t, w, test.posts)
			wantConditions(t, w.Get("prod-1"), healthy)
			wantServes(t, w, "prod-1")
			w.Recorder.Reset(nil)
			w.Settle("prod-1")
			w.Restart()
			w.Settle("prod-1")
			if writes := w.Recorder.Writes(); len(writes) > 0 {
				t.Errorf("writes at rest: %v", writes)
			}
			wantPosts(t, w, test.posts)
		})
	}
}

// wantServes checks that the Secret holds what the object's status says, through the
// server that it says.
func wantServes(t *testing.T, w *testkit.World, name string) {
	t.Helper()
	cc := w.Get(name)
	output := v1alpha1.Output{SecretName: name + v1alpha1.DefaultSecretSuffix}
	if len(cc.Spec.Outputs) > 0 {
		output = cc.Spec.Outputs[0]
	}
	key := output.Key
	if key == "" {
		key = v1alpha1.DefaultSecretKey
	}
	secret := w.Secret(output.SecretName)
	if len(secret.Data) != 1 {
		t.Errorf("%d data keys, want 1", len(secret.Data))
	}
	c, err := kubeconfig.Read(secret.Data[key])
	if err != nil {
		t.Fatalf("the stored kubeconfig: %v", err)
	}
	got := []string{c.Server, c.Fingerprint, secret.Annotations[v1alpha1.AnnotationFingerprint]}
	want := []string{cc.Status.Server, cc.Status.Certificate.FingerprintSHA256, cc.Status.Certificate.FingerprintSHA256}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("server and fingerprints (-status +Secret):\n%s", diff)
	}
	for key, value := range output.Labels {
		if secret.Labels[key] != string(value) {
			t.Errorf("label %s=%q, want %q", key, secret.Labels[key], value)
		}
	}
}

func TestALabelThatLeavesTheSpecLeavesTheSecret(t *testing.T) {
	t.Parallel()
	withLabels := func(labels map[string]v1alpha1.LabelValue) func(*v1alpha1.ClusterCredential) {
		return func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "prod-1-kubeconfig", Labels: labels}}
		}
	}
	w := established(t, withLabels(map[string]v1alpha1.LabelValue{"a": "1", "b": "2"}))
	secret := w.Secret("prod-1-kubeconfig")
	secret.Labels["somebody"] = "else"
	w.Must(w.Client.Update(t.Context(), secret))
	w.Change("prod-1", withLabels(map[string]v1alpha1.LabelValue{"b": "3"}))
	w.Settle("prod-1")
	labels := w.Secret("prod-1-kubeconfig").Labels
	delete(labels, v1alpha1.LabelManaged)
	delete(labels, v1alpha1.LabelManagedBy)
	if diff := cmp.Diff(map[string]string{"b": "3", "somebody": "else"}, labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	wantPosts(t, w, 1)
}

func TestAnOutputThatMovesIsFilledFromTheOldOneWhichIsReleased(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.TakeEvents()
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "elsewhere"}}
	})
	w.Settle("prod-1")
	if w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("the old Secret does not say that it was released")
	}
	told := strings.Join(w.TakeEvents(), "\n")
	if !strings.Contains(told, "Normal Released it is no output of ClusterCredential \"prod-1\" any more; its certificate stays valid until 20") {
		t.Errorf("no event tells of the release:\n%s", told)
	}
	states := map[string]v1alpha1.OutputState{}
	for _, o := range w.Get("prod-1").Status.Outputs {
		states[o.SecretName] = o.State
	}
	if diff := cmp.Diff(map[string]v1alpha1.OutputState{"elsewhere": v1alpha1.OutputCurrent, "prod-1-kubeconfig": v1alpha1.OutputReleased}, states); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Outputs = nil })
	w.Settle("prod-1")
	if at := w.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt]; at != "" {
		t.Errorf("the Secret was taken back, and still says released-at %s", at)
	}
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
}

func TestAnOutputThatMovesUnderDeleteIsRemoved(t *testing.T) {
	t.Parallel()
	w := established(t, func(cc *v1alpha1.ClusterCredential) { cc.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "elsewhere"}}
	})
	w.Settle("prod-1")
	if err := w.Client.Get(t.Context(), w.Key("prod-1-kubeconfig"), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("the old Secret: %v, want it gone", err)
	}
	if owners := w.Secret("elsewhere").OwnerReferences; len(owners) != 1 || owners[0].UID != w.Get("prod-1").UID {
		t.Errorf("owners of the new one: %+v", owners)
	}
	wantPosts(t, w, 1)
}

func TestWhileTheClusterChangesTheSecretKeepsItsBytesAndReadyIsFalse(t *testing.T) {
	t.Parallel()
	w := established(t)
	before := w.Secret("prod-1-kubeconfig").Data
	w.Must(w.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Times: ccesim.Forever}))
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID })
	w.Pass("prod-1")
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/Unavailable", "Issued": "False/Unavailable", "Published": "True/Published", "Reconciling": "True/Unavailable",
	})
	if diff := cmp.Diff(before, w.Secret("prod-1-kubeconfig").Data); diff != "" {
		t.Error("the bytes have changed")
	}
	w.Sim.ClearScript()
	w.Settle("prod-1")
	wantConditions(t, w.Get("prod-1"), healthy)
	if got := w.Get("prod-1").Status; got.ClusterID != testkit.OtherID || got.Access != v1alpha1.AccessInternal {
		t.Errorf("cluster %s through %s", got.ClusterID, got.Access)
	}
}

func TestTheAddressIsChosenAsTheSpecSays(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		endpoint *v1alpha1.Endpoint
		cluster  string
		posts    int
		reason   string // of Issued
		access   v1alpha1.Access
	}{
		"Auto takes the external one where there is one":  {nil, testkit.ClusterID, 1, "True/Issued", v1alpha1.AccessExternal},
		"Auto takes the internal one where there is none": {nil, testkit.OtherID, 1, "True/Issued", v1alpha1.AccessInternal},
		"Internal":                     {&v1alpha1.Endpoint{Access: v1alpha1.AccessInternal}, testkit.ClusterID, 1, "True/Issued", v1alpha1.AccessInternal},
		"External where there is none": {&v1alpha1.Endpoint{Access: v1alpha1.AccessExternal}, testkit.OtherID, 0, "False/ContextNotFound", ""},
		"an insecure context":          {&v1alpha1.Endpoint{Context: "external"}, testkit.ClusterID, 1, "False/InsecureEndpoint", ""},
		"a custom SAN":                 {&v1alpha1.Endpoint{Context: "customSAN-0"}, testkit.ClusterID, 1, "True/Issued", v1alpha1.AccessCustom},
		"a context that is not there":  {&v1alpha1.Endpoint{Context: "customSAN-7"}, testkit.ClusterID, 1, "False/ContextNotFound", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := testkit.New(t)
			w.Must(w.Sim.UpdateCluster(testkit.ClusterID, func(c *ccesim.Cluster) { c.CustomSANs = []string{"api.example.com"} }))
			w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) {
				cc.Spec.Endpoint, cc.Spec.Cluster.ID = test.endpoint, test.cluster
			}))
			w.Settle("x")
			for range 30 {
				w.Advance(time.Hour)
				w.Settle("x")
			}
			wantPosts(t, w, test.posts)
			cc := w.Get("x")
			if got := conditions(cc)["Issued"]; got != test.reason || cc.Status.Access != test.access {
				t.Errorf("Issued %s, access %q; want %s, %q", got, cc.Status.Access, test.reason, test.access)
			}
			if test.access == "" && conditions(cc)["Stalled"] == "" {
				t.Errorf("not stalled: %v", conditions(cc))
			}
		})
	}
}

func TestAnAddressThatIsKnownToBeInsecureCostsNoCertificate(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Context: "external"}
	})
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), map[string]string{
		"Ready": "False/InsecureEndpoint", "Issued": "False/InsecureEndpoint", "Published": "True/Published", "Stalled": "True/InsecureEndpoint",
	})
}

func TestAnAddressThatAppearsInTheCloudIsFoundWithoutTheUser(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint, cc.Spec.Cluster.ID = &v1alpha1.Endpoint{Access: v1alpha1.AccessExternal}, testkit.OtherID
	}))
	w.Settle("x")
	w.Must(w.Sim.UpdateCluster(testkit.OtherID, func(c *ccesim.Cluster) { c.ExternalURL = "https://203.0.113.7:5443" }))
	w.Advance(time.Hour)
	w.Settle("x")
	wantConditions(t, w.Get("x"), healthy)
	wantPosts(t, w, 1)
}

func TestAClusterIsFoundByItsName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name, reason string
		posts        int
	}{
		"one that exists":               {"prod-2", "True/Issued", 1},
		"one that does not":             {"prod-9", "False/ClusterNotFound", 0},
		"an alias is no name":           {"payments", "False/ClusterNotFound", 0},
		"one that stands there twice":   {"twin", "False/ClusterAmbiguous", 0},
		"one that is not available now": {"asleep", "False/ClusterNotAvailable", 0}, // what would be refused is not asked for
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := testkit.New(t)
			for _, c := range []ccesim.Cluster{
				{ID: "33333333-3333-4333-8333-333333333333", Name: "twin", ProjectID: testkit.ProjectID},
				{ID: "44444444-4444-4444-8444-444444444444", Name: "twin", ProjectID: testkit.ProjectID},
				{ID: "55555555-5555-4555-8555-555555555555", Name: "asleep", Phase: "Hibernation", ProjectID: testkit.ProjectID},
				{ID: "66666666-6666-4666-8666-666666666666", Name: "prod-6", Alias: "payments", ProjectID: testkit.ProjectID},
			} {
				w.Must(w.Sim.AddCluster(c))
			}
			w.Create(w.Credential("x", func(cc *v1alpha1.ClusterCredential) {
				cc.Spec.Cluster = v1alpha1.ClusterReference{Name: test.name}
			}))
			w.Pass("x")
			cc := w.Get("x")
			if got := conditions(cc)["Issued"]; got != test.reason {
				t.Errorf("Issued %s, want %s", got, test.reason)
			}
			wantPosts(t, w, test.posts)
			issued := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionIssued)
			if test.name == "twin" && !strings.Contains(issued.Message, "33333333-3333-4333-8333-333333333333") {
				t.Errorf("the message names no candidate: %s", issued.Message)
			}
		})
	}
}

func TestAnotherAccountWithTheVerySameKeyAsksForNothing(t *testing.T) {
	t.Parallel()
	w := established(t)
	second := w.CloudAccount()
	second.Name = "again"
	w.Create(second)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.AccountRef.Name = "again" })
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	first := &v1alpha1.CloudAccount{}
	w.Must(w.Client.Get(t.Context(), w.Key(testkit.Account), first))
	w.Must(w.Client.Delete(t.Context(), first))
	w.Restart()
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantConditions(t, w.Get("prod-1"), healthy)
}

// The id of the access key stands in status and on the Secret: one of them is enough.
func TestAnAccountThatIsRenamedAsksForNothing(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testkit.World){
		"both copies are there": func(*testkit.World) {},
		"status was wiped":      func(w *testkit.World) { w.WipeStatus("prod-1") },
		"the Secret was stripped": func(w *testkit.World) {
			secret := w.Secret("prod-1-kubeconfig")
			secret.Labels, secret.Annotations = nil, nil
			w.Must(w.Client.Update(t.Context(), secret))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := established(t)
			first := &v1alpha1.CloudAccount{}
			w.Must(w.Client.Get(t.Context(), w.Key(testkit.Account), first))
			w.Must(w.Client.Delete(t.Context(), first))
			renamed := w.CloudAccount()
			renamed.Name = "renamed"
			w.Create(renamed)
			lose(w)
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.AccountRef.Name = "renamed" })
			w.Settle("prod-1")
			w.Restart()
			w.Settle("prod-1")
			wantPosts(t, w, 1)
			wantConditions(t, w.Get("prod-1"), healthy)
		})
	}
}

// A key of somebody else in the same Secret asks for nothing by itself: with the next certificate the identity changes, which is told.
func TestAnotherUsersKeyInTheSameSecretTellsOfTheIdentityWithTheNextCertificate(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.TakeEvents()
	w.Must(w.Sim.SetKeys(
		ccesim.AccessKey{ID: "AKOTHER", Secret: "sk-other-0000000000000000", UserID: strings.Repeat("a", 32)},
	))
	keys := &corev1.Secret{}
	w.Must(w.Client.Get(t.Context(), client.ObjectKeyFromObject(w.KeySecret()), keys))
	keys.Data = map[string][]byte{v1alpha1.KeyAccessKey: []byte("AKOTHER"), v1alpha1.KeySecretKey: []byte("sk-other-0000000000000000")}
	w.Must(w.Client.Update(t.Context(), keys))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	w.Change("prod-1", newValue("now"))
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	if got := w.Get("prod-1").Status.Certificate.CommonName; got != strings.Repeat("a", 32) {
		t.Errorf("the certificate is for %s", got)
	}
	if events := strings.Join(w.TakeEvents(), "\n"); strings.Count(events, "Warning IdentityChanged") != 1 {
		t.Errorf("events:\n%s", events)
	}
}

func TestAnotherAccountWithAnotherKeyAsksForOneAndTellsOfTheIdentity(t *testing.T) {
	t.Parallel()
	w := established(t)
	w.TakeEvents()
	w.Must(w.Sim.SetKeys(
		ccesim.AccessKey{ID: "AKOTHER", Secret: "sk-other-0000000000000000", UserID: strings.Repeat("a", 32)},
	))
	keys := w.KeySecret()
	keys.Name = "other-keys"
	keys.StringData = map[string]string{v1alpha1.KeyAccessKey: "AKOTHER", v1alpha1.KeySecretKey: "sk-other-0000000000000000\n"}
	w.Create(keys)
	second := w.CloudAccount()
	second.Name, second.Spec.Auth.AccessKey.SecretRef.Name = "other", "other-keys"
	w.Create(second)
	w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.AccountRef.Name = "other" })
	w.Settle("prod-1")
	wantPosts(t, w, 2)
	events := strings.Join(w.TakeEvents(), "\n")
	if !strings.Contains(events, "Warning IdentityChanged") || !strings.Contains(events, "Normal Issued") {
		t.Errorf("events:\n%s", events)
	}
}
