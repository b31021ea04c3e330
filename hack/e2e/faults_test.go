// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// harmless are the faults that leave an answer good.
var harmless = []string{"delay"}

// watched is for how long after its first blow a fault is looked at. The back-off waits 5 s, 10 s and 20 s, each up to a fifth
// less: so three attempts fit in, and the fourth, which succeeds, comes 8 s later at the soonest.
const (
	watched     = 20 * time.Second
	mostWatched = 3
)

// The list comes from the simulator, so a fault that is new there is tried here. All of them at a time: what takes long is the
// minute between two requests, and the waits of the operator.
func TestEveryFaultLeavesWhatIsStored(t *testing.T) {
	docs, err := theSuite(t).Sim.FaultNames()
	if err != nil {
		t.Fatal(err)
	}
	var o options
	var troubles []*trouble
	for _, doc := range docs {
		x := &trouble{FaultDoc: doc, name: "fault-" + doc.Name}
		troubles = append(troubles, x)
		o.clusters, o.keys = append(o.clusters, x.name), append(o.keys, x.accessKey())
	}
	w := newWorld(t, o)
	w.startManager()
	names := w.applyTroubles(troubles)
	w.waitReady(names...)
	for _, x := range troubles {
		x.before, x.serial = w.published(x.name), w.serial(x.name)
		w.must(w.cloud.Script(stack.Fault{Name: x.Name, Cluster: w.ClusterID(x.name), Times: mostWatched}))
	}

	w.requestRenewal("amid-faults", names...)
	w.watch(troubles)
	for _, x := range troubles {
		switch {
		case x.attempts > mostWatched:
			t.Errorf("%s: %d attempts in %s, want at most %d", x.Name, x.attempts, watched, mostWatched)
		case x.untold != nil && !slices.Contains(harmless, x.Name):
			t.Error(x.untold)
		}
	}

	// Everything is well again. A key that was refused is tried again once it is another one; all others on request.
	w.must(w.cloud.ClearScript())
	w.apply(keyYAML("fault-unauthorized-keys", stack.AccessKey, canarySecretKey))
	w.requestRenewal("after-faults", names...)
	w.eventually(2*time.Minute, func() error { return w.allRenewed(troubles) })
}

// trouble is one fault of the simulator, with an account, a cluster and a credential that nothing else happens to.
type trouble struct {
	stack.FaultDoc
	name   string // of all of them
	before []byte // what was published
	serial string

	began    time.Time // of the first attempt that was hit
	attempts int       // while it was watched, whether they were hit or not: the script ends after mostWatched blows
	untold   error     // what was wrong with status when it was last looked at
	done     bool      // watched long enough

	renewed bool // in the end
}

func (x *trouble) accessKey() string { return "AK-" + x.Name }

// applyTroubles makes their accounts and credentials.
func (w *world) applyTroubles(troubles []*trouble) (names []string) {
	w.t.Helper()
	for some := range slices.Chunk(troubles, 8) { // one kubectl may take 30 s
		var documents []string
		for _, x := range some {
			names = append(names, x.name)
			documents = append(documents, namedAccountYAML(x.name, x.accessKey()),
				credentialOf(x.name, x.name, "{id: "+w.ClusterID(x.name)+"}"))
		}
		w.apply(documents...)
	}
	return names
}

// watch looks at every trouble from its first blow on until its time is over.
func (w *world) watch(troubles []*trouble) {
	w.t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for open := len(troubles); open > 0; time.Sleep(500 * time.Millisecond) {
		open = 0
		// One look at all of them, so that none is seen too seldom.
		posts, published := w.posts(), w.allPublished()
		credentials := map[string]*v1alpha1.ClusterCredential{}
		for _, cc := range w.list() {
			credentials[cc.Name] = &cc
		}
		for _, x := range troubles {
			if x.done {
				continue
			}
			open++
			x.count(posts, w.ClusterID(x.name))
			if x.began.IsZero() && time.Now().After(deadline) {
				w.t.Fatalf("%s has hit nothing", x.Name)
			}
			if !x.began.IsZero() {
				w.lookAt(x, credentials[x.name], published[x.name])
			}
		}
	}
}

// count counts the attempts from the first blow on.
func (x *trouble) count(posts []stack.Entry, cluster string) {
	x.attempts = 0
	for _, post := range posts {
		if post.Cluster != cluster {
			continue
		}
		if x.began.IsZero() && post.Fault == x.Name {
			x.began = post.Time
		}
		if !x.began.IsZero() && !post.Time.Before(x.began) && post.Time.Before(x.began.Add(watched)) {
			x.attempts++
		}
	}
}
