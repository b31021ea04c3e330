// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
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

// +kubebuilder:rbac:groups=clustercredential.dev,resources=clustercredentials,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=clustercredential.dev,resources=cloudaccounts;clustercloudaccounts,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups=clustercredential.dev,resources=credentialgrants,verbs=list;watch
// +kubebuilder:rbac:groups=clustercredential.dev,resources=clustercredentials/status;cloudaccounts/status;clustercloudaccounts/status,verbs=update
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Field indexes of the cache. Those whose values differ from object to object are looked up by bucketOf the value, and find
// some others too.
const (
	// indexSecretName finds ClusterCredentials by the namespaces and names of their output Secrets, in buckets.
	indexSecretName = "clustercredential.dev/secret-name"
	// indexAccount finds ClusterCredentials by their account: namespace/name, and /name for a ClusterCloudAccount.
	indexAccount = "clustercredential.dev/account"
	// indexEntryName finds ClusterCredentials by the name of cluster, user and context in
	// their kubeconfig, in buckets.
	indexEntryName = "clustercredential.dev/entry-name"
	// indexTargetNamespace finds ClusterCredentials by the other namespaces that they have outputs in.
	indexTargetNamespace = "clustercredential.dev/target-namespace"
	// indexCredential finds Secrets of ours by the ClusterCredentials that may have them, in buckets: see ownersOf.
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
	if err := indexer.IndexField(ctx, &v1alpha1.ClusterCredential{}, indexTargetNamespace, targetNamespaceIndex); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.ClusterCredential{}, indexEntryName, entryNameIndex); err != nil {
		return err
	}
	return indexer.IndexField(ctx, &v1alpha1.ClusterCredential{}, indexAccount, accountIndex)
}

// buckets is how many values an index has at most whose objects each have another one. The cache keeps a set for each value,
// and one more for each namespace, which together are larger than a name; so some share one.
const buckets = 2048

// bucketOf is the value by which something is found in an index with buckets. Whoever looks it up has to see what it asked for.
func bucketOf(value string) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(value)) // a hash takes everything
	return strconv.FormatUint(uint64(sum.Sum32()%buckets), 10)
}

func credentialIndex(o client.Object) []string {
	owners := ownersOf(o)
	names := make([]string, len(owners))
	for i, owner := range owners {
		names[i] = bucketOf(owner.String())
	}
	return names
}

// ownersOf are the ClusterCredentials that the marks of a Secret may mean: the one that they name, and one of that name in the
// Secret's own namespace, which may have been renamed.
func ownersOf(secret client.Object) []types.NamespacedName {
	owner := target.OwnerOf(secret)
	switch {
	case owner.Name == "":
		return nil
	case owner.Namespace == secret.GetNamespace():
		return []types.NamespacedName{owner}
	default:
		return []types.NamespacedName{owner, {Namespace: secret.GetNamespace(), Name: owner.Name}}
	}
}

func targetNamespaceIndex(o client.Object) []string {
	cc, ok := o.(*v1alpha1.ClusterCredential)
	if !ok {
		return nil
	}
	var namespaces []string
	for _, key := range keysOf(cc) {
		if key.Namespace != cc.Namespace && !slices.Contains(namespaces, key.Namespace) {
			namespaces = append(namespaces, key.Namespace)
		}
	}
	return namespaces
}

func secretNameIndex(o client.Object) []string {
	cc, ok := o.(*v1alpha1.ClusterCredential)
	if !ok {
		return nil
	}
	keys := keysOf(cc)
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = bucketOf(key.String())
	}
	return names
}

func entryNameIndex(o client.Object) []string {
	cc, ok := o.(*v1alpha1.ClusterCredential)
	if !ok {
		return nil
	}
	if name := entryName(cc); name != "" {
		return []string{bucketOf(name)}
	}
	return nil
}

// entryName is the name of the entries in the kubeconfig of an object's first output; empty: it has none.
func entryName(cc *v1alpha1.ClusterCredential) string {
	switch o := outputAt(cc, 0); o.Format {
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
	return []string{accountName(cc).String()}
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

// capsCount says whether changed caps count from an update on: the time from which they do stands in the account's status, which
// is written later than the spec.
func capsCount(e event.UpdateEvent) bool {
	before, ok1 := e.ObjectOld.(*v1alpha1.ClusterCloudAccount)
	after, ok2 := e.ObjectNew.(*v1alpha1.ClusterCloudAccount)
	return ok1 && ok2 && !before.Status.GrantsChangedTime.Equal(after.Status.GrantsChangedTime)
}

func retryLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost)
}

// SetupWithManager says what wakes the reconciler: its objects (but not its own status
// writes), the Secrets of ours by their metadata, their accounts, and turns that others give back.
func (r *CredentialReconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	watched := ctrl.NewControllerManagedBy(mgr)
	if r.CrossNamespaceOutputs {
		watched.Watches(&v1alpha1.CredentialGrant{}, handler.EnqueueRequestsFromMapFunc(r.usersOfGrant),
			builder.WithPredicates(accountNews()))
	}
	return watched.
		Named("clustercredential").
		For(&v1alpha1.ClusterCredential{}, builder.WithPredicates(predicate.Funcs{UpdateFunc: r.isNews})).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.credentialsIn),
			builder.WithPredicates(r.secretNews())).
		Watches(&v1alpha1.CloudAccount{}, handler.EnqueueRequestsFromMapFunc(r.usersOf),
			builder.WithPredicates(accountNews())).
		Watches(&v1alpha1.ClusterCloudAccount{}, handler.EnqueueRequestsFromMapFunc(r.usersOf),
			builder.WithPredicates(predicate.Or(accountNews(), predicate.Funcs{UpdateFunc: capsCount}))).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.usersInNamespace),
			builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(source.Func(r.lead)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers, RateLimiter: retryLimiter(), ReconciliationTimeout: passDeadline,
		}).
		Complete(r)
}

// lead begins the work as the leader; controller-runtime calls it once it is elected.
func (r *CredentialReconciler) lead(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.began = r.Clock.Now() // before any pass
	r.Budget.Lead(r.began)
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
		slices.Contains(before.Finalizers, v1alpha1.FinalizerOutputs) && !slices.Contains(after.Finalizers, v1alpha1.FinalizerOutputs) ||
		before.Annotations[v1alpha1.AnnotationRenewRequestedAt] != after.Annotations[v1alpha1.AnnotationRenewRequestedAt] ||
		!equality.Semantic.DeepEqual(before.Status, after.Status) && !r.memory.isOwnWrite(after.UID, after.ResourceVersion)
}

// secretNews lets through what the watch tells of Secrets, but for what a pass has seen there, or written: it would find
// nothing to do. A Secret in another namespace may have two owners, and is always news.
func (r *CredentialReconciler) secretNews() predicate.Predicate {
	isNews := func(secret client.Object) bool {
		owners := ownersOf(secret)
		return len(owners) != 1 || !r.memory.hasSeen(owners[0], secret.GetResourceVersion())
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return isNews(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return isNews(e.ObjectNew) || !slices.Equal(ownersOf(e.ObjectOld), ownersOf(e.ObjectNew))
		},
	}
}

// credentialsIn names the ClusterCredentials that may have a Secret, as far as the cache shows their namespaces.
func (r *CredentialReconciler) credentialsIn(_ context.Context, secret client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, owner := range ownersOf(secret) {
		if r.covers(owner.Namespace) {
			requests = append(requests, reconcile.Request{NamespacedName: owner})
		}
	}
	return requests
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
	err := c.Client.List(ctx, &list, client.InNamespace(account.Namespace), // all namespaces for one that has none
		client.MatchingFields{indexAccount: account.String()}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// KeyChanged wakes every ClusterCredential that uses the account.
func (r *CredentialReconciler) KeyChanged(ctx context.Context, account types.NamespacedName) {
	users, err := r.credentialsOf(ctx, account)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listed no ClusterCredentials of an account")
		return // their own looks find it out
	}
	for i := range users {
		r.wake.add(client.ObjectKeyFromObject(&users[i]))
	}
}
