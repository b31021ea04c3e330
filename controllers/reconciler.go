// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/keyring"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/target"
)

// Keys reads the Secret that an account names, and wakes whoever uses the account
// when it changes. keyring.Keyring is the one that runs.
type Keys interface {
	Get(ctx context.Context, owner, name types.NamespacedName) (keyring.Secret, error)
	Drop(owner types.NamespacedName)
}

// Config is what both controllers work with. All fields are required unless they say
// otherwise.
type Config struct {
	// Client reads from the cache and writes to the API server.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Keys reads the keys of accounts.
	Keys Keys
	// Dialer reaches the cloud.
	Dialer issuer.Dialer
	// Endpoint is the cloud's address where one is given for all accounts; empty: each
	// region has its own. It tells keys apart in the budget.
	Endpoint string
	// Budget says who may ask now.
	Budget *budget.Budget
	// KeyRefused is told that the cloud has refused an account's key, so that the account says so; nil: nobody is told.
	KeyRefused func(account types.NamespacedName)
	// Clock is read once a pass, and again after a wait and for how long something took.
	Clock clock.PassiveClock
	// Metrics counts what happens.
	Metrics *Metrics
	// FleetHold holds mass changes: see fleet.Hold. False: whatever wants a certificate gets
	// one.
	FleetHold bool
	// Verifier tries credentials against their clusters; nil: nothing is tried.
	Verifier Verifier
	// Guarded tries those whose server or proxy the spec chooses: a tenant must not look through the operator's eyes. Set
	// where Verifier is.
	Guarded Verifier
	// VerifyCustomEndpoints lets those be tried at all.
	VerifyCustomEndpoints bool
	// VerifyInterval is how often what is published is tried.
	VerifyInterval time.Duration
	// ClusterInterval is how often the clusters of an account are listed, to see whether what is published still is as the cloud
	// says; zero: never.
	ClusterInterval time.Duration
	// AllowInsecureTLS lets addresses without TLS verification be published, where the spec asks for that, too.
	AllowInsecureTLS bool
	// CrossNamespaceOutputs lets Secrets be written into namespaces whose owners consent to it.
	CrossNamespaceOutputs bool
	// Class is the class that the cache shows: see CacheOptions.
	Class string
	// Namespaces are those that the cache shows; empty: all.
	Namespaces []string
	// MinIssueInterval is the least time between two certificates of one object without a
	// request.
	MinIssueInterval time.Duration
}

// CredentialReconciler keeps ClusterCredentials.
type CredentialReconciler struct {
	Config
	secrets  target.Store
	memory   *memory
	wake     *waker
	work     *workInProgress
	changes  *changes
	trials   *trials
	lookouts *lookouts
	gates    *gates
	// began is when this process began to lead.
	began time.Time
}

// NewCredentialReconciler returns a reconciler that remembers nothing yet.
func NewCredentialReconciler(config Config) *CredentialReconciler {
	return &CredentialReconciler{
		Config:   config,
		secrets:  target.Store{Live: config.Live, Writer: config.Client},
		memory:   newMemory(),
		wake:     &waker{},
		work:     &workInProgress{},
		changes:  &changes{},
		trials:   &trials{},
		lookouts: &lookouts{},
		gates:    newGates(mostPosts),
		began:    config.Clock.Now(),
	}
}

// staleLook is how soon an object is looked at again whose last write has not come
// back through the watch yet.
const staleLook = 50 * time.Millisecond

// Reconcile makes one pass over one ClusterCredential:
//
//  1. observe: what is wanted, what is stored, what an earlier attempt left;
//  2. decide: whether a certificate is due;
//  3. obtain: the cheap checks, the intent, and one call;
//  4. publish: bring the Secrets in step with the credential that there is, and have it tried now and then;
//  5. report: one status write if it differs, then events and metrics.
func (r *CredentialReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	now := r.Clock.Now()
	cc := &v1alpha1.ClusterCredential{}
	if err := r.Client.Get(ctx, request.NamespacedName, cc); err != nil {
		if !apierrors.IsNotFound(err) {
			return reconcile.Result{}, fmt.Errorf("read the ClusterCredential: %w", err)
		}
		again, err := r.release(ctx, request.NamespacedName, now) // gone: done
		return reconcile.Result{RequeueAfter: again}, err
	}
	if before := r.memory.replaced(cc); before != "" {
		r.leaveLine(now, before)
		r.trials.forget(before)
	}
	if r.memory.isStale(cc, now) {
		return reconcile.Result{RequeueAfter: staleLook}, nil // our own write is on its way
	}
	if !cc.DeletionTimestamp.IsZero() {
		r.leaveLine(now, cc.UID)
		return r.letGo(ctx, cc) // its disappearance wakes us
	}
	if again, err := r.keepHold(ctx, cc); err != nil || again > 0 {
		return reconcile.Result{RequeueAfter: again}, err
	}
	defer r.work.begin()()

	p, err := r.observe(ctx, cc, now)
	if errors.Is(err, errOvertaken) {
		return reconcile.Result{RequeueAfter: leftoverLook}, nil
	}
	if err != nil {
		return r.failed(ctx, cc, err)
	}
	p.decision = rotation.Decide(now, p.wanted, p.found)
	if p.awaitsList() {
		return reconcile.Result{RequeueAfter: listLook}, nil
	}
	p.overrides = p.decision.Due && p.decision.Overridden
	again, err := r.obtain(ctx, p)
	if err != nil {
		return r.failed(ctx, cc, err)
	}
	if again > 0 {
		return reconcile.Result{RequeueAfter: again}, nil // nothing to tell yet: look again then
	}
	r.publish(ctx, p)
	r.keepTrying(ctx, p)
	return r.report(ctx, p)
}

// failed ends a pass that could not be finished: the queue backs off, unless the only
// copy of a key waits in memory to be stored.
func (r *CredentialReconciler) failed(ctx context.Context, cc *v1alpha1.ClusterCredential, err error) (reconcile.Result, error) {
	if r.memory.of(cc.UID).held == nil {
		return reconcile.Result{}, err
	}
	ctrl.LoggerFrom(ctx).Error(err, "A certificate waits to be stored, and this pass could not be finished")
	return reconcile.Result{RequeueAfter: heldLook}, nil
}
