// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// pass is one pass over one object, from what was observed to what is reported.
type pass struct {
	now time.Time
	cc  *v1alpha1.ClusterCredential
	// output is the primary output with its defaults, key its Secret.
	output v1alpha1.Output
	key    types.NamespacedName
	// remembered is what earlier passes of this process left.
	remembered remembered

	account account
	facts   secretFacts
	// view is the Secret itself, where this pass has read it.
	view *secretView
	// fill is another Secret of ours that holds the credential, where the primary has none.
	fill *secretView

	wanted   rotation.Wanted
	found    rotation.Found
	decision rotation.Decision

	// fresh is a certificate that was issued and is not stored yet.
	fresh *held
	// attempt and lost are what status is told.
	attempt *status.Attempt
	lost    *status.Lost
	// offer are the addresses that the cloud was found to offer in this pass.
	offer []v1alpha1.OfferedContext
	// clusterName and clusterID are what the cloud was found to call the cluster.
	clusterName, clusterID string
	// current is true once the Secret is known to carry everything that it should; problem
	// says why it cannot.
	current bool
	problem *publishProblem
	// former are Secrets of ours under other names than the output's, released what
	// became of them.
	former   []metav1.PartialObjectMetadata
	released []v1alpha1.OutputStatus
}

// defaultName is the name of the kubeconfig's entries where the output gives none.
func (p *pass) defaultName() string { return p.cc.Namespace + "-" + p.cc.Name }

// observe gathers what is wanted and what is there. It reads the Secret only where
// what is remembered of it is not what the watch shows.
func (r *CredentialReconciler) observe(ctx context.Context, cc *v1alpha1.ClusterCredential, now time.Time) (*pass, error) {
	p := &pass{now: now, cc: cc, output: primaryOutput(cc), remembered: r.memory.of(cc.UID)}
	p.key = types.NamespacedName{Namespace: cc.Namespace, Name: p.output.SecretName}
	var err error
	if p.account, err = r.accountOf(ctx, accountName(cc)); err != nil {
		return nil, err
	}
	if err := r.findSecret(ctx, p); err != nil {
		return nil, err
	}
	if err := r.findFormer(ctx, p); err != nil {
		return nil, err
	}
	record := r.recordOf(ctx, p)
	p.wanted = wantedOf(p, record, r.MinIssueInterval)
	p.noteLost()
	p.found = foundOf(p, record)
	return p, nil
}

func accountName(cc *v1alpha1.ClusterCredential) types.NamespacedName {
	return types.NamespacedName{Namespace: cc.Namespace, Name: cc.Spec.AccountRef.Name}
}

// primaryOutput is the first output with its defaults.
func primaryOutput(cc *v1alpha1.ClusterCredential) v1alpha1.Output {
	if len(cc.Spec.Outputs) == 0 {
		return v1alpha1.Output{SecretName: cc.Name + v1alpha1.DefaultSecretSuffix, Format: v1alpha1.FormatKubeconfig}
	}
	o := cc.Spec.Outputs[0]
	if o.Format == "" {
		o.Format = v1alpha1.FormatKubeconfig
	}
	return o
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
	if known != nil && known.version == shown {
		p.facts = *known
		return nil
	}
	if shown == "" && p.cc.Status.Certificate == nil && known == nil {
		return nil // never published: First
	}
	view, err := r.look(ctx, p)
	if err != nil {
		return err
	}
	p.see(view)
	if view.facts.version == shown {
		r.remember(p)
	}
	return nil
}

// see takes over what was read of the primary Secret. What is not ours holds nothing for us.
func (p *pass) see(view secretView) {
	if view.facts.standing == target.Foreign || view.facts.standing == target.Others {
		view.facts.stored = nil
		if view.facts.standing == target.Foreign {
			view.credential = nil
		}
	}
	p.view, p.facts = &view, view.facts
}

func (r *CredentialReconciler) remember(p *pass) {
	facts := p.facts
	r.memory.update(p.cc, func(m *remembered) { m.facts = &facts })
}

// recordOf is what the stored certificate was asked for; nil: not known. An account
// with the very same key counts as the one that is referred to now.
func (r *CredentialReconciler) recordOf(ctx context.Context, p *pass) *rotation.Record {
	text := p.marks().Request
	if text == "" && p.cc.Status.Certificate != nil {
		text = p.cc.Status.Certificate.Request
	}
	record, known := rotation.ParseRecord(text)
	if !known {
		return nil
	}
	wanted := p.cc.Spec.AccountRef.Name
	if record.AccountName != wanted && p.account.reason == "" {
		before, err := r.accountOf(ctx, types.NamespacedName{Namespace: p.cc.Namespace, Name: record.AccountName})
		if err == nil && sameIdentity(before, p.account) {
			record.AccountName = wanted
		}
	}
	return &record
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

// wantedOf puts the spec into plain values.
func wantedOf(p *pass, record *rotation.Record, floor time.Duration) rotation.Wanted {
	cc := p.cc
	want := rotation.Wanted{
		UID:          string(cc.UID),
		Record:       rotation.RecordOf(cc.Spec),
		RenewRequest: cc.Annotations[v1alpha1.AnnotationRenewRequestedAt],
		Suspended:    cc.Spec.Suspend,
		Floor:        floor,
	}
	if renewal := cc.Spec.Renewal; renewal != nil {
		want.Schedule.Manual = renewal.Policy == v1alpha1.RenewalManual
		if renewal.Before != nil {
			want.Schedule.Before = renewal.Before.Duration
		}
		if renewal.BeforePercent != nil {
			want.Schedule.Percent = *renewal.BeforePercent
		}
	}
	want.Record.ProjectID = p.account.access.ProjectID
	want.OtherName = record != nil && namesAnother(p, *record, want.Record)
	if want.Record.ClusterID == "" && record != nil && !want.OtherName {
		want.Record.ClusterID = record.ClusterID
	}
	_, _, err := p.address()
	want.Unreachable = p.stored() != nil && err != nil
	want.With = digest(strconv.FormatInt(cc.Generation, 10), p.account.version, rotation.CutRequest(want.RenewRequest))
	return want
}

// namesAnother says whether the spec names a cluster by a name that is not known to be
// the published cluster's: the cloud has to be asked who that is.
func namesAnother(p *pass, published, wanted rotation.Record) bool {
	name := p.cc.Spec.Cluster.Name
	known := p.knownName()
	if name == "" || known == "" {
		return false
	}
	otherProject := wanted.ProjectID != "" && published.ProjectID != "" && wanted.ProjectID != published.ProjectID
	return name != known || otherProject
}

// knownName is the name of the published cluster; empty: not known.
func (p *pass) knownName() string {
	if name := p.marks().Source.ClusterName; name != "" {
		return name
	}
	if p.cc.Status.Cluster != p.cc.Status.ClusterID && p.cc.Status.Certificate != nil {
		return p.cc.Status.Cluster
	}
	return ""
}

// foundOf puts what is there into plain values.
func foundOf(p *pass, record *rotation.Record) rotation.Found {
	previous := p.cc.Status
	found := rotation.Found{
		Published:  previous.Certificate != nil || previous.Revision > 0 || p.facts.marks.Revision > 0 && p.facts.standing == target.Ours,
		Record:     record,
		Handled:    handledOf(p),
		Attempts:   attemptsOf(p),
		Failures:   previous.Failures,
		FailedWith: previous.AttemptedWith,
	}
	if previous.NextAttemptTime != nil {
		found.RetryAt = previous.NextAttemptTime.Time
	}
	if p.lost != nil { // counts as a failure from now on
		found.Failures, found.FailedWith, found.RetryAt = max(1, found.Failures), p.lost.With, p.lost.RetryAt
	}
	if stored := p.stored(); stored != nil {
		c := stored.certificate
		found.Stored = &rotation.Stored{
			Validity:   rotation.Validity{NotBefore: c.NotBefore.Time, NotAfter: c.NotAfter.Time, Serial: c.SerialNumber},
			IssuanceID: p.marks().IssuanceID,
		}
	}
	return found
}

// handledOf are the last handled requests; nil: no record of any. The Secret wins over
// an empty status.
func handledOf(p *pass) []string {
	var handled []string
	marks := p.marks()
	if marks.RenewRequest != nil {
		handled = append(handled, *marks.RenewRequest, marks.Source.PreviousRequest)
	}
	if p.cc.Status.Certificate != nil {
		handled = append(handled, p.cc.Status.LastHandledRenewRequest)
	}
	return handled
}

// attemptsOf are the certificates asked for, newest first.
func attemptsOf(p *pass) []rotation.Attempt {
	var attempts []rotation.Attempt
	stored, source := p.stored(), p.marks().Source
	known := false
	for _, entry := range p.cc.Status.History {
		known = known || stored != nil && entry.FingerprintSHA256 == stored.certificate.FingerprintSHA256
		attempts = append(attempts, rotation.Attempt{
			ID: entry.IssuanceID, Trigger: entry.Trigger, At: entry.IssuedAt.Time,
			Lost: entry.State == v1alpha1.CertificateUnknown, Discarded: entry.State == v1alpha1.CertificateDiscarded,
		})
	}
	if stored != nil && !known {
		at := stored.certificate.NotBefore.Time
		if source.IssuedAt != nil {
			at = source.IssuedAt.Time
		}
		attempts = append(attempts, rotation.Attempt{ID: p.marks().IssuanceID, Trigger: source.Trigger, At: at})
	}
	if open := p.open(); open != nil {
		attempts = append(attempts, rotation.Attempt{ID: open.ID, Trigger: open.Trigger, At: open.StartedAt.Time, Lost: true})
	}
	slices.SortStableFunc(attempts, func(a, b rotation.Attempt) int { return b.At.Compare(a.At) })
	return attempts
}

// open is an attempt in status whose outcome nobody knows: not stored, not held, not
// waiting to be reported.
func (p *pass) open() *v1alpha1.Issuance {
	open := p.cc.Status.Issuance
	switch {
	case open == nil, open.ID == p.marks().IssuanceID && p.stored() != nil:
		return nil
	case p.remembered.held != nil && p.remembered.held.issuance.ID == open.ID:
		return nil
	case p.remembered.unreported != nil && p.remembered.unreported.Issuance != nil && p.remembered.unreported.Issuance.ID == open.ID:
		return nil
	default:
		return open
	}
}

// noteLost turns an open attempt into what status is told.
func (p *pass) noteLost() {
	open := p.open()
	if open == nil {
		return
	}
	failures := status.FailuresAfter(p.cc.Status, p.wanted.With)
	retry := p.now.Add(rotation.Backoff(failures, rotation.CapSoon, p.left(), string(p.cc.UID)))
	if held := open.StartedAt.Add(rotation.HoldOff); held.After(retry) {
		retry = held
	}
	p.lost = &status.Lost{
		Issuance: *open, ClusterID: p.cc.Status.ClusterID, With: p.wanted.With, RetryAt: retry,
		NotAfter: latestExpiry(p.cc.Spec.Validity, open.StartedAt.Time),
	}
}

// left is how long the stored certificate is still valid; zero: it is not, or there is none.
func (p *pass) left() time.Duration {
	stored := p.stored()
	if stored == nil {
		return 0
	}
	return max(0, stored.certificate.NotAfter.Sub(p.now))
}

// longestValidity is what the cloud grants at the most for -1: five years.
const longestValidity = 1827 * 24 * time.Hour

// latestExpiry is the latest that a certificate asked for at that time can be valid.
func latestExpiry(v *v1alpha1.Validity, asked time.Time) time.Time {
	switch {
	case v == nil || v.Days == nil && v.Duration == nil:
		return asked.Add(v1alpha1.DefaultValidityDays * 24 * time.Hour)
	case v.Duration != nil:
		return asked.Add(v.Duration.Duration)
	case *v.Days < 0:
		return asked.Add(longestValidity)
	default:
		return asked.Add(time.Duration(*v.Days) * 24 * time.Hour)
	}
}

// address is where the published kubeconfig shall point to, of what the cloud is known
// to offer. Where nothing is known of that, what is stored stays.
func (p *pass) address() (string, v1alpha1.Access, error) {
	stored := p.stored()
	contexts := p.contexts()
	if len(contexts) == 0 && stored != nil && p.wish().Context == "" {
		return p.storedAddress(stored)
	}
	choice, access, err := kubeconfig.Choose(contextsOf(contexts), p.wish())
	if err != nil {
		return "", "", err
	}
	return choice.Server, v1alpha1.Access(access), nil
}

func (p *pass) storedAddress(stored *storedFacts) (string, v1alpha1.Access, error) {
	access, wished := p.cc.Status.Access, p.wish().Access
	if wished != kubeconfig.Auto && string(wished) != string(access) {
		return "", "", fmt.Errorf("the address for spec.endpoint.access %s is not known", wished)
	}
	return stored.server, access, nil
}

// contexts are what the cloud is known to offer: found in this pass, or recorded.
func (p *pass) contexts() []v1alpha1.OfferedContext {
	switch {
	case len(p.offer) > 0:
		return p.offer
	case len(p.marks().Source.Contexts) > 0:
		return p.marks().Source.Contexts
	default:
		return p.cc.Status.Contexts
	}
}

// wish is what the spec says of the address. For Auto, the choice made before is kept.
func (p *pass) wish() kubeconfig.Wish {
	wish := kubeconfig.Wish{Access: kubeconfig.Auto}
	if !p.decision.OtherCluster {
		wish.Kept = kubeconfig.Access(p.cc.Status.Access)
	}
	if stored := p.stored(); stored != nil && wish.Kept == "" && !p.decision.OtherCluster {
		for _, offered := range p.contexts() {
			if offered.Server == stored.server && offered.Verified {
				wish.Kept = kubeconfig.AccessOf(offered.Name)
			}
		}
	}
	if endpoint := p.cc.Spec.Endpoint; endpoint != nil {
		wish.Context = endpoint.Context
		if endpoint.Access != "" {
			wish.Access = kubeconfig.Access(endpoint.Access)
		}
	}
	return wish
}

func contextsOf(offered []v1alpha1.OfferedContext) []kubeconfig.Context {
	contexts := make([]kubeconfig.Context, len(offered))
	for i, o := range offered {
		contexts[i] = kubeconfig.Context{Name: o.Name, Server: o.Server, Verified: o.Verified}
	}
	return contexts
}

func offeredOf(contexts []kubeconfig.Context) []v1alpha1.OfferedContext {
	offered := make([]v1alpha1.OfferedContext, len(contexts))
	for i, c := range contexts {
		offered[i] = v1alpha1.OfferedContext{Name: c.Name, Server: c.Server, Verified: c.Verified}
	}
	return offered
}
