// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// wanted is what a certificate is asked for.
type wanted struct{ cluster, validity, account string }

func (m *member) want() wanted {
	spec := m.cc.Spec
	w := wanted{cluster: m.clusterOf(spec.Cluster).ID, validity: "720h0m0s", account: spec.AccountRef.Name}
	if v := spec.Validity; v != nil && v.Duration != nil {
		w.validity = v.Duration.Duration.String()
	} else if v != nil && v.Days != nil {
		w.validity = (time.Duration(*v.Days) * day).String()
	}
	return w
}

// difference tells what spec asks for, and what the stored certificate was asked for.
func (m *member) difference() string {
	if m.holds == nil || m.holds.want == m.want() {
		return ""
	}
	return fmt.Sprintf(": %v in place of %v", m.want(), m.holds.want)
}

func isManual(cc *v1alpha1.ClusterCredential) bool {
	return cc.Spec.Renewal != nil && cc.Spec.Renewal.Policy == v1alpha1.RenewalManual
}

// lead is before as docs/concepts.md tells it, and how much earlier a renewal may be spread.
func (m *member) lead(p *post) (lead, spread time.Duration) {
	lifetime := p.validity.notAfter.Sub(p.validity.notBefore)
	lead = lifetime / 3
	if r := m.cc.Spec.Renewal; r != nil {
		switch {
		case r.Before != nil && r.Before.Duration*10 < lifetime*9:
			lead = r.Before.Duration
		case r.Before == nil && r.BeforePercent != nil:
			lead = lifetime / 100 * time.Duration(*r.BeforePercent)
		}
	}
	return lead, min(lead/10, day, (lifetime-lead)/10) + time.Second
}

// dueAt is when a certificate is renewed at the latest.
func (m *member) dueAt(p *post) time.Time {
	lead, _ := m.lead(p)
	return p.validity.notAfter.Add(-lead)
}

// Reasons for a certificate.
const (
	nothingStored = "nothing is stored"
	expired       = "it expired"
	otherSpec     = "spec asks for something else"
	requested     = "a renewal was requested"
	byTime        = "it is time"
)

// reasons are all that hold now. early counts renewals from where they may be spread to.
func (m *member) reasons(now time.Time, early bool) []string {
	if m.cc == nil || m.cc.Spec.Suspend {
		return nil
	}
	p := m.holds
	if p == nil {
		return []string{nothingStored}
	}
	var all []string
	if !now.Before(p.validity.notAfter) {
		all = append(all, expired)
	}
	if p.want != m.want() {
		all = append(all, otherSpec)
	}
	if wish := m.cc.Annotations[v1alpha1.AnnotationRenewRequestedAt]; wish != "" && !m.handled[wish] {
		all = append(all, requested)
	}
	due := m.dueAt(p)
	if _, spread := m.lead(p); early {
		due = due.Add(-spread)
	}
	if !isManual(m.cc) && !now.Before(due) {
		all = append(all, byTime)
	}
	return all
}

// mustAsk is the first reason, and since when it stands.
func (m *member) mustAsk(now time.Time) (string, time.Time) {
	all := m.reasons(now, false)
	if len(all) == 0 {
		return "", time.Time{}
	}
	if all[0] == byTime {
		return byTime, m.dueAt(m.holds)
	}
	return all[0], now
}

// discards is how many certificates of the last day were issued and not fit to be published. An
// object that was made anew begins anew: the history went with the one before.
func (m *member) discards(now time.Time) int {
	n := 0
	for _, p := range m.posts {
		if m.cc != nil && p.uid == m.cc.UID && m.told[p.issuance.ID] == v1alpha1.CertificateDiscarded && now.Sub(p.issuance.StartedAt.Time) < day {
			n++
		}
	}
	return n
}

// asked holds every promise about a call that has just reached the cloud.
func (o *oracle) asked(path string) *post {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.readLedger()
	now := time.Now()
	m := o.memberOf(path)
	p := &post{member: m, at: now, process: o.world.running()}
	if m == nil || m.cc == nil || m.cc.Status.Issuance == nil {
		o.world.fail("R3: %s was asked for without an intent", path)
		o.posts = append(o.posts, p)
		if m == nil {
			p.member = o.world.fleet[0]
		}
		return p
	}
	p.uid, p.issuance, p.want, p.request = m.cc.UID, *m.cc.Status.Issuance, m.want(), m.cc.Annotations[v1alpha1.AnnotationRenewRequestedAt]
	if !strings.Contains(path, p.want.cluster) {
		o.world.fail("%s: asked for cluster %s, spec names %s", m.name, path, p.want.cluster)
	}
	reasons := m.reasons(now, true)
	if len(reasons) == 0 {
		o.world.fail("R2: %s was asked for (%s) without a reason", m.name, p.issuance.Trigger)
	}
	if a := o.world.account(p.want.account); !a.suspended.IsZero() && now.Sub(a.suspended) > 15*time.Second {
		o.world.fail("%s was asked for, though its account is suspended since %s", m.name, a.suspended.UTC().Format(time.RFC3339))
	}
	o.holdFloors(m, p, reasons)
	m.posts, o.posts = append(m.posts, p), append(o.posts, p)
	o.world.count(func(t *tally) { t.posts++ })
	return p
}

func (o *oracle) memberOf(path string) *member {
	for _, m := range o.world.fleet {
		for _, c := range m.clusters {
			if strings.Contains(path, "/"+c.ID+"/") {
				return m
			}
		}
	}
	return nil
}

// holdFloors holds how soon a call may follow the ones before it.
func (o *oracle) holdFloors(m *member, p *post, reasons []string) {
	var last, lastRequest *post // that were stored
	repairs, changes, triggers := 0, 0, map[v1alpha1.Trigger]bool{}
	for _, other := range m.posts {
		gap := p.at.Sub(other.issuance.StartedAt.Time)
		if other.issuance.ID == p.issuance.ID {
			o.world.fail("R3: %s was asked for twice with one intent", m.name)
		}
		if !other.stored {
			if other.entry.Minted() && m.told[other.issuance.ID] != v1alpha1.CertificateDiscarded && gap < holdOff {
				o.world.fail("hold-off: %s was asked for %s after one whose outcome is unknown", m.name, gap)
			}
			continue
		}
		last = other
		switch trigger := other.issuance.Trigger; {
		case trigger == v1alpha1.TriggerRequest:
			lastRequest = other
			fallthrough
		case trigger == v1alpha1.TriggerSpec:
			changes += within(gap, time.Hour)
		case trigger == v1alpha1.TriggerMissing:
			repairs += within(gap, time.Hour)
		}
		triggers[other.issuance.Trigger] = triggers[other.issuance.Trigger] || other.uid == p.uid
	}
	if discards := m.discards(p.at); discards >= discardsPerDay {
		o.world.fail("discards: %s is asked for after %d were discarded in a day", m.name, discards)
	}
	if last == nil {
		return
	}
	gap := p.at.Sub(last.issuance.StartedAt.Time)
	switch p.issuance.Trigger {
	case v1alpha1.TriggerFirst:
		if triggers[v1alpha1.TriggerFirst] {
			o.world.fail("R2: %s is asked for as the first, and is not", m.name)
		}
	case v1alpha1.TriggerRequest:
		if lastRequest != nil && p.at.Sub(lastRequest.issuance.StartedAt.Time) < requestInterval || changes >= changesPerHour {
			o.world.fail("R5: %s is asked for by request too soon: %d changes in an hour", m.name, changes)
		}
	case v1alpha1.TriggerSpec:
		if changes >= changesPerHour {
			o.world.fail("R5: %s is asked for with another spec, after %d changes in an hour", m.name, changes)
		}
	case v1alpha1.TriggerMissing:
		free := reasons[0] == nothingStored && repairs < freeRepairs
		if gap < floor && !free && !slices.Contains(reasons, otherSpec) && !slices.Contains(reasons, requested) {
			o.world.fail("R5: %s is asked for (%s) %s after the one before, and %d repairs", m.name, reasons[0], gap, repairs)
		}
	default:
		if gap < floor {
			o.world.fail("R5: %s is asked for by time %s after the one before", m.name, gap)
		}
	}
}

func within(gap, span time.Duration) int {
	if gap < span {
		return 1
	}
	return 0
}
