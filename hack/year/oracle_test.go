// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/ccesim"
)

// Bounds that the contract names, written down anew: an oracle that read them from the
// rules would agree with any of them.
const (
	holdOff         = 45 * time.Second
	freeRepairs     = 2 // an hour
	changesPerHour  = 6
	discardsPerDay  = 4
	requestInterval = time.Minute
	// slack is how long a reason for a certificate may stand while nothing is in the way: a
	// refused key is probed once an hour, and an object at rest is looked at once an hour.
	slack = 150 * time.Minute
	// busiest is how many passes an hour an object has at the most.
	busiest = 150
)

// post is one certificate that was asked for.
type post struct {
	member   *member
	uid      types.UID // of the ClusterCredential
	at       time.Time
	issuance v1alpha1.Issuance
	want     wanted
	request  string // to renew, that was there
	process  *process

	requestID string
	entry     ccesim.Entry
	validity  validity // once it is stored
	stored    bool
	server    string // that the Secret names beside it
	judged    bool   // whether its expiry was judged
}

func (p *post) describe() string {
	if p == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s (asked for at %s, fault %q)", p.server, stamp(p.at), p.entry.Fault)
}

type validity struct {
	notBefore, notAfter time.Time
	chained             bool
}

// notes are what the oracle knows of one member. It sees every write, so that it needs to
// read nothing again.
type notes struct {
	cc      *v1alpha1.ClusterCredential // nil: it is gone
	secret  *corev1.Secret              // nil: it is gone
	holds   *post                       // what the Secret holds; nil: nothing that counts
	newest  *post                       // the newest that it ever held
	posts   []*post
	handled map[string]bool // requests to renew that a stored certificate was for
	told    map[string]v1alpha1.CertificateState
	changes []time.Time // when spec was changed
	deleted map[types.UID]time.Time

	closedAt  time.Time // until when something was in the way at the least
	closedWhy string
	reason    string
	since     time.Time // since when reason stands

	hour  time.Time // since when looks are counted
	looks int
	quiet int // writes since the quiet day began
}

func newNotes() notes {
	return notes{handled: map[string]bool{}, told: map[string]v1alpha1.CertificateState{}, deleted: map[types.UID]time.Time{}}
}

// oracle holds the promises against what happens.
type oracle struct {
	world *world
	mu    sync.Mutex
	named map[string]*post // by the cloud's id of the call
	posts []*post
	seen  int       // entries of the ledger that will not change any more
	quiet time.Time // when the quiet day begins
	// accountWrites counts writes about accounts since then.
	accountWrites int
}

func newOracle(w *world) *oracle { return &oracle{world: w, named: map[string]*post{}} }

// refresh looks at the object of that name, and at its Secret.
func (o *oracle) refresh(name string) {
	m := o.world.member(strings.TrimSuffix(name, v1alpha1.DefaultSecretSuffix))
	if m == nil {
		return
	}
	o.mu.Lock() // before reading: of two who look at once, the one who read first must not speak last
	defer o.mu.Unlock()
	cc, secret := &v1alpha1.ClusterCredential{}, &corev1.Secret{}
	if err := o.world.api.Get(context.Background(), key(m.name), cc); apierrors.IsNotFound(err) {
		cc = nil
	}
	if err := o.world.api.Get(context.Background(), key(m.secret()), secret); apierrors.IsNotFound(err) {
		secret = nil
	}
	if m.cc != nil && (cc == nil || cc.UID != m.cc.UID) {
		m.deleted[m.cc.UID] = time.Now()
	}
	if cc != nil && (m.cc == nil || cc.Generation != m.cc.Generation || cc.UID != m.cc.UID) {
		m.changes = append(m.changes, time.Now())
	}
	m.cc = cc
	if secret == nil {
		m.notes.secret, m.holds = nil, nil
		return
	}
	if m.notes.secret == nil || m.notes.secret.ResourceVersion != secret.ResourceVersion {
		m.notes.secret = secret
		o.read(m)
	}
}

// wrote is told of everything that the operator has written.
func (o *oracle) wrote(r request) {
	if r.kind == secretKind && r.verb == "delete" {
		o.world.fail("the operator deleted Secret %s", r.name)
	}
	o.refresh(r.name)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.world.count(func(t *tally) { t.writes[r.kind]++ })
	m := o.world.member(strings.TrimSuffix(r.name, v1alpha1.DefaultSecretSuffix))
	quiet := !o.quiet.IsZero() && !time.Now().Before(o.quiet)
	switch {
	case m == nil && quiet && r.kind == accountKind:
		o.accountWrites++
	case m == nil:
		return
	case quiet:
		m.quiet++
	}
	if m != nil && m.cc != nil {
		for _, entry := range m.cc.Status.History {
			if entry.State == v1alpha1.CertificateUnknown || entry.State == v1alpha1.CertificateDiscarded {
				m.told[entry.IssuanceID] = entry.State
			}
		}
	}
}

// looked is told of every pass.
func (o *oracle) looked(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	m, now := o.world.member(name), time.Now()
	if m == nil {
		return
	}
	if now.Sub(m.hour) >= time.Hour {
		m.hour, m.looks = now, 0
	}
	m.looks++
	o.world.count(func(t *tally) { t.looks, t.busiest = t.looks+1, max(t.busiest, m.looks) })
	if m.looks == busiest {
		o.world.fail("hot loop: %s was looked at %d times since %s", name, m.looks, stamp(m.hour))
	}
}

// read judges what stands in the Secret of a member, whoever wrote it.
func (o *oracle) read(m *member) {
	held := m.holds
	m.holds = nil
	found, err := readKubeconfig(m.notes.secret.Data["value"])
	if err != nil {
		o.world.fail("R1: Secret %s holds no kubeconfig that works: %v", m.secret(), err)
		return
	}
	o.readLedger()
	p := o.bySerial(found.serial)
	switch {
	case p == nil:
		o.world.fail("R1: Secret %s holds certificate %s, which was never asked for", m.secret(), found.serial)
		return
	case p.member != m:
		o.world.fail("R1: Secret %s holds the certificate of %s", m.secret(), p.member.name)
		return
	case m.newest != nil && p.at.Before(m.newest.at):
		o.world.fail("R1: Secret %s holds a certificate of %s, older than one of %s that it held",
			m.secret(), stamp(p.at), stamp(m.newest.at))
	case !time.Now().Before(found.notAfter) && !p.stored:
		o.world.fail("R1: Secret %s holds a certificate that expired at %s", m.secret(), stamp(found.notAfter))
	case !found.chained && held != nil && held.validity.chained:
		o.world.fail("R1: Secret %s holds a certificate that its CA has not signed, in place of one that it had", m.secret())
	case !m.serves(p, found.server) && (held == nil && p.entry.Fault != ccesim.FaultOtherServer || held != nil && held.server != found.server):
		o.world.fail("R1: Secret %s names server %s, which is not its cluster's, in place of %s", m.secret(), found.server, held.describe())
	}
	if !p.stored {
		p.stored, p.validity = true, validity{found.notBefore, found.notAfter, found.chained}
		o.world.count(func(t *tally) { t.stored++ })
	}
	p.server = found.server
	m.handled[p.request] = true
	m.holds, m.newest = p, p
}

// serves says whether the cluster that a certificate was asked for has that address.
func (m *member) serves(p *post, server string) bool {
	for _, c := range m.clusters {
		if c.ID == p.want.cluster {
			return server == c.InternalURL || server == c.ExternalURL
		}
	}
	return false
}

// readLedger brings what is known of the posts up to date.
func (o *oracle) readLedger() {
	settled := true
	for _, entry := range o.world.sim.LedgerSince(o.seen) {
		p := o.named[entry.RequestID]
		if p != nil {
			p.entry = entry
		}
		settled = settled && entry.Finished && p != nil
		if settled {
			o.seen++
		}
	}
}

func (o *oracle) bySerial(serial string) *post {
	for _, p := range slices.Backward(o.posts) { // mostly it is a late one
		if p.entry.Serial == serial {
			return p
		}
	}
	return nil
}

// name notes the cloud's id of a call.
func (o *oracle) name(p *post, requestID string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p.requestID = requestID
	o.named[requestID] = p
}

// step is called whenever something has happened, and each hour: it holds that every
// reason for a certificate is followed by one, unless something is in the way.
func (o *oracle) step() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.readLedger()
	now := time.Now()
	for _, m := range o.world.fleet {
		if why := o.closed(m, now); why != "" {
			m.closedAt, m.closedWhy = now, why
		}
		if o.world.begun().After(m.closedAt) {
			m.closedAt, m.closedWhy = o.world.begun(), "no operator"
		}
		o.judgeExpiry(m, now)
		reason, from := m.mustAsk(now)
		if reason == "" || reason != m.reason {
			m.reason, m.since = reason, from
		}
		if reason != "" && now.Sub(latest(m.since, m.closedAt)) > slack {
			o.world.fail("R6: %s wants a certificate (%s) since %s, and nothing is in the way since %s (last: %s); Issued: %s",
				m.name, reason+m.difference(), stamp(m.since), stamp(m.closedAt), m.closedWhy, m.issuedMessage())
			m.closedAt = now // once is enough
		}
	}
}

// closed says what keeps a member from a certificate at this moment; empty: nothing.
func (o *oracle) closed(m *member, now time.Time) string {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.cc == nil {
		return "no object"
	}
	a := w.account(m.cc.Spec.AccountRef.Name)
	switch {
	case m.cc.Spec.Suspend:
		return "suspended"
	case w.process == nil:
		return "no operator"
	case now.Before(w.outage.until) && (w.outage.whose == nil || w.outage.whose == a):
		return "an outage"
	case !a.suspended.IsZero():
		return "the account is suspended"
	case a.refused:
		return "the cloud refuses the key"
	case now.Before(w.trouble.until):
		return "the API server refuses writes"
	case m.parked():
		return "waits for a person"
	case m.discards(now) >= discardsPerDay:
		return "four discarded in a day"
	}
	for _, p := range o.posts[max(0, len(o.posts)-20):] {
		if p.entry.Fault != "" && p.want.account == a.name && now.Sub(p.at) < time.Hour {
			return "the cloud answered badly"
		}
	}
	return ""
}

// parked says whether only another spec, account or request can help.
func (m *member) parked() bool {
	c := meta.FindStatusCondition(m.cc.Status.Conditions, v1alpha1.ConditionIssued)
	if c == nil || c.Status != metav1.ConditionFalse {
		return false
	}
	switch v1alpha1.Reason(c.Reason) {
	case v1alpha1.ReasonRejected, v1alpha1.ReasonInsecureEndpoint, v1alpha1.ReasonContextNotFound:
		return true
	default:
		return false
	}
}

func (m *member) issuedMessage() string {
	if m.cc == nil {
		return "no object"
	}
	c := meta.FindStatusCondition(m.cc.Status.Conditions, v1alpha1.ConditionIssued)
	if c == nil {
		return "no condition"
	}
	return c.Reason + ": " + c.Message
}

// judgeExpiry holds that a certificate expires only where its renewal was kept from it.
func (o *oracle) judgeExpiry(m *member, now time.Time) {
	p := m.holds
	if m.cc == nil || p == nil || p.judged || now.Before(p.validity.notAfter) {
		return
	}
	p.judged = true
	open := p.validity.notAfter.Sub(latest(m.dueAt(p), m.closedAt))
	switch {
	case isManual(m.cc):
		o.world.count(func(t *tally) { t.excused["policy Manual, and nobody asked"]++ })
	case open < slack:
		o.world.count(func(t *tally) { t.excused[m.closedWhy]++ })
	default:
		o.world.fail("R6: the certificate of %s expired, and for %s nothing was in the way (last: %s); Issued: %s",
			m.name, open, m.closedWhy, m.issuedMessage())
	}
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
