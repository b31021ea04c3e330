// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/status"
)

// AccountReconciler keeps the status of accounts of both kinds: whether the key works, and how
// many ClusterCredentials use it.
type AccountReconciler struct {
	Config
	wake *waker
}

// NewAccountReconciler returns a reconciler.
func NewAccountReconciler(config Config) *AccountReconciler {
	return &AccountReconciler{Config: config, wake: &waker{}}
}

const (
	// checkEvery is how often a key that works is tried.
	checkEvery = 6 * time.Hour
	// checkAgain is how soon one is tried again that was not refused but did not work.
	checkAgain = 5 * time.Minute
	// countDelay gathers the arrivals and departures of ClusterCredentials into one count.
	countDelay = 3 * time.Second
	// checkDeadline bounds one check.
	checkDeadline = 15 * time.Second
)

// keyWorks is what Ready says of a key that was tried.
const keyWorks = "the cloud accepts the key"

// Reconcile makes one pass over one account: read the key, try it if that is due,
// count its users, write the status if it differs.
func (r *AccountReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	now := r.Clock.Now()
	object, err := r.readAccount(ctx, request.NamespacedName)
	if err != nil {
		if !apierrors.IsNotFound(err) {
			return reconcile.Result{}, fmt.Errorf("read the account: %w", err)
		}
		r.Keys.Drop(request.NamespacedName)
		r.Metrics.forgetAccount(request.NamespacedName)
		r.Budget.Leave(now, request.NamespacedName.String())
		return reconcile.Result{}, nil // gone: done
	}
	a, err := r.unlock(ctx, object)
	if err != nil {
		return reconcile.Result{}, err // unexpected: back off
	}
	users, err := r.credentialsOf(ctx, request.NamespacedName)
	if err != nil {
		return reconcile.Result{}, err // unexpected: back off
	}
	next, after := r.examine(ctx, now, a)
	seeGrants(&next, object, now)
	next.Credentials = int32(min(len(users), math.MaxInt32))
	if meta.IsStatusConditionTrue(next.Conditions, v1alpha1.ConditionReady) {
		setReady(&next, object, now, v1alpha1.ReasonValid, keyWorks+capacityNote(users, a.budget.PerMinute))
	}
	r.Metrics.observeAccount(request.NamespacedName, accountState{
		ready: meta.IsStatusConditionTrue(next.Conditions, v1alpha1.ConditionReady), needed: renewalsPerMinute(users), limit: a.budget.PerMinute,
		key: digest(a.budget.Key), suspended: object.suspend,
	})
	if equality.Semantic.DeepEqual(object.status, next) {
		return reconcile.Result{RequeueAfter: min(after, time.Hour)}, nil // nothing to tell: look again then
	}
	if err := r.Client.Status().Update(ctx, object.withStatus(next)); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			return reconcile.Result{RequeueAfter: staleLook}, nil // changed meanwhile: look again
		}
		return reconcile.Result{}, fmt.Errorf("write the status: %w", err)
	}
	return reconcile.Result{RequeueAfter: min(after, time.Hour)}, nil
}

// seeGrants notes when the grants of a ClusterCloudAccount have changed.
func seeGrants(next *v1alpha1.CloudAccountStatus, object *accountObject, now time.Time) {
	if seen := capsDigest(object); next.GrantsSeen != seen {
		next.GrantsSeen, next.GrantsChangedTime = seen, new(metav1.NewTime(now.UTC().Truncate(time.Second)))
	}
}

// examine returns the next status but for the count, and when to look again.
func (r *AccountReconciler) examine(ctx context.Context, now time.Time, a account) (v1alpha1.CloudAccountStatus, time.Duration) {
	next := *a.object.status.DeepCopy()
	next.AccessKeyID, next.ProjectID = a.access.Key.ID, a.access.ProjectID
	seen := digest(a.version)
	if a.reason != "" {
		next.ObservedGeneration, next.CheckedWith = a.object.GetGeneration(), ""
		setReady(&next, a.object, now, a.reason, a.message)
		if a.unread {
			return next, unreadLook
		}
		return next, time.Hour
	}
	if held := r.Budget.Probe(now, a.budget); held.Hold != budget.None {
		works := meta.IsStatusConditionTrue(next.Conditions, v1alpha1.ConditionReady)
		if next.ObservedGeneration != a.object.GetGeneration() || next.CheckedWith != seen || works && held.Hold == budget.Refused {
			// What was said was said of another key, or before the cloud refused this one.
			next.ObservedGeneration, next.CheckedWith = a.object.GetGeneration(), ""
			setReady(&next, a.object, now, heldReason(held.Hold), heldMessage(held))
		}
		return next, held.At.Sub(now)
	}
	if wait := r.nextCheck(now, a, seen); wait > 0 {
		return next, wait
	}
	project, err := r.try(ctx, a)
	at := metav1.NewTime(now.UTC().Truncate(time.Second))
	next.ObservedGeneration, next.CheckedWith, next.LastCheckTime = a.object.GetGeneration(), seen, &at
	if err != nil {
		e := issuer.As(err)
		r.Budget.Report(now, a.budget, outcomeOf(e, false))
		setReady(&next, a.object, now, accountReason(e.Kind), e.Error())
		return next, retryCheck(e)
	}
	r.Budget.Report(now, a.budget, budget.Outcome{Answered: true})
	next.ProjectID = project
	setReady(&next, a.object, now, v1alpha1.ReasonValid, keyWorks)
	return next, checkEvery
}

// nextCheck is how long until the key is tried again; zero: now.
func (r *AccountReconciler) nextCheck(now time.Time, a account, seen string) time.Duration {
	s := a.object.status
	if s.CheckedWith != seen || s.LastCheckTime == nil || s.ObservedGeneration != a.object.GetGeneration() {
		return 0
	}
	every := checkEvery
	if ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Status != metav1.ConditionTrue {
		every = checkAgain
		if ready.Reason == string(v1alpha1.ReasonUnauthorized) && a.object.auth.keyless.Method == "" {
			every = time.Hour
		}
	}
	return max(0, s.LastCheckTime.Add(every).Sub(now))
}

// try makes the signed read, and looks the project up where none is given.
func (r *AccountReconciler) try(ctx context.Context, a account) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkDeadline)
	defer cancel()
	cloud, err := r.Dialer.Dial(a.access)
	if err != nil {
		return "", err
	}
	project, err := cloud.Project(ctx)
	if err != nil {
		return "", err
	}
	return project, cloud.Check(ctx)
}

func heldReason(hold budget.Hold) v1alpha1.Reason {
	if hold == budget.Refused {
		return v1alpha1.ReasonUnauthorized
	}
	return v1alpha1.ReasonThrottled
}

// heldMessage says why a key is not tried that nobody has tried yet.
func heldMessage(held budget.Turn) string {
	until := held.At.UTC().Format(time.RFC3339)
	if held.Hold == budget.Refused {
		return "this key is not tried before " + until + ": the cloud has refused it, or others of the same access key, and locks one that is wrong too often"
	}
	return "this key is not tried before " + until + ": the cloud asked for fewer calls"
}

func retryCheck(e *issuer.Error) time.Duration {
	if e.Kind == issuer.Unauthorized && !e.Obtained {
		return time.Hour
	}
	return checkAgain
}

// accountReason is the reason for an error of the cloud where no cluster is asked for:
// what is not found then is the project or the address.
func accountReason(kind issuer.Kind) v1alpha1.Reason {
	if kind == issuer.NotFound {
		return v1alpha1.ReasonRejected
	}
	return status.ReasonOf(kind)
}

func setReady(next *v1alpha1.CloudAccountStatus, object *accountObject, now time.Time, reason v1alpha1.Reason, message string) {
	value := metav1.ConditionFalse
	if reason == v1alpha1.ReasonValid {
		value = metav1.ConditionTrue
	}
	meta.SetStatusCondition(&next.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: value, Reason: string(reason), Message: message,
		ObservedGeneration: object.GetGeneration(), LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
}

// SetupWithManager says what wakes the reconciler: its objects, their keys, and, some
// seconds later, the coming and going of ClusterCredentials.
func (r *AccountReconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("cloudaccount").
		For(&v1alpha1.CloudAccount{}, builder.WithPredicates(predicate.Or(accountNews(), predicate.NewPredicateFuncs(isUnseen)))).
		Watches(&v1alpha1.ClusterCloudAccount{}, &handler.EnqueueRequestForObject{},
			builder.WithPredicates(predicate.Or(accountNews(), predicate.NewPredicateFuncs(isUnseen)))).
		Watches(&v1alpha1.ClusterCredential{}, countLater()).
		WatchesRawSource(source.Func(r.wake.Start)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers, RateLimiter: retryLimiter(), ReconciliationTimeout: passDeadline,
		}).
		Complete(r)
}

// isUnseen says whether the status tells of another spec than the object's: somebody
// wiped it, or put back an old one.
func isUnseen(o client.Object) bool {
	switch account := o.(type) {
	case *v1alpha1.CloudAccount:
		return account.Status.ObservedGeneration != account.Generation
	case *v1alpha1.ClusterCloudAccount:
		return account.Status.ObservedGeneration != account.Generation
	default:
		return false
	}
}

// KeyChanged wakes the account.
func (r *AccountReconciler) KeyChanged(account types.NamespacedName) { r.wake.add(account) }

// countLater wakes the accounts whose number of users has changed.
func countLater() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	count := func(q queue, objects ...client.Object) {
		for _, o := range objects {
			if cc, ok := o.(*v1alpha1.ClusterCredential); ok {
				q.AddAfter(reconcile.Request{NamespacedName: accountName(cc)}, countDelay)
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { count(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { count(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			before, ok1 := e.ObjectOld.(*v1alpha1.ClusterCredential)
			after, ok2 := e.ObjectNew.(*v1alpha1.ClusterCredential)
			if ok1 && ok2 && before.Spec.AccountRef != after.Spec.AccountRef {
				count(q, before, after)
			}
		},
	}
}
