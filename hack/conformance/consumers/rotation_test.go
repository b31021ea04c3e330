// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package consumers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	flux "github.com/fluxcd/pkg/runtime/client"
	"github.com/go-logr/logr"
	sveltosv1beta1 "github.com/projectsveltos/libsveltos/api/v1beta1"
	"github.com/projectsveltos/libsveltos/lib/clusterproxy"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/controllers/remote"
	capi "sigs.k8s.io/cluster-api/util/kubeconfig"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/hack/conformance/world"
)

// consumer is somebody who reads our Secrets.
type consumer struct {
	// name is that of its Secret, too.
	name string
	// output is what one writes for it, besides secretName.
	output string
	// load reads the Secret as the consumer does and makes a session of it.
	load func(t *testing.T, w *world.World, secret string) session
}

// consumers of one ClusterCredential.
var consumers = []consumer{
	{"flux", "labels: {reconcile.fluxcd.io/watch: Enabled}", loadFlux},
	{"cluster-api-kubeconfig", "format: ClusterAPI", loadClusterAPI},
	{"sveltos", "key: kubeconfig", loadSveltos},
	{"inventory", "key: kubeconfig", loadInventory},
	{"kueue", "key: kubeconfig", loadKueue},
	{"istio", "format: Istio, clusterName: istio", loadIstio},
	{"kubevela", "format: KubeVela", loadKubeVela},
}

func TestEveryConsumerLogsInBeforeAndAfterARotation(t *testing.T) {
	w := world.Shared(t)
	t.Parallel()
	const name = "everyones"
	var outputs []string
	for _, c := range consumers {
		outputs = append(outputs, fmt.Sprintf("{secretName: %s, %s}", c.name, c.output))
	}
	w.Apply(t, name, "shop", "["+strings.Join(outputs, ", ")+"]")
	first := w.Issued(t, name)
	before := map[string]session{}
	for _, c := range consumers {
		t.Run(c.name+", before", func(t *testing.T) {
			before[c.name] = c.load(t, w, c.name)
			before[c.name].wantAccepted(t, w, first)
		})
	}

	second := w.Rotate(t, name, first)
	for _, c := range consumers {
		t.Run(c.name+", after", func(t *testing.T) {
			c.load(t, w, c.name).wantAccepted(t, w, second)
			before[c.name].wantAccepted(t, w, first) // many keep it until it fails
		})
	}
}

// loadFlux is what kustomize-controller and helm-controller do in each reconciliation, for spec.kubeConfig.secretRef.
func loadFlux(t *testing.T, w *world.World, secret string) session {
	ref := &meta.KubeConfigReference{SecretRef: &meta.SecretKeyReference{Name: secret}}
	impersonator := flux.NewImpersonator(hub(t, w), flux.WithScheme(scheme(t)),
		flux.WithKubeConfig(ref, flux.KubeConfigOptions{}, w.Namespace, nil))
	c, _, err := impersonator.GetClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return session{client: c}
}

// loadClusterAPI is what the managers of Cluster API do when they connect to a cluster. They see only Secrets with the label
// (cluster-api/internal/setup/setup.go); the control plane provider takes a Secret of another type for the user's, and looks up
// the cluster's entry in it by name (cluster-api/util/kubeconfig/kubeconfig.go, RegenerateSecret).
func loadClusterAPI(t *testing.T, w *world.World, secret string) session {
	cluster := strings.TrimSuffix(secret, "-kubeconfig")
	stored := secretOf(t, w, secret)
	if stored.Type != clusterv1.ClusterSecretType || stored.Labels[clusterv1.ClusterNameLabel] != cluster {
		t.Errorf("Cluster API sees the type %q and the cluster %q", stored.Type, stored.Labels[clusterv1.ClusterNameLabel])
	}
	file, err := clientcmd.Load(stored.Data["value"])
	if err != nil || file.Clusters[cluster] == nil {
		t.Errorf("Cluster API finds no cluster %s, %v", cluster, err)
	}
	if rotate, err := capi.NeedsClientCertRotation(stored, time.Hour); err != nil || rotate {
		t.Errorf("Cluster API would rotate the certificate: %t, %v", rotate, err)
	}
	config, err := remote.RESTConfig(t.Context(), "conformance", hub(t, w), client.ObjectKey{Namespace: w.Namespace, Name: cluster})
	return sessionOf(t, config, err)
}

// loadSveltos is what Sveltos does, with and without a name for the key.
func loadSveltos(t *testing.T, w *world.World, secret string) session {
	var config *rest.Config
	for _, key := range []string{"", "kubeconfig"} {
		cluster := sveltosv1beta1.SveltosCluster{Spec: sveltosv1beta1.SveltosClusterSpec{KubeconfigName: secret, KubeconfigKeyName: key}}
		var err error
		config, err = clusterproxy.GetSveltosKubernetesRestConfig(t.Context(), logr.Discard(), withSveltosCluster{hub(t, w), cluster}, w.Namespace, "any")
		if err != nil {
			t.Fatal(err)
		}
	}
	return sessionOf(t, config, nil)
}

// Sveltos renews a token of its own beside the kubeconfig that it was given, under another key.
func TestWhatSveltosAddsStaysThroughARotation(t *testing.T) {
	w := world.Shared(t)
	t.Parallel()
	const name, key, added = "amended", "kubeconfig", "re-kubeconfig"
	w.Apply(t, name, "shop", fmt.Sprintf("[{secretName: %s, key: %s}]", name, key))
	first := w.Issued(t, name)
	cluster := sveltosv1beta1.SveltosCluster{Spec: sveltosv1beta1.SveltosClusterSpec{KubeconfigName: name, KubeconfigKeyName: key}}
	c := withSveltosCluster{hub(t, w), cluster}
	if err := clusterproxy.UpdateSveltosSecretData(t.Context(), logr.Discard(), c, w.Namespace, "any", "not ours", added); err != nil {
		t.Fatal(err)
	}

	second := w.Rotate(t, name, first)
	if got := string(secretOf(t, w, name).Data[added]); got != "not ours" {
		t.Error("what Sveltos has added is gone")
	}
	config, err := clusterproxy.GetSveltosKubernetesRestConfig(t.Context(), logr.Discard(), c, w.Namespace, "any")
	sessionOf(t, config, err).wantAccepted(t, w, second)
}

// withSveltosCluster is a client that finds a SveltosCluster, of whatever name, where the API server has no such kind.
type withSveltosCluster struct {
	client.Client
	cluster sveltosv1beta1.SveltosCluster
}

func (c withSveltosCluster) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if cluster, ok := object.(*sveltosv1beta1.SveltosCluster); ok {
		c.cluster.DeepCopyInto(cluster)
		return nil
	}
	return c.Client.Get(ctx, key, object, options...)
}
