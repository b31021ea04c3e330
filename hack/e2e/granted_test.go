// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// lentKeys is the Secret with the key of the account that is lent, where the operator is installed.
const lentKeys = "lent-keys"

// Everything that the operator does, in each way to install it, on an API server of its own that notes every request. The verbs
// that were used are those that are granted: none was refused, and none is too much.
func TestTheRolesGrantWhatIsUsedAndNoMore(t *testing.T) {
	for name, test := range map[string]struct {
		listed bool // config/namespaced, with the namespaces of the test
	}{
		"in the whole cluster":      {listed: false},
		"in listed namespaces only": {listed: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{suite: ownServers(t), clusters: []string{"own", "lent"}})
			away, foreign := w.namespace+"-away", w.namespace+"-foreign"
			w.kubectl("create", "namespace", away)
			w.kubectl("create", "namespace", foreign)
			overlay, namespaces := wholeCluster, ""
			if test.listed {
				overlay, namespaces = w.listedOverlay(w.namespace, away), w.namespace+","+away
			}
			w.mustInstall(t, overlay)
			_, err := w.Kubectl("apply", "--dry-run=server", "-k", "../../config/network-policy")
			w.must(err)

			address := w.freeAddress()
			w.env = []string{"KUBE_FEATURE_WatchListClient=false"} // it lists and then watches; one that streams lists does not list
			w.startManager("--namespaces="+namespaces, "--leader-elect", "--cross-namespace-outputs",
				"--metrics-secure=true", "--metrics-bind-address="+address)
			w.doEverything(away, address)
			w.must(w.manager().Kill())

			problems := slices.Concat(w.roles.refused(w.audit), w.roles.unused(w.audit, w.namespace, away))
			for _, problem := range problems {
				t.Error(problem)
			}
			requests, err := w.audit.read()
			w.must(err)
			t.Logf("%d requests, %d grants, %d problems", len(requests), len(w.roles.granted), len(problems))
			w.wantSecretsWithinReach(!test.listed, foreign)
		})
	}
}

// listedOverlay writes what docs/security.md says for namespaces of one's own: a directory for each, and their Role.
func (w *world) listedOverlay(namespaces ...string) string {
	w.t.Helper()
	dir, err := filepath.EvalSymlinks(w.t.TempDir())
	w.must(err)
	config, err := filepath.Abs("../../config")
	w.must(err)
	config, err = filepath.Rel(dir, config) // kustomize takes no absolute paths
	w.must(err)
	write := func(path, text string) {
		w.must(os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
		w.must(os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	write("kustomization.yaml", fmt.Sprintf("resources: [%s/namespaced/operator, %s, key.yaml]\n", config, strings.Join(namespaces, ", ")))
	for _, namespace := range namespaces {
		write(namespace+"/kustomization.yaml", fmt.Sprintf("namespace: %s\nresources: [../%s/namespaced/namespace]\n", namespace, config))
	}
	write("key.yaml", oneSecretYAML)
	return dir
}

// oneSecretYAML lets the operator read one Secret of a namespace that is not listed, as docs/security.md has it.
const oneSecretYAML = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: lent-keys
  namespace: ` + systemNamespace + `
rules:
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [` + lentKeys + `]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: lent-keys
  namespace: ` + systemNamespace + `
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: lent-keys
subjects:
- kind: ServiceAccount
  name: ` + serviceAccount + `
  namespace: ` + systemNamespace + `
`

// doEverything has the operator do everything that it does, in one namespace and away.
func (w *world) doEverything(away, metrics string) {
	w.t.Helper()
	w.kubectlInput(grantYAML(away, w.namespace))
	w.apply(accountYAML(), credentialYAML("own", "own", awayYAML(away, "own-first")))
	w.waitReady("own")
	w.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "cloudaccount/"+theAccount)
	w.eventually(eventTime, func() error {
		return w.says("own", v1alpha1.ConditionPublished, "True", v1alpha1.ReasonPublished)
	})
	w.apply(credentialYAML("own", "own", awayYAML(away, "own-away")))
	w.eventually(eventTime, func() error { return w.isGone(away, "own-first") })
	w.requestRenewal("1", "own")
	w.wantRevision("own", 2)
	w.kubectl("delete", "secret", "own-kubeconfig")
	w.eventually(eventTime, func() error {
		if w.secret("own-kubeconfig") == nil {
			return fmt.Errorf("a lost Secret is not made anew")
		}
		return nil
	})

	w.kubectlInput(strings.Replace(keyYAML(lentKeys, stack.AccessKey, canarySecretKey), "metadata:", "metadata:\n  namespace: "+systemNamespace, 1))
	w.kubectlInput(lentAccountYAML(w.namespace))
	lent := credentialOf("lent", "lent", "{id: "+w.ClusterID("lent")+"}")
	w.apply(strings.Replace(lent, "  accountRef:", "  accountRef:\n    kind: ClusterCloudAccount", 1))
	w.waitReady("lent")
	w.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "clustercloudaccount/lent")

	w.kubectl("create", "serviceaccount", "prometheus")
	w.kubectl("create", "clusterrolebinding", w.namespace+"-prometheus",
		"--clusterrole=clustercredential-operator-metrics-reader", "--serviceaccount="+w.namespace+":prometheus")
	for token, want := range map[string]int{"": http.StatusUnauthorized, w.kubectl("create", "token", "prometheus"): http.StatusOK} {
		if code, _ := w.scrape(metrics, token); code != want {
			w.t.Errorf("with a token %v, the metrics answer %d, want %d", token != "", code, want)
		}
	}

	w.kubectl("delete", "clustercredential", "own", "lent", "--timeout=25s")
	w.eventually(eventTime, func() error { return w.isGone(away, "own-away") })
	w.eventually(eventTime, w.hasRenewedItsLease)
}

// kubectlInput applies what names its namespaces itself, or has none.
func (w *world) kubectlInput(document string) {
	w.t.Helper()
	_, err := w.KubectlInput(document, "apply", "-f", "-")
	w.must(err)
}

func grantYAML(namespace, from string) string {
	return fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: CredentialGrant
metadata: {name: hub, namespace: %s}
spec:
  from: [{namespace: %s}]
  to: {secretNames: ["own-*"], formats: [ArgoCD]}
`, namespace, from)
}

// awayYAML are two outputs, of which the second is in another namespace and goes with the object.
func awayYAML(namespace, name string) string {
	return fmt.Sprintf(`  outputs:
  - secretName: own-kubeconfig
  - secretName: %s
    namespace: %s
    format: ArgoCD
    deletionPolicy: Delete`, name, namespace)
}

func (w *world) isGone(namespace, secret string) error {
	if _, err := w.Kubectl("--namespace", namespace, "get", "secret", secret); err == nil {
		return fmt.Errorf("the Secret %s is still there", secret)
	}
	return nil
}

func lentAccountYAML(namespace string) string {
	return fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCloudAccount
metadata: {name: lent}
spec:
  region: %s
  projectID: %s
  auth: {accessKey: {secretRef: {name: %s, namespace: %s}}}
  limits: {issuesPerMinute: 1000000}
  grants:
  - namespaces: {names: [%s]}
`, stack.Region, stack.ProjectID, lentKeys, systemNamespace, namespace)
}

func (w *world) wantRevision(name string, want int64) {
	w.t.Helper()
	w.eventually(eventTime, func() error {
		if got := w.get(name).Status.Revision; got != want {
			return fmt.Errorf("revision %d, want %d", got, want)
		}
		return nil
	})
}

// hasRenewedItsLease says whether the leader has written its Lease a second time.
func (w *world) hasRenewedItsLease() error {
	w.t.Helper()
	requests, err := w.audit.read()
	w.must(err)
	if !slices.ContainsFunc(requests, func(r request) bool { return r.Object.Resource == "leases" && r.Verb == "update" }) {
		return fmt.Errorf("the Lease is not renewed yet")
	}
	return nil
}

// wantSecretsWithinReach tries to read Secrets of a namespace that is not the operator's business, as the operator.
func (w *world) wantSecretsWithinReach(want bool, foreign string) {
	w.t.Helper()
	admin := kubernetes.NewForConfigOrDie(w.Kube.Config())
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}, StringData: map[string]string{"key": "theirs"}}
	_, err := admin.CoreV1().Secrets(foreign).Create(w.t.Context(), secret, metav1.CreateOptions{})
	w.must(err)
	// The audit log has it as a request of the administrator, so it is not counted as one of the manager.
	as := w.Kube.Config()
	as.Impersonate = rest.ImpersonationConfig{UserName: operatorUser}
	operator := kubernetes.NewForConfigOrDie(as).CoreV1()
	tries := map[string]func() error{
		"reading a Secret of another namespace": func() error {
			_, err := operator.Secrets(foreign).Get(w.t.Context(), "theirs", metav1.GetOptions{})
			return err
		},
		"listing the Secrets of another namespace": func() error {
			_, err := operator.Secrets(foreign).List(w.t.Context(), metav1.ListOptions{})
			return err
		},
		"listing all Secrets": func() error {
			_, err := operator.Secrets(metav1.NamespaceAll).List(w.t.Context(), metav1.ListOptions{})
			return err
		},
		"deleting a Secret of another namespace": func() error {
			return operator.Secrets(foreign).Delete(w.t.Context(), "no-such-secret", metav1.DeleteOptions{})
		},
	}
	for what, try := range tries {
		if err := try(); apierrors.IsForbidden(err) == want {
			w.t.Errorf("%s: %v, and it should be possible: %v", what, err, want)
		}
	}
}

// A ClusterCredential in a namespace that is not listed is nobody's: nothing happens to it, and nothing is read for it.
func TestInANamespaceThatIsNotListedNothingHappens(t *testing.T) {
	w := newWorld(t, options{suite: ownServers(t), clusters: []string{"listed", "not-listed"}})
	other := w.namespace + "-away" // it has no Role in this test
	w.kubectl("create", "namespace", other)
	w.mustInstall(t, w.listedOverlay(w.namespace))
	w.startManager("--namespaces="+w.namespace, "--cross-namespace-outputs")
	_, err := w.KubectlInput(accountYAML()+"\n---\n"+credentialYAML("not-listed", "not-listed"), "--namespace", other, "apply", "-f", "-")
	w.must(err)
	// A grant there does not help: the operator cannot see it.
	w.kubectlInput(grantYAML(other, w.namespace))
	w.apply(accountYAML(), credentialYAML("listed", "listed", awayYAML(other, "own-away")))
	w.eventually(eventTime, func() error {
		if w.secret("own-kubeconfig") == nil {
			return fmt.Errorf("the output in the listed namespace is not there")
		}
		return w.says("listed", v1alpha1.ConditionPublished, "False", v1alpha1.ReasonWriteRefused)
	})
	w.throughout(3*time.Second, func() error {
		if n := len(w.posts("not-listed")); n > 0 {
			return fmt.Errorf("%d certificates were asked for", n)
		}
		requests, err := w.audit.read()
		w.must(err)
		for _, r := range requests {
			if r.Object.Namespace == other {
				return fmt.Errorf("a namespace that is not listed was asked for: %s", r)
			}
		}
		return nil
	})
	w.kubectl("delete", "clustercredential", "listed", "--timeout=25s") // nothing there holds it up
	if lines := w.manager().LogLines("unknown namespace for the cache"); len(lines) > 0 {
		t.Errorf("the log complains of namespaces that are not listed: %s", lines[0])
	}
}
