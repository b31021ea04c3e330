// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// lookAt fails unless what is published is as it was, and Ready, and notes whether the fault is told.
func (w *world) lookAt(x *trouble, cc *v1alpha1.ClusterCredential, published []byte) {
	w.t.Helper()
	if time.Since(x.began) > watched {
		x.done = true
		return
	}
	if slices.Contains(harmless, x.Name) {
		return
	}
	if string(published) != string(x.before) {
		w.t.Fatalf("%s (%s) has changed what is published", x.Name, x.About)
	}
	if ready := condition(cc, v1alpha1.ConditionReady); ready.Status != "True" {
		w.t.Fatalf("%s (%s) has turned Ready %s: %s: %s", x.Name, x.About, ready.Status, ready.Reason, ready.Message)
	}
	x.untold = w.told(x, cc)
}

// remoteWords are pieces of what the simulator answers. Nothing of it may be repeated to anybody.
var remoteWords = []string{
	"<html", "not JSON", "error_msg", "errorMessage", "error_code", "errorCode", "scripted", "verify aksk", "elsewhere.invalid",
	"no permission for the operation", "client-key", "certificate-authority-data", "BEGIN",
}

// told says what is wrong with how a fault is told: it should be in words that help, and in none of the cloud's.
func (w *world) told(x *trouble, cc *v1alpha1.ClusterCredential) error {
	w.t.Helper()
	issued := condition(cc, v1alpha1.ConditionIssued)
	switch {
	case issued.Status != "False":
		return fmt.Errorf("%s: Issued is %s: %s: %s", x.Name, issued.Status, issued.Reason, issued.Message)
	case !slices.Contains(documentedReasons(w.t), issued.Reason):
		return fmt.Errorf("%s: the reason %q is not documented", x.Name, issued.Reason)
	case len(issued.Message) < 20:
		return fmt.Errorf("%s: the message says little: %q", x.Name, issued.Message)
	case cc.Status.NextAttemptTime == nil && issued.Reason != string(v1alpha1.ReasonRejected):
		return fmt.Errorf("%s: %s, and nothing says when it is tried again", x.Name, issued.Reason)
	}
	for _, word := range remoteWords {
		if strings.Contains(issued.Message, word) {
			w.t.Errorf("%s: the message repeats the cloud's %q: %s", x.Name, word, issued.Message)
		}
	}
	minted := func(e stack.Entry) bool { return e.Fault == x.Name && e.Serial != "" }
	if slices.ContainsFunc(w.posts(x.name), minted) && !tellsOfALoss(cc) {
		return fmt.Errorf("%s: a certificate was issued, and history does not tell: %+v", x.Name, cc.Status.History)
	}
	return nil
}

// tellsOfALoss says whether history tells of a certificate that was issued and not published.
func tellsOfALoss(cc *v1alpha1.ClusterCredential) bool {
	return slices.ContainsFunc(cc.Status.History, func(e v1alpha1.HistoryEntry) bool {
		return e.State == v1alpha1.CertificateUnknown || e.State == v1alpha1.CertificateDiscarded
	})
}

// allRenewed says whether every credential has a new certificate, for the last request.
func (w *world) allRenewed(troubles []*trouble) error {
	w.t.Helper()
	for _, x := range troubles {
		if x.renewed {
			continue
		}
		if cc := w.get(x.name); cc.Status.LastHandledRenewRequest != "after-faults" || w.serial(x.name) == x.serial {
			issued := condition(cc, v1alpha1.ConditionIssued)
			return fmt.Errorf("%s: no new certificate: %s: %s", x.Name, issued.Reason, issued.Message)
		}
		if err := w.says(x.name, v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid); err != nil {
			return err
		}
		if err := w.says(x.name, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued); err != nil {
			return err
		}
		x.renewed = true
	}
	return nil
}
