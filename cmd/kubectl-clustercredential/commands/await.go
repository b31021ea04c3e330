// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

const (
	// awaitPause lies between two looks.
	awaitPause = time.Second
	// stalledFor is how long a condition Stalled from before the request is taken for an old one.
	stalledFor = 15 * time.Second
)

// renewal is one that was requested.
type renewal struct {
	key types.NamespacedName
	// value is that of the annotation, version the object's right after it was set, handled the request that had been handled last then,
	// since when that was.
	value, version, handled string
	since                   time.Time
	// said is what was told of its progress last.
	said string
}

// await looks at all of them until each is done, or cannot be.
func (s *session) await(ctx context.Context, pending []*renewal, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var answer error
	for len(pending) > 0 {
		var left []*renewal
		for _, r := range pending {
			done, err := s.lookAt(ctx, r)
			if err != nil {
				fmt.Fprintf(s.Err, "%s: %s\n", r.key, advice(err))
				answer = worse(answer, err)
			} else if !done {
				left = append(left, r)
			}
		}
		if pending = left; len(pending) == 0 {
			break
		}
		select {
		case <-time.After(awaitPause):
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ctx.Err()
			}
			return fmt.Errorf("after %s %d of the renewals are still under way, %s among them: %s\nThe request stays; \"kubectl clustercredential why -n %s %s\" says what it waits for",
				timeout, len(pending), pending[0].key, orDash(pending[0].said), pending[0].key.Namespace, pending[0].key.Name)
		}
	}
	return answer
}

// worse keeps what was not found out above what was.
func worse(before, now error) error {
	_, isNo := errors.AsType[*noError](now)
	switch {
	case !isNo:
		return errors.New("not all could be renewed; see above")
	case before == nil:
		return errNo
	}
	return before
}

func (s *session) lookAt(ctx context.Context, r *renewal) (done bool, err error) {
	cc := &v1alpha1.ClusterCredential{}
	err = s.Get(ctx, r.key, cc)
	switch {
	case ctx.Err() != nil:
		return false, nil //nolint:nilerr // whoever waits says so
	case apierrors.IsNotFound(err):
		return false, errors.New("it is gone")
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return false, err
	case err != nil: // an API server that starts anew, say
		s.tellProgress(r, "the hub does not answer: "+err.Error())
		return false, nil //nolint:nilerr // told, and looked at again until time is over
	}
	done, progress, err := r.judge(cc, s.Now())
	switch {
	case done:
		c := cc.Status.Certificate
		_, err = fmt.Fprintf(s.Out, "clustercredential %s renewed: serial %s, valid until %s\n", r.key, c.SerialNumber, stamp(c.NotAfter.Time))
	case err == nil:
		s.tellProgress(r, progress)
	}
	return done, err
}

func (s *session) tellProgress(r *renewal, progress string) {
	if progress != r.said {
		r.said = progress
		fmt.Fprintf(s.Err, "%s: %s\n", r.key, table.Printable(progress))
	}
}

// judge says of an object whether the request is carried out, or what stands in its way. The error says that nothing will change by
// itself.
func (r *renewal) judge(cc *v1alpha1.ClusterCredential, now time.Time) (done bool, progress string, err error) {
	issued := condition(cc, v1alpha1.ConditionIssued)
	asked := cc.Annotations[v1alpha1.AnnotationRenewRequestedAt]
	switch {
	case cc.Status.LastHandledRenewRequest == r.value && cc.Status.Certificate != nil:
		return isPublished(cc)
	case asked != r.value && asked != "" && asked == r.handled:
		return false, "", &noError{"somebody, or a tool that follows Git, has set the annotation back to the request before it: ask there"}
	case asked == "":
		return false, "", &noError{"somebody has taken the annotation away before it was handled"}
	case asked != r.value && cc.Status.LastHandledRenewRequest == asked && cc.Status.Certificate != nil:
		return isPublished(cc) // a later request came in between, and one certificate serves both
	case !cc.DeletionTimestamp.IsZero():
		return false, "", &noError{"it is being deleted"}
	case cc.Spec.Suspend:
		return false, "", &noError{"spec.suspend is true: set it to false to go on"}
	case r.isStalled(cc, now):
		return false, "", &noError{issued.Reason + ": " + issued.Message}
	case issued == nil || cc.ResourceVersion == r.version:
		return false, "requested", nil
	}
	return false, issued.Reason + ": " + issued.Message, nil
}

// isPublished says whether every output has the new certificate. Some have to be seen to by somebody first.
func isPublished(cc *v1alpha1.ClusterCredential) (done bool, progress string, err error) {
	published := condition(cc, v1alpha1.ConditionPublished)
	if published == nil || published.Status == metav1.ConditionTrue {
		return true, "", nil
	}
	progress = "the first output has it; " + published.Reason + ": " + published.Message
	switch v1alpha1.Reason(published.Reason) {
	case v1alpha1.ReasonSecretConflict, v1alpha1.ReasonNotGranted:
		return false, "", &noError{progress}
	default:
		return false, progress, nil
	}
}

// isStalled says whether the operator has looked at the request, and cannot go on.
func (r *renewal) isStalled(cc *v1alpha1.ClusterCredential, now time.Time) bool {
	stalled, issued := condition(cc, v1alpha1.ConditionStalled), condition(cc, v1alpha1.ConditionIssued)
	asleep := issued != nil && issued.Status != metav1.ConditionTrue && issued.Reason == string(v1alpha1.ReasonAccountSuspended)
	// What stalls an output only is no reason not to ask.
	isStuck := stalled != nil && stalled.Status == metav1.ConditionTrue && issued != nil && issued.Status != metav1.ConditionTrue &&
		issued.Reason == stalled.Reason || asleep
	hasLooked := cc.ResourceVersion != r.version || now.Sub(r.since) > stalledFor
	return isStuck && hasLooked && cc.Status.Issuance == nil && cc.Status.ObservedGeneration == cc.Generation
}
