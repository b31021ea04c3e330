// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// Ten accounts, each with its own access key and as many credentials, of which the last three have a bad day.
const (
	tenAccounts    = 10
	badAccounts    = 3
	eachCredential = 20
	// cloudTakes is how long the cloud takes for an answer.
	cloudTakes = 300 * time.Millisecond
	// mostSlower is how much longer the others may wait than if all had a good day.
	mostSlower = 2.0
)

func TestAccountsThatFailDoNotHoldUpTheOthers(t *testing.T) {
	undisturbed := timeToReady(t, "")
	t.Logf("all accounts work: p50 %s, p99 %s", percentile(undisturbed, 50), percentile(undisturbed, 99))
	for _, fault := range []string{"hang", "unauthorized", "throttled"} {
		if fault != "hang" && !*whole {
			continue // these answer, and hold nobody up
		}
		t.Run(fault, func(t *testing.T) {
			took := timeToReady(t, fault)
			ratio := percentile(took, 99).Seconds() / percentile(undisturbed, 99).Seconds()
			t.Logf("three of ten accounts: %s; the other seven: p50 %s, p99 %s, %.2f times that without", fault,
				percentile(took, 50), percentile(took, 99), ratio)
			if ratio > mostSlower {
				t.Errorf("the other accounts' p99 is %.2f times that without a fault, want at most %.1f", ratio, mostSlower)
			}
		})
	}
}

func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1].Round(time.Millisecond)
}

// timeToReady is how long each credential of the good accounts took from its creation until it was Ready, in order.
func timeToReady(t *testing.T, fault string) []time.Duration {
	t.Helper()
	var keys, clusters []string
	for i := range tenAccounts {
		keys = append(keys, fmt.Sprintf("AK-%d", i))
	}
	for i := range eachCredential {
		clusters = append(clusters, fmt.Sprintf("cluster-%d", i))
	}
	w := newWorld(t, options{keys: keys, clusters: clusters, latency: cloudTakes, alone: true})
	if fault != "" {
		w.cloudFails(fault, keys[tenAccounts-badAccounts:]...)
	}
	documents := make([]string, 0, tenAccounts)
	for i, key := range keys {
		documents = append(documents, namedAccountYAML(fmt.Sprintf("account-%d", i), key))
	}
	w.apply(documents...)
	w.startManager("--zap-log-level=info")
	w.eventually(eventTime, func() error {
		accounts := make([]string, 0, tenAccounts)
		for i := range tenAccounts - badAccounts {
			accounts = append(accounts, fmt.Sprintf("cloudaccount/account-%d", i))
		}
		_, err := w.Kubectl(append([]string{"--namespace", w.namespace, "wait", "--for=condition=Ready", "--timeout=20s"}, accounts...)...)
		return err
	})
	took := w.createAndMeasure(clusters)
	if fault != "" {
		w.wantBadDay(fault)
	}
	return took
}

// badReasons are what a credential tells of the faults.
var badReasons = map[string]v1alpha1.Reason{
	"hang": v1alpha1.ReasonUnavailable, "unauthorized": v1alpha1.ReasonUnauthorized, "throttled": v1alpha1.ReasonThrottled,
}

// wantBadDay holds that the fault kept the last accounts from certificates, all of them.
func (w *world) wantBadDay(fault string) {
	w.t.Helper()
	for i := tenAccounts - badAccounts; i < tenAccounts; i++ {
		w.eventually(time.Minute, func() error {
			told := false
			for cluster := range eachCredential {
				cc := w.get(fmt.Sprintf("cluster-%d-of-%d", cluster, i))
				if meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady) {
					return fmt.Errorf("%s is Ready, though its account fails", cc.Name)
				}
				c := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionIssued)
				told = told || c != nil && c.Reason == string(badReasons[fault])
			}
			if told {
				return nil
			}
			return fmt.Errorf("account-%d fails with %s, and none of its credentials tells %s", i, fault, badReasons[fault])
		})
	}
}

// createAndMeasure creates a credential of every account for every cluster, and returns how long those of the good accounts took.
func (w *world) createAndMeasure(clusters []string) []time.Duration {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	writer, err := w.Client()
	w.must(err)
	changes, err := writer.Watch(ctx, &v1alpha1.ClusterCredentialList{}, client.InNamespace(w.namespace))
	w.must(err)
	defer changes.Stop()
	const good = (tenAccounts - badAccounts) * eachCredential
	seen := make(chan map[string]time.Time, 1)
	go func() { seen <- readyTimes(changes.ResultChan(), good) }()

	created := map[string]time.Time{}
	for _, cluster := range clusters {
		for i := range tenAccounts {
			cc := stack.Credential(w.namespace, fmt.Sprintf("%s-of-%d", cluster, i), cluster)
			cc.Spec.AccountRef.Name = fmt.Sprintf("account-%d", i)
			created[cc.Name] = time.Now()
			w.must(writer.Create(ctx, cc))
		}
	}
	ready := <-seen
	if len(ready) < good {
		w.t.Fatalf("%d of %d credentials of good accounts are Ready in time", len(ready), good)
	}
	took := make([]time.Duration, 0, good)
	for name, at := range ready {
		took = append(took, at.Sub(created[name]))
	}
	slices.Sort(took)
	return took
}

// isOfGoodAccount says whether its account is one of those that never fail.
func isOfGoodAccount(cc *v1alpha1.ClusterCredential) bool {
	number, err := strconv.Atoi(strings.TrimPrefix(cc.Spec.AccountRef.Name, "account-"))
	return err == nil && number < tenAccounts-badAccounts
}

// readyTimes is when each credential of the good accounts became Ready, until n have or nothing more comes.
func readyTimes(changes <-chan watch.Event, n int) map[string]time.Time {
	ready := map[string]time.Time{}
	for len(ready) < n {
		e, open := <-changes
		if !open {
			break
		}
		cc, ok := e.Object.(*v1alpha1.ClusterCredential)
		if !ok || !isOfGoodAccount(cc) || !meta.IsStatusConditionTrue(cc.Status.Conditions, v1alpha1.ConditionReady) {
			continue
		}
		if _, known := ready[cc.Name]; !known {
			ready[cc.Name] = time.Now()
		}
	}
	return ready
}
