// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/grants"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// pass is one pass over one object, from what was observed to what is reported.
type pass struct {
	// began is when it began; now is later where it has waited at the gate.
	began, now time.Time
	cc         *v1alpha1.ClusterCredential
	// slot is the primary output.
	slot
	// insecureAllowed is true where the administrator lets addresses without TLS verification be published.
	insecureAllowed bool
	// remembered is what earlier passes of this process left.
	remembered remembered

	account account
	// leave gives back the place at the account's gate; nil: there is none.
	leave func()
	// agreed is what the grants allow of the cluster that a certificate is about to be asked for; nil: it is not known whether they do.
	agreed *grants.Terms
	// copies are the further outputs.
	copies []secretCopy
	// fill is another Secret of ours that holds the credential, where the primary has none.
	fill *secretView

	wanted   rotation.Wanted
	found    rotation.Found
	decision rotation.Decision
	// overrides is true when the certificate that was due when the pass began was asked for
	// outside of the renewal windows.
	overrides bool

	// again is when to look again where there is nothing to tell; waiting and lookAt say
	// that an attempt waits in line, and until about when.
	again   time.Duration
	waiting bool
	// fleetHeld is true when the attempt waits since too many others are made.
	fleetHeld bool
	// leftover is true when the pass told of an earlier attempt and made none itself.
	leftover bool
	lookAt   time.Time

	// trial is the last time that the published credential, or the fresh one, was tried against the cluster, and tryAt when it
	// is tried next.
	trial trial
	tryAt time.Time
	// listed is the published cluster as the cloud last listed it, with its addresses; without an ID: it did not. phase is its state,
	// unlisted true where it is not listed any more, replacedBy the id of another one that was made under its name.
	listed     issuer.Cluster
	phase      string
	unlisted   bool
	replacedBy string
	// unseen is true where the clusters are listed and no list tells of the published one yet; untold, where none was tried yet since
	// the process began to lead.
	unseen, untold bool
	// listAt is when the clusters are listed next.
	listAt time.Time
	// fresh is a certificate that was issued and is not stored yet; waits says why it waits to be accepted first, while what is
	// stored serves on.
	fresh *held
	waits *publishProblem
	// attempt and lost are what status is told.
	attempt *status.Attempt
	lost    *status.Lost
	// offered are those that the cloud has offered of the published cluster, as this process remembers.
	offered []v1alpha1.OfferedContext
	// offer are the addresses that the cloud was found to offer in this pass.
	offer []v1alpha1.OfferedContext
	// cluster is as the cloud was found to describe it in this pass; without an ID: it was not asked.
	cluster issuer.Cluster
	// clusterName and clusterID are what the cloud was found to call the cluster.
	clusterName, clusterID string
	// current is true once the Secret is known to carry everything that it should; problem
	// says why it cannot.
	current bool
	problem *publishProblem
	// note is told beside a healthy Published.
	note string
	// former are Secrets of ours under other names than the output's, released what
	// became of them.
	former   []metav1.PartialObjectMetadata
	released []v1alpha1.OutputStatus
}

// observe gathers what is wanted and what is there. It reads the Secret only where
// what is remembered of it is not what the watch shows.
func (r *CredentialReconciler) observe(ctx context.Context, cc *v1alpha1.ClusterCredential, now time.Time) (*pass, error) {
	slots := slotsOf(cc)
	p := &pass{began: now, now: now, cc: cc, slot: slots[0], remembered: r.memory.of(cc.UID)}
	p.copies = copiesOf(slots[1:], p.remembered)
	if r.verification(p) != v1alpha1.VerificationDisabled {
		p.trial = r.knownTrial(p)
	}
	var err error
	if p.account, err = r.accountFor(ctx, cc.Namespace, cc.Spec.AccountRef); err != nil {
		return nil, err
	}
	p.insecureAllowed = r.AllowInsecureTLS || p.publishedTerms().InsecureTLS
	if err := r.findSecret(ctx, p); err != nil {
		return nil, err
	}
	if err := r.findFormer(ctx, p); err != nil {
		return nil, err
	}
	p.insecureAllowed = r.AllowInsecureTLS || p.publishedTerms().InsecureTLS // status may not say which cluster it is
	record := r.recordOf(ctx, p)
	if record != nil {
		p.offered = r.memory.offeredOf(record.ClusterID)
	}
	r.lookOut(ctx, p, record)
	r.takeListed(ctx, p)
	p.insecureAllowed = r.AllowInsecureTLS || p.publishedTerms().InsecureTLS // the list may say that it is another one
	p.wanted = wantedOf(p, record, r.MinIssueInterval)
	p.noteLost()
	p.found = foundOf(p, record)
	return p, nil
}

// findSecret takes the facts of the primary Secret from memory, or reads it. Without a
// Secret of ours in the watch there is nothing to read: whether one of somebody
// else stands there is looked at before a certificate is asked for.
func (r *CredentialReconciler) findSecret(ctx context.Context, p *pass) error {
	shown, err := r.secretVersion(ctx, p.key)
	if err != nil {
		return err
	}
	known := p.remembered.facts
	if known != nil && known.version == shown && p.isToldOf(known.stored) {
		p.facts = *known
		return nil
	}
	if shown == "" && p.cc.Status.Certificate == nil && known == nil {
		return nil // never published: First
	}
	view, err := r.look(ctx, p, p.slot)
	if err != nil {
		return err
	}
	if !p.isToldOf(view.facts.stored) {
		if err := r.isCurrent(ctx, p.cc); err != nil {
			return err
		}
	}
	p.see(view)
	if view.facts.version == shown {
		r.remember(p)
	}
	return nil
}

// isCurrent fails with errOvertaken where the cache does not show the ClusterCredential as it is.
func (r *CredentialReconciler) isCurrent(ctx context.Context, cc *v1alpha1.ClusterCredential) error {
	live := &v1alpha1.ClusterCredential{}
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(cc), live); {
	case apierrors.IsNotFound(err):
		return errOvertaken
	case err != nil:
		return fmt.Errorf("read the ClusterCredential, whose status tells of another certificate than its Secret: %w", err)
	case live.UID != cc.UID || live.ResourceVersion != cc.ResourceVersion:
		return errOvertaken
	}
	return nil
}

// isToldOf says whether status tells of no other certificate than the stored one. Where it does, one of the two watches may lag
// behind the other, as after a restore of etcd, and both objects are read.
func (p *pass) isToldOf(stored *storedFacts) bool {
	told := p.cc.Status.Certificate
	return told == nil || stored == nil || told.FingerprintSHA256 == stored.certificate.FingerprintSHA256
}

func (r *CredentialReconciler) remember(p *pass) {
	facts := p.facts
	shared.settle(p.cc.Status.Certificate) // which is what the cache shows: the facts are to share its words
	facts.settle()
	p.facts = facts
	r.memory.update(p.cc, func(m *remembered) { m.facts = &facts })
}

// recordOf is what the stored certificate was asked for; nil: not known. An account
// with the very same key counts as the one that is referred to now.
func (r *CredentialReconciler) recordOf(ctx context.Context, p *pass) *rotation.Record {
	text := p.marks().Request
	if told, stored := p.cc.Status.Certificate, p.stored(); told != nil && told.Request != "" {
		if text == "" || stored != nil && stored.certificate.FingerprintSHA256 == told.FingerprintSHA256 {
			text = told.Request // which nobody else writes
		}
	}
	record, known := rotation.ParseRecord(text)
	if !known {
		return nil
	}
	if id := p.historyCluster(); id != "" && p.isLent() {
		record.ClusterID = id // which nobody else writes
	}
	wanted := rotation.RecordOf(p.cc.Spec)
	same := record.AccountKind == wanted.AccountKind && record.AccountName == wanted.AccountName
	if asked := p.askedBy(); !same && asked != "" { // an access key's id is the same nowhere else; the name of a way to one may be
		same = asked == p.account.access.Key.ID
	}
	if !same && p.account.reason == "" {
		ref := v1alpha1.AccountReference{Kind: v1alpha1.AccountKind(record.AccountKind), Name: record.AccountName}
		before, err := r.accountFor(ctx, p.cc.Namespace, ref)
		same = err == nil && sameIdentity(before, p.account)
	}
	if same {
		record.AccountKind, record.AccountName = wanted.AccountKind, wanted.AccountName
	}
	return &record
}

// askedBy is the id of the access key that asked for the stored certificate; empty: not
// known, or a token.
func (p *pass) askedBy() string {
	published := p.cc.Status.Certificate
	if id := p.marks().Source.KeyID; id != "" || published == nil {
		return id
	}
	if stored := p.stored(); stored != nil && stored.certificate.FingerprintSHA256 != published.FingerprintSHA256 {
		return ""
	}
	return published.AccessKeyID
}

// marks are those of the Secret that holds the credential.
func (p *pass) marks() target.Marks {
	if p.fill != nil {
		return p.fill.facts.marks
	}
	return p.facts.marks
}

// stored describes the credential that can be served; nil: none.
func (p *pass) stored() *storedFacts {
	if p.fill != nil {
		return p.fill.facts.stored
	}
	return p.facts.stored
}
