// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
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
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/target"
)

// +kubebuilder:rbac:groups=clustercredential.dev,resources=clustercredentials,verbs=get;list;watch
// +kubebuilder:rbac:groups=clustercredential.dev,resources=cloudaccounts,verbs=list;watch
// +kubebuilder:rbac:groups=clustercredential.dev,resources=clustercredentials/status;cloudaccounts/status,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Field indexes of the cache.
const (
	// indexSecretName finds ClusterCredentials by the names of their output Secrets.
	indexSecretName = "clustercredential.dev/secret-name"
	// indexAccount finds ClusterCredentials by the name of their account.
	indexAccount = "clustercredential.dev/account"
	// indexEntryName finds ClusterCredentials by the name of cluster, user and context in
	// their kubeconfig.
	indexEntryName = "clustercredential.dev/entry-name"
	// indexCredential finds Secrets of ours by the name of their ClusterCredential.
	indexCredential = "clustercredential.dev/credential"
)

// Index adds the field indexes that both controllers look things up by.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(secretKind)
	if err := indexer.IndexField(ctx, secret, indexCredential, credentialIndex); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.ClusterCredential{}, indexSecretName, secretNameIndex); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.ClusterCredential{}, indexEntryName, entryNameIndex); err != nil {
		return err
	}
	return indexer.IndexField(ctx, &v1alpha1.ClusterCredential{}, indexAccount, accountIndex)
}

func credentialIndex(o client.Object) []string {
	marks := target.MarksOf(o)
	if !marks.Managed || marks.Credential == "" {
		return nil
	}
	return []string{marks.Credential}
}

func secretNameIndex(o client.Object) []string {
	cc, ok := o.(*v1alpha1.ClusterCredential)
	if !ok {
		return nil
	}
	slots := slotsOf(cc)
	names := make([]string, len(slots))
	for i := range slots {
		names[i] = slots[i].output.SecretName
	}
	return names
}

func entryNameIndex(o client.Object) []string {
	cc, ok := o.(*v1alpha1.ClusterCredential)
	if !ok {
		return nil
	}
	if name := entryName(cc); name != "" {
		return []string{name}
	}
	return nil
}

// entryName is the name of the entries in the kubeconfig of an object's first output; empty: it has none.
func entryName(cc *v1alpha1.ClusterCredential) string {
	switch o := slotsOf(cc)[0].output; o.Format {
	case v1alpha1.FormatArgoCD, v1alpha1.FormatKubeVela:
		return ""
	case v1alpha1.FormatClusterAPI:
		return output.ClusterAPICluster(o)
	default:
		return firstOf(o.ClusterName, cc.Namespace+"-"+cc.Name)
	}
}

func accountIndex(o client.Object) []string {
	cc, ok := o.(*v1alpha1.ClusterCredential)
	if !ok {
		return nil
	}
	return []string{cc.Spec.AccountRef.Name}
}

// Failures of a pass (not of the cloud) are tried again with this back-off.
const (
	retryFirst = time.Second
	retryMost  = 5 * time.Minute
)

// passDeadline bounds a pass up to the call that cannot be undone; what follows that has
// a deadline of its own. A server that never answers must not keep a worker.
const passDeadline = time.Minute

// accountNews lets events through that tell of another account, or of another spec: one
// that was made anew may come as an update with the same generation.
func accountNews() predicate.Predicate {
	anew := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() }}
	return predicate.Or(predicate.GenerationChangedPredicate{}, anew)
}

func retryLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost)
}

// SetupWithManager says what wakes the reconciler: its objects (but not its own status
// writes), the Secrets of ours by their metadata, their accounts, and turns that others give back.
func (r *CredentialReconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("clustercredential").
		For(&v1alpha1.ClusterCredential{}, builder.WithPredicates(predicate.Funcs{UpdateFunc: r.isNews})).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(credentialOf)).
		Watches(&v1alpha1.CloudAccount{}, handler.EnqueueRequestsFromMapFunc(r.usersOf),
			builder.WithPredicates(accountNews())).
		WatchesRawSource(source.Func(r.lead)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers, RateLimiter: retryLimiter(), ReconciliationTimeout: passDeadline,
		}).
		Complete(r)
}

// lead begins the work as the leader; controller-runtime calls it once it is elected.
func (r *CredentialReconciler) lead(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Budget.Lead(r.Clock.Now())
	return r.wake.Start(ctx, queue)
}

// isNews says whether an update is worth a pass: everything is, but what we wrote
// ourselves and what no decision depends on.
func (r *CredentialReconciler) isNews(e event.UpdateEvent) bool {
	before, ok1 := e.ObjectOld.(*v1alpha1.ClusterCredential)
	after, ok2 := e.ObjectNew.(*v1alpha1.ClusterCredential)
	if !ok1 || !ok2 {
		return true
	}
	return before.Generation != after.Generation ||
		before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
		before.Annotations[v1alpha1.AnnotationRenewRequestedAt] != after.Annotations[v1alpha1.AnnotationRenewRequestedAt] ||
		!equality.Semantic.DeepEqual(before.Status, after.Status) && !r.memory.isOwnWrite(after.UID, after.ResourceVersion)
}

// credentialOf names the ClusterCredential whose marks a Secret carries.
func credentialOf(_ context.Context, secret client.Object) []reconcile.Request {
	marks := target.MarksOf(secret)
	if marks.Credential == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: marks.Credential}}}
}

// usersOf lists the ClusterCredentials that refer to an account.
func (r *CredentialReconciler) usersOf(ctx context.Context, account client.Object) []reconcile.Request {
	users, err := r.credentialsOf(ctx, client.ObjectKeyFromObject(account))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listed no ClusterCredentials of an account")
		return nil // their own looks find it out
	}
	requests := make([]reconcile.Request, len(users))
	for i := range users {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&users[i])
	}
	return requests
}

// credentialsOf lists the ClusterCredentials that refer to an account.
func (c *Config) credentialsOf(ctx context.Context, account types.NamespacedName) ([]v1alpha1.ClusterCredential, error) {
	var list v1alpha1.ClusterCredentialList
	err := c.Client.List(ctx, &list, client.InNamespace(account.Namespace),
		client.MatchingFields{indexAccount: account.Name}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// KeyChanged wakes every ClusterCredential that uses the account.
func (r *CredentialReconciler) KeyChanged(ctx context.Context, account types.NamespacedName) {
	object := &v1alpha1.CloudAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}}
	for _, request := range r.usersOf(ctx, object) {
		r.wake.add(request.NamespacedName)
	}
}
