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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/target"
)

// conflict says that a Secret's name belongs to somebody else, or that this is not
// sure yet and is looked at again after wait.
type conflict struct {
	publishProblem
	holder types.NamespacedName
	wait   time.Duration
	// err is why nobody can say; nil: it is known, or depends on who else comes.
	err error
}

// tieLook is how long a winner by name alone waits: by then it sees who was created in
// the same second.
const tieLook = 2 * time.Second

// nameConflict looks whether another living ClusterCredential holds the name of an output's Secret;
// nil: nobody does. marked is whose marks the Secret carries; empty: nobody's. One
// of another namespace that the marks do not name counts only where it may write: else whoever names a Secret somewhere
// could keep its owner from it.
func (r *CredentialReconciler) nameConflict(ctx context.Context, p *pass, s slot, marked types.NamespacedName) *conflict {
	rivals, err := r.rivalsFor(ctx, s.key, marked)
	if err != nil {
		return &conflict{wait: tieLook, err: err} // ask again
	}
	var contenders []target.Contender
	for i := range rivals {
		cc := &rivals[i]
		name := client.ObjectKeyFromObject(cc)
		if cc.DeletionTimestamp.IsZero() && (name == marked || cc.Namespace == s.key.Namespace || r.mayWrite(ctx, cc, s.key)) {
			contenders = append(contenders, target.Contender{
				Name: name, Created: cc.CreationTimestamp,
				Began: cc.Status.Certificate != nil || cc.Status.Issuance != nil,
			})
		}
	}
	holder, sure := target.HolderOf(marked, s.key.Namespace, contenders)
	switch {
	case holder != client.ObjectKeyFromObject(p.cc) && holder.Name != "":
		return &conflict{publishProblem: s.heldBy(holder), holder: holder}
	case !sure && p.now.Sub(p.cc.CreationTimestamp.Time) < tieLook:
		return &conflict{wait: tieLook}
	default:
		return nil
	}
}

// rivalsFor are the ClusterCredentials that name a Secret, as the cache shows them, and whom its marks may mean: that one may be of
// another class. Of those of other classes that no marks name nothing is known: whoever writes the Secret first has it.
func (r *CredentialReconciler) rivalsFor(ctx context.Context, key, marked types.NamespacedName) ([]v1alpha1.ClusterCredential, error) {
	var shown v1alpha1.ClusterCredentialList
	err := r.Client.List(ctx, &shown, client.MatchingFields{indexSecretName: bucketOf(key.String())}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, err
	}
	writes := func(cc v1alpha1.ClusterCredential) bool {
		return slices.Contains(keysOf(&cc), key)
	}
	rivals := slices.DeleteFunc(shown.Items, func(cc v1alpha1.ClusterCredential) bool { return !writes(cc) })
	names := []types.NamespacedName{marked}
	if marked.Namespace != key.Namespace { // which may have been renamed
		names = append(names, types.NamespacedName{Namespace: key.Namespace, Name: marked.Name})
	}
	for _, name := range names {
		isShown := slices.ContainsFunc(rivals, func(cc v1alpha1.ClusterCredential) bool {
			return types.NamespacedName{Namespace: cc.Namespace, Name: cc.Name} == name
		})
		if name.Name == "" || isShown || !r.covers(name.Namespace) {
			continue
		}
		cc, err := r.credentialOf(ctx, name)
		if err != nil {
			return nil, err
		}
		if cc != nil && writes(*cc) {
			rivals = append(rivals, *cc)
		}
	}
	return rivals, nil
}

func (s *slot) heldBy(holder types.NamespacedName) publishProblem {
	name := fmt.Sprintf("%q", holder.Name)
	if holder.Namespace != s.home {
		name += fmt.Sprintf(" of namespace %q", holder.Namespace)
	}
	return publishProblem{v1alpha1.ReasonSecretConflict, fmt.Sprintf(
		"Secret %s belongs to ClusterCredential %s; write another %s, or delete one of the two", s.key, name, s.field("secretName"))}
}

// standingProblem says why the Secret as it was read must not be written; nil: it may.
func (s *slot) standingProblem() *publishProblem {
	if s.view == nil || s.view.live == nil {
		return nil
	}
	switch s.facts.standing {
	case target.Foreign:
		if s.adoption != nil && s.adoption.refusal != "" {
			return &publishProblem{v1alpha1.ReasonSecretConflict, fmt.Sprintf("Secret %s is not adopted: %s", s.key, s.adoption.refusal)}
		}
		if s.adopts() {
			break
		}
		left := "it is left alone"
		if s.index == 0 {
			left += " and nothing is issued"
		}
		return &publishProblem{v1alpha1.ReasonSecretConflict, fmt.Sprintf(
			"Secret %s exists and is not ours: %s; write another %s, or remove that Secret", s.key, left, s.field("secretName"))}
	case target.Others:
		problem := s.heldBy(firstOf(s.view.holder, s.facts.marks.Owner(s.key.Namespace)))
		return &problem
	default: // ours
	}
	switch live := s.view.live; {
	case live.DeletionTimestamp != nil:
		return &publishProblem{v1alpha1.ReasonWriteRefused, fmt.Sprintf("Secret %s is being deleted and a finalizer holds it; it is written anew once it is gone", s.key)}
	case live.Immutable != nil && *live.Immutable:
		return &publishProblem{v1alpha1.ReasonWriteRefused, fmt.Sprintf("Secret %s is immutable; delete it, and it is written anew", s.key)}
	}
	return nil
}

// nameProblem says why the credential must not be written under the Secret's name; nil:
// it may. A name that is free may be another object's to fill.
func (r *CredentialReconciler) nameProblem(ctx context.Context, p *pass, s slot) *publishProblem {
	if problem := s.standingProblem(); problem != nil {
		return problem
	}
	if s.view.live == nil {
		if c := r.nameConflict(ctx, p, s, types.NamespacedName{}); c != nil && c.wait == 0 {
			return &c.publishProblem
		}
	}
	return nil
}

// takeOver makes a Secret ours that carries the marks of an object that is gone, or
// that does not name it any more: its certificate is served on while it fits. Requests
// that the other one handled are not ours. A Secret of our name is another's if its marks name another namespace whose
// ClusterCredential of that name still writes it: else the namespace was renamed.
func (r *CredentialReconciler) takeOver(ctx context.Context, p *pass, s slot, view *secretView) error {
	owner := view.facts.marks.Owner(s.key.Namespace)
	isOthers, isGuest := view.facts.standing == target.Others, view.facts.standing == target.Ours && owner.Namespace != s.home
	if !isOthers && !isGuest {
		return nil
	}
	if c := r.nameConflict(ctx, p, s, owner); c != nil {
		view.facts.standing, view.holder = target.Others, c.holder
		if c.err != nil && !apierrors.IsForbidden(c.err) {
			return c.err // whose it is decides whether a certificate that waits to be stored is given up
		}
		return nil
	}
	view.facts.standing = target.Ours
	if isOthers {
		view.facts.marks.RenewRequest, view.facts.marks.Source.PreviousRequest = nil, ""
	}
	return nil
}

// nameNote tells of other objects whose kubeconfigs use the same name for their
// entries, as namespace a-b with name c, and namespace a with name b-c do: merged into
// one file, one would replace the other. It does not say whose.
func (r *CredentialReconciler) nameNote(ctx context.Context, p *pass) string {
	name := entryName(p.cc)
	if name == "" {
		return ""
	}
	var same v1alpha1.ClusterCredentialList
	err := r.Client.List(ctx, &same, client.MatchingFields{indexEntryName: bucketOf(name)}, client.UnsafeDisableDeepCopy)
	same.Items = slices.DeleteFunc(same.Items, func(cc v1alpha1.ClusterCredential) bool { return entryName(&cc) != name })
	if err != nil || len(same.Items) < 2 {
		return ""
	}
	return fmt.Sprintf("another kubeconfig uses the name %q for cluster, user and context too: write another spec.outputs[0].clusterName where they meet in one file", name)
}

// preflight tries whether the namespace takes our Secrets, and the labels and
// annotations of the output; nil: they do.
func (r *CredentialReconciler) preflight(ctx context.Context, p *pass) *publishProblem {
	if why := p.invalidMetadata(); why != "" {
		return &publishProblem{v1alpha1.ReasonWriteRefused, why}
	}
	if r.memory.preflightPassed(p.preflightKey(), p.now) {
		return nil
	}
	if err := r.tryWrite(ctx, p); err != nil {
		if refused, ok := errors.AsType[*target.Refused](err); ok {
			return &publishProblem{v1alpha1.ReasonWriteRefused, "no certificate is asked for, since the API server would refuse its Secret: " + refused.Detail}
		}
		return &publishProblem{v1alpha1.ReasonWriteRefused, "no certificate is asked for: " + err.Error()}
	}
	r.memory.passPreflight(p.preflightKey(), p.now)
	return nil
}

// preflightKey names what a preflight was about: policies look at labels too.
func (p *pass) preflightKey() string {
	exists := p.view != nil && p.view.live != nil
	return fmt.Sprintf("%s %v %v %v", p.key.Namespace, exists, p.output.Labels, p.output.Annotations) // fmt sorts maps
}

// tryWrite tries what will be done: to change the Secret that is there, or to create one.
func (r *CredentialReconciler) tryWrite(ctx context.Context, p *pass) error {
	if p.view.live != nil {
		return r.secrets.PreflightChange(ctx, p.view.live)
	}
	return r.secrets.Preflight(ctx, p.key.Namespace, classOf(p.cc), output.LabelsOf(p.output), p.output.Annotations)
}

// invalidMetadata says which label or annotation of the output the API server would refuse.
func (s *slot) invalidMetadata() string {
	path := field.NewPath("spec", "outputs").Index(s.index)
	problems := metav1validation.ValidateLabels(output.LabelsOf(s.output), path.Child("labels"))
	problems = append(problems, validation.ValidateAnnotations(s.output.Annotations, path.Child("annotations"))...)
	texts := make([]string, 0, len(problems))
	for _, problem := range problems {
		texts = append(texts, problem.Error())
	}
	return strings.Join(texts, "; ")
}
