// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/target"
)

// secretCopy is a further output of the spec: its Secret is made from the credential in the primary one, so it is never a reason
// to ask for a certificate.
type secretCopy struct {
	slot
	known   copyFacts
	current bool
	// gone is true where this pass has seen that there is none of ours.
	gone    bool
	problem *publishProblem
}

// copyFacts is what is remembered of the Secret of a further output, so that a look at rest reads nothing.
type copyFacts struct {
	version, carriedFor string
	// failed is true where the Secret cannot carry it, as problem says.
	failed  bool
	holds   holding
	problem *publishProblem
}

// holding is what a Secret holds, as far as that is known.
type holding struct {
	fingerprint, server string // the server is empty where the format has none
	revision            int64
	notAfter            time.Time
}

func copiesOf(slots []slot, known remembered) []secretCopy {
	copies := make([]secretCopy, len(slots))
	for i, s := range slots {
		copies[i] = secretCopy{slot: s, known: known.copies[s.key]}
	}
	return copies
}

// copiesDeadline bounds how long the copies of a fresh certificate are written; the next pass goes on.
const copiesDeadline = 5 * time.Second

// publishCopies brings the further outputs in step with the credential that the primary one holds. Each stands for itself: one
// that fails harms no other. Before the primary holds a certificate none gets it, and while the spec
// names another cluster they keep what they have.
func (r *CredentialReconciler) publishCopies(ctx context.Context, p *pass) {
	if len(p.copies) == 0 && len(p.remembered.copies) == 0 {
		return
	}
	if p.fresh != nil { // what began with a call is finished, also when the process ends
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), copiesDeadline)
		defer cancel()
	}
	ready := p.stored() != nil && (p.fresh == nil || p.current) && (!p.decision.OtherCluster || p.fresh != nil)
	for i := range p.copies {
		r.bringCopy(ctx, p, &p.copies[i], ready)
	}
	r.rememberCopies(p)
}

// bringCopy brings one further output in step, as far as it may be written.
func (r *CredentialReconciler) bringCopy(ctx context.Context, p *pass, c *secretCopy, ready bool) {
	if p.isWritten(c) {
		c.current = true
		return
	}
	if c.problem = r.consent(ctx, p.cc, c.slot); c.problem != nil {
		r.seeMarks(ctx, p, c)
		return
	}
	switch {
	case p.knowsTooLittle(c):
		c.current = true
	case ready:
		r.publishCopy(ctx, p, c)
		if c.current && c.output.WritePolicy == v1alpha1.WriteOnce {
			p.lookSooner(r.Clock.Now().Add(leftoverLook)) // for the mark on the primary one that it has been written: see writtenOnce
		}
	}
}

// isWritten says whether an output that is to be written once has been. What became of it since is its consumer's business.
func (p *pass) isWritten(c *secretCopy) bool {
	if c.output.WritePolicy != v1alpha1.WriteOnce {
		return false
	}
	said := p.said(c.key)
	return said != nil && said.Revision > 0 || slices.Contains(p.marks().Source.Once, c.key.String())
}

// knowsTooLittle says whether a template may ask for what only the account knows, and that is gone: what is written stays.
func (p *pass) knowsTooLittle(c *secretCopy) bool {
	said := p.said(c.key)
	return c.output.Format == v1alpha1.FormatTemplate && p.account.access.Region == "" && said != nil && said.State == v1alpha1.OutputCurrent
}

// writtenOnce are the outputs that are to be written once and have been, for the mark on the primary Secret: a wiped status forgets
// them, and what their consumers deleted would come back.
func (p *pass) writtenOnce() []string {
	var names []string
	for i := range p.copies {
		if p.isWritten(&p.copies[i]) {
			names = append(names, p.copies[i].key.String())
		}
	}
	return names
}

// said is what status says of an output; nil: nothing.
func (p *pass) said(key types.NamespacedName) *v1alpha1.OutputStatus {
	at := slices.IndexFunc(p.cc.Status.Outputs, func(o v1alpha1.OutputStatus) bool {
		return o.NamespacedName() == key && o.State != v1alpha1.OutputReleased
	})
	if at < 0 {
		return nil
	}
	return &p.cc.Status.Outputs[at]
}

// copyPurpose names everything that decides what a copy should carry.
func (p *pass) copyPurpose() string {
	return digest(p.purpose(), p.stored().certificate.FingerprintSHA256, fmt.Sprint(p.marks().Revision), p.account.access.Region)
}

func (r *CredentialReconciler) publishCopy(ctx context.Context, p *pass, c *secretCopy) {
	shown, err := r.secretVersion(ctx, c.key)
	if err != nil {
		c.problem = &publishProblem{v1alpha1.ReasonWriteRefused, errUnread.Error()}
		return
	}
	if shown != "" && c.known.version == shown && c.known.carriedFor == p.copyPurpose() {
		c.current, c.problem = !c.known.failed, c.known.problem
		return
	}
	source, ok := r.sourceOfCopies(ctx, p)
	if !ok {
		c.problem = &publishProblem{v1alpha1.ReasonWriteRefused, "the primary Secret could not be read from the API server"}
		return
	}
	view, err := r.look(ctx, p, c.slot)
	if err != nil {
		c.problem = &publishProblem{v1alpha1.ReasonWriteRefused, errUnread.Error()}
		return
	}
	c.see(view)
	c.gone = view.live == nil
	c.known = copyFacts{version: c.facts.version, holds: holdingOf(c.slot)}
	if c.facts.marks.Revision > source.marks.Revision && c.facts.standing == target.Ours && !r.lookAgain(ctx, p) {
		return // somebody has published a newer one, and the primary could not be read to see it
	}
	if c.problem = r.nameProblem(ctx, p, c.slot); c.problem != nil {
		return
	}
	if source.marks.Revision < p.facts.marks.Revision {
		return // it is newer than what the pass is about: the next one follows
	}
	r.putCopy(ctx, p, c, source)
}

// copySource is what the copies are made from.
type copySource struct {
	credential kubeconfig.Credential
	marks      target.Marks
}

// sourceOfCopies is the credential that the primary Secret holds, going the way that the spec asks for.
func (r *CredentialReconciler) sourceOfCopies(ctx context.Context, p *pass) (copySource, bool) {
	view := p.view
	if p.fill != nil {
		view = p.fill
	}
	if view == nil {
		if !r.lookAgain(ctx, p) {
			return copySource{}, false
		}
		view = p.view
	}
	if view.credential == nil {
		return copySource{}, false
	}
	source := copySource{credential: *view.credential, marks: view.facts.marks}
	if way, err := p.way(); err == nil {
		way.dress(&source.credential.Endpoint)
	}
	return source, true
}

// putCopy makes the Secret of a further output carry the credential, if it does not yet.
func (r *CredentialReconciler) putCopy(ctx context.Context, p *pass, c *secretCopy, source copySource) {
	refused := func(why string) { c.problem = &publishProblem{v1alpha1.ReasonWriteRefused, why} }
	if why := c.invalidMetadata(); why != "" {
		refused(why)
		return
	}
	rendered, err := output.Render(source.credential, c.output, p.outputFacts())
	if err != nil {
		refused(strings.Replace(err.Error(), "spec.outputs[]", fmt.Sprintf("spec.outputs[%d]", c.index), 1))
		c.known.carriedFor, c.known.problem, c.known.failed = p.copyPurpose(), c.problem, true // and it will be the same next time
		return
	}
	live, version, marks := c.view.live, c.facts.version, p.copyMarks(source, &c.slot)
	if marks.Class, err = r.classFor(ctx, p, live); err != nil {
		refused(err.Error())
		return
	}
	want := target.Desired{Key: c.key, Rendered: rendered, Marks: marks, Owner: ownerOf(p.cc, &c.slot)}
	if live == nil || !want.Carries(live) {
		if c.isAway() && !p.vouchesFor(source) {
			refused(fmt.Sprintf("Secret %s is in another namespace, and the primary Secret names a server that the cloud has not offered: "+
				"somebody has changed it, or status was lost and the cloud was not asked since; the next list confirms addresses, and the next certificate "+
				"custom ones (annotate with %s)", c.key, v1alpha1.AnnotationRenewRequestedAt))
			return
		}
		if p.cc.Spec.Suspend && p.fresh == nil {
			return // not brought up to date, and status says so
		}
		_, version, err = r.secrets.Put(ctx, live, want)
		if c.known.holds.fingerprint != source.credential.Fingerprint {
			r.Metrics.published(c.output.Format, err == nil)
		}
		if err != nil {
			refused(err.Error())
			return
		}
	}
	c.facts.version, c.facts.kind = version, rendered.Type
	if live != nil {
		c.facts.kind = live.Type
	}
	c.current, c.problem = true, c.typeProblem()
	c.known = copyFacts{
		version: version, carriedFor: p.copyPurpose(), problem: c.problem,
		holds: holding{source.credential.Fingerprint, source.credential.Server, source.marks.Revision, source.credential.NotAfter},
	}
}

// vouchesFor says whether the way to the server is one that the cloud has offered, or that the spec gives, to which a grant has
// consented. What stands in the primary Secret anybody may have changed who may write in its namespace.
func (p *pass) vouchesFor(source copySource) bool {
	way, err := p.way()
	if err != nil || source.credential.Server != way.server || source.credential.ProxyURL != way.proxyURL {
		return false
	}
	return p.ownServer() != "" && p.mayHaveOwnEndpoint() || offers(p.contexts(), way.server)
}

// copyMarks are the marks of a further output: whose it is, and what it holds, and what that was asked for, so that the primary
// one can be made anew from it. What the cloud said besides stands on the primary one.
func (p *pass) copyMarks(source copySource, c *slot) target.Marks {
	return target.Marks{
		Managed: true, Credential: p.cc.Name, Namespace: p.cc.Namespace, UID: string(p.cc.UID),
		Revision: source.marks.Revision, IssuanceID: source.marks.IssuanceID,
		Fingerprint: source.credential.Fingerprint, NotAfter: source.credential.NotAfter, Request: p.requestRecord(),
		DeletionPolicy: policyOf(p.cc, c),
	}
}

// holdingOf is what was read of the Secret of an output.
func holdingOf(s slot) holding {
	held := holding{fingerprint: s.facts.marks.Fingerprint, revision: s.facts.marks.Revision, notAfter: s.facts.marks.NotAfter}
	if s.facts.standing != target.Ours && s.facts.standing != target.Stripped {
		return holding{}
	}
	if stored := s.facts.stored; stored != nil {
		held.fingerprint, held.notAfter, held.server = stored.certificate.FingerprintSHA256, stored.certificate.NotAfter.Time, stored.way.server
	}
	return held
}

// works says whether a Secret that does not carry what it should holds a credential of the cluster that is valid now.
func (p *pass) works(held holding) bool {
	stored := p.stored()
	if stored == nil || held.fingerprint == "" || !p.now.Before(held.notAfter) {
		return false
	}
	if way, err := p.way(); held.server != "" && err == nil && held.server != way.server {
		return false
	}
	return held.fingerprint == stored.certificate.FingerprintSHA256 ||
		slices.ContainsFunc(p.cc.Status.History, func(e v1alpha1.HistoryEntry) bool {
			return e.FingerprintSHA256 == held.fingerprint && e.ClusterID == p.cc.Status.ClusterID
		})
}

// rememberCopies keeps what is known of the copies for the next pass.
func (r *CredentialReconciler) rememberCopies(p *pass) {
	known := make(map[types.NamespacedName]copyFacts, len(p.copies))
	for _, c := range p.copies {
		known[c.key] = c.known
	}
	if maps.Equal(known, p.remembered.copies) {
		return
	}
	r.memory.update(p.cc, func(m *remembered) { m.copies = known })
}
