// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/stack"
)

// Every fault of the cloud, three kinds of key, and every private key that the cloud sent, published or not: none of it stands in
// the log at the highest level, in metrics, status, events, the command line or the environment, or in what the process prints of
// its goroutines when it is told to quit.
func TestNothingSecretIsSaidAmidFaultsNorInADump(t *testing.T) {
	docs, err := theSuite(t).Sim.FaultNames()
	if err != nil {
		t.Fatal(err)
	}
	o := options{temporary: []string{"AK-TEMPORARY"}, clusters: []string{"by-token", "by-temporary-key"}}
	var troubles []*trouble
	for _, doc := range docs {
		x := &trouble{FaultDoc: doc, name: "fault-" + doc.Name}
		troubles = append(troubles, x)
		o.clusters, o.keys = append(o.clusters, x.name), append(o.keys, x.accessKey())
	}
	w := newWorld(t, o)
	answers := w.tapCloud()
	manager := w.startManager("--zap-log-level=10", "--cluster-interval=1s", "--cce-endpoint="+answers.url(), "--iam-endpoint="+answers.url())
	names := w.applyTroubles(troubles)
	w.apply(tokenAccountYAML("token"), credentialOf("by-token", "token", "{id: "+w.ClusterID("by-token")+"}"),
		withSecurityToken(namedAccountYAML("temporary", "AK-TEMPORARY")),
		credentialOf("by-temporary-key", "temporary", "{id: "+w.ClusterID("by-temporary-key")+"}"))
	w.waitReady(append(names, "by-token", "by-temporary-key")...)

	for _, x := range troubles {
		w.must(w.cloud.Script(stack.Fault{Name: x.Name, Cluster: w.ClusterID(x.name), Times: 1}))
	}
	for _, x := range troubles {
		if x.AnyOp { // and strikes the lists of clusters, too
			w.must(w.cloud.Script(stack.Fault{Name: x.Name, Op: "list-clusters", Times: 1}))
		}
	}
	w.requestRenewal("amid-faults", names...)
	w.eventually(2*time.Minute, func() error { return w.allHit(troubles) })
	time.Sleep(5 * time.Second) // what they lead to is said

	w.secrets = answers.needles()
	t.Logf("%d faults, %d private keys, looking for %d pieces", len(troubles), answers.keys(), len(w.needles()))
	if answers.keys() < len(names) {
		t.Errorf("only %d private keys were seen on the wire", answers.keys())
	}
	w.scanProcess(manager)
	w.scanForSecrets() // with the metrics, while it lives
	w.must(manager.Signal(syscall.SIGQUIT))
	select {
	case <-manager.Exited():
	case <-time.After(eventTime):
		t.Fatal("the manager does not quit")
	}
	if dump := manager.Log(); !strings.Contains(dump, "SIGQUIT: quit") || strings.Count(dump, "\ngoroutine ") < 10 {
		t.Error("the log holds no dump of goroutines")
	}
	// The log, now with the dump, is scanned again when the world is left.
}

// allHit says which fault has not struck yet.
func (w *world) allHit(troubles []*trouble) error {
	w.t.Helper()
	posts := w.posts()
	for _, x := range troubles {
		if !slices.ContainsFunc(posts, func(e stack.Entry) bool { return e.Fault == x.Name }) {
			return fmt.Errorf("the fault %s has hit nothing", x.Name)
		}
	}
	return nil
}

// scanProcess looks at what every user of a machine may see of a process: its command line, and its environment for its own user.
func (w *world) scanProcess(m *stack.Manager) {
	w.t.Helper()
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", m.PID(), file))
		if os.IsNotExist(err) {
			w.t.Logf("this system shows no %s of a process", file)
			continue
		}
		w.must(err)
		for _, n := range w.needles() {
			if bytes.Contains(text, []byte(n.text)) {
				w.t.Errorf("the %s of %s holds %s", file, m.Name, n.what)
			}
		}
	}
}

func tokenAccountYAML(name string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata:
  name: %[1]s-keys
stringData:
  token: %[4]s
---
apiVersion: clustercredential.dev/v1alpha1
kind: CloudAccount
metadata:
  name: %[1]s
spec:
  region: %[2]s
  projectID: %[3]s
  auth:
    token:
      secretRef:
        name: %[1]s-keys
`, name, stack.Region, stack.ProjectID, canaryToken)
}

func withSecurityToken(account string) string {
	return strings.Replace(account, "stringData:", "stringData:\n  securityToken: "+canarySecurityToken, 1)
}

// tap stands before a cloud and remembers what it answers.
type tap struct {
	server *httptest.Server
	mu     sync.Mutex
	bodies [][]byte
}

func (w *world) tapCloud() *tap {
	w.t.Helper()
	t := &tap{}
	t.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		heard := &listener{ResponseWriter: answer}
		defer func() { // some faults end in a panic that hangs up
			t.mu.Lock()
			defer t.mu.Unlock()
			t.bodies = append(t.bodies, heard.body)
		}()
		w.cloud.sim.ServeHTTP(heard, r)
	}))
	w.t.Cleanup(func() { t.server.CloseClientConnections(); t.server.Close() })
	return t
}

func (t *tap) url() string { return t.server.URL }

// listener copies what is written to it.
type listener struct {
	http.ResponseWriter
	body []byte
}

func (l *listener) Write(p []byte) (int, error) {
	l.body = append(l.body, p...)
	return l.ResponseWriter.Write(p)
}

// Unwrap lets the simulator flush and hang up.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

var clientKey = regexp.MustCompile(`"client-key-data": *"([A-Za-z0-9+/]{200,}={0,2})"`)

// found are the private keys in the answers so far, in base64 as a kubeconfig has them.
func (t *tap) found() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, body := range t.bodies {
		for _, match := range clientKey.FindAllSubmatch(body, -1) {
			all = append(all, string(match[1]))
		}
	}
	return all
}

func (t *tap) keys() int { return len(t.found()) }

// needles are a piece of each private key, from the middle of its first line, as PEM and as a kubeconfig has it.
func (t *tap) needles() []needle {
	const from, length = 48, 24 // bytes of the PEM, behind the line that says what it is; a multiple of 3
	var all []needle
	for i, key := range t.found() {
		pem, err := base64.StdEncoding.DecodeString(key)
		if err != nil || len(pem) < from+length {
			continue
		}
		what := fmt.Sprintf("private key %d that the cloud sent", i)
		all = append(all, inEveryForm(what, string(pem[from:from+length]))...)
		all = append(all, inEveryForm(what, key[from*4/3:(from+length)*4/3])...)
	}
	return all
}
