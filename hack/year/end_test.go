// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// beginQuietDay counts writes from now on.
func (o *oracle) beginQuietDay() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.quiet = time.Now()
}

// end holds what must hold once everything has come to rest.
func (o *oracle) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.readLedger()
	for _, m := range o.world.fleet {
		o.holdRest(m)
	}
	for _, a := range o.world.accounts {
		o.holdPace(a)
	}
	if most := 5 * len(o.world.accounts); o.accountWrites > most { // a key is tried every six hours
		o.world.fail("rest: %d writes about accounts in a day", o.accountWrites)
	}
	for _, p := range o.posts {
		o.holdFate(p)
	}
}

// holdRest holds that a member is ready, and that on the last day nothing was written of it
// but its renewals.
func (o *oracle) holdRest(m *member) {
	ready := m.cc != nil && m.holds != nil && meta.IsStatusConditionTrue(m.cc.Status.Conditions, v1alpha1.ConditionReady)
	if !ready || m.cc.Status.Issuance != nil {
		o.world.fail("rest: %s is not ready, or has an open intent; Issued: %s", m.name, m.issuedMessage())
		return
	}
	renewals := 0
	for _, p := range m.posts {
		if !p.at.Before(o.quiet) {
			renewals++
		}
	}
	// For each: intent, Secret (and once more if a Secret was made by POST), status, event.
	if most := 5 * renewals; m.quiet > most {
		o.world.fail("rest: %d writes about %s in a day with %d renewals", m.quiet, m.name, renewals)
	}
	o.world.count(func(t *tally) { t.quietWrites += m.quiet })
}

// holdPace counts anew what the budget counts, in the plainest way.
func (o *oracle) holdPace(a *account) {
	var times []time.Time
	for _, p := range o.posts {
		if p.want.account == a.name {
			times = append(times, p.at)
		}
	}
	for i := a.limit; i < len(times); i++ {
		if span := times[i].Sub(times[i-a.limit]); span < time.Minute {
			o.world.fail("R7: %d calls of %s in %s, from %s on", a.limit+1, a.name, span, times[i-a.limit].UTC().Format(time.RFC3339))
			return
		}
	}
}

// holdFate holds that a certificate was stored, or that its credential's history tells what
// became of it, and that there was a cause.
func (o *oracle) holdFate(p *post) {
	m, told := p.member, p.member.told[p.issuance.ID]
	o.world.count(func(t *tally) {
		t.triggers[string(p.issuance.Trigger)]++
		if p.entry.Fault != "" {
			t.faults[string(p.entry.Fault)]++
		}
	})
	if !p.entry.Minted() {
		return
	}
	gone, isGone := m.deleted[p.uid]
	o.world.count(func(t *tally) {
		t.minted++
		switch {
		case p.stored:
		case told == v1alpha1.CertificateDiscarded:
			t.discarded++
		case told == v1alpha1.CertificateUnknown:
			t.unknown++
		default:
			t.gone++
		}
	})
	switch {
	case p.stored:
	case told == "" && (!isGone || gone.Sub(p.at) > 3*time.Hour):
		o.world.fail("R3: a certificate of %s, asked for at %s, was neither stored nor told in history", m.name, stamp(p.at))
	case p.entry.Fault == "" && p.entry.Complete && !p.excused():
		o.world.fail("R3: a certificate of %s, asked for at %s, came in order and was not stored (%s)", m.name, stamp(p.at), told)
	}
}

// excused says whether a certificate that came in order may not have been stored: the
// process was killed with it, or could not store it until it ended, or the spec changed, or the object went.
func (p *post) excused() bool {
	const kept = time.Hour // as long as the API server makes trouble
	soon := func(at time.Time) bool { return !at.IsZero() && !at.Before(p.at) && at.Sub(p.at) < kept }
	if p.process == nil || soon(p.process.killed) || soon(p.process.stopped) && p.process.troubled {
		return true
	}
	return slices.ContainsFunc(p.member.changes, soon) || soon(p.member.deleted[p.uid])
}
