// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/controllers/verify"
	"github.com/clustercredential/operator/hack/ccesim"
)

// hub is a world with a second namespace, in which Argo CD finds its clusters.
type hub struct {
	*testkit.World
	argocd string
}

// newHub is a hub whose operator writes into other namespaces. A ClusterCredential is not there yet.
func newHub(t *testing.T) *hub {
	t.Helper()
	w := testkit.New(t)
	h := &hub{w, w.Beside("argocd")}
	w.SetCrossNamespaceOutputs(true)
	return h
}

// grant is the consent of argocd to cluster-* of the format ArgoCD.
func (h *hub) grant(changes ...func(*v1alpha1.CredentialGrant)) *v1alpha1.CredentialGrant {
	g := &v1alpha1.CredentialGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: h.argocd, Name: "hub"},
		Spec: v1alpha1.CredentialGrantSpec{
			From: []v1alpha1.GrantSource{{Namespace: h.Namespace}},
			To:   v1alpha1.GrantTarget{SecretNames: []string{"cluster-*"}, Formats: []v1alpha1.OutputFormat{v1alpha1.FormatArgoCD}},
		},
	}
	for _, change := range changes {
		change(g)
	}
	return g
}

// away is an output in argocd.
func (h *hub) away(changes ...func(*v1alpha1.Output)) v1alpha1.Output {
	o := v1alpha1.Output{SecretName: "cluster-prod-1", Namespace: h.argocd, Format: v1alpha1.FormatArgoCD}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// create makes prod-1 with that output, beside one at home and the primary one.
func (h *hub) create(away v1alpha1.Output, changes ...func(*v1alpha1.ClusterCredential)) {
	h.T.Helper()
	outputs := withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, away, v1alpha1.Output{SecretName: "tls", Format: v1alpha1.FormatTLS})
	h.Create(h.Credential("prod-1", append([]func(*v1alpha1.ClusterCredential){outputs}, changes...)...))
}

// establish is a hub whose Secret in argocd is written.
func establish(t *testing.T, changes ...func(*v1alpha1.Output)) *hub {
	t.Helper()
	h := newHub(t)
	h.Create(h.grant())
	h.create(h.away(changes...))
	h.Settle("prod-1")
	h.wantWritten(t)
	wantConditions(t, h.Get("prod-1"), healthy)
	h.Recorder.Reset(nil)
	return h
}

// secretAt reads a Secret of argocd; nil: there is none.
func (h *hub) secretAt(name string) *corev1.Secret {
	h.T.Helper()
	secret := &corev1.Secret{}
	err := h.Client.Get(h.T.Context(), types.NamespacedName{Namespace: h.argocd, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	h.Must(err)
	return secret
}

// wantWritten holds that the Secret in argocd holds the published certificate.
func (h *hub) wantWritten(t *testing.T) {
	t.Helper()
	secret := h.secretAt("cluster-prod-1")
	if secret == nil {
		t.Fatalf("nothing was written into %s: %s", h.argocd, conditionMessage(h.Get("prod-1"), v1alpha1.ConditionPublished))
	}
	c, err := output.Read(secret.Data, h.away(), output.Facts{})
	if err != nil || c.Fingerprint != h.Get("prod-1").Status.Certificate.FingerprintSHA256 {
		t.Errorf("the Secret in %s does not hold the published certificate: %v", h.argocd, err)
	}
	if len(secret.OwnerReferences) > 0 {
		t.Error("an owner reference reaches into another namespace")
	}
}

// wantUnwritten holds that the output in argocd is refused, in these words, and that nothing else suffers.
func (h *hub) wantUnwritten(t *testing.T, reason v1alpha1.Reason, words ...string) {
	t.Helper()
	message := conditionMessage(h.Get("prod-1"), v1alpha1.ConditionPublished)
	for _, word := range words {
		if !strings.Contains(message, word) {
			t.Errorf("Published does not say %q: %q", word, message)
		}
	}
	want := map[string]string{"prod-1-kubeconfig": "Current", "cluster-prod-1": "Failed/" + string(reason), "tls": "Current"}
	if diff := cmp.Diff(want, states(h.World)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if got := conditions(h.Get("prod-1")); got["Issued"] != "True/Issued" || got["Published"] != "False/"+string(reason) {
		t.Errorf("conditions: %v", got)
	}
	wantPosts(t, h.World, 1)
}

// pass makes some passes, a minute apart.
func (h *hub) pass(n int) {
	h.T.Helper()
	for range n {
		h.Pass("prod-1")
		h.Advance(time.Minute)
	}
}

func TestWithoutConsentNothingIsWrittenIntoAnotherNamespace(t *testing.T) {
	t.Parallel()
	custom := func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Endpoint = &v1alpha1.Endpoint{Server: "https://lb.example.com"}
	}
	template := func(o *v1alpha1.Output) {
		o.Format, o.Template = v1alpha1.FormatTemplate, &v1alpha1.OutputTemplate{Data: map[string]v1alpha1.TemplateText{"a": "b"}}
	}
	for name, test := range map[string]struct {
		grant  func(*v1alpha1.CredentialGrant) // nil: there is none
		output func(*v1alpha1.Output)
		change func(*v1alpha1.ClusterCredential)
		words  []string
	}{
		"no grant": {words: []string{"spec.outputs[1].namespace", "no CredentialGrant"}},
		"to others": {
			grant: func(g *v1alpha1.CredentialGrant) { g.Spec.From[0].Namespace = "other" },
			words: []string{"no CredentialGrant"},
		},
		"of another name": {
			grant: func(g *v1alpha1.CredentialGrant) { g.Spec.To.SecretNames[0] = "prod-*" },
			words: []string{"no CredentialGrant"},
		},
		"a label that is not listed": {
			grant:  func(g *v1alpha1.CredentialGrant) { g.Spec.To.LabelKeys = []string{"region"} },
			output: func(o *v1alpha1.Output) { o.Labels = map[string]v1alpha1.LabelValue{"env": "prod", "region": "eu"} },
			words:  []string{"the label env (spec.to.labelKeys)"},
		},
		"a template that is not named": {
			grant:  func(g *v1alpha1.CredentialGrant) { g.Spec.To.Formats, g.Spec.To.CustomEndpoint = nil, true },
			output: template, words: []string{"the format Template"},
		},
		"a server of its own": {
			grant: func(*v1alpha1.CredentialGrant) {}, change: custom, words: []string{"spec.to.customEndpoint"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			if test.grant != nil {
				h.Create(h.grant(test.grant))
			}
			nothing := func(*v1alpha1.ClusterCredential) {}
			if test.change == nil {
				test.change = nothing
			}
			if test.output == nil {
				test.output = func(*v1alpha1.Output) {}
			}
			h.create(h.away(test.output), test.change)
			h.pass(3)
			h.wantUnwritten(t, v1alpha1.ReasonNotGranted, test.words...)
			if h.secretAt("cluster-prod-1") != nil {
				t.Error("it was written all the same")
			}

			h.Recorder.Reset(nil)
			h.pass(2)
			if calls := h.Recorder.Calls(); len(calls) > 0 {
				t.Errorf("at rest: %v", calls)
			}
			all := h.grant(func(g *v1alpha1.CredentialGrant) {
				g.Name = "all"
				g.Spec.To = v1alpha1.GrantTarget{
					SecretNames: []string{"*"}, LabelKeys: []string{"env", "region"}, CustomEndpoint: true,
					Formats: []v1alpha1.OutputFormat{v1alpha1.FormatArgoCD, v1alpha1.FormatTemplate},
				}
			})
			h.Create(all)
			h.Settle("prod-1")
			wantPosts(t, h.World, 1)
			wantConditions(t, h.Get("prod-1"), healthy)
			if h.secretAt("cluster-prod-1") == nil {
				t.Error("with consent to everything it is not written")
			}
		})
	}
}

func TestTheFlagAndTheNamespacesOfTheOperatorBound(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.Create(h.grant())
	h.SetCrossNamespaceOutputs(false)
	h.create(h.away(func(o *v1alpha1.Output) { o.DeletionPolicy = v1alpha1.DeletionDelete }))
	h.pass(2)
	h.wantUnwritten(t, v1alpha1.ReasonNotGranted, "--cross-namespace-outputs")
	if finalizers := h.Get("prod-1").Finalizers; len(finalizers) > 0 {
		t.Errorf("finalizers: %v", finalizers)
	}
	h.SetCrossNamespaceOutputs(true, h.Namespace)
	h.pass(2)
	h.wantUnwritten(t, v1alpha1.ReasonWriteRefused, "is not among --namespaces")
	h.SetCrossNamespaceOutputs(true)
	h.Settle("prod-1")
	h.wantWritten(t)
}

func TestConsentIsWithdrawnAndGivenAgain(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(*hub){
		"": func(*hub) {}, "and the operator restarted": func(h *hub) { h.Restart() },
		"and status wiped": func(h *hub) { h.WipeStatus("prod-1"); h.Restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := establish(t)
			before := h.secretAt("cluster-prod-1")
			h.Must(h.Client.Delete(t.Context(), h.grant()))
			meanwhile(h)
			h.pass(2)
			said := h.Get("prod-1").Status.Outputs[1]
			if said.State != v1alpha1.OutputStale || said.Reason != v1alpha1.ReasonNotGranted || said.NotAfter == nil || said.Revision != 1 {
				t.Errorf("status: %+v", said)
			}
			if got := conditions(h.Get("prod-1")); got["Ready"] != "True/Valid" || got["Published"] != "False/NotGranted" {
				t.Errorf("conditions: %v", got)
			}
			wiped := name == "and status wiped"
			if !wiped { // a status without history does not know the certificate before
				h.Change("prod-1", newValue("1"))
				h.pass(4)
				wantPosts(t, h.World, 2)
				if said := h.Get("prod-1").Status.Outputs[1]; said.State != v1alpha1.OutputStale || said.Revision != 1 {
					t.Errorf("status after a renewal: %+v", said)
				}
			}
			if diff := cmp.Diff(before, h.secretAt("cluster-prod-1")); diff != "" {
				t.Errorf("it was written (-before +after):\n%s", diff)
			}
			h.Create(h.grant())
			h.Settle("prod-1")
			h.wantWritten(t)
			wantConditions(t, h.Get("prod-1"), healthy)
		})
	}
}

func TestASecretThatWasRemovedAfterConsentWasWithdrawnIsNotThere(t *testing.T) {
	t.Parallel()
	h := establish(t)
	h.Must(h.Client.Delete(t.Context(), h.grant()))
	h.pass(1)
	h.Must(h.Client.Delete(t.Context(), h.secretAt("cluster-prod-1")))
	h.pass(2)
	h.wantUnwritten(t, v1alpha1.ReasonNotGranted)
	if got := conditions(h.Get("prod-1"))["Ready"]; got != "False/NotGranted" {
		t.Errorf("Ready is %s", got)
	}
}

func TestSomebodyElsesSecretInAnotherNamespaceIsLeftAlone(t *testing.T) {
	t.Parallel()
	marked := func(namespace, name string) map[string]string {
		return map[string]string{v1alpha1.AnnotationCredential: name, v1alpha1.AnnotationCredentialNamespace: namespace}
	}
	for name, annotations := range map[string]func(h *hub) map[string]string{
		"without marks":               func(*hub) map[string]string { return nil },
		"of a local of the same name": func(h *hub) map[string]string { return marked(h.argocd, "prod-1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.Create(h.grant())
			local := foreign(h.World, "cluster-prod-1")
			local.Namespace, local.Annotations = h.argocd, annotations(h)
			if local.Annotations != nil {
				local.Labels = map[string]string{v1alpha1.LabelManaged: "true"}
				cc := h.Credential("prod-1", withOutputs(v1alpha1.Output{SecretName: "cluster-prod-1"}))
				cc.Namespace = h.argocd
				h.Create(cc)
			}
			h.Create(local)
			h.create(h.away())
			h.pass(3)
			h.wantUnwritten(t, v1alpha1.ReasonSecretConflict, "Secret "+h.argocd+"/cluster-prod-1")
			if diff := cmp.Diff(map[string][]byte{"value": []byte("somebody's own")}, h.secretAt("cluster-prod-1").Data); diff != "" {
				t.Error("it was written")
			}
		})
	}
}

// local makes a ClusterCredential of argocd itself.
func (h *hub) local(name string, outputs ...v1alpha1.Output) types.NamespacedName {
	h.T.Helper()
	account, key, cc := h.CloudAccount(), h.KeySecret(), h.Credential(name, withOutputs(outputs...))
	account.Namespace, key.Namespace, cc.Namespace = h.argocd, h.argocd, h.argocd
	h.Create(key)
	h.Create(account)
	h.Create(cc)
	return types.NamespacedName{Namespace: h.argocd, Name: name}
}

func TestTwoOfOneNameDoNotTakeEachOthersSecrets(t *testing.T) {
	t.Parallel()
	h := establish(t)
	local := h.local("prod-1", v1alpha1.Output{SecretName: "prod-1-kubeconfig"}, v1alpha1.Output{SecretName: "cluster-prod-1"})
	round := func() {
		for range 3 {
			h.Pass("prod-1")
			_, err := h.TryAt(local)
			h.Must(err)
			h.Advance(10 * time.Second)
		}
	}
	round()
	h.wantWritten(t)
	wantConditions(t, h.Get("prod-1"), healthy)
	theirs := &v1alpha1.ClusterCredential{}
	h.Must(h.Client.Get(t.Context(), local, theirs))
	if got := theirs.Status.Outputs[1]; got.Reason != v1alpha1.ReasonSecretConflict {
		t.Errorf("the local one says of it: %+v", got)
	}
	if message := conditionMessage(theirs, v1alpha1.ConditionPublished); !strings.Contains(message, `of namespace "`+h.Namespace+`"`) {
		t.Errorf("the message does not name the holder: %s", message)
	}
	if released := h.secretAt("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt]; released != "" {
		t.Error("the local one's Secret was released")
	}

	h.Must(h.Client.Delete(t.Context(), theirs)) // which lets go of nothing of ours
	round()
	if h.secretAt("cluster-prod-1").Annotations[v1alpha1.AnnotationReleasedAt] != "" {
		t.Error("our Secret was released with the local ClusterCredential")
	}
	if h.secretAt("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		t.Error("the local one's was not")
	}
	wantConditions(t, h.Get("prod-1"), healthy)
}

// Whoever names a Secret somewhere must not keep its owner from it.
func TestAnOutputWithoutConsentKeepsNobodyFromItsName(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.create(h.away())
	h.pass(2)
	h.Advance(time.Minute)
	local := h.local("theirs", v1alpha1.Output{SecretName: "cluster-prod-1"})
	for range 3 {
		_, err := h.TryAt(local)
		h.Must(err)
	}
	if secret := h.secretAt("cluster-prod-1"); secret == nil || secret.Annotations[v1alpha1.AnnotationCredential] != "theirs" {
		t.Error("the owner of the namespace did not get its Secret")
	}
}

func TestASecretInAnotherNamespaceStaysOrGoesWithItsObject(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionRetain, v1alpha1.DeletionDelete} {
		for name, meanwhile := range map[string]func(*hub){
			"": func(*hub) {}, ", without consent": func(h *hub) { h.Must(h.Client.Delete(h.T.Context(), h.grant())) },
			", without the flag": func(h *hub) { h.SetCrossNamespaceOutputs(false) },
		} {
			t.Run(string(policy)+name, func(t *testing.T) {
				t.Parallel()
				h := establish(t, func(o *v1alpha1.Output) { o.DeletionPolicy = policy })
				goes := policy == v1alpha1.DeletionDelete
				if has := slices.Contains(h.Get("prod-1").Finalizers, v1alpha1.FinalizerOutputs); has != goes {
					t.Errorf("the finalizer is there: %v", has)
				}
				meanwhile(h)
				h.Must(h.Sim.Script(ccesim.Fault{Name: ccesim.FaultServerError, Times: ccesim.Forever}))
				h.Must(h.Client.Delete(t.Context(), h.Get("prod-1")))
				h.Pass("prod-1")
				if err := h.Client.Get(t.Context(), h.Key("prod-1"), &v1alpha1.ClusterCredential{}); !apierrors.IsNotFound(err) {
					t.Fatalf("the object: %v, want it gone", err)
				}
				h.Pass("prod-1")
				switch secret := h.secretAt("cluster-prod-1"); {
				case goes && secret != nil:
					t.Error("the Secret is still there")
				case !goes && (secret == nil || secret.Annotations[v1alpha1.AnnotationReleasedAt] == ""):
					t.Error("the Secret does not say that it was released")
				}
				if h.Secret("prod-1-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
					t.Error("the Secret at home does not say that it was released")
				}
			})
		}
	}
}

// A Secret that is written is never without the finalizer, and one that goes with its object is gone before it.
func TestWhateverRequestFailsASecretGoesBeforeItsObject(t *testing.T) {
	t.Parallel()
	goes := func(o *v1alpha1.Output) { o.DeletionPolicy = v1alpha1.DeletionDelete }
	for _, after := range []bool{false, true} {
		for failing := range 14 {
			t.Run(fmt.Sprintf("request %d, carried out: %v", failing, after), func(t *testing.T) {
				t.Parallel()
				h := newHub(t)
				h.Create(h.grant())
				h.create(h.away(goes))
				fault := func(number int, _ testkit.Call) (error, bool) {
					if number == failing {
						return testkit.ConnectionReset(), after
					}
					return nil, false
				}
				h.Recorder.Reset(fault)
				for range 6 {
					_, _ = h.Try("prod-1")
					held := slices.Contains(h.Get("prod-1").Finalizers, v1alpha1.FinalizerOutputs)
					if h.secretAt("cluster-prod-1") != nil && !held {
						t.Error("the Secret is there, and the finalizer is not")
					}
					h.Advance(time.Minute)
				}
				h.wantWritten(t)
				h.Must(h.Client.Delete(t.Context(), h.Get("prod-1")))
				h.Recorder.Reset(fault)
				for range 3 {
					_, _ = h.Try("prod-1")
					err := h.Client.Get(t.Context(), h.Key("prod-1"), &v1alpha1.ClusterCredential{})
					if apierrors.IsNotFound(err) && h.secretAt("cluster-prod-1") != nil {
						t.Fatal("the object went before the Secret")
					}
				}
				if h.secretAt("cluster-prod-1") != nil {
					t.Error("the Secret is still there")
				}
			})
		}
	}
}

func TestWhatIsNotOursAnyMoreDoesNotHoldTheObject(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(*hub, *corev1.Secret){
		"gone": func(h *hub, s *corev1.Secret) { h.Must(h.Client.Delete(h.T.Context(), s)) },
		"somebody else's": func(h *hub, s *corev1.Secret) {
			delete(s.Labels, v1alpha1.LabelManaged)
			maps.DeleteFunc(s.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, "clustercredential.dev/") })
			h.Must(h.Client.Update(h.T.Context(), s))
		},
		"in a namespace that is being deleted": func(h *hub, _ *corev1.Secret) {
			h.Must(h.Client.Delete(h.T.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: h.argocd}}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := establish(t, func(o *v1alpha1.Output) { o.DeletionPolicy = v1alpha1.DeletionDelete })
			meanwhile(h, h.secretAt("cluster-prod-1"))
			h.Must(h.Client.Delete(t.Context(), h.Get("prod-1")))
			h.Pass("prod-1")
			if err := h.Client.Get(t.Context(), h.Key("prod-1"), &v1alpha1.ClusterCredential{}); !apierrors.IsNotFound(err) {
				t.Errorf("the object: %v, want it gone", err)
			}
			if secret := h.secretAt("cluster-prod-1"); (secret != nil) != (name == "somebody else's") {
				t.Errorf("the Secret is there: %v", secret != nil)
			}
		})
	}
}

// Deleting must not hang on what the API server does not let the operator do: it is told, and the Secret stays.
func TestASecretThatMayNotBeRemovedIsLeftBehindAndTold(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"get", "delete"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			h := establish(t, func(o *v1alpha1.Output) { o.DeletionPolicy = v1alpha1.DeletionDelete })
			h.TakeEvents()
			h.Recorder.Reset(func(_ int, call testkit.Call) (error, bool) {
				if call.Verb == verb && call.Kind == "Secret" {
					return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "cluster-prod-1", nil), false
				}
				return nil, false
			})
			h.Must(h.Client.Delete(t.Context(), h.Get("prod-1")))
			h.Pass("prod-1")
			if err := h.Client.Get(t.Context(), h.Key("prod-1"), &v1alpha1.ClusterCredential{}); !apierrors.IsNotFound(err) {
				t.Errorf("the object: %v, want it gone", err)
			}
			if h.secretAt("cluster-prod-1") == nil {
				t.Error("the Secret is gone")
			}
			if told := strings.Join(h.TakeEvents(), "\n"); !strings.Contains(told, "Warning WriteRefused left behind: ") || !strings.Contains(told, h.argocd+"/cluster-prod-1") {
				t.Errorf("events:\n%s", told)
			}
		})
	}
}

// A grant says whether a Secret that stands there already may be taken over; its certificate is taken for the primary one's.
func TestASecretInAnotherNamespaceIsAdoptedWithConsentOnly(t *testing.T) {
	t.Parallel()
	for _, consent := range []bool{false, true} {
		t.Run(fmt.Sprint("consent: ", consent), func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.Create(h.grant(func(g *v1alpha1.CredentialGrant) { g.Spec.To.Adopt = consent }))
			h.Create(&corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: h.argocd, Name: "cluster-prod-1", Labels: map[string]string{"team": "a"}},
				StringData: map[string]string{"name": h.Namespace + "-prod-1", "server": h.Cluster.URL(), "config": "{}", "shard": "2"},
			})
			h.create(h.away(func(o *v1alpha1.Output) { o.Existing = v1alpha1.ExistingAdopt }))
			h.pass(4)
			if !consent {
				h.wantUnwritten(t, v1alpha1.ReasonNotGranted)
				if got := string(h.secretAt("cluster-prod-1").Data["config"]); got != "{}" {
					t.Errorf("it was written: %d bytes", len(got))
				}
				return
			}
			h.wantWritten(t)
			wantConditions(t, h.Get("prod-1"), healthy)
			if secret := h.secretAt("cluster-prod-1"); string(secret.Data["shard"]) != "2" || secret.Labels["team"] != "a" {
				t.Error("what somebody wrote beside it is gone")
			}
		})
	}
}

func TestWhileItsNamespaceIsDeletedTheSecretIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	h := establish(t)
	h.Must(h.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: h.argocd}}))
	h.Must(h.Client.Delete(t.Context(), h.secretAt("cluster-prod-1")))
	h.pass(2)
	h.wantUnwritten(t, v1alpha1.ReasonWriteRefused, "the namespace is being deleted")
}

func TestAnOutputInAnotherNamespaceThatLeavesTheSpec(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy    v1alpha1.DeletionPolicy
		suspended time.Duration // from when it leaves
		posts     int
	}{
		"with Retain":                        {v1alpha1.DeletionRetain, 0, 1},
		"with Retain, while suspended":       {v1alpha1.DeletionRetain, time.Hour, 1},
		"with Retain, suspended past expiry": {v1alpha1.DeletionRetain, 40 * day, 2},
		"with Delete":                        {v1alpha1.DeletionDelete, 0, 1},
		"with Delete, while suspended":       {v1alpha1.DeletionDelete, time.Hour, 1},
		"with Delete, suspended past expiry": {v1alpha1.DeletionDelete, 40 * day, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := test.policy
			h := establish(t, func(o *v1alpha1.Output) { o.DeletionPolicy = policy })
			h.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
				cc.Spec.Suspend = test.suspended > 0
				withOutputs(v1alpha1.Output{SecretName: "prod-1-kubeconfig"})(cc)
			})
			h.pass(3)
			h.Advance(test.suspended)
			h.pass(3)
			h.Change("prod-1", func(cc *v1alpha1.ClusterCredential) { cc.Spec.Suspend = false })
			h.pass(3)
			wantPosts(t, h.World, test.posts)
			wantConditions(t, h.Get("prod-1"), healthy)
			if finalizers := h.Get("prod-1").Finalizers; len(finalizers) > 0 {
				t.Errorf("finalizers: %v", finalizers)
			}
			secret := h.secretAt("cluster-prod-1")
			if policy == v1alpha1.DeletionDelete {
				if secret != nil {
					t.Error("the Secret is still there")
				}
				return
			}
			if secret == nil || secret.Annotations[v1alpha1.AnnotationReleasedAt] == "" {
				t.Error("the Secret does not say that it was released")
			}
		})
	}
}

func TestAChangedPolicyIsNotedAndTheFinalizerFollows(t *testing.T) {
	t.Parallel()
	h := establish(t)
	for _, goes := range []bool{true, false} {
		h.Change("prod-1", func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.DeletionPolicy = v1alpha1.DeletionRetain
			if goes {
				cc.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			}
		})
		h.Settle("prod-1")
		h.pass(1)
		if has := slices.Contains(h.Get("prod-1").Finalizers, v1alpha1.FinalizerOutputs); has != goes {
			t.Errorf("the finalizer is there: %v, want %v", has, goes)
		}
		if _, says := h.secretAt("cluster-prod-1").Annotations[v1alpha1.AnnotationDeletionPolicy]; says != goes {
			t.Errorf("the Secret says that it goes: %v, want %v", says, goes)
		}
		h.Recorder.Reset(nil)
		h.pass(2)
		if writes := h.Recorder.Writes(); len(writes) > 0 {
			t.Errorf("at rest: %v", writes)
		}
	}
	wantPosts(t, h.World, 1)
}

func TestALostPrimaryIsFilledFromAnotherNamespaceOnlyWithWhatIsKnown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meanwhile func(*hub, *corev1.Secret)
		posts     int
	}{
		"as it was written": {func(*hub, *corev1.Secret) {}, 1},
		"without consent":   {func(h *hub, _ *corev1.Secret) { h.Must(h.Client.Delete(h.T.Context(), h.grant())) }, 2},
		"with another server": {func(h *hub, s *corev1.Secret) {
			s.Data["server"] = []byte("https://evil.example.com:5443")
			h.Must(h.Client.Update(h.T.Context(), s))
		}, 2},
		"with marks that lie": {func(h *hub, s *corev1.Secret) {
			s.Annotations[v1alpha1.AnnotationRevision] = "1000000"
			s.Annotations[v1alpha1.AnnotationSource] = `{"contexts":[{"name":"externalTLSVerify","server":"https://evil.example.com","verified":true}]}`
			h.Must(h.Client.Update(h.T.Context(), s))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := establish(t)
			server := h.Get("prod-1").Status.Server
			test.meanwhile(h, h.secretAt("cluster-prod-1"))
			for _, lost := range []string{"prod-1-kubeconfig", "tls"} {
				h.Must(h.Client.Delete(t.Context(), h.Secret(lost)))
			}
			h.pass(3)
			wantPosts(t, h.World, test.posts)
			cc := h.Get("prod-1")
			if cc.Status.Server != server || cc.Status.Revision != int64(test.posts) {
				t.Errorf("server %s, revision %d", cc.Status.Server, cc.Status.Revision)
			}
			c, err := output.Read(h.Secret("prod-1-kubeconfig").Data, v1alpha1.Output{}, output.Facts{})
			if err != nil || c.Server != server || c.Fingerprint != cc.Status.Certificate.FingerprintSHA256 {
				t.Errorf("the primary: server %s, %v", c.Server, err)
			}
		})
	}
}

func TestInAnotherNamespaceArgoCDIsToldTheNamespaceToo(t *testing.T) {
	t.Parallel()
	h := establish(t)
	if got := string(h.secretAt("cluster-prod-1").Data["name"]); got != h.Namespace+"-prod-1" {
		t.Errorf("Argo CD's name is %s", got)
	}
}

const evil = "https://evil.example.com:443"

// noting notes the servers that are tried.
type noting struct {
	mu      sync.Mutex
	servers []string
}

func (n *noting) Try(_ context.Context, c kubeconfig.Credential, _ bool) verify.Outcome {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers = append(n.servers, c.Server)
	return accepts
}

// What stands in the primary Secret its editors may have written: it is published at home, tried behind the guard, and never
// written into another namespace.
func TestAnAddressThatOnlyTheSecretNamesIsNotPublishedElsewhere(t *testing.T) {
	t.Parallel()
	contexts := func(s *corev1.Secret) {
		source := map[string]any{}
		if err := json.Unmarshal([]byte(s.Annotations[v1alpha1.AnnotationSource]), &source); err != nil {
			panic(err)
		}
		source["contexts"] = []map[string]any{{"name": "customSAN-9", "server": evil, "verified": true}}
		text, err := json.Marshal(source)
		if err != nil {
			panic(err)
		}
		s.Annotations[v1alpha1.AnnotationSource] = string(text)
	}
	for name, edit := range map[string]func(*hub, *corev1.Secret){
		"by its marks": func(_ *hub, s *corev1.Secret) { contexts(s) },
		"and a certificate of somebody's own": func(h *hub, s *corev1.Secret) {
			h.Create(h.Credential("theirs"))
			h.Settle("theirs")
			theirs := h.Secret("theirs-kubeconfig")
			s.Data = theirs.Data
			s.Annotations[v1alpha1.AnnotationFingerprint] = theirs.Annotations[v1alpha1.AnnotationFingerprint]
			contexts(s)
		},
		"and status is lost": func(h *hub, s *corev1.Secret) {
			contexts(s)
			h.WipeStatus("prod-1")
			h.Restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, open, guarded := establish(t), &noting{}, &noting{}
			h.VerifyApart(open, guarded)
			h.LookOut()
			away := h.secretAt("cluster-prod-1").Data["server"]
			secret := h.Secret("prod-1-kubeconfig")
			edit(h, secret)
			h.Must(h.Client.Update(t.Context(), secret))
			h.Change("prod-1", withEndpoint(v1alpha1.Endpoint{Context: "customSAN-9"}))
			for range 15 {
				h.Advance(5 * time.Minute)
				h.Pass("prod-1")
				h.Wait()
			}
			if got := h.secretAt("cluster-prod-1").Data["server"]; !bytes.Equal(got, away) {
				t.Errorf("another namespace got %s", got)
			}
			if slices.Contains(open.servers, evil) {
				t.Error("it was tried without the guard")
			}
			for _, o := range h.Get("prod-1").Status.Contexts {
				if o.Server == evil && !o.Unconfirmed {
					t.Error("status takes it for the cloud's")
				}
			}
		})
	}
}

// A status that is lost costs nothing, and is whole again with the next look at the cloud.
func TestAfterALostStatusAnotherNamespaceKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	h := establish(t)
	h.LookOut()
	h.Advance(time.Minute)
	h.WipeStatus("prod-1")
	h.Restart()
	h.Pass("prod-1")
	h.Wait() // it is listed at once
	h.Settle("prod-1")
	wantConditions(t, h.Get("prod-1"), healthy)
	h.pass(1)
	for _, o := range h.Get("prod-1").Status.Contexts {
		if o.Unconfirmed {
			t.Errorf("%s is not confirmed", o.Name)
		}
	}
	h.Must(h.Client.Delete(t.Context(), h.secretAt("cluster-prod-1")))
	h.pass(2)
	h.wantWritten(t)
	wantPosts(t, h.World, 1)
}

// What waited in memory is the cloud's, when it is stored in the end.
func TestACertificateThatWaitedIsPublishedElsewhereToo(t *testing.T) {
	t.Parallel()
	h, target := newHub(t), &cluster{answer: unreachable}
	h.Verify(target)
	h.Create(h.grant())
	h.create(h.away(), required)
	h.pass(2)
	wantPosts(t, h.World, 1)
	target.says(accepts, "")
	h.pass(2)
	h.wantWritten(t)
	wantConditions(t, h.Get("prod-1"), with("True/Accepted"))
}
