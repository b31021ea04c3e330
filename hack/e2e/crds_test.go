// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/ccesim"
	"github.com/clustercredential/operator/hack/stack"
)

// crdDir holds what "make deploy" applies first.
const crdDir = "../../config/crd/bases"

// What a manager may do in ten seconds in which it finds none of its resources: each of its watches is tried again with a
// growing pause, and every failure is told twice, by client-go and by controller-runtime.
const (
	afterDeletion = 10 * time.Second
	mostRequests  = 60
	mostLines     = 120
)

// noticed bounds how long a manager may need to see that it is connected again (client-go waits up to 30 s between two
// attempts), and to act on what it sees.
const noticed = 90 * time.Second

// Somebody deletes the CustomResourceDefinitions, and with them every object, while the cloud is down. They come back with the
// next "make deploy", and the objects with the next "kubectl apply".
func TestDeletingTheCRDsHangsOnNothingAndTakesNoRetainedSecret(t *testing.T) {
	own := ownSuite(t)
	for _, test := range []struct {
		name    string
		manager bool
	}{
		{"while the manager runs", true},
		{"while there is no manager", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, options{suite: own, clusters: []string{"kept-1", "kept-2", "owned"}, alone: true})
			documents := []string{
				accountYAML(), credentialYAML("kept-1", "kept-1"), credentialYAML("kept-2", "kept-2", "  renewal: {policy: Manual}"),
				credentialYAML("owned", "owned", "  deletionPolicy: Delete"),
			}
			w.startManager()
			w.apply(documents...)
			w.waitReady("kept-1", "kept-2", "owned")
			kept := []*corev1.Secret{w.secret("kept-1-kubeconfig"), w.secret("kept-2-kubeconfig")}
			if len(w.secret("owned-kubeconfig").OwnerReferences) != 1 {
				t.Fatal("the Secret that is to go along has no owner")
			}
			w.cloudFails("hang")
			if !test.manager {
				w.must(w.manager().Kill())
			}

			w.deleteCRDs()
			if test.manager {
				w.wantQuietWithoutCRDs()
			}
			w.wantOnlyRetained(kept)

			w.must(w.cloud.ClearScript())
			w.must(own.Kube.InstallCRDs(crdDir))
			w.apply(documents[:3]...)
			begin := time.Now()
			if !test.manager {
				w.startManager()
			}
			w.wantTakenBack(kept)
			t.Logf("the Secrets were taken back %s after the objects were there again", time.Since(begin).Round(time.Second))
		})
	}
}

// cloudFails lets every call of the cloud fail in that way.
func (w *world) cloudFails(fault string, keys ...string) {
	w.t.Helper()
	if len(keys) == 0 {
		keys = []string{""} // any
	}
	for _, key := range keys {
		for _, op := range []ccesim.Op{ccesim.OpIssue, ccesim.OpShow, ccesim.OpList, ccesim.OpProjects} {
			w.must(w.cloud.Script(stack.Fault{Name: fault, Op: string(op), AccessKey: key, Times: ccesim.Forever}))
		}
	}
}

func (w *world) deleteCRDs() {
	w.t.Helper()
	begin := time.Now()
	w.kubectl("delete", "-f", crdDir, "--timeout=29s")
	w.t.Logf("the CRDs were gone after %s", time.Since(begin).Round(time.Second))
}

// wantQuietWithoutCRDs counts what the manager does while there is nothing for it to do.
func (w *world) wantQuietWithoutCRDs() {
	w.t.Helper()
	requests, lines := w.requestsSoFar(), strings.Count(w.manager().Log(), "\n")
	time.Sleep(afterDeletion) // what is counted is what happens in it
	asked, said := w.requestsSince(requests), strings.Count(w.manager().Log(), "\n")-lines
	w.t.Logf("without CRDs the manager sent %d requests and logged %d lines in %s", len(asked), said, afterDeletion)
	if len(asked) > mostRequests {
		w.t.Errorf("%d requests, want at most %d:\n%s", len(asked), mostRequests, show(asked))
	}
	if said > mostLines {
		w.t.Errorf("%d lines of log, want at most %d", said, mostLines)
	}
	if writes := slices.DeleteFunc(asked, func(r request) bool { return !r.changes() }); len(writes) > 0 {
		w.t.Errorf("without CRDs the manager wrote:\n%s", show(writes))
	}
	if w.manager().EndedByItself() {
		w.t.Error("the manager has ended")
	}
}

// wantOnlyRetained waits until the garbage collector has taken the Secret that belongs to its object, and looks that the
// others hold what they held.
func (w *world) wantOnlyRetained(kept []*corev1.Secret) {
	w.t.Helper()
	w.eventually(eventTime, func() error {
		if w.secret("owned-kubeconfig") != nil {
			return fmt.Errorf("the garbage collector has left the Secret that goes along with its object")
		}
		return nil
	})
	for _, before := range kept {
		if err := w.holdsTheSame(before); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) holdsTheSame(before *corev1.Secret) error {
	w.t.Helper()
	after := w.secret(before.Name)
	if after == nil || after.UID != before.UID || !bytes.Equal(after.Data["value"], before.Data["value"]) {
		return fmt.Errorf("Secret %s is not what it was", before.Name)
	}
	return nil
}

func (w *world) wantTakenBack(kept []*corev1.Secret) {
	w.t.Helper()
	w.eventually(noticed, func() error {
		for _, name := range []string{"kept-1", "kept-2"} {
			if err := w.says(name, v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid); err != nil {
				return err
			}
		}
		return nil
	})
	for _, before := range kept {
		if err := w.holdsTheSame(before); err != nil {
			w.t.Error(err)
		}
		if at := w.secret(before.Name).Annotations[v1alpha1.AnnotationReleasedAt]; at != "" {
			w.t.Errorf("Secret %s still says that it was released at %s", before.Name, at)
		}
	}
	w.wantPosts(1, "kept-1")
	w.wantPosts(1, "kept-2")
}
