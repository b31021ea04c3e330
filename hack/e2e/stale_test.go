// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// staleness is something that happens while a watch shows nothing.
type staleness struct {
	resource string // whose watch it is
	act      func(w *world, name string)
	// before and after are how many certificates that justifies beside the first: while the watch shows nothing, and in all.
	before, after int
}

const credentials, secrets = "clustercredentials", "secrets"

var stalenesses = map[string]staleness{
	"the spec changes": {resource: credentials, after: 1, act: func(w *world, name string) {
		w.apply(credentialYAML(name, name, "  validity: {days: 7}"))
		w.poke(name, eventTime)
	}},
	"the spec changes and changes back": {resource: credentials, act: func(w *world, name string) {
		w.apply(credentialYAML(name, name, "  validity: {days: 7}"))
		w.poke(name, eventTime)
		w.apply(credentialYAML(name, name))
		w.poke(name, eventTime)
	}},
	"a renewal is requested": {resource: credentials, after: 1, act: func(w *world, name string) {
		w.requestRenewal("now", name)
		w.poke(name, eventTime)
	}},
	"it is deleted and created again": {resource: credentials, act: func(w *world, name string) {
		w.kubectl("delete", "clustercredential", name)
		w.apply(credentialYAML(name, name))
		w.poke(name, eventTime)
	}},
	"the Secret changes and changes back": {resource: secrets, act: func(w *world, name string) {
		good := w.published(name)
		w.setValue(name, []byte("none"))
		w.setValue(name, good)
	}},
	"the Secret is deleted": {resource: secrets, after: 1, act: func(w *world, name string) {
		w.kubectl("delete", "secret", name+v1alpha1.DefaultSecretSuffix)
	}},
	"the Secret is deleted and a renewal requested": {resource: secrets, before: 1, after: 1, act: func(w *world, name string) {
		first := w.serial(name)
		w.kubectl("delete", "secret", name+v1alpha1.DefaultSecretSuffix)
		w.requestRenewal("now", name)
		w.eventually(eventTime, func() error {
			if serial := w.serial(name); serial == "" || serial == first {
				return fmt.Errorf("the Secret of %s holds %q", name, serial)
			}
			return nil
		})
	}},
}

// endings are the ways in which a watch comes to show something again.
var endings = []struct {
	name string
	end  func(s *watches, resource string)
}{
	{"thaw", (*watches).thaw},
	{"410-answer", func(s *watches, resource string) { s.expire(resource, true) }},
	{"410-event", func(s *watches, resource string) { s.expire(resource, false) }},
}

// A manager whose watch stands still sees a past that is over. It asks for nothing because of it, and comes to the right end
// once the watch goes on, or is told that what it has missed is not to be had any more.
func TestAWatchThatStandsStillCostsNoCertificate(t *testing.T) {
	for name, stale := range stalenesses {
		t.Run(name, func(t *testing.T) {
			var names []string
			for _, ending := range endings {
				names = append(names, ending.name)
			}
			w := newWorld(t, options{clusters: names, gated: true})
			w.startManager()
			w.apply(accountYAML())
			for _, ending := range endings {
				w.apply(credentialYAML(ending.name, ending.name))
				w.waitReady(ending.name)
				w.eventually(eventTime, func() error { return w.wantEvent(ending.name, "Issued", "") })
				watched := w.gate.watches
				watched.freeze(stale.resource)
				stale.act(w, ending.name)
				w.waitHeld(stale.resource)
				w.wantPosts(1+stale.before, ending.name)
				ending.end(watched, stale.resource)
				if ending.name != "thaw" {
					w.eventually(eventTime, func() error {
						if watched.lists(stale.resource) == 0 {
							return fmt.Errorf("%s: nobody has listed %s anew", ending.name, stale.resource)
						}
						return nil
					})
				}
				w.wantRight(ending.name, 1+stale.after)
			}
			t.Logf("%d times, %d certificates were asked for, beside the first ones", len(endings), len(w.posts())-len(endings))
		})
	}
}

// believed is for how long a manager waits for its own writes to come back through the watch.
const believed = 30 * time.Second

// A manager does not see its own writes, for longer than it waits for them. Its memory of the request is in the Secret.
func TestAManagerThatNeverSeesItsOwnWritesAsksOnce(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"unseen"}, gated: true})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("unseen", "unseen"))
	w.waitReady("unseen")
	w.eventually(eventTime, func() error { return w.wantEvent("unseen", "Issued", "") })
	first := w.serial("unseen")
	s := &strike{done: make(chan struct{}), hit: func() { w.gate.watches.freeze(credentials) }} // at the intent
	w.gate.begin(s)
	w.requestRenewal("now", "unseen")
	w.waitStruck(s)
	w.eventually(eventTime, func() error {
		if w.serial("unseen") == first {
			return fmt.Errorf("the renewal is not carried out")
		}
		return w.wantEvent("unseen", "Issued", w.serial("unseen"))
	})
	w.poke("unseen", believed+eventTime) // a pass that believes what it is shown
	w.waitHeld(credentials)
	w.wantPosts(2, "unseen")
	w.gate.watches.thaw(credentials)
	w.wantRight("unseen", 2)
}

// waitHeld returns once the gate holds an event.
func (w *world) waitHeld(resource string) {
	w.t.Helper()
	w.eventually(eventTime, func() error {
		if w.gate.watches.waits(resource) == 0 {
			return fmt.Errorf("no event about %s is held", resource)
		}
		return nil
	})
}

// wantRight waits for the right end: a credential at rest whose Secret is there and ours, nothing lost, and so many certificates
// asked for.
func (w *world) wantRight(name string, posts int) {
	w.t.Helper()
	w.eventually(time.Minute, func() error {
		secret := w.secret(name + v1alpha1.DefaultSecretSuffix)
		if secret == nil || secret.Annotations[v1alpha1.AnnotationReleasedAt] != "" {
			return fmt.Errorf("the Secret of %s is gone or let go of", name)
		}
		return w.isDone(name, func(cc *v1alpha1.ClusterCredential) bool {
			return len(w.posts(name)) == posts && cc.Status.Certificate != nil && cc.Status.Certificate.SerialNumber == w.serial(name) &&
				cc.Status.LastHandledRenewRequest == cc.Annotations[v1alpha1.AnnotationRenewRequestedAt] &&
				secret.Annotations[v1alpha1.AnnotationCredentialUID] == string(cc.UID)
		})
	})
	w.throughout(2*time.Second, func() error {
		if n := len(w.posts(name)); n != posts {
			return fmt.Errorf("%d certificates of %s were asked for, want %d", n, name, posts)
		}
		return nil
	})
	for _, entry := range w.get(name).Status.History {
		if entry.State == v1alpha1.CertificateUnknown || entry.State == v1alpha1.CertificateDiscarded {
			w.t.Errorf("a certificate of %s was lost: %+v", name, entry)
		}
	}
}

// poke has the manager look at a credential, by way of its Secret, and returns once it has.
func (w *world) poke(name string, within time.Duration) {
	w.t.Helper()
	secret := name + v1alpha1.DefaultSecretSuffix
	begin := w.requestsSoFar()
	w.kubectl("label", "--overwrite", "secret", secret, fmt.Sprintf("poked=%d", begin))
	w.eventually(within, func() error {
		for _, r := range w.requestsSince(begin) {
			if r.Verb == "get" && r.Object.Resource == secrets && r.Object.Name == secret {
				return nil
			}
		}
		return fmt.Errorf("the manager has not looked at Secret %s", secret)
	})
}

// setValue puts something else into a Secret of ours, as a user does.
func (w *world) setValue(name string, value []byte) {
	w.t.Helper()
	w.kubectl("patch", "secret", name+v1alpha1.DefaultSecretSuffix, "--type=merge",
		`--patch={"data": {"`+v1alpha1.DefaultSecretKey+`": "`+base64.StdEncoding.EncodeToString(value)+`"}}`)
}
