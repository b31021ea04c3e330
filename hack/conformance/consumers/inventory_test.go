// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package consumers

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	inventoryv1alpha1 "sigs.k8s.io/cluster-inventory-api/apis/v1alpha1"
	"sigs.k8s.io/cluster-inventory-api/pkg/access"

	"github.com/clustercredential/operator/hack/conformance/world"
)

const secretReader = "kubeconfig-secretreader"

// consumerProcesses counts the processes that loadInventory plays.
var consumerProcesses atomic.Int64

// loadInventory is what a consumer of ClusterProfiles does: address and CA come from the profile, and client-go runs the
// plugin, which reads certificate and key from the Secret.
//
// client-go keeps what a plugin has said for the life of the process, or until the server says 401. So each call is another
// process for it.
func loadInventory(t *testing.T, w *world.World, secret string) session {
	run := &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: secretReaderProgram(t, w), ProvideClusterInfo: true,
		Env: []clientcmdapi.ExecEnvVar{
			{Name: "KUBECONFIG", Value: w.Kubeconfig},
			{Name: "CONSUMER_PROCESS", Value: fmt.Sprint(consumerProcesses.Add(1))},
		},
	}
	config, err := access.New([]access.Provider{{Name: secretReader, ExecConfig: run}}).BuildConfigFromCP(profile(t, w, secret))
	return sessionOf(t, config, err)
}

// profile is what one writes into the status of a ClusterProfile for a Secret of ours.
func profile(t *testing.T, w *world.World, secret string) *inventoryv1alpha1.ClusterProfile {
	t.Helper()
	published, err := clientcmd.RESTConfigFromKubeConfig(secretOf(t, w, secret).Data["kubeconfig"])
	if err != nil {
		t.Fatal(err)
	}
	where, err := json.Marshal(map[string]string{"namespace": w.Namespace, "name": secret, "key": "kubeconfig"})
	if err != nil {
		t.Fatal(err)
	}
	cluster := clientcmdv1.Cluster{
		Server: published.Host, CertificateAuthorityData: published.CAData,
		Extensions: []clientcmdv1.NamedExtension{{Name: "client.authentication.k8s.io/exec", Extension: runtime.RawExtension{Raw: where}}},
	}
	p := &inventoryv1alpha1.ClusterProfile{}
	p.Status.AccessProviders = []inventoryv1alpha1.AccessProvider{{Name: secretReader, Cluster: cluster}}
	return p
}

// plugin is the program, built by the first test that needs it.
var plugin struct {
	once sync.Once
	file string
	err  error
}

// secretReaderProgram returns the plugin, in the version of this module.
func secretReaderProgram(t *testing.T, w *world.World) string {
	t.Helper()
	plugin.once.Do(func() {
		plugin.file = filepath.Join(w.Dir, secretReader)
		const source = "sigs.k8s.io/cluster-inventory-api/plugins/kubeconfig-secretreader/cmd/plugin"
		if out, err := exec.Command("go", "build", "-o", plugin.file, source).CombinedOutput(); err != nil {
			plugin.err = fmt.Errorf("building the plugin: %w\n%s", err, out)
		}
	})
	if plugin.err != nil {
		t.Fatal(plugin.err)
	}
	return plugin.file
}
