// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/hack/ccesim"
)

const (
	podAgency      = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	instanceAgency = "ffeeddccbbaa00998877665544332211"
	idToken        = "canary-token-of-a-file"
)

// metadataHost is where connections to 169.254.169.254 go; nil: nowhere.
var metadataHost atomic.Pointer[string]

// The SDK asks the metadata service at a fixed address.
func TestMain(m *testing.M) {
	http.DefaultTransport.(*http.Transport).Proxy = nil
	dial := direct.DialContext
	direct.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "169.254.169.254:80" {
			host := metadataHost.Load()
			if host == nil {
				return nil, errors.New("canary-remote")
			}
			address = *host
		}
		return dial(ctx, network, address)
	}
	os.Exit(m.Run())
}

// ways are all ways to temporary keys: what the simulator calls asking for one, and what
// an error must say.
type way struct {
	keyless issuer.Keyless
	op      ccesim.Op
	checks  []string
}

// keylessWorld is a simulator that gives temporary keys, with a dialer for it.
type keylessWorld struct {
	sim    *ccesim.Server
	dialer *Dialer
	ways   map[string]way
}

func serveAt(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// useAs makes these addresses what pod identity and the metadata service are in this test.
func useAs(t *testing.T, pod, metadata string) {
	t.Helper()
	t.Setenv(podIdentityURI, pod)
	host := strings.TrimPrefix(metadata, "http://")
	metadataHost.Store(&host)
	t.Cleanup(func() { metadataHost.Store(nil) })
}

func tokenFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func waysTo(file string) map[string]way {
	return map[string]way{
		"pod identity": {issuer.Keyless{Method: issuer.PodIdentity}, ccesim.OpPodIdentity,
			[]string{"podIdentity gives no key", podIdentityURI, podIdentityTokenFile, "associated with an agency in CCE"}},
		"metadata": {issuer.Keyless{Method: issuer.InstanceMetadata}, ccesim.OpSecurityKey,
			[]string{"instanceMetadata gives no key", "ECS instance has an agency", "169.254.169.254"}},
		"oidc": {issuer.Keyless{Method: issuer.OIDC, IdpID: "idp-1", TokenFile: file}, ccesim.OpIDToken,
			[]string{"oidc gives no key"}},
	}
}

func newKeylessWorld(t *testing.T, changes ...func(*ccesim.Config)) *keylessWorld {
	t.Helper()
	config := ccesim.Config{
		PodIdentities:     map[string]ccesim.Agency{idToken: {ID: podAgency}},
		Instance:          ccesim.Instance{Agency: ccesim.Agency{ID: instanceAgency}},
		IdentityProviders: []ccesim.IdentityProvider{{ID: "idp-1", IDTokens: []string{idToken}}},
		TemporaryLifetime: 6 * time.Hour,
		Projects:          []ccesim.Project{{ID: testProject, Name: testRegion}},
		Clusters:          []ccesim.Cluster{{ID: testCluster, Name: "hub", ProjectID: testProject}},
		KeyAlgorithm:      ccesim.EC, KeyPool: 1,
	}
	for _, change := range changes {
		change(&config)
	}
	sim, err := ccesim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	cloud, file := serveAt(t, sim), tokenFile(t, idToken)
	useAs(t, serveAt(t, sim.PodIdentityHandler())+ccesim.PodIdentityPath, serveAt(t, sim.MetadataHandler()))
	t.Setenv(podIdentityTokenFile, file)
	return &keylessWorld{sim: sim, dialer: newDialer(t, Options{CCEEndpoint: cloud, IAMEndpoint: cloud}), ways: waysTo(file)}
}

func keylessAccess(way way) issuer.Access {
	return issuer.Access{Region: testRegion, ProjectID: testProject, Key: issuer.Key{Keyless: way.keyless}}
}

func (w *keylessWorld) dial(t *testing.T, way way) issuer.Cloud {
	t.Helper()
	return dial(t, w.dialer, keylessAccess(way))
}

// assertNoSecret looks for everything that the simulator gave out, beside the usual.
func (w *keylessWorld) assertNoSecret(t *testing.T, text string) {
	t.Helper()
	assertNoCanary(t, text)
	for _, key := range w.sim.TemporaryKeys() {
		for _, secret := range []string{key.ID, key.Secret, key.SecurityToken} {
			if strings.Contains(text, secret) {
				t.Errorf("a temporary key is in %q", text)
			}
		}
	}
}

// commonName is that of the certificate in a kubeconfig.
func commonName(t *testing.T, issued issuer.Issued) string {
	t.Helper()
	var kubeconfig struct {
		Users []struct {
			User struct {
				Cert []byte `json:"client-certificate-data"`
				Key  []byte `json:"client-key-data"`
			}
		}
	}
	if err := json.Unmarshal(issued.Kubeconfig.Reveal(), &kubeconfig); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(kubeconfig.Users[0].User.Cert, kubeconfig.Users[0].User.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf.Subject.CommonName
}

// age makes a cloud's key older than it is.
func age(cloud issuer.Cloud, by time.Duration) {
	s := cloud.(*account).source
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tried, s.held.ends = s.tried.Add(-by), s.held.ends.Add(-by)
}

// settle waits for a refresh that is under way.
func settle(cloud issuer.Cloud) {
	s := cloud.(*account).source
	s.mutex.Lock()
	running := s.running
	s.mutex.Unlock()
	if running != nil {
		<-running
	}
}

func (w *keylessWorld) assertNoKey(t *testing.T, way way, err error) {
	t.Helper()
	e := fault(t, err)
	// Either it is looked for again, or somebody has to act; then it is looked for again soon all the same.
	if e.Kind != issuer.Unavailable && (e.Kind != issuer.Unauthorized || !e.Obtained) || e.MayHaveIssued {
		t.Errorf("%v %+v", e.Kind, e)
	}
	for _, text := range way.checks {
		if !strings.Contains(e.Message, text) {
			t.Errorf("%q does not say %q", e.Message, text)
		}
	}
	w.assertNoSecret(t, printed(err)+printed(*e)+e.Code+e.RequestID)
}
