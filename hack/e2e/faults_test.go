// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// harmless are the faults that leave an answer good.
var harmless = []string{"delay"}

// watched is for how long attempts are counted. The back-off waits 5 s, 10 s, 20 s, each up to a fifth less, so three attempts
// fit in, and a fourth one does not.
const (
	watched     = 20 * time.Second
	mostWatched = 3
)

// trouble is one fault of the simulator, with an account, a cluster and a credential that nothing else happens to.
type trouble struct {
	stack.FaultDoc
	name   string // of all of them
	before []byte // what was published
	serial string
	began  time.Time // of the first attempt that it hit
}

func (x *trouble) accessKey() string { return "AK-" + x.Name }

// The list comes from the simulator, so a fault that is new there is tried here. All of them at a time: what is waited for is
// the minute between two requests, and the back-offs.
func TestEveryFaultLeavesWhatIsStored(t *testing.T) {
	docs, err := theSuite(t).Sim.FaultNames()
	if err != nil {
		t.Fatal(err)
	}
	var o cloudOptions
	var troubles []*trouble
	for _, doc := range docs {
		x := &trouble{FaultDoc: doc, name: "fault-" + doc.Name}
		troubles = append(troubles, x)
		o.clusters, o.keys = append(o.clusters, x.name), append(o.keys, x.accessKey())
	}
	w := newWorld(t, o)
	w.startManager()
	var names []string
	for some := range slices.Chunk(troubles, 8) { // one kubectl takes 30 s at most
		var documents []string
		for _, x := range some {
			documents = append(documents, namedAccountYAML(x.name, x.accessKey()), credentialOf(x.name, x.name, "{id: "+w.ClusterID(x.name)+"}"))
			names = append(names, x.name)
		}
		w.apply(documents...)
	}
	w.waitReady(names...)
	for _, x := range troubles {
		x.before, x.serial = w.published(x.name), w.serial(x.name)
		w.must(w.cloud.Script(stack.Fault{Name: x.Name, Cluster: w.ClusterID(x.name), Times: -1}))
	}

	w.requestRenewal("amid-faults", names...)
	w.eventually(100*time.Second, func() error { return w.allHit(troubles) })
	for end := time.Now().Add(watched); time.Now().Before(end); time.Sleep(time.Second) {
		w.wantUnharmed(troubles)
	}
	w.wantPatience(troubles)
	w.eventually(eventTime, func() error { return w.allTold(troubles) })
	w.wantUnharmed(troubles)

	// Everything is well again. A key that was refused is tried again once it is another one; all others on request.
	w.must(w.cloud.ClearScript())
	w.must(w.Sim.ClearScript())
	w.apply(keyYAML("fault-unauthorized-keys", stack.AccessKey, canarySecretKey))
	w.requestRenewal("after-faults", names...)
	w.eventually(100*time.Second, func() error { return w.allRenewed(troubles) })
	w.waitReady(names...)
}

// allHit says whether every fault has hit an attempt.
func (w *world) allHit(troubles []*trouble) error {
	for _, x := range troubles {
		hit := slices.DeleteFunc(w.posts(x.name), func(e stack.Entry) bool { return e.Fault != x.Name })
		if len(hit) == 0 {
			return fmt.Errorf("%s has hit nothing", x.Name)
		}
		x.began = hit[0].Time
	}
	return nil
}

// wantUnharmed fails unless what was published is as it was, and Ready.
func (w *world) wantUnharmed(troubles []*trouble) {
	w.t.Helper()
	for _, x := range troubles {
		if slices.Contains(harmless, x.Name) {
			continue
		}
		if string(w.published(x.name)) != string(x.before) {
			w.t.Fatalf("%s (%s) has changed what is published", x.Name, x.About)
		}
		if ready := condition(w.get(x.name), v1alpha1.ConditionReady); ready.Status != "True" {
			w.t.Fatalf("%s (%s) has turned Ready %s: %s: %s", x.Name, x.About, ready.Status, ready.Reason, ready.Message)
		}
	}
}

// wantPatience fails if a fault was answered with a hot loop.
func (w *world) wantPatience(troubles []*trouble) {
	w.t.Helper()
	for _, x := range troubles {
		attempts := 0
		for _, post := range w.posts(x.name) {
			if post.Fault != "" && post.Time.Before(x.began.Add(watched)) {
				attempts++
			}
		}
		if attempts > mostWatched {
			w.t.Errorf("%s: %d attempts in %s, want at most %d", x.Name, attempts, watched, mostWatched)
		}
	}
}

// remoteWords are pieces of what the simulator answers. Nothing of it may be repeated to anybody.
var remoteWords = []string{
	"<html", "nginx", "not JSON", "error_msg", "errorMessage", "error_code", "errorCode", "scripted", "verify aksk", "elsewhere.invalid",
	"no permission for the operation", "client-key", "certificate-authority-data", "BEGIN",
}

// allTold says whether every fault is told in words that help, and in none of the cloud's.
func (w *world) allTold(troubles []*trouble) error {
	w.t.Helper()
	known := documentedReasons(w.t)
	for _, x := range troubles {
		if slices.Contains(harmless, x.Name) {
			continue
		}
		cc := w.get(x.name)
		issued := condition(cc, v1alpha1.ConditionIssued)
		switch {
		case issued.Status != "False":
			return fmt.Errorf("%s: Issued is %s: %s: %s", x.Name, issued.Status, issued.Reason, issued.Message)
		case !slices.Contains(known, issued.Reason):
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
		if minted := slices.ContainsFunc(w.posts(x.name), func(e stack.Entry) bool { return e.Fault == x.Name && e.Serial != "" }); minted && !isTold(cc) {
			return fmt.Errorf("%s: a certificate was issued, and history does not tell: %+v", x.Name, cc.Status.History)
		}
	}
	return nil
}

// isTold says whether history tells of a certificate that was issued and not published.
func isTold(cc *v1alpha1.ClusterCredential) bool {
	return slices.ContainsFunc(cc.Status.History, func(e v1alpha1.HistoryEntry) bool {
		return e.State == v1alpha1.CertificateUnknown || e.State == v1alpha1.CertificateDiscarded
	})
}

// allRenewed says whether every credential has a new certificate.
func (w *world) allRenewed(troubles []*trouble) error {
	w.t.Helper()
	for _, x := range troubles {
		if cc := w.get(x.name); cc.Status.LastHandledRenewRequest != "after-faults" || w.serial(x.name) == x.serial {
			issued := condition(cc, v1alpha1.ConditionIssued)
			return fmt.Errorf("%s: no new certificate: %s: %s", x.Name, issued.Reason, issued.Message)
		}
		if err := w.says(x.name, v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued); err != nil {
			return err
		}
	}
	return nil
}
