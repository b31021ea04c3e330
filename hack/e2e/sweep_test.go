// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// workload is something that happens to one credential, which is called like its cluster.
type workload struct {
	// more is added to the spec; lifetime is what the cloud grants, 0: what is asked for.
	more     string
	lifetime time.Duration
	// fresh is for one that is not there before; act makes it happen.
	fresh bool
	act   func(w *world, name string)
	// rest, where it is set, keeps it from happening again.
	rest func(w *world, name string)
	// done says that it has happened, given the serial number before.
	done func(cc *v1alpha1.ClusterCredential, before string) bool
}

func hasAnother(cc *v1alpha1.ClusterCredential, before string) bool {
	return cc.Status.Certificate != nil && cc.Status.Certificate.SerialNumber != before
}

// Certificates that live for four minutes and are renewed soon, or not within the test.
const (
	fleetLifetime = 4 * time.Minute
	renewedSoon   = "215s"
	renewedLate   = "20s"
)

var workloads = map[string]workload{
	"create": {fresh: true, act: func(w *world, name string) { w.apply(credentialYAML(name, name)) }, done: hasAnother},
	"rotate": {
		more: "  renewal: {before: " + renewedSoon + "}", lifetime: fleetLifetime,
		act: func(*world, string) {}, done: hasAnother,
	},
	"renew on request": {act: func(w *world, name string) { w.requestRenewal("now", name) }, done: hasAnother},
	"change the spec": {
		act:  func(w *world, name string) { w.apply(credentialYAML(name, name, "  validity: {days: 7}")) },
		done: hasAnother,
	},
	"delete and create again": {
		act: func(w *world, name string) {
			w.kubectl("delete", "clustercredential", name)
			w.eventually(eventTime, func() error { return w.isReleased(name) })
			w.apply(credentialYAML(name, name))
		},
		done: func(cc *v1alpha1.ClusterCredential, before string) bool {
			return cc.Status.Certificate != nil && cc.Status.Certificate.SerialNumber == before
		},
	},
}

// Sieve's method, from outside: the manager dies at every request that changes something, once before it is forwarded and once
// after it was carried out. The end must be that of a run without a kill, at the cost of the certificate under way at most.
func TestAKillAtAnyRequestCostsAtMostTheCertificateUnderWay(t *testing.T) {
	for name, load := range workloads {
		if (name == "renew on request" || name == "change the spec") && !*whole {
			continue // they make the same requests as a rotation
		}
		t.Run(name, func(t *testing.T) {
			reference := load.run(t, nil)
			if len(reference.requests) == 0 {
				t.Fatal("the gate has seen no request")
			}
			for at, what := range reference.requests {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("%d %s carried out %v", at, what, after), func(t *testing.T) {
						got := load.run(t, &strike{at: at, after: after, fatal: true, done: make(chan struct{})})
						got.wantEndOf(t, reference, what, after)
					})
				}
			}
		})
	}
}

// run is how a workload went.
type run struct {
	requests []string // that changed something, in order
	posts    int      // certificates asked for
	lost     int      // of those, history does not name the certificate
	unknown  int      // outcomes that history tells as such
	// discarded are certificates that came too late to be stored, as history tells.
	discarded int
	end       map[string]string // what users see
}

// run lets it happen in a world of its own, with one strike at the most, which kills.
func (load workload) run(t *testing.T, s *strike) run {
	t.Helper()
	w := newWorld(t, options{clusters: []string{"swept"}, lifetime: load.lifetime, gated: true})
	w.args = []string{"--min-issue-interval=5s"}
	w.startManager()
	before, prober := load.prepare(w)
	if s != nil {
		manager := w.manager()
		s.hit = func() {
			if err := manager.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	w.gate.begin(s)
	load.act(w, "swept")
	if s != nil {
		w.waitStruck(s)
		w.startManager()
	}
	w.eventually(2*time.Minute, func() error {
		return w.isDone("swept", func(cc *v1alpha1.ClusterCredential) bool { return load.done(cc, before) })
	})
	w.must(w.manager().Kill()) // a rotation would go on
	w.wantNoFailedLogin(prober)
	return w.account("swept")
}

// prepare makes what is there before: the serial number of the certificate, and a client that logs in with it.
func (load workload) prepare(w *world) (before string, prober *stack.Prober) {
	w.t.Helper()
	w.apply(accountYAML())
	w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "cloudaccount/"+theAccount)
	if load.fresh {
		return "", nil
	}
	w.apply(credentialYAML("swept", "swept", load.more))
	w.waitReady("swept")
	w.eventually(eventTime, func() error { return w.wantEvent("swept", "Issued", "") })
	prober, err := w.Prober(stack.ProbeOptions{Namespace: w.namespace, Secret: "swept-kubeconfig"})
	w.must(err)
	return w.serial("swept"), prober
}

// wantNoFailedLogin stops a client, if there is one, and returns what it has seen.
func (w *world) wantNoFailedLogin(prober *stack.Prober) stack.Probes {
	w.t.Helper()
	if prober == nil {
		return stack.Probes{}
	}
	seen := prober.Stop()
	if len(seen.Failures) > 0 || seen.Absent > 0 || len(seen.UIDs) != 1 {
		w.t.Errorf("%d of %d logins failed, %d times no Secret, UIDs %v: %+v",
			len(seen.Failures), seen.Attempts, seen.Absent, seen.UIDs, seen.Failures)
	}
	return seen
}

// waitStruck returns once the strike has hit.
func (w *world) waitStruck(s *strike) {
	w.t.Helper()
	w.eventually(time.Minute, func() error {
		select {
		case <-s.done:
			return nil
		default:
			return fmt.Errorf("request %d was never made; those that were: %q", s.at, w.gate.requests())
		}
	})
}

// isReleased says whether the Secret was let go of and that was told, or the manager died over it.
func (w *world) isReleased(name string) error {
	select {
	case <-w.manager().Exited():
		return nil
	default:
	}
	if w.secret(name + "-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
		return fmt.Errorf("the Secret of %s is not released", name)
	}
	return w.wantEvent(name+"-kubeconfig", "Released", "")
}

// isDone says whether a credential is at rest after what has happened to it.
func (w *world) isDone(name string, done func(*v1alpha1.ClusterCredential) bool) error {
	w.t.Helper()
	cc := w.get(name)
	for _, conditionType := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionIssued, v1alpha1.ConditionPublished} {
		if c := condition(cc, conditionType); c.Status != "True" || c.ObservedGeneration != cc.Generation {
			return fmt.Errorf("%s is %s of generation %d, not of %d: %s: %s", conditionType, c.Status, c.ObservedGeneration, cc.Generation, c.Reason, c.Message)
		}
	}
	if c := condition(cc, v1alpha1.ConditionVerified); c.Status != "True" { // which comes last
		return fmt.Errorf("%s is %s: %s: %s", c.Type, c.Status, c.Reason, c.Message)
	}
	if cc.Status.Issuance != nil || condition(cc, v1alpha1.ConditionReconciling).Status == "True" || !done(cc) {
		return fmt.Errorf("%s is not done: %+v", name, cc.Status)
	}
	return nil
}

// account gathers what became of a credential.
func (w *world) account(name string) run {
	w.t.Helper()
	cc, secret := w.get(name), w.secret(name+"-kubeconfig")
	sum := tallyOf(w.posts(name), cc.Status.History)
	end := map[string]string{
		"revision":    fmt.Sprint(cc.Status.Revision),
		"handled":     cc.Status.LastHandledRenewRequest,
		"outputs":     "",
		"data":        fmt.Sprint(slices.Sorted(maps.Keys(secret.Data))),
		"labels":      fmt.Sprint(secret.Labels),
		"annotations": fmt.Sprint(slices.Sorted(maps.Keys(secret.Annotations))),
		"holds":       fmt.Sprint(cc.Status.Certificate.SerialNumber == w.serial(name)),
	}
	for _, o := range cc.Status.Outputs {
		end["outputs"] += fmt.Sprintf("%s %s %s;", strings.TrimPrefix(o.SecretName, name), o.State, o.Reason)
	}
	for _, c := range cc.Status.Conditions {
		end["condition "+c.Type] = fmt.Sprintf("%s/%s", c.Status, c.Reason)
	}
	return run{requests: w.gate.requests(), posts: sum.asked, lost: len(sum.lost), unknown: sum.unknown, discarded: sum.discarded, end: end}
}

// wantEndOf compares a run with one in which nothing was killed. A certificate may be lost where the kill came between the
// call and the Secret, and then history tells of it.
func (got run) wantEndOf(t *testing.T, want run, what string, after bool) {
	t.Helper()
	if diff := cmp.Diff(want.end, got.end); diff != "" {
		t.Errorf("the end (-without a kill +with):\n%s", diff)
	}
	isSecret := strings.HasSuffix(what, " secrets") && slices.Contains(want.requests, postForCertificate)
	lost := 0
	if what == postForCertificate && after || isSecret && !after {
		lost = 1
	}
	if got.posts != want.posts+lost || got.lost != lost {
		t.Errorf("%d certificates were asked for and %d lost, want %d and %d", got.posts, got.lost, want.posts+lost, lost)
	}
	if got.unknown > 1 || got.unknown < got.lost {
		t.Errorf("history tells of %d unknown outcomes, with %d certificates lost", got.unknown, got.lost)
	}
	// What was done before the kill, once more all of it, and the two in which a lost attempt is told of.
	if most := 2*len(want.requests) + 2; len(got.requests) > most {
		t.Errorf("%d requests changed something, want at most %d: %q", len(got.requests), most, got.requests)
	}
}
