// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/cce"
	"github.com/clustercredential/operator/controllers/keyring"
	"github.com/clustercredential/operator/hack/ccesim"
	"github.com/clustercredential/operator/hack/realkube"
)

// Names and ids of the world.
const (
	Region    = "ap-southeast-3"
	ProjectID = "0123456789abcdef0123456789abcdef"
	ClusterID = "11111111-1111-4111-8111-111111111111"
	OtherID   = "22222222-2222-4222-8222-222222222222"
	UserID    = "fedcba9876543210fedcba9876543210"
	Account   = "huawei-prod"
	KeySecret = "huawei-keys"
	AccessKey = "AKTEST0000000000"
)

// secretKey is no real key: the simulator accepts what it is told to.
const secretKey = "sk-test-0000000000000000000000000000"

// World is one namespace of a real API server, with a cloud of its own.
type World struct {
	T         testing.TB
	Cluster   *realkube.Cluster
	Namespace string
	// Client goes straight to the API server, uncounted.
	Client client.WithWatch
	// Recorder counts what the operator does.
	Recorder *Recorder
	// Sim is the cloud.
	Sim *ccesim.Server
	// Clock is moved by hand.
	Clock      *clocktesting.FakePassiveClock
	Reconciler *controllers.CredentialReconciler
	Accounts   *controllers.AccountReconciler
	watches    metadata.Interface
	keys       controllers.Keys
	registry   *prometheus.Registry
	config     controllers.Config
	// posting is how many certificates are asked for at the moment, mostPosting the most of that, posted how many were in all.
	posting, mostPosting, posted atomic.Int64
}

// CallTimeout is how long a call to the cloud may take.
const CallTimeout = time.Second

// workers are as many as the flag's default.
const workers = 32

var worlds atomic.Int64

// quietly keeps controller-runtime from asking for a logger in the middle of a test.
var quietly = sync.OnceFunc(func() { ctrl.SetLogger(quiet) })

// New makes a world with an account whose limits are off, its key Secret, and two
// clusters: ClusterID (prod-1), reachable from inside and outside, and OtherID (prod-2).
func New(t testing.TB) *World {
	t.Helper()
	quietly()
	cluster := realkube.Shared(t)
	w := &World{
		T: t, Cluster: cluster, Namespace: fmt.Sprintf("story-%d", worlds.Add(1)),
		Recorder: &Recorder{indexes: map[string]client.IndexerFunc{}},
		Clock:    clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second)),
	}
	w.Recorder.namespaces = []string{w.Namespace}
	w.startCloud()
	shared.once.Do(func() { shared.open(cluster) })
	w.Must(shared.err)
	w.Client, w.watches = shared.client, shared.watches
	w.Must(controllers.Index(t.Context(), w.Recorder))
	w.startOperator()
	w.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}})
	w.Create(w.KeySecret())
	w.Create(w.CloudAccount())
	return w
}

// connection is how the worlds of a process reach their API server. They share it: to make one, and to learn what the server
// knows, costs more than many a test.
type connection struct {
	once    sync.Once
	client  client.WithWatch
	watches metadata.Interface
	err     error
}

var shared connection

func (c *connection) open(cluster *realkube.Cluster) {
	scheme := runtime.NewScheme()
	c.err = errors.Join(corev1.AddToScheme(scheme), eventsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
	if c.err != nil {
		return
	}
	config := cluster.Config()
	config.QPS = -1 // one world must not wait for another
	if c.client, c.err = client.NewWithWatch(config, client.Options{Scheme: scheme}); c.err != nil {
		return
	}
	c.watches, c.err = metadata.NewForConfig(config)
}

func (w *World) startCloud() {
	caCert, caKey, _ := w.Cluster.ClientCA()
	url := w.Cluster.URL()
	sim, err := ccesim.New(ccesim.Config{
		CACert: caCert, CAKey: caKey,
		Clock: w.Clock.Now, SignatureClock: time.Now, KeyAlgorithm: ccesim.EC,
		Keys:     []ccesim.AccessKey{{ID: AccessKey, Secret: secretKey, UserID: UserID, Groups: []string{"system:masters"}}},
		Projects: []ccesim.Project{{ID: ProjectID, Name: Region}},
		Clusters: []ccesim.Cluster{
			{ID: ClusterID, Name: "prod-1", ProjectID: ProjectID, InternalURL: "https://192.168.0.10:5443", ExternalURL: url},
			{ID: OtherID, Name: "prod-2", ProjectID: ProjectID, InternalURL: "https://192.168.0.20:5443"},
		},
	})
	w.Must(err)
	w.Sim = sim
}

// startOperator makes reconcilers that go through the recorder to the API server, and
// over HTTP to the cloud.
func (w *World) startOperator() {
	server := httptest.NewServer(w.counted(w.Sim))
	w.T.Cleanup(server.Close)
	dialer, err := cce.New(cce.Options{CCEEndpoint: server.URL, IAMEndpoint: server.URL, Timeout: CallTimeout})
	w.Must(err)
	live := w.Recorder.wrap(w.Client, false)
	keys := keyring.New(w.watches, w.Client, func(types.NamespacedName) {})
	w.T.Cleanup(keys.Close)
	w.keys = keys
	w.config = controllers.Config{
		Client: w.Recorder.wrap(w.Client, true), Live: live, Keys: keys,
		Dialer: dialer, Endpoint: server.URL, Clock: w.Clock, MinIssueInterval: 10 * time.Minute, FleetHold: true,
	}
	w.Restart()
}

// counted counts how many certificates are asked for at a time.
func (w *World) counted(cloud http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/clustercert") {
			w.posted.Add(1)
			now := w.posting.Add(1)
			defer w.posting.Add(-1)
			for most := w.mostPosting.Load(); now > most && !w.mostPosting.CompareAndSwap(most, now); {
				most = w.mostPosting.Load()
			}
		}
		cloud.ServeHTTP(rw, r)
	})
}

// MostPosting is how many certificates were asked for at a time at most.
func (w *World) MostPosting() int { return int(w.mostPosting.Load()) }

// Posted is how many certificates were asked for, whatever came of it.
func (w *World) Posted() int { return int(w.posted.Load()) }

// Restart makes the operator forget what it remembers, as a new process has.
func (w *World) Restart() {
	w.registry = prometheus.NewPedanticRegistry()
	metrics, err := controllers.NewMetrics(w.registry)
	w.Must(err)
	w.registry.MustRegister(metrics.Objects()...)
	w.config.Metrics = metrics
	w.config.Budget = controllers.NewBudget(w.Clock.Now(), workers)
	w.Reconciler = controllers.NewCredentialReconciler(w.config)
	w.Accounts = controllers.NewAccountReconciler(w.config)
}

// Counted is the sum of a counter over all its labels, since the operator began.
func (w *World) Counted(name string) (sum float64) {
	w.T.Helper()
	families, err := w.registry.Gather()
	w.Must(err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// Gauge is the sum of a gauge over all its labels.
func (w *World) Gauge(name string) (sum float64) {
	w.T.Helper()
	families, err := w.registry.Gather()
	w.Must(err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name {
				sum += metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// SetFloor restarts the operator with another --min-issue-interval.
func (w *World) SetFloor(floor time.Duration) {
	w.config.MinIssueInterval = floor
	w.Restart()
}

// SetCrossNamespaceOutputs restarts the operator with another --cross-namespace-outputs, and with --namespaces where there are any.
func (w *World) SetCrossNamespaceOutputs(on bool, namespaces ...string) {
	w.config.CrossNamespaceOutputs, w.config.Namespaces = on, namespaces
	w.Restart()
}

// SetClass restarts the operator with another --class.
func (w *World) SetClass(class string) {
	w.config.Class, w.Recorder.class = class, class
	w.Restart()
}

// Beside makes another namespace, which the operator sees too, and returns its name.
func (w *World) Beside(name string) string {
	w.T.Helper()
	namespace := w.Namespace + "-" + name
	w.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	w.Recorder.namespaces = append(w.Recorder.namespaces, namespace)
	return namespace
}

// TryAt makes one pass over an object of any namespace.
func (w *World) TryAt(key types.NamespacedName) (reconcile.Result, error) {
	return w.Reconciler.Reconcile(ctrl.LoggerInto(w.T.Context(), quiet), reconcile.Request{NamespacedName: key})
}

// SetFleetHold restarts the operator with another --fleet-hold.
func (w *World) SetFleetHold(on bool) {
	w.config.FleetHold = on
	w.Restart()
}

// Verify restarts the operator with certificates tried by v every ten minutes; in other worlds none is tried.
func (w *World) Verify(v controllers.Verifier) {
	w.VerifyApart(v, v)
}

// VerifyApart is Verify with another verifier for servers and proxies that the cloud has not offered.
func (w *World) VerifyApart(v, guarded controllers.Verifier) {
	w.config.Verifier, w.config.Guarded, w.config.VerifyInterval, w.config.VerifyCustomEndpoints = v, guarded, 10*time.Minute, true
	w.Restart()
}

// TellRefused has somebody told of keys that are refused, from now on, without a restart: what is known of keys stays.
func (w *World) TellRefused(tell func(account types.NamespacedName)) { w.Reconciler.KeyRefused = tell }

// VerifyEvery restarts the operator with another --verify-interval.
func (w *World) VerifyEvery(interval time.Duration) {
	w.config.VerifyInterval = interval
	w.Restart()
}

// SetVerifyCustomEndpoints restarts the operator with another --verify-custom-endpoints.
func (w *World) SetVerifyCustomEndpoints(on bool) {
	w.config.VerifyCustomEndpoints = on
	w.Restart()
}

// Wait returns once nothing is under way beside the passes.
func (w *World) Wait() {
	w.T.Helper()
	for end := time.Now().Add(20 * time.Second); !w.Reconciler.NothingBeside(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.T.Fatal("work beside the passes does not end")
		}
	}
}

// LookOut restarts the operator with the clusters listed every ten minutes; in other worlds they are not.
func (w *World) LookOut() {
	w.config.ClusterInterval = 10 * time.Minute
	w.Restart()
}

// AllowInsecureTLS restarts the operator with --allow-insecure-tls.
func (w *World) AllowInsecureTLS() {
	w.config.AllowInsecureTLS = true
	w.Restart()
}

// ShowKeys restarts the operator with an API server that shows the keys of accounts, or does not.
func (w *World) ShowKeys(shown bool) {
	w.config.Keys = w.keys
	if !shown {
		w.config.Keys = unread{}
	}
	w.Restart()
}

// unread are keys that the API server does not show.
type unread struct{}

func (unread) Get(context.Context, types.NamespacedName, types.NamespacedName) (keyring.Secret, error) {
	return keyring.Secret{}, &keyring.Unread{Why: "it is asleep"}
}

func (unread) Drop(types.NamespacedName) {}

// KeySecret is the Secret of the account.
func (w *World) KeySecret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: KeySecret},
		StringData: map[string]string{v1alpha1.KeyAccessKey: AccessKey, v1alpha1.KeySecretKey: secretKey},
	}
}

// CloudAccount is the account, with limits off.
func (w *World) CloudAccount() *v1alpha1.CloudAccount {
	return &v1alpha1.CloudAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: Account},
		Spec: v1alpha1.CloudAccountSpec{
			Region: Region, ProjectID: ProjectID,
			Auth:   v1alpha1.Auth{AccessKey: &v1alpha1.SecretKeySource{SecretRef: v1alpha1.SecretReference{Name: KeySecret}}},
			Limits: &v1alpha1.Limits{IssuesPerMinute: new(int32(1_000_000))},
		},
	}
}

// LentAccount is a ClusterCloudAccount, named like the namespace, with limits off, whose key is that of KeySecret in another
// namespace.
func (w *World) LentAccount(keys string, grants ...v1alpha1.AccountGrant) *v1alpha1.ClusterCloudAccount {
	return &v1alpha1.ClusterCloudAccount{
		ObjectMeta: metav1.ObjectMeta{Name: w.Namespace},
		Spec: v1alpha1.ClusterCloudAccountSpec{
			Region: Region, ProjectID: ProjectID,
			Auth: v1alpha1.ClusterAuth{AccessKey: &v1alpha1.ClusterSecretKeySource{
				SecretRef: v1alpha1.NamespacedSecretReference{Namespace: keys, Name: KeySecret},
			}},
			Limits: &v1alpha1.Limits{IssuesPerMinute: new(int32(1_000_000))},
			Grants: grants,
		},
	}
}

// Credential is a ClusterCredential of prod-1, with everything else unset.
func (w *World) Credential(name string, changes ...func(*v1alpha1.ClusterCredential)) *v1alpha1.ClusterCredential {
	cc := &v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name},
		Spec: v1alpha1.ClusterCredentialSpec{
			AccountRef: v1alpha1.AccountReference{Name: Account},
			Cluster:    v1alpha1.ClusterReference{ID: ClusterID},
		},
	}
	for _, change := range changes {
		change(cc)
	}
	return cc
}

// Create creates an object.
func (w *World) Create(o client.Object) {
	w.T.Helper()
	w.Must(w.Client.Create(context.Background(), o))
}

// Change changes a ClusterCredential as a user would.
func (w *World) Change(name string, change func(*v1alpha1.ClusterCredential)) {
	w.T.Helper()
	cc := w.Get(name)
	change(cc)
	w.Must(w.Client.Update(context.Background(), cc))
}

// WipeStatus empties the status of a ClusterCredential.
func (w *World) WipeStatus(name string) {
	w.T.Helper()
	patch := []byte(`[{"op":"replace","path":"/status","value":{"observedGeneration":-1}}]`)
	w.Must(w.Client.Status().Patch(context.Background(), w.Get(name), client.RawPatch(types.JSONPatchType, patch)))
}

// Get reads a ClusterCredential.
func (w *World) Get(name string) *v1alpha1.ClusterCredential {
	w.T.Helper()
	cc := &v1alpha1.ClusterCredential{}
	w.Must(w.Client.Get(context.Background(), w.Key(name), cc))
	return cc
}

// Secret reads a Secret.
func (w *World) Secret(name string) *corev1.Secret {
	w.T.Helper()
	secret := &corev1.Secret{}
	w.Must(w.Client.Get(context.Background(), w.Key(name), secret))
	return secret
}

// Key is a name in the world's namespace.
func (w *World) Key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.Namespace, Name: name}
}

// Pass makes one pass, which must not fail.
func (w *World) Pass(name string) reconcile.Result {
	w.T.Helper()
	result, err := w.Try(name)
	w.Must(err)
	return result
}

// Try makes one pass.
func (w *World) Try(name string) (reconcile.Result, error) {
	return w.TryAt(w.Key(name))
}

var quiet = zap.New(zap.WriteTo(discard{}))

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Settle makes passes as the queue would, moving the clock to each next look that is
// within a minute, until the next look is later than that. It returns how long that is.
func (w *World) Settle(name string) time.Duration {
	w.T.Helper()
	for range 60 {
		result, err := w.Try(name)
		if err != nil {
			w.Advance(time.Second)
			continue
		}
		if result.RequeueAfter > time.Minute || result.RequeueAfter == 0 {
			return result.RequeueAfter
		}
		w.Advance(result.RequeueAfter)
	}
	text, _ := json.MarshalIndent(w.Get(name).Status, "", "  ")
	w.T.Fatalf("%s does not come to rest:\n%s", name, text)
	return 0
}

// Login uses the kubeconfig in a Secret, and returns who the API server takes its bearer for.
func (w *World) Login(secret, key string) string {
	w.T.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(w.Secret(secret).Data[key])
	w.Must(err)
	clients, err := kubernetes.NewForConfig(config)
	w.Must(err)
	reviews := clients.AuthenticationV1().SelfSubjectReviews()
	review, err := reviews.Create(context.Background(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	w.Must(err)
	return review.Status.UserInfo.Username
}

// TakeEvents returns the events written since the last call, in their order.
func (w *World) TakeEvents() []string {
	w.T.Helper()
	var list eventsv1.EventList
	w.Must(w.Client.List(context.Background(), &list, client.InNamespace(w.Namespace)))
	slices.SortFunc(list.Items, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	all := make([]string, len(list.Items))
	for i, e := range list.Items {
		all[i] = e.Type + " " + e.Reason + " " + e.Note
		w.Must(w.Client.Delete(context.Background(), &e))
	}
	return all
}

// Advance moves the clock.
func (w *World) Advance(d time.Duration) { w.Clock.SetTime(w.Clock.Now().Add(d)) }

// Posts is how many certificates the cloud was asked for.
func (w *World) Posts() int { return len(w.Sim.Ledger()) }

// Must ends the test on an error.
func (w *World) Must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// Forbidden is what the API server says to a request that it does not allow.
func Forbidden() error {
	return apierrors.NewForbidden(corev1.Resource("secrets"), "x", errors.New("exceeded quota"))
}

// Replace puts an object in the place of the one of its name.
func (w *World) Replace(o client.Object) {
	w.T.Helper()
	current, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		w.T.Fatalf("%T is no object", o)
	}
	w.Must(w.Client.Get(context.Background(), client.ObjectKeyFromObject(o), current))
	o.SetResourceVersion(current.GetResourceVersion())
	w.Must(w.Client.Update(context.Background(), o))
}
