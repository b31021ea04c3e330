// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// issued is a credential that is valid until then, and signed by its own CA.
func issued(t *testing.T, notAfter time.Time) kubeconfig.Credential {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour * 9999),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(10), Subject: pkix.Name{CommonName: "somebody"}, NotBefore: noon.Add(-time.Hour), NotAfter: notAfter}
	certificate := func(template *x509.Certificate) []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := kubeconfig.Assemble(
		kubeconfig.Endpoint{Server: "https://prod.example.com:5443", CAPEM: certificate(ca)},
		certificate(leaf), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

func TestAClientAsksAgainBeforeItMissesARotation(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{time.Hour: freshFor, 2 * time.Minute: 2 * time.Minute} {
		answer := execAnswer("v", issued(t, noon.Add(left)), noon)
		if got := answer.Status.ExpirationTimestamp.Sub(noon); got != want {
			t.Errorf("with %s left clients ask again after %s, want %s", left, got, want)
		}
		if answer.Status.ClientCertificateData == "" || answer.Status.ClientKeyData == "" || answer.Status.Token != "" {
			t.Error("the answer is not a certificate with its key")
		}
	}
}

func TestTheClientSaysWhichVersionItWants(t *testing.T) {
	for info, want := range map[string]string{
		"": "client.authentication.k8s.io/v1",
		`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}`: "client.authentication.k8s.io/v1",
		`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"}`:                         "client.authentication.k8s.io/v1beta1",
		`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v9"}`:                              "",
		`{"kind":"Pod","apiVersion":"client.authentication.k8s.io/v1"}`:                                         "",
		"nonsense": "",
	} {
		got, err := askedVersion(info)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", info, got, err)
		}
	}
}

func TestOnlyWhatTheOperatorPublishedIsHandedOut(t *testing.T) {
	credential, another := issued(t, noon.Add(time.Hour)), issued(t, noon.Add(time.Hour))
	marked := map[string]string{v1alpha1.AnnotationCredential: "prod", v1alpha1.AnnotationFingerprint: credential.Fingerprint}
	for _, test := range []struct {
		name        string
		holds       kubeconfig.Credential
		managed     string
		annotations map[string]string
		key         string
		status      string // fingerprint
		fails       string
	}{
		{"what it published", credential, "true", marked, "value", credential.Fingerprint, ""},
		{"after status was lost", credential, "true", marked, "value", "", ""},
		{"after the marks were lost", credential, "", nil, "value", credential.Fingerprint, ""},
		{"under a former key", credential, "true", marked, "former", credential.Fingerprint, ""},
		{"in the Secret of another one", credential, "true", map[string]string{v1alpha1.AnnotationCredential: "other"}, "value", "", "does not belong"},
		{"in somebody's Secret", another, "", nil, "value", credential.Fingerprint, "does not belong"},
		{"put into ours by somebody", another, "true", marked, "value", credential.Fingerprint, "somebody has edited it"},
		{"nothing", credential, "true", marked, "", credential.Fingerprint, "holds no credential"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cc := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: "prod"}}
			if test.status != "" {
				cc.Status.Certificate = &v1alpha1.Certificate{FingerprintSHA256: test.status}
			}
			text, err := kubeconfig.Render("fleet-prod", test.holds)
			if err != nil {
				t.Fatal(err)
			}
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: "fleet", Name: "prod-kubeconfig", Annotations: test.annotations, Labels: map[string]string{v1alpha1.LabelManaged: test.managed},
			}}
			if test.key != "" {
				secret.Data = map[string][]byte{test.key: text}
			}
			primary, _ := controllers.PrimaryOutput(cc)
			got, err := readStored(cc, primary, secret)
			switch {
			case test.fails == "" && (err != nil || got.Fingerprint != test.holds.Fingerprint):
				t.Errorf("%v %v", got.Fingerprint, err)
			case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
				t.Errorf("want %q, got %v", test.fails, err)
			}
		})
	}
}

// A certificate and key that are left alone make no other server that of the cluster.
func TestAServerThatNobodyPublishedIsNotHandedOut(t *testing.T) {
	credential := issued(t, noon.Add(time.Hour))
	cc := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: "prod"}}
	cc.Status.Certificate = &v1alpha1.Certificate{FingerprintSHA256: credential.Fingerprint}
	text, err := kubeconfig.Render("fleet-prod", credential)
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "fleet", Name: "prod-kubeconfig", Labels: map[string]string{v1alpha1.LabelManaged: "true"},
			Annotations: map[string]string{v1alpha1.AnnotationCredential: "prod", v1alpha1.AnnotationFingerprint: credential.Fingerprint},
		},
		Data: map[string][]byte{"value": text},
	}
	primary, _ := controllers.PrimaryOutput(cc)
	for name, test := range map[string]struct {
		change func()
		fails  bool
	}{
		"the published one": {func() { cc.Status.Server = credential.Server }, false},
		"another":           {func() { cc.Status.Server = "https://203.0.113.99:5443" }, true},
		"one that the cloud offers": {func() {
			cc.Status.Server, cc.Status.Contexts = "https://203.0.113.99:5443", []v1alpha1.OfferedContext{{Server: credential.Server}}
		}, false},
	} {
		cc.Status.Contexts = nil
		test.change()
		if _, err := readStored(cc, primary, secret); test.fails != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A hub's own entry that was replaced by one of --exec would start the program for ever.
func TestALoginThatNeedsItselfIsRefused(t *testing.T) {
	t.Setenv(execChain, "")
	h := &hub{IO: IO{Env: os.Getenv}, overrides: &clientcmd.ConfigOverrides{CurrentContext: "fleet-prod"}}
	if err := h.enterChain("prod"); err != nil {
		t.Fatal(err)
	}
	if err := h.enterChain("another"); err != nil {
		t.Errorf("the login to a hub of hubs: %v", err)
	}
	if err := h.enterChain("prod"); err == nil || !strings.Contains(err.Error(), "this very credential is needed") {
		t.Errorf("its own: %v", err)
	}
}

func TestAnErrorSaysWhatToDo(t *testing.T) {
	ours := schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "clustercredentials"}
	refused := func(resource, verb string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", fmt.Errorf("User \"u\" cannot %s resource %q in API group \"\"", verb, resource))
	}
	for _, test := range []struct {
		name string
		err  error
		want []string
	}{
		{"not found", fmt.Errorf("read it: %w", apierrors.NewNotFound(ours, "prod")), []string{`"prod" not found`, "-n", "list -A"}},
		{"no such kind", apierrors.NewGenericServerResponse(404, "get", ours, "", "404 page not found", 0, true), []string{"it is not the hub"}},
		{"may not list", refused("clustercredentials", "list"), []string{`"list" on clustercredentials`, "clustercredential-operator-viewer"}},
		{"may not patch", refused("clustercredentials", "patch"), []string{`"patch"`, "clustercredential-operator-editor"}},
		{"may not read Secrets", refused("secrets", "get"), []string{`"get" on secrets`, "edit (Kubernetes' own)"}},
		{"may not read lent accounts", refused("clustercloudaccounts", "get"), []string{"ClusterRoleBinding"}},
		{"not logged in", apierrors.NewUnauthorized("no"), []string{"does not accept this login"}},
		{"no kubeconfig", fmt.Errorf("find the hub: %w", clientcmd.ErrEmptyConfig), []string{"--kubeconfig"}},
		{"anything else", errors.New("as it is"), []string{"as it is"}},
	} {
		for _, want := range test.want {
			if said := advice(test.err); !strings.Contains(said, want) {
				t.Errorf("%s: %q does not say %q", test.name, said, want)
			}
		}
	}
}

// run runs a command that needs no hub.
func run(t *testing.T, env map[string]string, args ...string) (code int, out, said string) {
	t.Helper()
	var printed, told bytes.Buffer
	code = Run(context.Background(), IO{
		Version: "v1", In: strings.NewReader(""), Out: &printed, Err: &told, Now: func() time.Time { return noon }, Env: func(name string) string { return env[name] },
	}, args)
	return code, printed.String(), told.String()
}

func TestWrongUseIsTold(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"renew"}, "which ones?"},
		{[]string{"renew", "a", "--all"}, "not both"},
		{[]string{"renew", "a", "-A"}, "-A goes with"},
		{[]string{"list", "-o", "xml"}, "--output is \"xml\", and may be json, yaml, wide"},
		{[]string{"audit", "--fail-on", "never"}, "grave, warning, note"},
		{[]string{"whose"}, "filename"},
		{[]string{"kubeconfig", "a", "--set-current"}, "goes with --merge"},
		{[]string{"kubeconfig", "a", "--overwrite"}, "goes with --merge or --output-file"},
		{[]string{"kubeconfig", "a", "--merge", "x", "--output-file", "y"}, "none of the others can be"},
		{[]string{"kubeconfig"}, "accepts 1 arg"},
		{[]string{"lists"}, "unknown command"},
		{[]string{"list", "--kubeconfig", "/no/such/file"}, "find the hub"},
	} {
		if code, _, said := run(t, nil, test.args...); code != ExitError || !strings.Contains(said, test.want) {
			t.Errorf("%v: exit code %d, %q, want %q", test.args, code, said, test.want)
		}
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if code, out, _ := run(t, nil, args...); code != ExitOK || out != "v1\n" {
			t.Errorf("%v: %d %q", args, code, out)
		}
	}
}

func TestAKubeconfigWithExecLeadsBackToThisHub(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	config := api.NewConfig()
	config.Contexts["hub"], config.CurrentContext = &api.Context{Cluster: "c", AuthInfo: "u"}, "hub"
	for _, file := range []string{one, two} {
		if err := clientcmd.WriteToFile(*config, file); err != nil {
			t.Fatal(err)
		}
	}
	separator := string(os.PathListSeparator)
	for _, test := range []struct {
		name        string
		precedence  []string
		args        []string
		want        []string // after the command and the namespace
		files, fail string
	}{
		{"the current context", []string{one}, nil, []string{"--context=hub"}, one, ""},
		{"several files, one of which is not there", []string{one, filepath.Join(dir, "none"), two}, nil, []string{"--context=hub"}, one + separator + two, ""},
		{"somebody else", []string{one}, []string{"--context=other", "--as=me", "--as-group=a", "--as-group=b"},
			[]string{"--context=other", "--as=me", "--as-group=a", "--as-group=b"}, one, ""},
		{"a token", []string{one}, []string{"--token=canary"}, nil, "", "--token would be written"},
		{"no file", []string{filepath.Join(dir, "none")}, nil, nil, "", "needs a kubeconfig file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHub(IO{Env: func(string) string { return "" }})
			h.rules.Precedence = test.precedence
			h.bind(newVersion(h))
			if err := h.flags.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			user, err := h.execUser("fleet", "prod")
			if test.fail != "" {
				if err == nil || !strings.Contains(err.Error(), test.fail) || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, want %q", err, test.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := append([]string{"exec-credential", "prod", "--namespace=fleet"}, test.want...)
			if diff := cmp.Diff(want, user.Exec.Args); diff != "" {
				t.Error(diff)
			}
			if got := user.Exec.Env[0]; got.Name != "KUBECONFIG" || got.Value != test.files {
				t.Errorf("the files are %+v, want %s", got, test.files)
			}
			if user.Exec.InteractiveMode != api.NeverExecInteractiveMode || user.Exec.ProvideClusterInfo {
				t.Errorf("%+v", user.Exec)
			}
		})
	}
}

func TestTheTableTellsWhatIsLeft(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	credential := func(name string, from, until time.Duration, change func(*v1alpha1.ClusterCredential)) v1alpha1.ClusterCredential {
		cc := v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: name}}
		cc.Status.Cluster, cc.Status.Certificate = "c", &v1alpha1.Certificate{NotBefore: *at(from), NotAfter: *at(until)}
		cc.Status.RenewalTime = at(until / 2)
		cc.Status.Conditions = []metav1.Condition{says("Ready", "True", v1alpha1.ReasonValid), says("Issued", "True", v1alpha1.ReasonIssued)}
		change(&cc)
		return cc
	}
	const day = 24 * time.Hour
	all := []v1alpha1.ClusterCredential{
		credential("late", -28*day, 2*day, func(cc *v1alpha1.ClusterCredential) {
			cc.Status.RenewalTime, cc.Status.Conditions[1] = at(-day), says("Issued", "False", v1alpha1.ReasonUnauthorized)
		}),
		credential("over", -31*day, -day, func(cc *v1alpha1.ClusterCredential) {
			cc.Spec.Suspend, cc.Status.Conditions[0] = true, says("Ready", "False", v1alpha1.ReasonExpired)
		}),
		credential("well", -day, 29*day, func(*v1alpha1.ClusterCredential) {}),
		credential("new", 0, 0, func(cc *v1alpha1.ClusterCredential) { cc.Status = v1alpha1.ClusterCredentialStatus{} }),
		credential("hand", -day, 29*day, func(cc *v1alpha1.ClusterCredential) {
			cc.Status.RenewalTime, cc.Spec.Renewal = nil, &v1alpha1.Renewal{Policy: v1alpha1.RenewalManual}
		}),
	}
	var out strings.Builder
	if err := credentialTable(all, true, false, noon).Write(&out, table.Look{}); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimPrefix(`
NAMESPACE   NAME   READY             ISSUED         CLUSTER   LEFT              RENEWS
fleet       late   True              Unauthorized   c         2d                due
fleet       over   False (Expired)   Issued         c         expired 24h ago   suspended
fleet       well   True              Issued         c         29d               in 14d
fleet       new    Unknown           -              -         -                 -
fleet       hand   True              Issued         c         29d               on request
`, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if colour := leftCell(&all[0], noon).Colour; colour != table.Yellow {
		t.Errorf("the last tenth of a life has the colour %q", colour)
	}
}

func TestALookIsTheReaders(t *testing.T) {
	for _, test := range []struct {
		name     string
		env      map[string]string
		terminal int
		want     table.Look
	}{
		{"a pipe", nil, 0, table.Look{}},
		{"a terminal", nil, 80, table.Look{Colour: true, Width: 80}},
		{"a terminal that can do nothing", map[string]string{"TERM": "dumb"}, 80, table.Look{Width: 80}},
		{"somebody who wants no colours", map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, 80, table.Look{Width: 80}},
		{"a recording", map[string]string{"CLICOLOR_FORCE": "1", "COLUMNS": "100"}, 0, table.Look{Colour: true, Width: 100}},
		{"nonsense", map[string]string{"CLICOLOR_FORCE": "0", "COLUMNS": "wide"}, 0, table.Look{}},
	} {
		c := IO{Terminal: test.terminal, Env: func(name string) string { return test.env[name] }}
		if diff := cmp.Diff(test.want, c.look()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestWhatIsForProgramsHoldsNoPointersToNothing(t *testing.T) {
	text, err := json.Marshal(reasonsOf(explained(func(*controllers.Explanation) {}), verdict{Text: "x"}, controllers.ExplainOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"null", "0001-01-01"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("there is %s in %s", bad, text)
		}
	}
}
