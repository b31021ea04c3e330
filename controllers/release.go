// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/target"
)

// ownedSecrets lists the Secrets of a ClusterCredential by their metadata: in all namespaces those that carry its marks, and in its
// own those with the marks of one of that name in a namespace where none lives, which was renamed.
func (r *CredentialReconciler) ownedSecrets(ctx context.Context, name types.NamespacedName) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := r.Client.List(ctx, list, client.MatchingFields{indexCredential: bucketOf(name.String())}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the Secrets of %s: %w", name, err)
	}
	var owned []metav1.PartialObjectMetadata
	for i := range list.Items {
		secret := &list.Items[i]
		if !slices.Contains(ownersOf(secret), name) {
			continue
		}
		if owner := target.OwnerOf(secret); owner != name {
			lives, err := r.lives(ctx, owner)
			if err != nil {
				return nil, err
			}
			if lives {
				continue
			}
		}
		owned = append(owned, *secret)
	}
	return owned, nil
}

// lives says whether there is a ClusterCredential of that name, of whatever class. Where nobody may see it, there may be.
func (r *CredentialReconciler) lives(ctx context.Context, name types.NamespacedName) (bool, error) {
	if !r.covers(name.Namespace) {
		return false, nil
	}
	cc, err := r.credentialOf(ctx, name)
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	return cc != nil, err
}

// findFormer looks for Secrets of ours under other names than those of the outputs: outputs
// that left the spec. Where the primary has no credential, or an older one, one of them, or of the
// further outputs, may fill it.
func (r *CredentialReconciler) findFormer(ctx context.Context, p *pass) error {
	owned, err := r.ownedSecrets(ctx, types.NamespacedName{Namespace: p.cc.Namespace, Name: p.cc.Name})
	if err != nil {
		return err
	}
	unshown, err := r.unshown(ctx, p.cc, owned, p.facts.stored == nil && p.cc.Status.Certificate != nil)
	if err != nil {
		return err
	}
	owned = append(owned, unshown...)
	for i := range owned {
		if key := client.ObjectKeyFromObject(&owned[i]); p.isOutput(key) || key.Namespace != p.cc.Namespace && !p.wasOutput(key) {
			continue // the latter: anybody may write our marks elsewhere
		}
		p.former = append(p.former, owned[i])
	}
	slices.SortFunc(p.former, func(a, b metav1.PartialObjectMetadata) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	p.keepFormer()
	if p.facts.version != "" && (p.facts.standing == target.Foreign || p.facts.standing == target.Others) {
		return nil
	}
	return r.fillFrom(ctx, p, owned)
}

// wasOutput says whether status knows a Secret as an output.
func (p *pass) wasOutput(key types.NamespacedName) bool {
	return slices.ContainsFunc(p.cc.Status.Outputs, func(o v1alpha1.OutputStatus) bool { return o.NamespacedName() == key })
}

// isOutput says whether a Secret is that of an output of the spec.
func (p *pass) isOutput(key types.NamespacedName) bool {
	return p.key == key || slices.ContainsFunc(p.copies, func(c secretCopy) bool { return c.key == key })
}

// fillFrom takes the credential from another Secret of ours that holds the current one, where
// the primary does not. Where status does not know which one that is, the highest
// revision counts, of the cluster that the spec names: a Secret that was released long ago
// may hold what another cluster takes.
func (r *CredentialReconciler) fillFrom(ctx context.Context, p *pass, owned []metav1.PartialObjectMetadata) error {
	current := p.cc.Status.Certificate
	if stored := p.facts.stored; current != nil && stored != nil && stored.certificate.FingerprintSHA256 == current.FingerprintSHA256 {
		return nil
	}
	for i := range owned {
		key, marks := client.ObjectKeyFromObject(&owned[i]), target.MarksOf(&owned[i])
		isAway := key.Namespace != p.key.Namespace
		if key == p.key || isAway && !r.mayWrite(ctx, p.cc, key) {
			continue
		}
		if !p.mayFill(marks, isAway) {
			continue
		}
		view, err := r.look(ctx, p, p.slotOf(key))
		if err != nil {
			return err
		}
		if current == nil && !p.namesClusterOf(view.facts.marks) || !p.fills(&view, isAway) {
			continue
		}
		if p.fill == nil || p.fill.facts.marks.Revision < view.facts.marks.Revision {
			p.fill = &view
		}
	}
	return nil
}

// mayFill says whether a Secret may hold what the primary one is made from, as far as its marks say. Where status knows nothing, what
// stands in another namespace is not trusted.
func (p *pass) mayFill(marks target.Marks, isAway bool) bool {
	switch current := p.cc.Status.Certificate; {
	case p.facts.stored != nil && marks.Revision <= p.facts.marks.Revision: // status may not know the newest
		return false
	case current != nil:
		return marks.Fingerprint == current.FingerprintSHA256
	default:
		return !isAway && (marks.NotAfter.IsZero() || p.now.Before(marks.NotAfter))
	}
}

// fills says whether a Secret holds what the primary one may be made from.
func (p *pass) fills(view *secretView, isAway bool) bool {
	if view.credential == nil || view.facts.standing != target.Ours || !p.now.Before(view.credential.NotAfter) {
		return false
	}
	return !isAway || p.reduce(view)
}

// slotOf is the output whose Secret has that key, or that of a former output, which is read as the primary one.
func (p *pass) slotOf(key types.NamespacedName) slot {
	for _, c := range p.copies {
		if c.key == key {
			return c.slot
		}
	}
	former := p.slot
	former.key = key
	return former
}

// namesClusterOf says whether the spec names the cluster that marked a Secret was made for.
func (p *pass) namesClusterOf(marks target.Marks) bool {
	wanted := p.cc.Spec.Cluster
	if wanted.Name != "" {
		return wanted.Name == marks.Source.ClusterName
	}
	record, known := rotation.ParseRecord(marks.Request)
	return known && record.ClusterID == wanted.ID
}

// releaseFormer lets go of Secrets that were outputs, once the output carries the
// credential: with Delete they are removed, with Retain they stay and say since when.
func (r *CredentialReconciler) releaseFormer(ctx context.Context, p *pass) {
	for i := range p.former {
		secret := &p.former[i]
		marks := target.MarksOf(secret)
		if goesAlong(secret, marks) { // which is how one knows what its output said of that
			deleted, err := r.deleteFormer(ctx, p, secret)
			if err != nil {
				p.problem = &publishProblem{v1alpha1.ReasonWriteRefused, err.Error()}
			}
			if deleted {
				p.tellNoMoreOf(secret)
			}
			continue
		}
		if marks.ReleasedAt == "" || !target.OfClass(secret, classOf(p.cc)) {
			gone, err := r.secrets.Release(ctx, secret, classOf(p.cc), p.now)
			if err != nil {
				p.problem = &publishProblem{v1alpha1.ReasonWriteRefused, err.Error()}
				continue
			}
			if gone {
				p.tellNoMoreOf(secret)
				continue
			}
		}
		if marks.ReleasedAt == "" {
			r.tellReleased(ctx, secret, fmt.Sprintf("it is no output of ClusterCredential %s any more", nameFor(client.ObjectKeyFromObject(p.cc), secret)))
		}
		p.tellNoMoreOf(secret)
		p.released = append(p.released, v1alpha1.OutputStatus{
			Namespace: secret.Namespace, SecretName: secret.Name, Format: p.formatOf(secret),
			Revision: marks.Revision, NotAfter: metaTime(marks.NotAfter), State: v1alpha1.OutputReleased,
		})
	}
}

// keepFormer has status go on telling of those that are not released yet, and that would not be found without it: those that carry
// another class still, which the watch does not show, and those in other namespaces, where marks alone say nothing.
func (p *pass) keepFormer() {
	for i := range p.former {
		key := client.ObjectKeyFromObject(&p.former[i])
		at := slices.IndexFunc(p.cc.Status.Outputs, func(o v1alpha1.OutputStatus) bool { return o.NamespacedName() == key })
		if at >= 0 && (key.Namespace != p.cc.Namespace || !target.OfClass(&p.former[i], classOf(p.cc))) {
			p.released = append(p.released, p.outdated(p.cc.Status.Outputs[at]))
		}
	}
}

// outdated is what status says of an output that is brought in step no more.
func (p *pass) outdated(o v1alpha1.OutputStatus) v1alpha1.OutputStatus {
	switch {
	case o.State == v1alpha1.OutputReleased:
	case o.NotAfter == nil || !o.NotAfter.After(p.now):
		o.State = v1alpha1.OutputFailed
	case o.State == v1alpha1.OutputCurrent && o.Revision < p.cc.Status.Revision:
		o.State = v1alpha1.OutputStale
	}
	return o
}

// tellNoMoreOf takes back that status goes on telling of a Secret.
func (p *pass) tellNoMoreOf(secret *metav1.PartialObjectMetadata) {
	key := client.ObjectKeyFromObject(secret)
	p.released = slices.DeleteFunc(p.released, func(o v1alpha1.OutputStatus) bool { return o.NamespacedName() == key })
}

// formatOf is the format that a Secret had as an output, as far as status knows.
func (p *pass) formatOf(secret *metav1.PartialObjectMetadata) v1alpha1.OutputFormat {
	for _, o := range p.cc.Status.Outputs {
		if o.Namespace == secret.Namespace && o.SecretName == secret.Name {
			return o.Format
		}
	}
	return p.output.Format
}

// deleteFormer removes a Secret that was an output, if the spec that says so is the one that the API server has: to a cache
// that lags behind, the output of today is a former one, and what is removed is gone for whoever reads it. A newer
// spec comes with an event of its own, and one of another class is not ours any more.
func (r *CredentialReconciler) deleteFormer(ctx context.Context, p *pass, secret *metav1.PartialObjectMetadata) (deleted bool, err error) {
	live := &v1alpha1.ClusterCredential{}
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.cc), live); {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, errNoSpec
	case live.UID != p.cc.UID || live.Generation != p.cc.Generation || classOf(live) != classOf(p.cc):
		return false, nil
	}
	err = r.secrets.Delete(ctx, secret)
	return err == nil, err
}

// errNoSpec carries nothing of the API server's answer.
var errNoSpec = errors.New("the ClusterCredential could not be read from the API server, before a Secret that it does not name any more is removed")

func metaTime(at time.Time) *metav1.Time {
	if at.IsZero() {
		return nil
	}
	return &metav1.Time{Time: at}
}

// release lets go of the Secrets of a ClusterCredential that is gone: those that an
// owner reference takes along are left to the garbage collector, the others stay and say since
// when. An object that is created again takes them back without a certificate. One that is of another class by now is gone for us,
// and its Secrets are not ours to release. A result above zero: it is not done with, look again then.
func (r *CredentialReconciler) release(ctx context.Context, name types.NamespacedName, now time.Time) (again time.Duration, err error) {
	owned, err := r.ownedSecrets(ctx, name)
	if err != nil {
		return 0, err
	}
	owned, err = r.leftToUs(ctx, name, owned)
	if err != nil {
		return 0, err
	}
	if r.memory.knows(name) || len(owned) > 0 {
		live := &v1alpha1.ClusterCredential{}
		switch err := r.Live.Get(ctx, name, live); {
		case err == nil && target.OfClass(live, r.Class):
			return 0, nil // a watch that lags behind does not show it yet, as after a restore of etcd
		case err == nil:
			return r.handOver(ctx, live, now)
		case !apierrors.IsNotFound(err):
			return 0, err // what is remembered may be the only copy of a key
		}
	}
	r.forget(name, now)
	for i := range owned {
		gone, err := r.secrets.Release(ctx, &owned[i], r.Class, now)
		if err != nil {
			return 0, err
		}
		if gone {
			continue // a watch that lags behind shows it still, as after a restore of etcd
		}
		r.tellReleased(ctx, &owned[i], fmt.Sprintf("ClusterCredential %s is gone", nameFor(name, &owned[i])))
	}
	return 0, nil
}

// leftToUs are those of the Secrets of an object that is gone that have to be released.
func (r *CredentialReconciler) leftToUs(
	ctx context.Context, name types.NamespacedName, owned []metav1.PartialObjectMetadata,
) ([]metav1.PartialObjectMetadata, error) {
	var ours []metav1.PartialObjectMetadata
	for i := range owned {
		marks := target.MarksOf(&owned[i])
		if marks.ReleasedAt != "" {
			continue
		}
		left, err := r.isLeft(ctx, name, &owned[i], marks)
		if err != nil {
			return nil, err
		}
		if !left {
			ours = append(ours, owned[i])
		}
	}
	return ours, nil
}

// isLeft says whether the release of a Secret is left to somebody else: to what removes it, or to another ClusterCredential of
// that name, in the namespace that the marks name, or in one that was renamed.
func (r *CredentialReconciler) isLeft(
	ctx context.Context, name types.NamespacedName, secret *metav1.PartialObjectMetadata, marks target.Marks,
) (bool, error) {
	if marks.Owner(secret.Namespace) != name {
		return goesAlong(secret, marks) || r.covers(marks.Namespace), nil
	}
	if secret.Namespace == name.Namespace {
		return goesAlong(secret, marks), nil
	}
	if goesAlong(secret, marks) { // it was removed with the object, unless somebody took the finalizer away
		live, err := r.liveSecret(ctx, client.ObjectKeyFromObject(secret))
		return err == nil && live == nil, nil
	}
	return r.lives(ctx, types.NamespacedName{Namespace: secret.Namespace, Name: name.Name})
}

// tellReleased tells whoever looks at a Secret that nobody keeps it any more.
func (r *CredentialReconciler) tellReleased(ctx context.Context, secret *metav1.PartialObjectMetadata, why string) {
	r.tell(ctx, secretReference(secret), status.Event{
		Type: corev1.EventTypeNormal, Reason: "Released",
		Message: fmt.Sprintf("%s; its certificate stays valid until %s, or until the cluster revokes it", why,
			target.MarksOf(secret).NotAfter.UTC().Format(time.RFC3339)),
	})
}

// nameFor names a ClusterCredential to whoever looks at a Secret.
func nameFor(name types.NamespacedName, secret *metav1.PartialObjectMetadata) string {
	if name.Namespace == secret.Namespace {
		return fmt.Sprintf("%q", name.Name)
	}
	return fmt.Sprintf("%q of namespace %q", name.Name, name.Namespace)
}

// goesAlong says whether the Secret goes with its object: the garbage collector removes it, or, in another namespace, a pass over
// the object before it is gone.
func goesAlong(secret *metav1.PartialObjectMetadata, marks target.Marks) bool {
	if marks.Owner(secret.Namespace).Namespace != secret.Namespace && marks.DeletionPolicy == v1alpha1.DeletionDelete {
		return true
	}
	for _, owner := range secret.OwnerReferences {
		if string(owner.UID) == marks.UID && owner.Kind == "ClusterCredential" {
			return true
		}
	}
	return false
}
