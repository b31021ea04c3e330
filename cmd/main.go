// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager keeps ClusterCredentials: it asks Huawei Cloud CCE for kubeconfigs,
// stores them in Secrets, and asks for the next one before they expire.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
	_ "time/tzdata" // for spec.renewal.windows: not every base image has a database of time zones

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/cce"
	"github.com/clustercredential/operator/controllers/keyring"
	"github.com/clustercredential/operator/controllers/verify"
)

// version is stamped by the Makefile.
var version = "dev"

const (
	// drain bounds how long work under way is waited for: one call to the cloud (10 s),
	// trying its answer (5 s) and storing it (10 s).
	drain = 25 * time.Second
	// lease is the name of the Lease that the leader holds.
	lease = "clustercredential-operator"
	// operatorNamespace is where the operator is installed.
	operatorNamespace = "clustercredential-system"
)

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil && o.version {
		fmt.Println(version)
		return
	}
	if err == nil {
		ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.zap)))
		err = run(ctrl.SetupSignalHandler(), o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

// run works until ctx ends or the leadership is lost, and then until the work under
// way is done.
func run(ctx context.Context, o options) error {
	profileMemory(o.pprofAddress != "")
	paceGarbage()
	counted, err := controllers.NewMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	mgr, err := newManager(o, counted)
	if err != nil {
		return err
	}
	reconciler, err := setUp(ctx, mgr, o, counted)
	if err != nil {
		return err
	}
	ctrl.Log.Info("Starting", "version", version)
	ended := make(chan time.Time, 1)
	context.AfterFunc(ctx, func() { ended <- time.Now() })
	err = mgr.Start(ctx)
	left := drain // a lost leadership returns at once
	select {
	case since := <-ended: // and a signal once the manager has waited itself
		left -= time.Since(since)
	default:
	}
	reconciler.Wait(left)
	return err
}

func newManager(o options, counted *controllers.Metrics) (ctrl.Manager, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find the API server (--kubeconfig, KUBECONFIG or a service account): %w", err)
	}
	config.QPS, config.Burst = o.kubeAPIQPS, o.kubeAPIBurst
	config.UserAgent = userAgent()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, eventsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	grace := drain
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Cache:                   controllers.CacheOptions(o.class, o.namespaces),
		Metrics:                 metricsOptions(o, counted),
		HealthProbeBindAddress:  o.probeAddress,
		PprofBindAddress:        o.pprofAddress,
		LeaderElection:          o.leaderElect,
		LeaderElectionID:        leaseName(o.class),
		LeaderElectionNamespace: leaseNamespace(),
		// On a signal, once the work under way is done: the process ends right after.
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &grace,
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("cache", seesTheCluster(mgr.GetCache()))); err != nil {
		return nil, err
	}
	return mgr, nil
}

// seesTheCluster is ready once the cache has seen everything, of a standby too.
func seesTheCluster(seen cache.Cache) healthz.Checker {
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), 500*time.Millisecond)
		defer cancel()
		if !seen.WaitForCacheSync(ctx) {
			return errors.New("the API server has not shown everything yet")
		}
		return nil
	}
}

// leaseName is the name of the Lease of a class: operators of different classes in one namespace do not wait for each other.
func leaseName(class string) string {
	if class == "" {
		return lease
	}
	return lease + "-" + class
}

// leaseNamespace is where the Lease stands: empty (the Pod's own) in a Pod, and the
// operator's usual namespace elsewhere.
func leaseNamespace() string {
	const inPod = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	if _, err := os.Stat(inPod); err == nil {
		return ""
	}
	return operatorNamespace
}

// metricsOptions serves metrics over TLS to those who may see them, unless told otherwise.
func metricsOptions(o options, counted *controllers.Metrics) metricsserver.Options {
	page := pageOf(metrics.Registry, counted.Objects())
	served := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, FilterProvider: page.filtered(askNobody)}
	if o.metricsSecure {
		served.FilterProvider = page.filtered(askTheAPIServer)
		served.CertDir = o.metricsCertDir
		// HTTP/2 rapid reset has cost enough servers their day.
		served.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }}
	}
	return served
}

// setUp makes both controllers.
func setUp(ctx context.Context, mgr ctrl.Manager, o options, counted *controllers.Metrics) (*controllers.CredentialReconciler, error) {
	roots, err := rootCAs(o.caBundle)
	if err != nil {
		return nil, err
	}
	dialer, err := cce.New(cce.Options{
		CCEEndpoint: o.cceEndpoint, IAMEndpoint: o.iamEndpoint, RootCAs: roots, UserAgent: userAgent(),
	})
	if err != nil {
		return nil, err
	}
	watches, err := metadata.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, err
	}
	if err := controllers.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	var credentials *controllers.CredentialReconciler
	var accounts *controllers.AccountReconciler
	keys := keyring.New(watches, mgr.GetAPIReader(), func(account types.NamespacedName) {
		accounts.KeyChanged(account)
		credentials.KeyChanged(ctx, account)
	})
	realClock := clock.RealClock{}
	prober := verify.New(verify.Options{Slots: max(1, o.workers/2)})
	config := controllers.Config{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Keys: keys,
		KeyRefused: func(account types.NamespacedName) { accounts.KeyChanged(account) },
		Dialer:     dialer, Endpoint: o.cceEndpoint, Budget: controllers.NewBudget(realClock.Now(), o.workers),
		Clock: realClock, Metrics: counted,
		MinIssueInterval: o.minIssueInterval,
		FleetHold:        o.fleetHold,
		AllowInsecureTLS: o.allowInsecureTLS,
		Verifier:         prober, Guarded: prober.Guarded(), VerifyCustomEndpoints: o.verifyCustomEndpoints,
		VerifyInterval:        o.verifyInterval,
		ClusterInterval:       o.clusterInterval,
		CrossNamespaceOutputs: o.crossNamespaceOutputs, Class: o.class, Namespaces: o.namespaces,
	}
	credentials, accounts = controllers.NewCredentialReconciler(config), controllers.NewAccountReconciler(config)
	return credentials, errors.Join(
		credentials.SetupWithManager(mgr, o.workers),
		accounts.SetupWithManager(mgr, accountWorkers),
		mgr.Add(&controllers.Rollback{Live: mgr.GetAPIReader(), Namespace: cmp.Or(o.namespaces...)}),
	)
}

func userAgent() string { return v1alpha1.FieldOwner + "/" + version }
