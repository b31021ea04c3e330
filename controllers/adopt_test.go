// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

func adopting(outputs ...v1alpha1.Output) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = outputs
		for i := range cc.Spec.Outputs {
			cc.Spec.Outputs[i].Existing = v1alpha1.ExistingAdopt
		}
	}
}

// handMade is a world with a Secret that somebody made by hand: with a certificate of prod-1, and more in it.
func handMade(t *testing.T, change func(*corev1.Secret), outputs ...v1alpha1.Output) *testkit.World {
	t.Helper()
	w := established(t, withOutputs(outputs...))
	w.Must(w.Client.Delete(t.Context(), w.Get("prod-1")))
	_, _ = w.Try("prod-1")
	for _, o := range outputs {
		stored := w.Secret(o.SecretName)
		w.Must(w.Client.Delete(t.Context(), stored))
		made := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: o.SecretName, Labels: map[string]string{"team": "a"}},
			Data:       stored.Data, Type: stored.Type,
		}
		maps.DeleteFunc(made.Labels, func(key, _ string) bool { return strings.HasPrefix(key, "clustercredential") })
		change(made)
		w.Create(made)
	}
	w.Restart()
	w.TakeEvents()
	return w
}

var asItIs = func(*corev1.Secret) {}

func TestAHandMadeSecretIsAdoptedAndItsCertificateServedOn(t *testing.T) {
	t.Parallel()
	plain := v1alpha1.Output{SecretName: "prod-1-kubeconfig"}
	for name, test := range map[string]struct {
		output v1alpha1.Output
		change func(*corev1.Secret)
	}{
		"as we write it": {plain, asItIs},
		"a kubeconfig with several contexts": {plain, func(s *corev1.Secret) {
			config, err := clientcmd.Load(s.Data["value"])
			if err != nil {
				t.Error(err)
				return
			}
			config.Clusters["other"] = &api.Cluster{Server: "https://192.0.2.1:1", InsecureSkipTLSVerify: true}
			config.Contexts["other"] = &api.Context{Cluster: "other", AuthInfo: config.Contexts[config.CurrentContext].AuthInfo}
			config.CurrentContext = "other"
			s.Data["value"], err = clientcmd.Write(*config)
			if err != nil {
				t.Error(err)
			}
		}},
		"under another key": {v1alpha1.Output{SecretName: "prod-1-kubeconfig", Key: "kubeconfig"}, func(s *corev1.Secret) {
			s.Data["config"] = s.Data["kubeconfig"]
			delete(s.Data, "kubeconfig")
		}},
		"a cluster of Argo CD": {v1alpha1.Output{SecretName: "argo", Format: v1alpha1.FormatArgoCD}, asItIs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := handMade(t, test.change, test.output)
			before := w.Posts()
			w.Create(w.Credential("prod-1", adopting(test.output)))
			w.Settle("prod-1")
			wantPosts(t, w, before)
			wantCarried(t, w)
			wantConditions(t, w.Get("prod-1"), healthy)
			if w.Secret(test.output.SecretName).Labels["team"] != "a" {
				t.Error("its label is gone")
			}
			if told := strings.Join(w.TakeEvents(), "\n"); !strings.Contains(told, "Normal Adopted Secret ") {
				t.Errorf("events:\n%s", told)
			}
			w.Recorder.Reset(nil)
			w.Restart()
			w.Settle("prod-1")
			if writes := w.Recorder.Writes(); len(writes) > 0 {
				t.Errorf("after a restart: %v", writes)
			}
			w.Clock.SetTime(w.Get("prod-1").Status.RenewalTime.Time)
			w.Settle("prod-1")
			wantPosts(t, w, before+1)
			wantCarried(t, w)
		})
	}
}

func TestACertificateThatDoesNotFitIsReplacedAndNoted(t *testing.T) {
	t.Parallel()
	o := v1alpha1.Output{SecretName: "prod-1-kubeconfig"}
	for name, change := range map[string]struct {
		secret  func(*corev1.Secret)
		spec    func(*v1alpha1.ClusterCredential)
		noted   int
		expired bool
	}{
		"of another cluster": {asItIs, func(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }, 2, false},
		"unreadable":         {func(s *corev1.Secret) { s.Data = map[string][]byte{"value": []byte("x")} }, func(*v1alpha1.ClusterCredential) {}, 1, false},
		"expired":            {asItIs, func(*v1alpha1.ClusterCredential) {}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := handMade(t, change.secret, o)
			if name == "of another cluster" { // which is told by the CA
				certificate, key := newAuthority(t)
				w.Must(w.Sim.SetCA(certificate, key, nil))
			}
			if change.expired {
				w.Advance(31 * day)
			}
			before := w.Posts()
			w.Create(w.Credential("prod-1", adopting(o), change.spec))
			w.Settle("prod-1")
			wantPosts(t, w, before+1)
			wantCarried(t, w)
			if got := len(w.Get("prod-1").Status.History); got != change.noted && !change.expired {
				t.Errorf("%d entries in the history, want %d: %+v", got, change.noted, w.Get("prod-1").Status.History)
			}
		})
	}
}

func TestWhatWouldHarmSomebodyIsNotAdopted(t *testing.T) {
	t.Parallel()
	plain, argo := v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "argo", Format: v1alpha1.FormatArgoCD}
	for name, test := range map[string]struct {
		output v1alpha1.Output
		change func(*corev1.Secret)
		want   string
	}{
		"one that Flux keeps":     {plain, func(s *corev1.Secret) { s.Labels["kustomize.toolkit.fluxcd.io/name"] = "a" }, "kustomize.toolkit.fluxcd.io/prune: disabled"},
		"another name in Argo CD": {argo, func(s *corev1.Secret) { s.Data["name"] = []byte("production") }, "write spec.outputs[0].clusterName"},
		"another type":            {plain, func(s *corev1.Secret) { s.Type = "example.com/a" }, `it has the type "example.com/a"`},
		"another key for istiod":  {v1alpha1.Output{SecretName: "istio", Format: v1alpha1.FormatIstio}, func(s *corev1.Secret) { s.Data["b"] = []byte("x") }, `the key "b" besides`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := handMade(t, test.change, test.output)
			before, bytes := w.Posts(), w.Secret(test.output.SecretName).ResourceVersion
			w.Create(w.Credential("prod-1", adopting(test.output)))
			w.Pass("prod-1")
			w.Pass("prod-1")
			wantPosts(t, w, before)
			if message := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionPublished); !strings.Contains(message, test.want) {
				t.Errorf("Published says %q", message)
			}
			if got := w.Secret(test.output.SecretName).ResourceVersion; got != bytes {
				t.Error("it was written")
			}
		})
	}
}

func TestAFurtherOutputIsAdoptedWithoutACertificate(t *testing.T) {
	t.Parallel()
	w := testkit.New(t)
	w.Create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "argo", Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster"}},
		StringData: map[string]string{"name": "prod-1", "server": w.Cluster.URL(), "config": "{}", "shard": "2"},
	})
	w.Create(w.Credential("prod-1", adopting(v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "argo", Format: v1alpha1.FormatArgoCD})))
	w.Settle("prod-1")
	wantPosts(t, w, 1)
	wantCarried(t, w)
	if got := string(w.Secret("argo").Data["shard"]); got != "2" {
		t.Errorf("shard is %q", got)
	}
}

// Argo CD knows a cluster by its URL: another one would take its Applications their destination.
func TestAClusterOfArgoCDKeepsItsAddressOrIsNotAdopted(t *testing.T) {
	t.Parallel()
	argo := v1alpha1.Output{SecretName: "argo", Format: v1alpha1.FormatArgoCD}
	internal := func(s *corev1.Secret) { s.Data["server"] = []byte("https://192.168.0.10:5443") }
	for name, change := range map[string]func(*corev1.Secret){
		"with its certificate": internal,
		"without one":          func(s *corev1.Secret) { internal(s); s.Data["config"] = []byte("{}") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := handMade(t, change, argo)
			before, version := w.Posts(), w.Secret("argo").ResourceVersion
			w.Create(w.Credential("prod-1", adopting(argo)))
			asked := w.Sim.Requests()[string(ccesim.OpShow)]
			for range 30 {
				w.Pass("prod-1")
				w.Advance(time.Minute)
			}
			wantPosts(t, w, before)
			if n := w.Sim.Requests()[string(ccesim.OpShow)] - asked; n > 2 {
				t.Errorf("the cloud was asked %d times in half an hour", n)
			}
			if message := conditionMessage(w.Get("prod-1"), v1alpha1.ConditionPublished); !strings.Contains(message, "Argo CD knows the cluster by https://192.168.0.10:5443") {
				t.Errorf("Published says %q", message)
			}
			if w.Secret("argo").ResourceVersion != version {
				t.Error("it was written")
			}
			w.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
				cc.Spec.Endpoint = &v1alpha1.Endpoint{Access: v1alpha1.AccessInternal}
			})
			w.Settle("prod-1")
			wantCarried(t, w)
			if got := string(w.Secret("argo").Data["server"]); got != "https://192.168.0.10:5443" {
				t.Errorf("the server is %s", got)
			}
		})
	}
}
