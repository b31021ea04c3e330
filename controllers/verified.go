// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/grants"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/verify"
)

// Verifier tries a credential against the API server that it names. verify.Prober is the one that runs.
type Verifier interface {
	Try(ctx context.Context, c kubeconfig.Credential, fresh bool) verify.Outcome
}

const (
	// verifyDeadline bounds the tries of one certificate.
	verifyDeadline = 5 * time.Second
	// untriedLook is how soon a certificate is tried again that must be accepted before it is published.
	untriedLook = time.Minute
	// busyLook is how soon a target is tried again where too many others were being tried.
	busyLook = 5 * time.Second
	// trialLasts is how many intervals a trial is believed, if not longer: two refusals that are refusedApart belong together.
	trialLasts = 2
	// refusedApart is the least time between two refusals that together say that a certificate is refused for good.
	refusedApart = 30 * time.Second
)

// verification is what the spec asks for; without a Verifier nothing is tried.
func (r *CredentialReconciler) verification(p *pass) v1alpha1.Verification {
	if r.Verifier == nil {
		return v1alpha1.VerificationDisabled
	}
	return firstOf(p.cc.Spec.Verification, v1alpha1.VerificationBestEffort)
}

// tryFresh shows a certificate that was just issued to the cluster. One that is refused is discarded. One that must be
// accepted before it is published, and could not be tried, is kept and tried again.
func (r *CredentialReconciler) tryFresh(ctx context.Context, p *pass) {
	mode := r.verification(p)
	if mode == v1alpha1.VerificationDisabled {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyDeadline)
	defer cancel()
	if r.judge(p, p.fresh.credential, r.try(ctx, p.fresh.marks.Source.Contexts, p.fresh.credential, true)) {
		p.fresh.untried = mode == v1alpha1.VerificationRequired && !p.trial.accepted()
		return
	}
	refused := p.fresh
	p.fresh = nil
	r.discard(p, &refused.credential.Identity, "")
	p.attempt.Failure.Reason = v1alpha1.ReasonNotAccepted
	p.attempt.Failure.Message = "the cluster does not accept the new certificate, and it was not published: " + p.trial.outcome.Detail
	p.trial = r.knownTrial(p) // what is published was not tried
}

// tryHeld tries a certificate again that waits to be accepted, on the way that the spec asks for now. While it waits, what is
// stored is seen to; one that is refused is dropped.
func (r *CredentialReconciler) tryHeld(ctx context.Context, p *pass) {
	if !p.fresh.untried || r.verification(p) != v1alpha1.VerificationRequired {
		return
	}
	fresh := p.redressed(*p.fresh)
	p.fresh = &fresh
	ctx, cancel := context.WithTimeout(ctx, verifyDeadline)
	defer cancel()
	tried := p.trial.about == aboutOf(fresh.credential) && p.trial.at.Equal(p.now) // in this very pass
	switch accepted := tried || r.judge(p, fresh.credential, r.try(ctx, fresh.marks.Source.Contexts, fresh.credential, false)); {
	case !accepted:
		r.dropHeld(p, v1alpha1.ReasonNotAccepted, "the cluster does not accept the new certificate, and it was not published: "+p.trial.outcome.Detail)
		p.attempt.Failure.Counts, p.attempt.Failure.RetryAt = true, r.backoff(p, rotation.CapLate)
		p.trial = r.knownTrial(p)
	case p.trial.accepted():
		fresh.untried = false
	default:
		r.memory.update(p.cc, func(m *remembered) { m.held = &fresh })
		p.fresh, p.waits = nil, &publishProblem{v1alpha1.ReasonUnreachable,
			"spec.verification is Required, and the new certificate is kept in memory until the cluster can be asked: " + p.trial.outcome.Detail}
		p.lookAt = p.now.Add(untriedLook)
		p.trial = r.knownTrial(p)
	}
}

// believedFor is how long a trial says something.
func (r *CredentialReconciler) believedFor() time.Duration {
	return max(trialLasts*r.VerifyInterval, 2*refusedApart)
}

// knownTrial is the last trial of what is published, unless it is too old to be believed.
func (r *CredentialReconciler) knownTrial(p *pass) trial {
	if last := r.trials.of(p.cc.UID); p.now.Sub(last.at) <= r.believedFor() {
		return last
	}
	return trial{}
}

// redressed is a certificate that waits, with the address that the spec asks for now: it, or the cluster, may have changed since.
func (p *pass) redressed(h held) held {
	if p.remembered.held == nil {
		return h // it was issued in this pass
	}
	if record, known := rotation.ParseRecord(h.marks.Request); known && record.ClusterID == p.listed.ID && p.listed.ID != "" {
		h.marks.Source.Contexts = currentOffer(h.marks.Source.Contexts, offerOf(p.listed))
	}
	choice, access, err := kubeconfig.Choose(contextsOf(h.marks.Source.Contexts), p.wish())
	if err != nil || choice.Verified == h.credential.Insecure { // which needs a CA, or must have none
		return h
	}
	p.ownWords(way{server: choice.Server, insecure: !choice.Verified, access: v1alpha1.Access(access)}).dress(&h.credential.Endpoint)
	return h
}

// judge notes what came of trying a credential that is not published yet; false: it is refused.
func (r *CredentialReconciler) judge(p *pass, c kubeconfig.Credential, outcome verify.Outcome) bool {
	p.trial = trial{about: aboutOf(c), at: p.now, outcome: outcome}
	return outcome.Verdict != verify.Refused
}

// try tries a credential. What the cloud has not offered somebody else may have chosen, in the spec or by editing the Secret.
func (r *CredentialReconciler) try(ctx context.Context, offered []v1alpha1.OfferedContext, c kubeconfig.Credential, fresh bool) verify.Outcome {
	verifier := r.Verifier
	if c.ProxyURL != "" || !offers(offered, c.Server) {
		if !r.VerifyCustomEndpoints {
			return verify.Outcome{Detail: "a server or proxy that the cloud has not offered is not tried here (--verify-custom-endpoints=false)"}
		}
		verifier = r.Guarded
	}
	outcome := verifier.Try(ctx, c, fresh)
	r.Metrics.verified(outcome.Verdict)
	return outcome
}

// checkTarget holds a certificate back that could not be tried: where it must be accepted before it is published, and the
// cluster cannot be reached with the published one either. Near expiry it is asked for all the same.
func (r *CredentialReconciler) checkTarget(ctx context.Context, p *pass) *status.Failure {
	stored := p.stored()
	if p.decision.Trigger == v1alpha1.TriggerCAChanged || p.decision.Trigger == v1alpha1.TriggerNotAccepted {
		return nil // what is published reaches nobody, and that is why
	}
	if r.verification(p) != v1alpha1.VerificationRequired || stored == nil || p.decision.OtherCluster || p.view == nil || p.view.credential == nil {
		return nil
	}
	if !p.now.Before(rotation.SafeLimit(stored.validity())) {
		return nil
	}
	credential := *p.view.credential
	if way, err := p.way(); err == nil {
		way.dress(&credential.Endpoint)
	}
	ctx, cancel := context.WithTimeout(ctx, verifyDeadline)
	defer cancel()
	outcome := r.try(ctx, p.contexts(), credential, false)
	if outcome.Verdict == verify.Accepted || outcome.Verdict == verify.Refused {
		return nil
	}
	return &status.Failure{
		Reason: v1alpha1.ReasonUnreachable, Counts: true, RetryAt: r.backoff(p, rotation.CapSoon),
		Message: "spec.verification is Required, and no certificate is asked for while the cluster cannot be reached: " + outcome.Detail,
	}
}

// untriable says why what must be accepted before it is published can never be tried; empty: it can.
func (r *CredentialReconciler) untriable(p *pass) string {
	e := p.cc.Spec.Endpoint
	if r.VerifyCustomEndpoints || e == nil || e.Server == "" && e.ProxyURL == "" || r.verification(p) != v1alpha1.VerificationRequired {
		return ""
	}
	return "spec.verification is Required, and the operator does not try what spec.endpoint.server or proxyURL gives (--verify-custom-endpoints=false): write BestEffort or Disabled, or take an address of the cloud's"
}

// trial is what came of trying a credential.
type trial struct {
	// about names the certificate and the way to the server.
	about   string
	at      time.Time
	outcome verify.Outcome
	// refusedAt is when it was first answered with 401 and not accepted since; confirmed, that it was again, long enough after.
	refusedAt time.Time
	confirmed bool
	// againAt is when to try again where as many others were being tried; zero otherwise.
	againAt time.Time
	// otherCA is true where the certificate of the server did not pass, and the cloud shows another CA than the published one.
	otherCA bool
}

func aboutOf(c kubeconfig.Credential) string { return digest(c.Fingerprint, wayOf(c).text()) }

// about names a credential: its certificate and the way to the server.
func (s *storedFacts) about() string { return digest(s.certificate.FingerprintSHA256, s.way.text()) }

// then is the trial with one more outcome.
func (t trial) then(about string, at time.Time, outcome verify.Outcome) trial {
	next := trial{about: about, at: at, outcome: outcome}
	if t.about != about || outcome.Verdict == verify.Accepted || outcome.Verdict == verify.Refused && outcome.Code != unauthorized {
		t.refusedAt, t.confirmed = time.Time{}, false
	}
	next.refusedAt, next.confirmed = t.refusedAt, t.confirmed
	if outcome.Verdict != verify.Refused || outcome.Code != unauthorized {
		return next
	}
	if next.refusedAt.IsZero() {
		next.refusedAt = at
	}
	next.confirmed = next.confirmed || at.Sub(next.refusedAt) >= refusedApart
	return next
}

// differs says whether another trial says something else.
func (t trial) differs(other trial) bool {
	return t.about != other.about || t.confirmed != other.confirmed || t.outcome != other.outcome || t.otherCA != other.otherCA
}

func (t trial) accepted() bool { return t.about != "" && t.outcome.Verdict == verify.Accepted }

// asksForOne says whether the certificate is refused in a way that a new one helps against.
func (t trial) asksForOne() bool { return t.confirmed && t.outcome.Code == unauthorized }

const unauthorized = 401

// trials are the last ones of all objects, and those that are being made. They are made beside the passes: a server that
// hangs keeps none of the workers.
type trials struct {
	mu      sync.Mutex
	last    map[types.UID]trial
	running map[types.UID]bool
}

func (t *trials) of(uid types.UID) trial {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last[uid]
}

func (t *trials) note(uid types.UID, about string, at time.Time, outcome verify.Outcome, otherCA bool, lasts time.Duration) (before, after trial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before = t.last[uid]; at.Sub(before.at) > lasts {
		before = trial{} // of another time
	}
	if outcome.Verdict == verify.Busy && before.about == about { // it says nothing
		after = before
		after.againAt = at.Add(busyLook)
		t.last[uid] = after
		return before, after
	}
	after = before.then(about, at, outcome)
	after.otherCA = otherCA
	if t.last == nil {
		t.last = map[types.UID]trial{}
	}
	t.last[uid] = after
	return before, after
}

// beginning is whether a trial may be made now.
type beginning int

const (
	begun beginning = iota
	// already says that one of the object is being made.
	already
	// tooMany says that mostTrials are.
	tooMany
)

// mostTrials bounds the trials at a time, each of which reads a Secret.
const mostTrials = 16

func (t *trials) begin(uid types.UID) beginning {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.running[uid]:
		return already
	case len(t.running) >= mostTrials:
		return tooMany
	case t.running == nil:
		t.running = map[types.UID]bool{}
	}
	t.running[uid] = true
	return begun
}

func (t *trials) end(uid types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, uid)
}

func (t *trials) isRunning(uid types.UID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running[uid]
}

func (t *trials) forget(uid types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.last, uid)
	delete(t.running, uid)
}

// keepTrying tries what is published every VerifyInterval, beside the pass, and says when it is next looked at.
func (r *CredentialReconciler) keepTrying(ctx context.Context, p *pass) {
	stored := p.stored()
	if r.verification(p) == v1alpha1.VerificationDisabled || p.cc.Spec.Suspend || stored == nil || p.fill != nil ||
		p.facts.version == "" || !p.now.Before(stored.certificate.NotAfter.Time) {
		return
	}
	if p.current && p.isAboutStored() && p.trial.at.Equal(p.now) { // it was tried before it was published
		r.trials.note(p.cc.UID, p.trial.about, p.trial.at, p.trial.outcome, false, r.believedFor())
	}
	due := r.nextTrial(p)
	if p.untold && !due.After(p.now) && p.isUnconfirmed() {
		due = p.now.Add(busyLook) // the list that follows at once says where it may be tried
	}
	if due.After(p.now) {
		p.tryAt = due
		return
	}
	p.tryAt = p.now.Add(r.VerifyInterval)
	switch r.trials.begin(p.cc.UID) {
	case already: // and it wakes us
	case tooMany:
		p.tryAt = p.now.Add(busyLook + spread(string(p.cc.UID), 6*busyLook))
	case begun:
		published := publishedTrial{cc: p.cc, slot: p.slot, now: p.now, account: p.account, record: p.found.Record, offered: p.contexts(),
			granted: !p.isLent() || p.publishedTerms().Rule == grants.Granted}
		r.beside(ctx, func(ctx context.Context) { r.tryPublished(ctx, published) })
	}
}

// nextTrial is when the published credential is tried next. After a start those that status tells of are spread over the interval.
func (r *CredentialReconciler) nextTrial(p *pass) time.Time {
	last := r.trials.of(p.cc.UID)
	told := p.cc.Status.Certificate // of another one where the process that has published this one did not get to say so
	isTold := told != nil && told.FingerprintSHA256 == p.stored().certificate.FingerprintSHA256 &&
		meta.FindStatusCondition(p.cc.Status.Conditions, v1alpha1.ConditionVerified) != nil
	switch {
	case last.at.IsZero() && !isTold:
		return p.now // nobody knows anything of it
	case last.at.IsZero():
		return r.began.Add(spread(string(p.cc.UID), r.VerifyInterval))
	case last.outcome.Verdict == verify.Refused && !last.confirmed:
		return last.at.Add(refusedApart)
	case !last.againAt.IsZero():
		return last.againAt
	case last.outcome.Verdict == verify.Busy:
		return last.at.Add(busyLook)
	default:
		return last.at.Add(r.VerifyInterval)
	}
}

// hashOf spreads names over numbers.
func hashOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// publishedTrial is what is needed to try what is published, beside the passes.
type publishedTrial struct {
	cc      *v1alpha1.ClusterCredential // never changed
	slot    slot
	now     time.Time
	account account
	record  *rotation.Record
	offered []v1alpha1.OfferedContext
	granted bool // the cluster is one that the account may be asked about
}

// tryPublished reads the published credential and tries it. Whoever has to know is woken where it has come to something else.
func (r *CredentialReconciler) tryPublished(ctx context.Context, t publishedTrial) {
	defer r.trials.end(t.cc.UID)
	ctx, cancel := context.WithTimeout(ctx, 3*verifyDeadline)
	defer cancel()
	live, err := r.secrets.Read(ctx, t.slot.key)
	if err != nil || live == nil {
		return // the passes see to that
	}
	credential, err := readOutput(live, t.slot)
	if err != nil {
		return
	}
	outcome := r.try(ctx, t.offered, credential, false)
	otherCA := outcome.ServerCertificate && r.showsOtherCA(ctx, t, credential)
	if !r.trials.isRunning(t.cc.UID) {
		return // the object is gone, and was forgotten
	}
	before, after := r.trials.note(t.cc.UID, aboutOf(credential), t.now, outcome, otherCA, r.believedFor())
	if outcome.Verdict == verify.Busy || before.differs(after) {
		r.wake.add(client.ObjectKeyFromObject(t.cc))
	}
}

// showsOtherCA asks the cloud for the cluster's CA. The one that a server shows itself is never believed.
func (r *CredentialReconciler) showsOtherCA(ctx context.Context, t publishedTrial, c kubeconfig.Credential) bool {
	if t.account.reason != "" || t.record == nil || !t.granted || r.Budget.Probe(t.now, t.account.budget).Hold != budget.None {
		return false
	}
	cloud, err := r.Dialer.Dial(t.account.access)
	if err != nil {
		return false
	}
	cluster, err := cloud.ClusterByID(ctx, issuer.ClusterType(t.record.ClusterType), t.record.ClusterID)
	return err == nil && !sameAuthority(c.CAPEM, cluster.CAPEM)
}

// lastTrial is the trial of what is stored now; without one, the zero value.
func (p *pass) lastTrial() trial {
	if stored := p.stored(); stored == nil || p.trial.about != stored.about() {
		return trial{}
	}
	return p.trial
}

// isAboutStored says whether the last trial was of what is stored now.
func (p *pass) isAboutStored() bool {
	return p.trial.about != "" && p.lastTrial().about == p.trial.about
}

// verified is what status is told of it.
func (r *CredentialReconciler) verified(p *pass) *status.Verified {
	mode := r.verification(p)
	told := &status.Verified{Disabled: mode == v1alpha1.VerificationDisabled}
	last := p.lastTrial()
	switch {
	case told.Disabled || last.about == "":
	case last.outcome.Verdict == verify.Accepted:
		told.Reason, told.Message = v1alpha1.ReasonAccepted, "the cluster accepts the published credential"
	case last.outcome.Verdict == verify.Refused && (last.confirmed || last.outcome.Code != unauthorized):
		told.Reason, told.Message = v1alpha1.ReasonNotAccepted, "the cluster does not accept the published credential: "+last.outcome.Detail
	case last.outcome.Verdict == verify.Unreachable && !last.confirmed:
		told.Reason, told.Message = v1alpha1.ReasonUnreachable, "the cluster could not be asked: "+last.outcome.Detail
	case last.confirmed:
		told.Reason, told.Message = v1alpha1.ReasonNotAccepted, "the cluster did not accept the published credential when it was last asked"
	}
	return told
}
