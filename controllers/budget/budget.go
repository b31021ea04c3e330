// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"maps"
	"sync"
	"time"
)

// Unlimited is the number of certificates a minute from which on pacing is off: the
// distance between two would be below a millisecond.
const Unlimited = 60_000

// Account is a key to a cloud, as far as its limits are concerned.
type Account struct {
	// Key tells accounts apart: those with the same endpoint and access key share one.
	Key string
	// Name is the account object's namespace/name: the smallest PerMinute of all names
	// under one Key counts.
	Name string
	// Version tells one secret of the key from another, whichever account object it comes
	// from. A refusal is about a Version: another one may be tried at once.
	Version string
	// State changes with the account object and with its Secret. When that of a known Name
	// does, somebody has acted, and a refused secret may be tried again.
	State string
	// Lock names the access key as the cloud does, whichever secret of it somebody has: it locks one of which wrong secrets were
	// used. Empty: nothing is locked.
	Lock string
	// PerMinute is how many certificates may be asked for in 60 seconds, at least 1;
	// Unlimited or more: no pacing.
	PerMinute int
}

// Claim is one credential's wish for a turn.
type Claim struct {
	// ID is the credential's UID.
	ID string
	// Class is how urgent it is.
	Class Class
	// Late is true for an Urgent claim whose credential works, and soon will not: it stands in the round that is served now, so that
	// no flow of new ones is before it.
	Late bool
	// Namespace is the credential's: within a class other than ByExpiry namespaces take turns.
	Namespace string
	// Change is true where the claim follows from a change, and nobody has asked for it (see Budget.Changes).
	Change bool
	// Expiry orders the waiting of a class and a round: the earliest goes first. Zero
	// (nothing to lose yet) counts as expiring at the moment of the first Ask.
	Expiry time.Time
}

// Class is how urgent a claim is; the lower goes first.
type Class int

// The classes.
const (
	// Urgent is for who has no credential that works: none yet, lost, expired, or of
	// another cluster; and for those that soon have none (Late).
	Urgent Class = iota - 1
	// ByExpiry is for renewals by time.
	ByExpiry
	// Wished is for what somebody wishes, while what is there works: a request, or
	// another validity or account.
	Wished
)

// Hold is why a turn was not granted.
type Hold int

// The holds.
const (
	// None: the turn was granted.
	None Hold = iota
	// Line: others are before, or the pace does not allow it yet.
	Line
	// Throttled: the cloud said 429.
	Throttled
	// Refused: the cloud refused the key twice; only a new Version, or one probe an hour.
	Refused
)

// Turn is the answer to Ask. A granted turn is given back with Return.
type Turn struct {
	// Hold is None when the turn is granted.
	Hold Hold
	// At is about when to ask again; zero when granted.
	At time.Time
	// Waited is how long a granted turn was waited for since the first Ask.
	Waited time.Duration
	// Wake are claims that are before this one and may ask now: they do not know it where
	// what held them back has gone.
	Wake Call
}

// Call names claims at the head of a line and when they may ask. Whoever gets it wakes
// them then, so that no place in the pace is left empty. Its zero value names nobody.
type Call struct {
	IDs []string
	At  time.Time
}

// Outcome is what became of a turn.
type Outcome struct {
	// Posted is true when a certificate was asked for, whatever the answer.
	Posted bool
	// Spent is true when nothing was asked for and the turn counts all the same: somebody could ask for the like without end.
	Spent bool
	// Throttled is true when the cloud said 429; RetryAfter is what it asked for, zero if
	// it did not say.
	Throttled  bool
	RetryAfter time.Duration
	// Refused is true when the cloud refused the key; Answered, when it accepted it.
	Refused, Answered bool
	// Silent is true when the cloud was asked for something and did not answer: until it does,
	// one at a time waits for it, and not as many as may be in flight.
	Silent bool
}

// Budget keeps the accounts. Its zero value is not usable; see New.
type Budget struct {
	mu       sync.Mutex
	started  time.Time
	most     int // turns of an account that are out
	accounts map[string]*account
	// waiting says in which account's line a claim stands.
	waiting map[string]*account
	// keys says under which key an account object was seen last.
	keys map[string]string
	// locks are the access keys of which a secret was refused, by Lock.
	locks map[string]*lock
}

// New returns a budget for a process (or leadership) that started at started: what an
// earlier one asked for is unknown, so each account begins with an empty allowance.
// At most most turns of one account are out at a time, at least 1; only one while the
// cloud has not answered yet, or has not answered last.
func New(started time.Time, most int) *Budget {
	return &Budget{
		started:  started,
		most:     max(1, most),
		accounts: map[string]*account{},
		waiting:  map[string]*account{},
		keys:     map[string]string{},
		locks:    map[string]*lock{},
	}
}

// Lead tells that the process leads from now on: another one may have asked for
// certificates until this moment.
func (b *Budget) Lead(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.started = now
	for _, a := range b.accounts {
		a.next = now.Add(a.interval())
	}
}

// Ask grants a turn, or puts the claim in line and says about when to ask again.
func (b *Budget) Ask(now time.Time, who Account, claim Claim) Turn {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(now, who)
	if other := b.waiting[claim.ID]; other != nil && other != a {
		other.line.remove(claim.ID)
	}
	delete(a.line.expected, claim.ID) // it has come
	a.line.prune(now)
	rank := a.line.put(now, claim)
	b.waiting[claim.ID] = a
	turn := a.turn(now, who.Version, rank, b.most)
	a.line.expect(claim.ID, turn.At)
	switch turn.Hold {
	case None:
		turn.Waited = now.Sub(a.line.since[claim.ID])
		a.line.grant(claim.ID)
		delete(b.waiting, claim.ID)
		a.grant(now, claim.ID)
	case Refused: // those behind it may have another secret
		b.leaveLine(claim.ID)
	default: // it keeps its place
	}
	return turn
}

func (b *Budget) leaveLine(id string) {
	b.waiting[id].line.remove(id)
	delete(b.waiting, id)
}

// Return gives a granted turn back and names the claims that may ask next.
func (b *Budget) Return(now time.Time, who Account, claimID string, outcome Outcome) Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[who.Key] // who may have changed since, and is not news
	if a == nil {
		return Call{}
	}
	a.settle(now, who.Version, claimID, outcome)
	return a.call(now, who.Version, b.most)
}

// Stands says whether a turn that was granted a while ago may be used still. It may not where the cloud has meanwhile said 429 or
// refused the key, nor where it has fallen silent and others wait for it: then it is returned as it is.
func (b *Budget) Stands(now time.Time, who Account) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[who.Key] // who may have changed since, and is not news
	return a != nil && a.hold(now, who.Version).Hold == None && !(a.isInDoubt(who.Version) && len(a.out) > 1)
}

// Report tells the outcome of a call that needed no turn, such as an account's check.
func (b *Budget) Report(now time.Time, who Account, outcome Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account(now, who).learn(now, who.Version, outcome)
}

// Probe says whether the account's key may be tried now with a call that needs no turn.
func (b *Budget) Probe(now time.Time, who Account) Turn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.account(now, who).hold(now, who.Version)
}

// Forget takes a claim out of line: it is not due any more, or gone. Where others waited
// behind it, it names those that may ask next.
func (b *Budget) Forget(now time.Time, claimID string) Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.waiting[claimID]
	if a == nil {
		return Call{}
	}
	b.leaveLine(claimID)
	return a.call(now, "", b.most)
}

// Changes are the claims that follow from a change and stand in an account's line before one of that class would: as good as granted.
// It names none where the claim stands in the line itself, nor where the cloud has asked the account to wait.
func (b *Budget) Changes(now time.Time, key string, claim Claim) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[key]
	if a == nil || b.waiting[claim.ID] == a || now.Before(a.heldUntil) {
		return nil
	}
	return a.line.changes(now, claim.Class)
}

// Leave tells that an account object is gone: its limit counts no more.
func (b *Budget) Leave(now time.Time, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.accounts[b.keys[name]]; a != nil {
		a.leave(now, name)
	}
	delete(b.keys, name)
}

// account returns the state behind who.Key and brings its limit up to date.
func (b *Budget) account(now time.Time, who Account) *account {
	a := b.accounts[who.Key]
	if a == nil {
		maps.DeleteFunc(b.accounts, func(_ string, other *account) bool { return other.idle(now) })
		a = newAccount()
		b.accounts[who.Key] = a
		a.limit(b.started, who)
	}
	if before := b.accounts[b.keys[who.Name]]; before != nil && before != a {
		before.leave(now, who.Name) // it has another key now
	}
	b.keys[who.Name] = who.Key
	a.limit(now, who)
	a.notice(who)
	a.lock = b.lockOf(now, who.Lock)
	return a
}
