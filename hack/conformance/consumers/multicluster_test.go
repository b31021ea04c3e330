// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package consumers

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/cluster"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	mcmanager "sigs.k8s.io/multicluster-runtime/pkg/manager"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"
	"sigs.k8s.io/multicluster-runtime/providers/kubeconfig"

	"github.com/clustercredential/operator/hack/conformance/world"
)

// engagement is a cluster that multicluster-runtime has handed to its controllers.
type engagement struct {
	name multicluster.ClusterName
	session
	over <-chan struct{} // closed once the cluster is gone, or another one in its place
}

// engagements is a component of a multi-cluster manager that is told of every cluster.
type engagements chan engagement

func (e engagements) Start(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (e engagements) Engage(ctx context.Context, name multicluster.ClusterName, c cluster.Cluster) error {
	e <- engagement{name, session{c.GetClient(), c.GetConfig()}, ctx.Done()}
	return nil
}

// next returns the next one, which must be of that Secret.
func (e engagements) next(t *testing.T, secret string) engagement {
	t.Helper()
	select {
	case got := <-e:
		if got.name.String() != secret {
			t.Fatalf("the cluster %s is engaged, want %s", got.name, secret)
		}
		return got
	case <-time.After(time.Minute):
		t.Fatalf("the cluster %s is not engaged", secret)
		return engagement{}
	}
}

// engage runs a multi-cluster manager with the provider for kubeconfigs.
func engage(t *testing.T, w *world.World) engagements {
	t.Helper()
	provider := kubeconfig.New(kubeconfig.Options{
		Namespace: w.Namespace, ClusterOptions: []cluster.Option{func(o *cluster.Options) { o.Scheme = scheme(t) }},
	})
	manager, err := mcmanager.New(hubConfig(t, w), provider, mcmanager.Options{
		Scheme: scheme(t), Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := make(engagements, 100)
	if err := manager.Add(all); err != nil {
		t.Fatal(err)
	}
	if err := provider.SetupWithManager(t.Context(), manager); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return all
}

// multiclusterOutput is what one writes for the provider, which calls the cluster like its Secret.
func multiclusterOutput(name string) string {
	return fmt.Sprintf(`[{secretName: %s, key: kubeconfig, labels: {%s: "true"}}]`, name, kubeconfig.DefaultKubeconfigSecretLabel)
}

// A credential that does not work would be fatal there: the provider drops the old cluster, and then waits for the new one's
// caches without end (multicluster-runtime/providers/kubeconfig/provider.go, createAndEngageCluster).
func TestMulticlusterRuntimeEngagesAnewAndOnlyWithAGoodCredential(t *testing.T) {
	w := world.Shared(t)
	t.Parallel()
	clusters := engage(t, w)

	w.Apply(t, "engaged", "search", multiclusterOutput("engaged"))
	first := w.Issued(t, "engaged")
	before := clusters.next(t, "engaged")
	before.wantAccepted(t, w, first)
	second := w.Rotate(t, "engaged", first)
	after := clusters.next(t, "engaged")
	after.wantAccepted(t, w, second)
	select {
	case <-before.over:
	case <-time.After(time.Minute):
		t.Error("the cluster with the old certificate is still engaged")
	}

	w.Apply(t, "spoiled", "billing", multiclusterOutput("spoiled"))
	third := w.Issued(t, "spoiled")
	sound := clusters.next(t, "spoiled")
	version := secretOf(t, w, "spoiled").ResourceVersion
	w.Spoil(t, "billing", "wrong-key", 3) // it is tried again after seconds
	w.RequestRenewal(t, "spoiled", "now")
	w.Wait(t, "spoiled", "condition=Issued=False")
	if got := secretOf(t, w, "spoiled").ResourceVersion; got != version {
		t.Errorf("the Secret was written: version %s, want %s", got, version)
	}
	sound.wantAccepted(t, w, third)
	select {
	case got := <-clusters:
		t.Errorf("the cluster %s is engaged once more", got.name)
	case <-sound.over:
		t.Error("the cluster is engaged no more")
	default:
	}
}
