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
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// The SDK asks the metadata service at a fixed address, over http.DefaultTransport.
func TestMain(m *testing.M) {
	transport := http.DefaultTransport.(*http.Transport)
	transport.Proxy, transport.DisableKeepAlives = nil, true
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
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

func TestEveryWayToAKeyIssuesWithItsIdentity(t *testing.T) {
	for name, user := range map[string]string{"pod identity": podAgency, "metadata": instanceAgency, "oidc": ""} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			access := keylessAccess(w.ways[name])
			access.ProjectID = "" // so that IAM is asked with the key too
			cloud := dial(t, w.dialer, access)
			var names []string
			for range 3 {
				issued, err := cloud.Issue(context.Background(), byDays)
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, commonName(t, issued))
			}
			if names[0] == "" || names[1] != names[0] || names[2] != names[0] || user != "" && names[0] != user {
				t.Errorf("common names %v", names)
			}
			if n := len(w.sim.TemporaryKeys()); n != 1 {
				t.Errorf("%d keys for 4 calls", n)
			}
			s := cloud.(*account).source
			if left := time.Until(s.held.ends); left < 6*time.Hour-time.Minute || left > 6*time.Hour {
				t.Errorf("the SDK says that the key ends in %v", left)
			}
			w.assertNoSecret(t, printed(cloud)+printed(s)+printed(w.dialer))
			for operation, call := range operations {
				if err := call(context.Background(), cloud); err != nil {
					t.Errorf("%s: %v", operation, err)
				}
			}
		})
	}
}

func TestAFederatedUserIsNewAtEveryLogin(t *testing.T) {
	w := newKeylessWorld(t)
	cloud := w.dial(t, w.ways["oidc"])
	first, err := cloud.Issue(context.Background(), byDays)
	if err != nil {
		t.Fatal(err)
	}
	age(cloud, 6*time.Hour)
	second, err := cloud.Issue(context.Background(), byDays)
	if err != nil {
		t.Fatal(err)
	}
	if commonName(t, first) == commonName(t, second) {
		t.Error("two logins have one user")
	}
}

// age makes a cloud's key older than it is.
func age(cloud issuer.Cloud, by time.Duration) {
	s := cloud.(*account).source
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tried, s.held.ends = s.tried.Add(-by), s.held.ends.Add(-by)
}

func TestFiftyCallsAtOnceFetchOneKey(t *testing.T) {
	for name := range waysTo("") {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() {
					cloud, err := w.dialer.Dial(keylessAccess(w.ways[name]))
					if err == nil {
						err = cloud.Check(context.Background())
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if n := w.sim.Requests()[string(w.ways[name].op)]; n != 1 || len(w.sim.TemporaryKeys()) != 1 {
				t.Errorf("%d requests for %d keys", n, len(w.sim.TemporaryKeys()))
			}
		})
	}
}

// faultsOfKeys are what may go wrong with a request for a key.
var faultsOfKeys = []ccesim.FaultName{
	ccesim.FaultForbidden, ccesim.FaultUnauthorized, ccesim.FaultThrottled, ccesim.FaultServerError, ccesim.FaultBadGateway, ccesim.FaultEmptyError,
	ccesim.FaultRedirect, ccesim.FaultNoContent, ccesim.FaultGarbage, ccesim.FaultEmptyObject, ccesim.FaultTruncated,
	ccesim.FaultDropBefore, ccesim.FaultDropAfter, ccesim.FaultCutOff,
}

func TestWhatGoesWrongWithAKeyIsToldAndFailsNoCallWhileOneIsGood(t *testing.T) {
	for name := range waysTo("") {
		for _, faultName := range faultsOfKeys {
			t.Run(name+" "+string(faultName), func(t *testing.T) {
				w := newKeylessWorld(t)
				way := w.ways[name]
				scripted := ccesim.Fault{Name: faultName, Op: way.op, Times: ccesim.Forever}
				cloud := w.dial(t, way)
				if err := cloud.Check(context.Background()); err != nil {
					t.Fatal(err)
				}
				if err := w.sim.Script(scripted); err != nil {
					t.Fatal(err)
				}
				age(cloud, 6*time.Hour-30*time.Minute)
				if err := cloud.Check(context.Background()); err != nil {
					t.Errorf("a good key, but %v", err)
				}
				settle(cloud)
				if w.sim.Requests()[string(way.op)] < 2 {
					t.Error("it was not tried")
				}
				age(cloud, time.Hour)
				err := cloud.Check(context.Background())
				w.assertNoKey(t, way, err)
			})
		}
	}
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
	if e.Kind != issuer.Unavailable || e.MayHaveIssued {
		t.Errorf("%v %+v", e.Kind, e)
	}
	for _, text := range way.checks {
		if !strings.Contains(e.Message, text) {
			t.Errorf("%q does not say %q", e.Message, text)
		}
	}
	w.assertNoSecret(t, printed(err)+printed(*e)+e.Code+e.RequestID)
}

func TestASilentWayToAKeyHoldsUpNoCallThatHasOne(t *testing.T) {
	for name := range waysTo("") {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			way := w.ways[name]
			cloud := w.dial(t, way)
			if err := cloud.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := w.sim.Script(ccesim.Fault{Name: ccesim.FaultHang, Op: way.op, Times: ccesim.Forever}); err != nil {
				t.Fatal(err)
			}
			age(cloud, 6*time.Hour-30*time.Minute)
			for range 5 {
				if err := cloud.Check(context.Background()); err != nil {
					t.Errorf("a good key, but %v", err)
				}
			}
			age(cloud, time.Hour)
			ctx, end := newEnding(context.DeadlineExceeded)
			end()
			err := cloud.Check(ctx)
			w.assertNoKey(t, way, err)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAKeyThatWasRevokedIsReplaced(t *testing.T) {
	w := newKeylessWorld(t)
	cloud := w.dial(t, w.ways["pod identity"])
	if err := cloud.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.sim.RevokeTemporaryKeys()
	age(cloud, 2*time.Minute)
	if e := fault(t, cloud.Check(context.Background())); e.Kind != issuer.Unauthorized {
		t.Errorf("%v %+v", e.Kind, e)
	}
	if err := cloud.Check(context.Background()); err != nil {
		t.Errorf("with another key: %v", err)
	}
}

func TestTheFirstMetadataServiceIsEnough(t *testing.T) {
	agency := ccesim.Agency{ID: instanceAgency}
	for name, instance := range map[string]ccesim.Instance{
		"404": {Agency: agency, NoTokens: 404}, "405": {Agency: agency, NoTokens: 405}, "tokens only": {Agency: agency, TokensOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t, func(c *ccesim.Config) { c.Instance = instance })
			if err := w.dial(t, w.ways["metadata"]).Check(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	w := newKeylessWorld(t, func(c *ccesim.Config) { c.Instance = ccesim.Instance{} })
	w.assertNoKey(t, w.ways["metadata"], w.dial(t, w.ways["metadata"]).Check(context.Background()))
}

// Everything that the operator needs to find is missing, one by one.
func TestWhatIsMissingForAKeyIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		way    string
		change func(*testing.T, *keylessWorld)
		text   string
	}{
		"no address of pod identity":  {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityURI, "") }, "lacks a variable"},
		"no token of pod identity":    {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, "") }, "lacks a variable"},
		"a file that is missing":      {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, "/none") }, "token file cannot be read"},
		"an empty file":               {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, tokenFile(t, "")) }, "token file is empty"},
		"a file of two lines":         {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, tokenFile(t, "a\nb")) }, "something else than a token"},
		"a folder":                    {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityTokenFile, t.TempDir()) }, "no file of at most 64 KiB"},
		"an address that is none":     {"pod identity", func(t *testing.T, _ *keylessWorld) { t.Setenv(podIdentityURI, "http://canary-remote:x") }, "gives no key"},
		"an ID token that is missing": {"oidc", func(_ *testing.T, w *keylessWorld) { _ = os.Remove(w.ways["oidc"].keyless.TokenFile) }, "token file cannot be read"},
		"an ID token that is long": {"oidc", func(t *testing.T, w *keylessWorld) {
			_ = os.WriteFile(w.ways["oidc"].keyless.TokenFile, make([]byte, maxTokenFile+1), 0o600)
		}, "no file of at most 64 KiB"},
		"an ID token of another": {"oidc", func(t *testing.T, w *keylessWorld) {
			_ = os.WriteFile(w.ways["oidc"].keyless.TokenFile, []byte("canary-token-other"), 0o600)
		}, "IAM refuses the login"},
		"no metadata service": {"metadata", func(*testing.T, *keylessWorld) { metadataHost.Store(nil) }, "there was no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeylessWorld(t)
			test.change(t, w)
			err := w.dial(t, w.ways[test.way]).Check(context.Background())
			w.assertNoKey(t, w.ways[test.way], err)
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, want %q", err, test.text)
			}
			if n := len(w.sim.TemporaryKeys()); n != 0 {
				t.Errorf("%d keys", n)
			}
		})
	}
}

func TestNoProxySeesATokenOfThePod(t *testing.T) {
	proxy := newFakeCloud(t, answer(500, "canary-remote"))
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport)
	for name, of := range map[string]func(*http.Request) (*url.URL, error){
		"a proxy":                http.ProxyURL(address),
		"one that cannot be had": func(*http.Request) (*url.URL, error) { return nil, errors.New("canary-remote") },
	} {
		for _, method := range []string{"pod identity", "metadata"} {
			t.Run(name+" "+method, func(t *testing.T) {
				w := newKeylessWorld(t)
				transport.Proxy = of
				defer func() { transport.Proxy = nil }()
				err := w.dial(t, w.ways[method]).Check(context.Background())
				w.assertNoKey(t, w.ways[method], err)
				if !strings.Contains(err.Error(), "NO_PROXY") {
					t.Error(err)
				}
			})
		}
	}
	if n := len(proxy.requests()); n != 0 {
		t.Errorf("the proxy saw %d requests", n)
	}
}

// The SDK would log in where a variable says.
func TestALoginFollowsNoVariable(t *testing.T) {
	trap := newFakeCloud(t, answer(500, ""))
	t.Setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", trap.URL)
	t.Setenv("HUAWEICLOUD_SDK_AK", "ENVKEY")
	t.Setenv("HUAWEICLOUD_SDK_SK", "env")
	t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "env")
	w := newKeylessWorld(t)
	for name, way := range w.ways {
		access := keylessAccess(way)
		access.ProjectID = ""
		if id, err := dial(t, w.dialer, access).Project(context.Background()); err != nil || id != testProject {
			t.Errorf("%s: %q %v", name, id, err)
		}
	}
	if n := len(trap.requests()); n != 0 {
		t.Errorf("%d requests followed a variable", n)
	}
}

func TestNothingOfAWayToAKeyIsShown(t *testing.T) {
	for _, status := range []int{200, 201, 204, 302, 400, 401, 403, 404, 405, 429, 500, 503} {
		fake := newFakeCloud(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Subject-Token", "canary-token")
			evil(status)(w, r)
		})
		file := tokenFile(t, idToken)
		useAs(t, fake.URL+"/pod", fake.URL)
		t.Setenv(podIdentityTokenFile, file)
		w := &keylessWorld{dialer: newDialer(t, Options{CCEEndpoint: fake.URL, IAMEndpoint: fake.URL}), ways: waysTo(file)}
		for name, way := range w.ways {
			cloud := w.dial(t, way)
			err := cloud.Check(context.Background())
			if err == nil {
				t.Fatalf("%s, %d: no error", name, status)
			}
			e := fault(t, err)
			assertNoCanary(t, printed(err)+printed(*e)+e.Code+e.RequestID+printed(cloud)+printed(cloud.(*account).source))
		}
	}
}
