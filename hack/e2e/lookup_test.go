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
	"github.com/clustercredential/operator/hack/ccesim"
	"github.com/clustercredential/operator/hack/stack"
)

// What goes wrong before the call costs no certificate.
func TestNothingIsAskedForWhileTheClusterCannotBeLookedAt(t *testing.T) {
	docs, err := theSuite(t).Sim.FaultNames()
	if err != nil {
		t.Fatal(err)
	}
	docs = slices.DeleteFunc(docs, func(d stack.FaultDoc) bool { return !d.AnyOp || slices.Contains(harmless, d.Name) })
	var o options
	var troubles []*trouble
	for _, doc := range docs {
		x := &trouble{FaultDoc: doc, name: "look-" + doc.Name}
		troubles = append(troubles, x)
		o.clusters, o.keys = append(o.clusters, x.name), append(o.keys, x.accessKey())
	}
	w := newWorld(t, o)
	for _, x := range troubles {
		w.must(w.cloud.Script(stack.Fault{Name: x.Name, Op: string(ccesim.OpShow), Cluster: w.ClusterID(x.name), Times: -1}))
	}
	w.startManager()
	w.applyTroubles(troubles)
	known := documentedReasons(t)
	w.eventually(40*time.Second, func() error {
		for _, x := range troubles {
			issued := condition(w.get(x.name), v1alpha1.ConditionIssued)
			if issued.Status != "False" || issued.Reason == string(v1alpha1.ReasonIssuing) || !slices.Contains(known, issued.Reason) || len(issued.Message) < 20 {
				return fmt.Errorf("%s: Issued is %s: %s: %s", x.Name, issued.Status, issued.Reason, issued.Message)
			}
			for _, word := range remoteWords {
				if strings.Contains(issued.Message, word) {
					t.Errorf("%s: the message repeats the cloud's %q: %s", x.Name, word, issued.Message)
				}
			}
		}
		return nil
	})
	w.wantPosts(0)
}
