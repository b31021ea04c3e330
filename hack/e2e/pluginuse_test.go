// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

func TestRenewWaitsForTheNewCertificate(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"a", "b"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("a", "a"), credentialYAML("b", "b"))
	w.waitReady("a", "b")
	p, before := w.plugin(), w.serial("a")

	said := p.want(0, []string{w.namespace + "/a renewed"}, "renew", "a", "--wait", "--timeout=30s")
	if after := w.serial("a"); after == before || !strings.Contains(said.out, "serial "+after) {
		t.Errorf("the new certificate is %s (before: %s), and it says\n%s", after, before, said)
	}
	p.want(0, []string{w.namespace + "/b: renewal requested"}, "renew", "b")
	w.eventually(eventTime, func() error {
		if cc := w.get("b"); cc.Status.LastHandledRenewRequest == "" || cc.Status.LastHandledRenewRequest != cc.Annotations[v1alpha1.AnnotationRenewRequestedAt] {
			return fmt.Errorf("the request is not carried out")
		}
		return nil
	})
	// Within the minute that lies between two certificates by request: it says what it waits for, and when it gives up.
	p.want(1, []string{"RateLimited", "are still under way", "The request stays"}, "renew", "--all", "--wait", "--timeout=4s")

	w.kubectl("patch", "clustercredential", "b", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
	p.want(2, []string{"spec.suspend is true"}, "renew", "b", "--wait")
	w.kubectl("label", "clustercredential", "b", "stuck=yes")
	w.kubectl("patch", "clustercredential", "b", "--type=merge", "-p", `{"spec":{"suspend":false,"cluster":{"id":"`+stack.ClusterID("a")+`"},"endpoint":{"context":"customSAN-7"}}}`)
	w.eventually(eventTime, func() error { return w.says("b", v1alpha1.ConditionStalled, "True", v1alpha1.ReasonContextNotFound) })
	p.want(2, []string{"ContextNotFound"}, "renew", "-l", "stuck=yes", "--wait", "--timeout=60s")
	p.want(1, []string{"not found", "-n"}, "renew", "nobody")
	p.want(1, []string{"not both"}, "renew", "a", "--all")
}

func TestAKubeconfigIsMergedAndFollowsRotations(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"prod"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("prod", "prod"))
	w.waitReady("prod")
	p, name := w.plugin(), w.namespace+"-prod"
	if printed := p.want(0, nil, "kubeconfig", "prod").out; printed != string(w.published("prod")) {
		t.Errorf("what is printed is not what the Secret holds")
	}

	// Into a file of somebody's, through a link.
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real"), filepath.Join(dir, "config")
	w.must(os.WriteFile(file, []byte(mine), 0o644)) // which is to be mended
	w.must(os.Symlink("real", link))
	p.want(0, nil, "kubeconfig", "prod", "--merge", link, "--set-current")
	w.wantWho(link, name)
	p.want(0, []string{"renewed"}, "renew", "prod", "--wait", "--timeout=30s")
	p.want(0, nil, "kubeconfig", "prod", "--merge", link)
	config, err := clientcmd.LoadFromFile(file)
	w.must(err)
	switch info, err := os.Lstat(link); {
	case err != nil || info.Mode()&os.ModeSymlink == 0:
		t.Errorf("the link is none any more: %v %v", info, err)
	case config.Contexts["mine"] == nil || config.AuthInfos["me"].Token != "canary" || config.CurrentContext != name:
		t.Error("what was in the file has changed")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", info.Mode(), err)
	}
	if got, err := stack.Serial(w.alone(link)); err != nil || got != w.serial("prod") {
		t.Errorf("after a rotation the file has certificate %s (%v), want %s", got, err, w.serial("prod"))
	}
	p.want(1, []string{"has a cluster \"theirs\" already", "--overwrite"}, "kubeconfig", "prod", "--merge", link, "--name", "theirs")
	p.want(0, nil, "kubeconfig", "prod", "--merge", link, "--name", "theirs", "--overwrite")

	// One without a key follows by itself, from any directory, and whatever KUBECONFIG says.
	fetching := filepath.Join(dir, "fetching")
	p.want(0, nil, "kubeconfig", "prod", "--exec", "--output-file", fetching)
	text, err := os.ReadFile(fetching)
	w.must(err)
	if strings.Contains(string(text), "key-data") || strings.Contains(string(text), "certificate-data") {
		t.Error("a kubeconfig with --exec holds a key or a certificate")
	}
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	for range 2 {
		who := p.exec(kubectl, "", "--kubeconfig", fetching, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
		if who.code != 0 || who.out != stack.UserID {
			t.Errorf("with --exec it logs in as %s", who)
		}
		p.kubeconfig = "/dev/null"
	}
	p.want(1, []string{"there already"}, "kubeconfig", "prod", "--output-file", fetching, "--kubeconfig", w.Kubeconfig, "-n", w.namespace)
}

const mine = `
apiVersion: v1
kind: Config
current-context: mine
clusters: [{name: theirs, cluster: {server: "https://theirs.example.com:5443"}}]
users: [{name: me, user: {token: canary}}]
contexts: [{name: mine, context: {cluster: theirs, user: me, namespace: kept}}]
`

// wantWho fails unless a context of the file logs in as the user of the cloud.
func (w *world) wantWho(file, context string) {
	w.t.Helper()
	who, err := w.Kubectl("--kubeconfig", file, "--context", context, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	w.must(err)
	if who != stack.UserID {
		w.t.Errorf("context %s logs in as %q, want %q", context, who, stack.UserID)
	}
}

// alone is the current context of a file, as a kubeconfig.
func (w *world) alone(file string) []byte {
	w.t.Helper()
	config, err := clientcmd.LoadFromFile(file)
	w.must(err)
	text, err := clientcmd.Write(*config)
	w.must(err)
	return text
}

func TestVerifyLogsInAndSaysNo(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"short", "gone"}, lifetime: 20 * time.Second})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("short", "short", "  renewal: {policy: Manual}"))
	w.waitReady("short")
	p := w.plugin()
	p.want(0, []string{"Accepted", stack.UserID, "system:masters", w.Kube.URL(), w.serial("short"), "has signed"}, "verify", "short")
	w.kubectl("patch", "clustercredential", "short", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
	w.eventually(time.Minute, func() error {
		if a := p.run("verify", "short"); a.code != 2 || !strings.Contains(a.out, "Refused") {
			return fmt.Errorf("an expired certificate is not refused: %s", a)
		}
		return nil
	})
	p.want(1, []string{"expired at", "spec.suspend is true"}, "exec-credential", "short")

	// Nobody answers at the address inside the cloud.
	w.must(w.cloud.SetGrantedLifetime(0))
	w.apply(credentialYAML("gone", "gone", "  endpoint: {access: Internal}", "  verification: Disabled"))
	w.waitReady("gone")
	p.want(1, []string{"Unreachable", "could not be asked"}, "verify", "gone", "--timeout=2s")
	// What somebody else has put into the Secret is not handed out as the operator's.
	w.kubectl("patch", "secret", "gone-kubeconfig", "--type=merge", "-p", `{"data":{"value":"`+emptyConfig+`"},"immutable":true}`)
	p.want(1, []string{"holds no credential"}, "kubeconfig", "gone")
}

// emptyConfig is a kubeconfig that says nothing, in base64.
const emptyConfig = "YXBpVmVyc2lvbjogdjEKa2luZDogQ29uZmlnCg=="

func TestAnAuditFindsWhatIsLeftLying(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"long", "away", "orphan", "unknown"}})
	w.startManager()
	p := w.plugin()
	w.apply(accountYAML())
	w.must(w.cloud.Script(stack.Fault{Name: "drop-after", Cluster: stack.ClusterID("unknown")}))
	w.apply(credentialYAML("long", "long", "  validity: {days: 365}"), credentialYAML("away", "away"), credentialYAML("orphan", "orphan"), credentialYAML("unknown", "unknown"))
	w.waitReady("long", "away", "orphan")
	w.eventually(eventTime, func() error {
		if history := w.get("unknown").Status.History; len(history) == 0 || history[0].State != v1alpha1.CertificateUnknown {
			return errors.New("no outcome is unknown yet")
		}
		return nil
	})
	w.kubectl("delete", "clustercredential", "away")
	w.eventually(eventTime, func() error {
		if w.secret("away-kubeconfig").Annotations[v1alpha1.AnnotationReleasedAt] == "" {
			return errors.New("not released yet")
		}
		return nil
	})
	w.must(w.manager().Kill())
	w.kubectl("delete", "clustercredential", "orphan")
	said := p.want(2, []string{
		"grave     UnknownOutcome", "warning   LongLived", "warning   Orphan", "warning   Released", "365 days", "secret/away-kubeconfig", "secret/orphan-kubeconfig", "1 grave, 3 warning",
	}, "audit")
	if first := strings.Split(said.out, "\n")[1]; !strings.HasPrefix(first, "grave") {
		t.Errorf("the gravest does not come first:\n%s", said.out)
	}
	p.want(2, []string{`"kind": "Orphan"`}, "audit", "-o", "json", "--fail-on=grave")
	if strings.Contains(said.out+said.err, "BEGIN") {
		t.Error("an audit prints a key")
	}
}

func TestWhoseALeakedKubeconfigIs(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"leaked", "other"}})
	w.startManager()
	w.apply(accountYAML(), credentialYAML("leaked", "leaked"), credentialYAML("sibling", "leaked"), credentialYAML("other", "other"))
	w.waitReady("leaked", "sibling", "other")
	p := w.plugin()
	file := filepath.Join(t.TempDir(), "leaked.kubeconfig")
	leaked := w.published("leaked")
	w.must(os.WriteFile(file, leaked, 0o600))
	serial := w.serial("leaked")
	p.want(0, []string{"renewed"}, "renew", "leaked", "--wait", "--timeout=30s")

	for _, namespace := range [][]string{nil, {"-n", w.namespace}} {
		said := p.want(0, []string{
			"serial " + serial, stack.UserID, "VALID until", w.namespace + "/leaked, Superseded", stack.ClusterID("leaked"), "A revocation in the cloud hits", "sibling", w.serial("sibling"),
		}, append([]string{"whose", "-f", file}, namespace...)...)
		if strings.Contains(said.out, w.serial("other")) {
			t.Errorf("a credential of another cluster is told as one that a revocation hits:\n%s", said.out)
		}
		if strings.Contains(said.out, "PRIVATE") {
			t.Error("it prints a key")
		}
	}
	certificate, err := stack.Certificate(leaked)
	w.must(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	program := filepath.Join(p.dir, "kubectl-clustercredential")
	if a := p.exec(program, string(text), "whose", "-f", "-"); a.code != 0 || !strings.Contains(a.out, "/leaked, Superseded") {
		t.Errorf("a certificate on standard input: %s", a)
	}
	// The object is gone, and its Secret, which it left behind, still tells.
	w.kubectl("delete", "clustercredential", "other")
	w.must(os.WriteFile(file, w.published("other"), 0o600))
	w.eventually(eventTime, func() error {
		if a := p.run("whose", "-f", file); a.code != 0 || !strings.Contains(a.out, "/other, Released in Secret "+w.namespace+"/other-kubeconfig") {
			return fmt.Errorf("%s", a)
		}
		return nil
	})
	// Somebody else's: it says where it looked.
	stranger, err := w.Kube.UserConfig("stranger")
	w.must(err)
	strange, err := w.Kube.Kubeconfig(stranger)
	w.must(err)
	w.must(os.WriteFile(file, strange, 0o600))
	p.want(2, []string{"nowhere. Searched: ", "Secrets in any namespace", "which keeps ten"}, "whose", "-f", file)
	w.must(os.WriteFile(file, []byte("secret-that-is-no-kubeconfig"), 0o600))
	if a := p.want(1, []string{"no kubeconfig and no certificate"}, "whose", "-f", file); strings.Contains(a.err, "secret-that-is") {
		t.Errorf("the input is repeated: %s", a)
	}
	var left v1alpha1.ClusterCredentialList
	w.must(w.client.List(context.Background(), &left, client.InNamespace(w.namespace)))
	if len(left.Items) != 2 {
		t.Errorf("%d ClusterCredentials are left, want 2", len(left.Items))
	}
}
