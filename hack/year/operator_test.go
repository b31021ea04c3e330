// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"net"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/cce"
	"github.com/clustercredential/operator/controllers/keyring"
)

const (
	// workers is the default of --max-concurrent-reconciles.
	workers = 16
	// floor is the default of --min-issue-interval.
	floor = 10 * time.Minute
	// drain is how long main waits for work under way.
	drain = 25 * time.Second
)

// process is one life of the operator: all that cmd/main.go wires, with all its memory.
type process struct {
	world       *world
	number      int
	cancel      context.CancelFunc
	credentials *controllers.CredentialReconciler
	keys        *keyring.Keyring
	calls       *calls
	dead        atomic.Bool
	// killed and stopped are when it was, and troubled whether that was in the midst of trouble.
	killed, stopped time.Time
	troubled        bool
	ended           chan struct{} // closed once its manager has ended

	// fuse is how many more writes it lives for, or how many of Secrets where onSecrets is set;
	// burns says whether it is lit, and burnsAfter whether the last one is carried out.
	fuse       atomic.Int64
	burns      atomic.Bool
	burnsAfter atomic.Bool
	onSecrets  atomic.Bool
}

// begin starts a process that remembers nothing.
func (w *world) begin() {
	w.processes++
	p := &process{world: w, number: w.processes, calls: &calls{}, ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	mgr := p.newManager()
	p.setUp(ctx, mgr)
	w.mu.Lock()
	w.process, w.begunAt = p, time.Now()
	w.mu.Unlock()
	go func() {
		defer close(p.ended)
		if err := mgr.Start(ctx); err != nil && !p.dead.Load() {
			w.fail("the manager ended: %v", err)
		}
		p.credentials.Wait(drain)
		p.end()
		p.keys.Close() // a pass that outlived it may have begun a watch
	}()
}

// end takes the process out of the world: whatever is left of it reaches nobody any more.
func (p *process) end() {
	if p.dead.Swap(true) {
		return
	}
	p.cancel()
	p.calls.end()
	p.keys.Close()
}

// kill is SIGKILL.
func (p *process) kill() {
	if p.dead.Load() {
		return
	}
	w := p.world
	w.mu.Lock()
	if w.process == p {
		w.process = nil
		w.tally.kills++
		time.AfterFunc(w.vacancy(), w.begin)
		p.killed = time.Now()
	}
	w.mu.Unlock()
	p.end()
}

// vacancy is how long nobody is there after a kill: mostly a standby takes over at once.
func (w *world) vacancy() time.Duration {
	if w.dice.IntN(8) == 0 {
		return time.Duration(w.dice.Int64N(int64(2 * time.Hour)))
	}
	return time.Duration(w.dice.Int64N(int64(time.Minute)))
}

// newManager is the manager of cmd/main.go on a fake API server, without the servers for
// metrics and probes.
func (p *process) newManager() ctrl.Manager {
	w := p.world
	grace := drain
	mgr, err := ctrl.NewManager(&rest.Config{Host: endpoint}, ctrl.Options{
		Scheme:                  w.scheme,
		Logger:                  quiet,
		Cache:                   controllers.CacheOptions("", nil),
		Controller:              config.Controller{SkipNameValidation: new(true)},
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		GracefulShutdownTimeout: &grace,
		MapperProvider:          func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return w.api.RESTMapper(), nil },
		NewCache: func(c *rest.Config, options cache.Options) (cache.Cache, error) {
			options.NewInformer = informerOf(w.api, managed(options))
			return cache.New(c, options)
		},
		NewClient: func(_ *rest.Config, options client.Options) (client.Client, error) {
			return cachedClient{Client: clientOf(w.api, p.do), cache: options.Cache.Reader, process: p}, nil
		},
	})
	w.must(err)
	return quietQueues{mgr}
}

// managed is the selector of the Secrets that the operator's cache holds.
func managed(options cache.Options) labels.Selector {
	for _, by := range options.ByObject {
		return by.Label // there is one
	}
	return nil
}

// setUp is that of cmd/main.go.
func (p *process) setUp(ctx context.Context, mgr ctrl.Manager) {
	w := p.world
	dialer, err := cce.New(cce.Options{CCEEndpoint: endpoint, IAMEndpoint: endpoint, DialContext: p.dial})
	w.must(err)
	metrics, err := controllers.NewMetrics(prometheus.NewRegistry())
	w.must(err)
	w.must(controllers.Index(ctx, mgr.GetFieldIndexer()))
	live := clientOf(w.api, p.do)
	var accounts *controllers.AccountReconciler
	p.keys = keyring.New(keyWatches{api: w.api}, live, func(account types.NamespacedName) {
		accounts.KeyChanged(account)
		p.credentials.KeyChanged(ctx, account)
	})
	c := controllers.Config{
		Client: mgr.GetClient(), Live: live, Keys: p.keys, Dialer: dialer, Endpoint: endpoint,
		Budget: controllers.NewBudget(time.Now(), workers), Clock: clock.RealClock{}, Metrics: metrics, MinIssueInterval: floor, FleetHold: true,
	}
	p.credentials, accounts = controllers.NewCredentialReconciler(c), controllers.NewAccountReconciler(c)
	w.must(p.credentials.SetupWithManager(mgr, workers))
	w.must(accounts.SetupWithManager(mgr, 2))
}

func (p *process) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if p.dead.Load() {
		return nil, errGone
	}
	conn, err := p.world.wire.dial(ctx)
	if err != nil {
		return nil, err
	}
	return conn, p.calls.add(conn)
}

// do makes a request of the process, if it lives, and kills it where its time has come.
func (p *process) do(r request, carryOut func() error) error {
	if p.dead.Load() {
		return errGone
	}
	w := p.world
	w.disturb(r)
	after, refused := w.refuse(r)
	counts := r.isWrite() && (r.kind == secretKind || !p.onSecrets.Load())
	last := counts && p.burns.Load() && p.fuse.Add(-1) == 0
	if last && !p.burnsAfter.Load() {
		p.kill()
		return errGone
	}
	if refused != nil && !after {
		return refused
	}
	err := carryOut()
	if err == nil && r.isWrite() {
		w.oracle.wrote(r)
	}
	if last {
		p.kill()
		return errGone
	}
	if refused != nil && err == nil {
		return refused
	}
	return err
}

// cachedClient reads from the manager's cache, as the client of a manager does.
type cachedClient struct {
	client.Client
	cache   client.Reader
	process *process
}

// Get reads from the cache. The first thing that a pass does is to read its object.
func (c cachedClient) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if _, ok := o.(*v1alpha1.ClusterCredential); ok {
		c.process.world.oracle.looked(key.Name)
	}
	return c.cache.Get(ctx, key, o, options...)
}

// List reads from the cache.
func (c cachedClient) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	return c.cache.List(ctx, list, options...)
}

// quietQueues makes the controllers' priority queues without metrics: with them a timer
// goes off every half second, 63 million times a year.
type quietQueues struct{ ctrl.Manager }

// Add adds a controller with another maker of its queue. The builder leaves no other way.
func (q quietQueues) Add(r manager.Runnable) error {
	if field := reflect.ValueOf(r).Elem().FieldByName("NewQueue"); field.IsValid() {
		field.Set(reflect.ValueOf(newQueue))
	}
	return q.Manager.Add(r)
}

func newQueue(
	_ string, limiter workqueue.TypedRateLimiter[reconcile.Request],
) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	const unnamed = "" // which means: no metrics
	return priorityqueue.New(unnamed, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter, o.Log = limiter, quiet })
}
