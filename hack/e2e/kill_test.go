// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

const (
	// fleetSize is how many credentials live through the kills: half of them have a certificate before, half are new.
	fleetSize = 50
	kills     = 20
	// inFlight is how many calls of one account are under way at most.
	inFlight = 4
)

// fleet is what the kills are about, with what each credential was made to want.
type fleet struct {
	*world
	names []string
	// days is what each credential asks for; wants is how many certificates it had reason to ask for beside those for expiry: one
	// at first, and one for each change of days.
	days, wants map[string]int
	// killed are the moments of the kills.
	killed []time.Time
}

// The first certificates of a few live for shortLife, and are due one after the other while the kills go on. All others live for
// longLife, and are due after the test, however busy the machine is.
const (
	shortLife, longLife = 4 * time.Minute, 15 * time.Minute
	lateBefore          = 2 * time.Minute
)

// readLate is how much later than it was sent the cloud may read a request, on a machine where much else is done: one of a killed
// operator then counts with its kill.
const readLate = 500 * time.Millisecond

func TestKillsLoseNoMoreThanWhatWasUnderWay(t *testing.T) {
	f := &fleet{days: map[string]int{}, wants: map[string]int{}}
	for i := range fleetSize {
		f.names = append(f.names, fmt.Sprintf("kill-%02d", i))
	}
	f.world = newWorld(t, options{clusters: f.names, latency: 250 * time.Millisecond, lifetime: shortLife})
	// A change at every kill is meant here. What was published and not reported when the operator was killed is tried again, and status
	// told of it, after an interval at the latest.
	f.args = []string{"--min-issue-interval=5s", "--fleet-hold=false", "--verify-interval=30s"}
	restless, old, young := f.names[:5], f.names[5:fleetSize/2], f.names[fleetSize/2:]
	f.startManager()
	f.apply(accountYAML())
	for i, name := range restless {
		f.want([]string{name}, 30, shortLife-25*time.Second-time.Duration(i)*8*time.Second)
	}
	f.waitReady(restless...)
	f.must(f.cloud.SetGrantedLifetime(longLife))
	f.want(old, 30, lateBefore)
	f.waitReady(old...)
	var probers []*stack.Prober
	for _, name := range f.names[3:7] {
		p, err := f.Prober(stack.ProbeOptions{Namespace: f.namespace, Secret: name + "-kubeconfig"})
		f.must(err)
		probers = append(probers, p)
	}

	// First ones, changed ones and ones that are due, at every kill: so there is always something under way.
	for round := range kills {
		f.want(some(young, round, 2), 30, lateBefore)
		f.want(some(old, round, 2), 29-round, lateBefore)
		time.Sleep(time.Duration(rand.IntN(900)) * time.Millisecond) // any moment will do
		f.must(f.manager().Kill())
		time.Sleep(readLate)
		f.killed = append(f.killed, time.Now())
		f.startManager()
	}
	f.want(young, 30, lateBefore) // those whose turn had not come; nothing for the others
	f.eventually(4*time.Minute, f.settled)

	asked := f.account()
	for i, p := range probers {
		if seen := p.Stop(); len(seen.Failures) > 0 || seen.Absent > 0 || len(seen.UIDs) != 1 {
			t.Errorf("client %d: %d of %d logins failed, %d times no Secret, UIDs %v: %+v",
				i, len(seen.Failures), seen.Attempts, seen.Absent, seen.UIDs, seen.Failures)
		}
	}
	f.stillness("after the kills", asked)
	f.stillnessAfterAKill("after one more kill", asked)
}

// want applies credentials that ask for a number of days.
func (f *fleet) want(names []string, days int, before time.Duration) {
	f.t.Helper()
	var documents []string
	for _, name := range names {
		documents = append(documents, credentialYAML(name, name, fmt.Sprintf("  renewal: {before: %s}\n  validity: {days: %d}", before, days)))
		if f.days[name] != days {
			f.days[name] = days
			f.wants[name]++
		}
	}
	f.apply(documents...)
}

// settled says whether every credential has what it wants, and nothing will be due for a while.
func (f *fleet) settled() error {
	for _, cc := range f.list() {
		for _, conditionType := range []string{
			v1alpha1.ConditionReady, v1alpha1.ConditionIssued, v1alpha1.ConditionPublished, v1alpha1.ConditionVerified,
		} {
			if c := condition(&cc, conditionType); c.Status != "True" || c.ObservedGeneration != cc.Generation {
				return fmt.Errorf("%s of %s is %s of generation %d, not of %d: %s: %s", conditionType, cc.Name, c.Status, c.ObservedGeneration, cc.Generation, c.Reason, c.Message)
			}
		}
		if cc.Status.Issuance != nil || condition(&cc, v1alpha1.ConditionReconciling).Status == "True" {
			return fmt.Errorf("%s is not done", cc.Name)
		}
		if time.Until(cc.Status.Certificate.NotAfter.Time) < shortLife {
			return fmt.Errorf("%s has its first certificate still", cc.Name)
		}
	}
	return nil
}

// account holds the cloud's ledger against what the credentials tell, and returns how many certificates were asked for.
func (f *fleet) account() int {
	f.t.Helper()
	var sum tally
	for _, cc := range f.list() {
		one := tallyOf(f.posts(cc.Name), cc.Status.History)
		if len(one.lost) > one.unknown {
			f.t.Errorf("%s: %d requests came to something that history does not tell of, and only %d outcomes are Unknown:\n%+v\n%+v",
				cc.Name, len(one.lost), one.unknown, f.posts(cc.Name), cc.Status.History)
		}
		if justified := f.wants[cc.Name] + one.expiries + len(one.lost); one.asked > justified {
			f.t.Errorf("%s: %d certificates were asked for; %d were wanted, %d were for expiry, %d were lost:\n%+v",
				cc.Name, one.asked, f.wants[cc.Name], one.expiries, len(one.lost), cc.Status.History)
		}
		sum.asked, sum.unknown, sum.expiries = sum.asked+one.asked, sum.unknown+one.unknown, sum.expiries+one.expiries
		sum.lost = append(sum.lost, one.lost...)
	}
	for i, lost := range f.byKill(sum.lost) {
		if lost > inFlight {
			f.t.Errorf("kill %d lost %d certificates, want at most the %d that can be under way", i+1, lost, inFlight)
		}
	}
	f.t.Logf("%d certificates were asked for, %d of them for expiry; %d were lost with a kill, %d outcomes are told as Unknown",
		sum.asked, sum.expiries, len(sum.lost), sum.unknown)
	return sum.asked
}

// byKill counts for each kill what was lost between the one before and it. What was lost after the last kill counts as one
// more, which nothing excuses.
func (f *fleet) byKill(lost []time.Time) []int {
	counts := make([]int, len(f.killed))
	for _, at := range lost {
		kill := slices.IndexFunc(f.killed, at.Before)
		if kill < 0 {
			f.t.Errorf("a certificate asked for at %s was lost, and no kill came after it", at)
			continue
		}
		counts[kill]++
	}
	return counts
}

// tally is what became of the requests for certificates of one credential.
type tally struct {
	asked    int         // the cloud got them
	lost     []time.Time // when those were asked for whose certificate history does not name
	unknown  int         // outcomes that history tells as such
	expiries int         // entries of history that were for expiry
	// discarded are certificates that history names as such.
	discarded int
}

func tallyOf(posts []stack.Entry, history []v1alpha1.HistoryEntry) tally {
	sum := tally{asked: len(posts)}
	named := map[string]bool{}
	for _, entry := range history {
		named[entry.SerialNumber] = entry.SerialNumber != ""
		if entry.State == v1alpha1.CertificateUnknown {
			sum.unknown++
		}
		if entry.State == v1alpha1.CertificateDiscarded {
			sum.discarded++
		}
		if entry.Trigger == v1alpha1.TriggerExpiry {
			sum.expiries++
		}
	}
	for _, post := range posts {
		if !named[post.Serial] {
			sum.lost = append(sum.lost, post.Time)
		}
	}
	return sum
}

// some picks n names, others in each round.
func some(names []string, round, n int) []string {
	var picked []string
	for i := range n {
		picked = append(picked, names[(round*n+i)%len(names)])
	}
	return picked
}
