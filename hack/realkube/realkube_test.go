// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clustercredential/operator/hack/realkube"
)

func TestMain(m *testing.M) {
	os.Exit(realkube.Main(m, realkube.Options{CRDDirs: []string{"testdata/crds"}}))
}

func TestServesOnLoopbackOnly(t *testing.T) {
	cluster := realkube.Shared(t)
	where, err := url.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	if where.Scheme != "https" || where.Hostname() != "127.0.0.1" {
		t.Errorf("URL = %s, want https://127.0.0.1:port", where)
	}
	if version, err := clientFor(t, cluster.Config()).Discovery().ServerVersion(); err != nil {
		t.Error(err)
	} else if !strings.HasPrefix(version.GitVersion, "v1.") {
		t.Errorf("version = %s: hack/kube-assets.sh stamps one that clients can read", version.GitVersion)
	}
}

func TestAUserOfTheClusterIsWhoTheCertificateSays(t *testing.T) {
	cluster := realkube.Shared(t)
	cfg, err := cluster.UserConfig("carol", "auditors", "people")
	if err != nil {
		t.Fatal(err)
	}
	wantUser(t, cfg, "carol", "auditors", "people")

	_, err = clientFor(t, cfg).CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("listing Secrets as a user without a role: %v, want Forbidden", err)
	}
}

// What the simulator does: it gets the authority and makes certificates of its own.
func TestACertificateSignedWithTheClientCALogsIn(t *testing.T) {
	cluster := realkube.Shared(t)
	ca, caKey, caPEM := cluster.ClientCA()
	if block, _ := pem.Decode(caPEM); block == nil || !slices.Equal(block.Bytes, ca.Raw) {
		t.Error("the PEM is not that of the certificate")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(42),
		Subject:      pkix.Name{CommonName: "bob", Organization: []string{"builders"}},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	wantUser(t, &rest.Config{Host: cluster.URL(), TLSClientConfig: rest.TLSClientConfig{
		CAData:   cluster.ServerCA(),
		CertData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyData:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}}, "bob", "builders")
}

func TestTheKubeconfigLogsIn(t *testing.T) {
	cluster := realkube.Shared(t)
	cfg, err := cluster.UserConfig("dave")
	if err != nil {
		t.Fatal(err)
	}
	data, err := cluster.Kubeconfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	read, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	wantUser(t, read, "dave")
}

func TestTheCRDsAreServedWithTheirRules(t *testing.T) {
	client, err := dynamic.NewForConfig(realkube.Shared(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	widgets := client.Resource(schema.GroupVersionResource{Group: "realkube.test", Version: "v1", Resource: "widgets"})
	create := func(name string, size int64) error {
		_, err := widgets.Namespace("default").Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "realkube.test/v1", "kind": "Widget",
			"metadata": map[string]any{"name": name},
			"spec":     map[string]any{"size": size},
		}}, metav1.CreateOptions{})
		return err
	}
	if err := create("small", 9); err != nil {
		t.Error(err)
	}
	if err := create("large", 10); !apierrors.IsInvalid(err) {
		t.Errorf("a size above the maximum: %v, want Invalid", err)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	cluster := realkube.Shared(t)
	before, err := cluster.RequestCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets := clientFor(t, cluster.Config()).CoreV1().Secrets("default")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "counted"}}
	for range 3 { // one is created, two are conflicts
		if _, err := secrets.Create(t.Context(), secret, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	if _, err := secrets.Get(t.Context(), "counted", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := secrets.Delete(t.Context(), "counted", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	after, err := cluster.RequestCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	added := after.Since(before)
	for request, want := range map[realkube.Request]float64{
		{Verb: "POST", Resource: "secrets", Code: "201"}:   1,
		{Verb: "POST", Resource: "secrets", Code: "409"}:   2,
		{Verb: "GET", Resource: "secrets", Code: "200"}:    1,
		{Verb: "DELETE", Resource: "secrets", Code: "200"}: 1,
	} {
		if added[request] != want {
			t.Errorf("%+v counted %v times, want %v", request, added[request], want)
		}
	}
	writes := added.Sum(func(r realkube.Request) bool { return r.Resource == "secrets" && r.IsWrite() })
	if writes != 4 {
		t.Errorf("writes of Secrets = %v, want 4", writes)
	}
}

func TestAClusterStartedAgainInItsDirectoryIsTheSame(t *testing.T) {
	dir := t.TempDir()
	opts := realkube.Options{Dir: dir, AuditLog: filepath.Join(dir, "audit.log")}
	first, err := realkube.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	user, err := first.UserConfig("erin")
	if err == nil {
		_, err = clientFor(t, first.Config()).CoreV1().ConfigMaps("default").Create(t.Context(),
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}, metav1.CreateOptions{})
	}
	if err := errors.Join(err, first.Stop()); err != nil {
		t.Fatal(err)
	}
	wantAudited(t, opts.AuditLog, "create", "configmaps")

	second := realkube.ForTest(t, opts)
	if _, err := clientFor(t, second.Config()).CoreV1().ConfigMaps("default").
		Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	user.Host = second.URL() // the port is another, unless Options.Port says which
	wantUser(t, user, "erin")
}

func TestWithOneAuthorityTheClientsIsTheServers(t *testing.T) {
	cluster := realkube.ForTest(t, realkube.Options{OneCA: true})
	_, _, clientCA := cluster.ClientCA()
	if !slices.Equal(clientCA, cluster.ServerCA()) {
		t.Error("there are two authorities")
	}
	user, err := cluster.UserConfig("frank")
	if err != nil {
		t.Fatal(err)
	}
	wantUser(t, user, "frank")
}

func TestControllersRunWhenAskedFor(t *testing.T) {
	cluster := realkube.ForTest(t, realkube.Options{
		Controllers: []string{realkube.GarbageCollector, realkube.NamespaceController},
	})
	client := clientFor(t, cluster.Config()).CoreV1()
	owner, err := client.ConfigMaps("default").Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	owned := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "owned", OwnerReferences: []metav1.OwnerReference{
		*metav1.NewControllerRef(owner, corev1.SchemeGroupVersion.WithKind("ConfigMap")),
	}}}
	if _, err := client.Secrets("default").Create(t.Context(), owned, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "space"}}
	if _, err := client.Namespaces().Create(t.Context(), space, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		client.ConfigMaps("default").Delete(t.Context(), "owner", metav1.DeleteOptions{}),
		client.Namespaces().Delete(t.Context(), "space", metav1.DeleteOptions{}),
	)
	if err != nil {
		t.Fatal(err)
	}
	wantGone(t, "the owned Secret", func() error {
		_, err := client.Secrets("default").Get(t.Context(), "owned", metav1.GetOptions{})
		return err
	})
	wantGone(t, "the deleted namespace", func() error {
		_, err := client.Namespaces().Get(t.Context(), "space", metav1.GetOptions{})
		return err
	})
}

func wantGone(t *testing.T, what string, get func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if apierrors.IsNotFound(get()) {
			return
		}
	}
	t.Errorf("%s is still there", what)
}

func TestStopLeavesNothing(t *testing.T) {
	cluster, err := realkube.Start(t.Context(), realkube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := cluster.Dir()
	if len(processesIn(t, dir)) == 0 {
		t.Fatal("the test finds no process to look for")
	}
	begin := time.Now()
	if err := cluster.Stop(); err != nil {
		t.Error(err)
	}
	t.Logf("stopped in %v", time.Since(begin).Round(time.Millisecond))
	wantNothingLeft(t, dir)
	if err := cluster.Stop(); err != nil {
		t.Errorf("stopping again: %v", err)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(cluster.URL(), "https://")); err == nil {
		_ = conn.Close()
		t.Error("something still listens")
	}
}

func TestAFailedStartSaysWhyAndLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	tests := map[string]struct {
		opts realkube.Options
		want string
	}{
		"etcd does not start":           {realkube.Options{EtcdArgs: flags("no-such-flag")}, "no-such-flag"},
		"kube-apiserver does not start": {realkube.Options{APIServerArgs: flags("no-such-flag")}, "no-such-flag"},
		"the CRDs are missing":          {realkube.Options{CRDDirs: []string{"testdata/none"}}, "testdata/none"},
		"the binaries are missing":      {realkube.Options{AssetsDir: tmp}, "hack/kube-assets.sh"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cluster, err := realkube.Start(t.Context(), test.opts)
			if cluster != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start = %v, %v; want an error about %s", cluster, err, test.want)
			}
			wantNothingLeft(t, tmp)
		})
	}
	t.Run("the context has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := realkube.Start(ctx, realkube.Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Start = %v, want %v", err, context.Canceled)
		}
		wantNothingLeft(t, tmp)
	})
	t.Run("the context ends while it starts", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := realkube.Start(ctx, realkube.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start = %v, want %v", err, context.DeadlineExceeded)
		}
		wantNothingLeft(t, tmp)
	})
}

func flags(name string) map[string][]string { return map[string][]string{name: {"true"}} }

func clientFor(t *testing.T, cfg *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func wantUser(t *testing.T, cfg *rest.Config, name string, groups ...string) {
	t.Helper()
	review, err := clientFor(t, cfg).AuthenticationV1().SelfSubjectReviews().
		Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := review.Status.UserInfo
	want := append(groups, "system:authenticated")
	slices.Sort(want)
	slices.Sort(got.Groups) // a certificate's organizations have no order
	if got.Username != name || !slices.Equal(got.Groups, want) {
		t.Errorf("the API server sees %s %v, want %s %v", got.Username, got.Groups, name, want)
	}
}

func wantAudited(t *testing.T, log, verb, resource string) {
	t.Helper()
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var event struct {
			Verb      string
			ObjectRef struct{ Resource string }
		}
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Verb == verb && event.ObjectRef.Resource == resource {
			return
		}
	}
	t.Errorf("%s has no line for %s %s", log, verb, resource)
}

// wantNothingLeft fails if a process that has dir in its command line still runs, or if something lies in dir.
func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left := processesIn(t, dir); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if len(entries) > 0 {
		t.Errorf("%s still holds %v", dir, entries)
	}
}

func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Skip("this system has no /proc to look for processes in")
	}
	var found []string
	for _, line := range lines {
		data, err := os.ReadFile(line)
		if command := strings.ReplaceAll(string(data), "\x00", " "); err == nil && strings.Contains(command, dir+"/") {
			found = append(found, command)
		}
	}
	return found
}
