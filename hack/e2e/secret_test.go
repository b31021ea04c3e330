// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestAMovedOutputTakesTheCertificateAlong(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"moved", "swept"}})
	w.startManager()
	to := func(secret, more string) string { return "  outputs: [{secretName: " + secret + "}]" + more }
	w.apply(accountYAML(), credentialYAML("moved", "moved", to("old", "")), credentialYAML("swept", "swept", to("old-2", "\n  deletionPolicy: Delete")))
	w.waitReady("moved", "swept")
	before := w.secret("old").Data["value"]

	w.apply(credentialYAML("moved", "moved", to("new", "")), credentialYAML("swept", "swept", to("new-2", "\n  deletionPolicy: Delete")))
	w.eventually(eventTime, func() error {
		moved, released := w.secret("new"), w.secret("old")
		switch {
		case moved == nil:
			return fmt.Errorf("there is no Secret under the new name")
		case string(moved.Data["value"]) != string(before):
			return fmt.Errorf("the new Secret holds something else")
		case released == nil:
			return fmt.Errorf("the old Secret is gone, though it was to be retained")
		case released.Annotations[v1alpha1.AnnotationReleasedAt] == "":
			return fmt.Errorf("the old Secret does not say that it was released")
		case w.secret("new-2") == nil || w.secret("old-2") != nil:
			return fmt.Errorf("with Delete, the new Secret should be there and the old one gone")
		}
		return w.says("moved", v1alpha1.ConditionPublished, "True", v1alpha1.ReasonPublished)
	})
	w.wantPosts(1, "moved")
	w.wantPosts(1, "swept")
	w.eventually(eventTime, func() error {
		outputs := w.get("moved").Status.Outputs
		if len(outputs) != 2 || outputs[0].SecretName != "new" || outputs[0].State != v1alpha1.OutputCurrent ||
			outputs[1].SecretName != "old" || outputs[1].State != v1alpha1.OutputReleased {
			return fmt.Errorf("status tells of the outputs %+v", outputs)
		}
		return nil
	})
}

func TestLabelsApplyAtOnceWithoutACertificate(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"labelled"}})
	w.startManager()
	output := func(more string) string { return "  outputs: [{secretName: labelled" + more + "}]" }
	w.apply(accountYAML(), credentialYAML("labelled", "labelled", output(", labels: {env: test, team: a}, annotations: {note: x}")))
	w.waitReady("labelled")
	w.kubectl("label", "secret", "labelled", "theirs=stays")
	before := w.secret("labelled")

	w.apply(credentialYAML("labelled", "labelled", output(", labels: {env: prod}, annotations: {other: note}, key: kubeconfig, clusterName: prod")))
	w.eventually(eventTime, func() error {
		s := w.secret("labelled")
		_, team := s.Labels["team"]
		_, note := s.Annotations["note"]
		_, value := s.Data["value"]
		switch {
		case s.Labels["env"] != "prod" || team || s.Annotations["other"] != "note" || note:
			return fmt.Errorf("labels and annotations are %v and %v", s.Labels, s.Annotations)
		case s.Labels["theirs"] != "stays":
			return fmt.Errorf("somebody else's label is gone")
		case value || !strings.Contains(string(s.Data["kubeconfig"]), "current-context: prod\n"):
			return fmt.Errorf("key and clusterName are not carried out")
		case s.UID != before.UID:
			return fmt.Errorf("it is another Secret")
		}
		return w.says("labelled", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
	})
	w.wantPosts(1)
}

func TestALostOrBrokenSecretIsRepaired(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"lost", "broken", "stripped"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("lost", "lost"), credentialYAML("broken", "broken"), credentialYAML("stripped", "stripped"))
	w.waitReady("lost", "broken", "stripped")
	lost, broken, stripped := w.serial("lost"), w.serial("broken"), w.secret("stripped-kubeconfig")

	w.kubectl("delete", "secret", "lost-kubeconfig")
	w.kubectl("patch", "secret", "broken-kubeconfig", "--patch", `{"data": {"value": "bm90IGEga3ViZWNvbmZpZw=="}}`)
	w.kubectl("label", "secret", "stripped-kubeconfig", v1alpha1.LabelManaged+"-", v1alpha1.LabelManagedBy+"-")
	w.kubectl("annotate", "secret", "stripped-kubeconfig", v1alpha1.AnnotationCredential+"-", v1alpha1.AnnotationRevision+"-", v1alpha1.AnnotationRequest+"-")
	w.eventually(eventTime, func() error {
		s := w.secret("stripped-kubeconfig")
		switch {
		case w.serial("lost") == "" || w.serial("lost") == lost:
			return fmt.Errorf("the lost Secret is not replaced")
		case !strings.Contains(string(w.published("broken")), "apiVersion") || w.serial("broken") == broken:
			return fmt.Errorf("the broken Secret is not replaced")
		case s.Labels[v1alpha1.LabelManaged] != "true" || s.Annotations[v1alpha1.AnnotationCredential] != "stripped" || s.Annotations[v1alpha1.AnnotationRevision] != "1":
			return fmt.Errorf("the marks are not put back: %v %v", s.Labels, s.Annotations)
		case string(s.Data["value"]) != string(stripped.Data["value"]):
			return fmt.Errorf("a Secret that lacked its marks holds something else now")
		}
		return nil
	})
	w.waitReady("lost", "broken", "stripped")
	w.wantPosts(2, "lost")
	w.wantPosts(2, "broken")
	w.wantPosts(1, "stripped")
	if history := w.get("lost").Status.History; len(history) != 2 || history[0].Trigger != v1alpha1.TriggerMissing || history[1].SerialNumber != lost {
		t.Errorf("history does not tell of both certificates: %+v", history)
	}
}

func TestASecretOfSomebodyElseIsRefused(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"theirs"}})
	w.startManager()
	w.kubectl("create", "secret", "generic", "theirs-kubeconfig", "--from-literal=value=mine")
	w.apply(accountYAML(), credentialYAML("theirs", "theirs"))
	w.eventually(eventTime, func() error {
		if err := w.says("theirs", v1alpha1.ConditionPublished, "False", v1alpha1.ReasonSecretConflict); err != nil {
			return err
		}
		return w.says("theirs", v1alpha1.ConditionStalled, "True", v1alpha1.ReasonSecretConflict)
	})
	s := w.secret("theirs-kubeconfig")
	if string(s.Data["value"]) != "mine" || len(s.Labels) > 0 || len(s.Annotations) > 0 || s.Type != corev1.SecretTypeOpaque {
		t.Errorf("somebody else's Secret was touched: %v %v", s.Labels, s.Annotations)
	}
	w.wantPosts(0)
	// Another name is another Secret.
	w.apply(credentialYAML("theirs", "theirs", "  outputs: [{secretName: ours}]"))
	w.waitReady("theirs")
	w.wantPosts(1)
}

func TestTwoCredentialsForOneSecretAskOnce(t *testing.T) {
	const rounds = 3
	var clusters []string
	for round := range rounds {
		clusters = append(clusters, fmt.Sprintf("left-%d", round), fmt.Sprintf("right-%d", round))
	}
	w := newWorld(t, options{clusters: clusters})
	w.startManager()
	w.apply(accountYAML())
	for round := range rounds {
		left, right := clusters[2*round], clusters[2*round+1]
		output := fmt.Sprintf("  outputs: [{secretName: both-%d}]", round)
		w.apply(credentialYAML(left, left, output), credentialYAML(right, right, output))
		w.eventually(eventTime, func() error {
			holders := 0
			for _, pair := range [][2]string{{left, right}, {right, left}} {
				c := condition(w.get(pair[0]), v1alpha1.ConditionPublished)
				if c.Status == "True" {
					holders++
				} else if c.Reason != string(v1alpha1.ReasonSecretConflict) || !strings.Contains(c.Message, `"`+pair[1]+`"`) {
					return fmt.Errorf("%s says %s: %s", pair[0], c.Reason, c.Message)
				}
			}
			if holders != 1 {
				return fmt.Errorf("%d of two hold the Secret", holders)
			}
			return nil
		})
		w.wantPosts(1, left, right)
		if round > 0 {
			continue
		}
		// The holder leaves: the other takes over.
		holder, other := left, right
		if condition(w.get(right), v1alpha1.ConditionPublished).Status == "True" {
			holder, other = right, left
		}
		w.kubectl("delete", "clustercredential", holder)
		w.eventually(75*time.Second, func() error { // conflicts are looked at every minute
			return w.says(other, v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
		})
	}
}
