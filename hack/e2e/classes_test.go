// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// classed is an operator of one class, who is somebody of its own for the API server.
type classed struct {
	*stack.Manager
	w           *world
	class, user string
}

// startClass starts an operator of a class, with the roles that the shipped one has. Those with a class elect a leader, with their
// Leases in one namespace.
func (w *world) startClass(class string) classed {
	w.t.Helper()
	user := w.namespace + "-class-" + class
	var args []string
	if class != "" {
		w.kubectl("create", "rolebinding", user, "-n", systemNamespace, "--role="+serviceAccount+"-leader-election", "--user="+user)
		args = []string{"--class=" + class, "--leader-elect"}
	}
	return classed{Manager: w.startAs(user, w.namespace, args...), w: w, class: class, user: user}
}

// startAs starts an operator of one namespace, who is somebody of its own for the API server.
func (w *world) startAs(user, namespace string, args ...string) *stack.Manager {
	w.t.Helper()
	login, err := w.Kube.UserConfig(user)
	w.must(err)
	w.kubectl("create", "clusterrolebinding", user, "--clusterrole="+serviceAccount, "--user="+user)
	args = append(args, "--namespaces="+namespace, "--cce-endpoint="+w.cloud.URL, "--iam-endpoint="+w.cloud.URL, verbosity)
	m, err := w.StartManager(w.t.Context(), stack.ManagerOptions{Args: args, User: login, Name: user})
	w.must(err)
	w.managers = append(w.managers, m)
	return m
}

// shows is in how many objects of that name its metrics have.
func (c classed) shows(name string) int {
	c.w.t.Helper()
	all, err := c.Metrics(c.w.t.Context())
	c.w.must(err)
	return int(all.Sum("clustercredential_info", "namespace", c.w.namespace, "name", name))
}

// changes are what it has changed of our kinds and of Secrets, as the API server has noted it.
func (c classed) changes() []request {
	c.w.t.Helper()
	return c.w.changesOf(c.user)
}

// changesOf are what a user has changed of our kinds and of Secrets in the namespaces of this test.
func (w *world) changesOf(user string) []request {
	w.t.Helper()
	file, err := os.Open(w.audit.file)
	w.must(err)
	defer func() { _ = file.Close() }()
	var all []request
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r request
		if !strings.Contains(lines.Text(), user) || json.Unmarshal(lines.Bytes(), &r) != nil { // the last may be half a line
			continue
		}
		isOurs := r.Object.Group == v1alpha1.GroupVersion.Group || r.Object.Resource == "secrets"
		isHere := r.Object.Namespace == w.namespace || r.Object.Namespace == w.away() ||
			strings.HasPrefix(r.Object.Name, w.namespace+"-") // other tests lend accounts, too
		if isHere && r.User.Username == user && r.Stage == "ResponseComplete" && r.changes() && isOurs {
			all = append(all, r)
		}
	}
	return all
}

// wantChanged holds that it has made so many Secrets, and changed nothing else but objects whose names begin like this.
func (c classed) wantChanged(secrets int, begins ...string) {
	c.w.t.Helper()
	made := 0
	for _, r := range c.changes() {
		if r.Verb == "create" { // whose name the API server does not note
			made++
		} else if !slices.ContainsFunc(begins, func(begin string) bool { return strings.HasPrefix(r.Object.Name, begin) }) {
			c.w.t.Errorf("the operator of class %q wrote what is not its own: %s", c.class, r)
		}
	}
	if made != secrets {
		c.w.t.Errorf("the operator of class %q made %d Secrets, want %d", c.class, made, secrets)
	}
}

// ofClass labels the object of a kind in a document.
func ofClass(class, kind, document string) string {
	if class == "" {
		return document
	}
	begin := "kind: " + kind + "\nmetadata:\n"
	return strings.Replace(document, begin, begin+"  labels: {"+v1alpha1.LabelClass+": "+class+"}\n", 1)
}

// fleetOf are an account with a key of its own and a ClusterCredential of two outputs, of one class.
func fleetOf(name, class string) []string {
	return []string{
		ofClass(class, "CloudAccount", namedAccountYAML(name, "AK-"+strings.ToUpper(name))),
		ofClass(class, "ClusterCredential", credentialOf(name, name, "{id: "+stack.ClusterID(name)+"}", "  deletionPolicy: Delete", fmt.Sprintf(`  outputs:
  - secretName: %[1]s-kubeconfig
  - secretName: %[1]s-tls
    format: TLS`, name))),
	}
}

// classOfSecret is the label on a Secret.
func (w *world) classOfSecret(name string) string {
	w.t.Helper()
	secret := w.secret(name)
	if secret == nil {
		w.t.Fatalf("there is no Secret %s", name)
	}
	return secret.Labels[v1alpha1.LabelClass]
}

// wantNotTaken holds that one of class blue that names the Secret of another class gets neither it nor a certificate.
func (w *world) wantNotTaken(secret string) {
	w.t.Helper()
	w.apply(ofClass("blue", "ClusterCredential", credentialOf("blue-greedy", "blue", "{id: "+stack.ClusterID("blue")+"}",
		"  outputs: [{secretName: "+secret+"}]")))
	w.eventually(eventTime, func() error {
		return w.says("blue-greedy", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonSecretConflict)
	})
	w.wantPosts(1, "blue")
	w.kubectl("delete", "clustercredential", "blue-greedy")
}

// wantNotBorrowed holds that an account of class red is lent to nobody of class blue, who is told which label there would have to be.
func (w *world) wantNotBorrowed() {
	w.t.Helper()
	lent := w.namespace + "-lent"
	w.apply(fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCloudAccount
metadata: {name: %s, labels: {%s: red}}
spec:
  region: %s
  projectID: %s
  auth: {accessKey: {secretRef: {name: red-keys, namespace: %s}}}
  grants: [{namespaces: {names: [%[5]s]}}]
`, lent, v1alpha1.LabelClass, stack.Region, stack.ProjectID, w.namespace))
	w.t.Cleanup(func() { _, _ = w.Kubectl("delete", "clustercloudaccount", lent) })
	w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "clustercloudaccount/"+lent)
	w.apply(ofClass("blue", "ClusterCredential", credentialOf("blue-borrower", lent+"\n    kind: ClusterCloudAccount", "{id: "+stack.ClusterID("blue")+"}")))
	w.eventually(eventTime, func() error {
		return w.says("blue-borrower", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonAccountNotFound)
	})
	if message, want := condition(w.get("blue-borrower"), v1alpha1.ConditionIssued).Message, v1alpha1.LabelClass+"=blue"; !strings.Contains(message, want) {
		w.t.Errorf("the message does not say %s: %s", want, message)
	}
	w.wantPosts(1, "blue")
	w.kubectl("delete", "clustercredential", "blue-borrower")
}

// Three operators look at one namespace, and each touches its own. One object and its account go from one to another by their label.
func TestTwoOperatorsOfDifferentClassesShareACluster(t *testing.T) {
	names := []string{"red", "blue", "plain", "nobody"}
	w := newWorld(t, options{clusters: names, keys: []string{"AK-RED", "AK-BLUE", "AK-PLAIN", "AK-NOBODY"}})
	red, blue, plain := w.startClass("red"), w.startClass("blue"), w.startClass("")
	for name, class := range map[string]string{"red": "red", "blue": "blue", "plain": "", "nobody": "nobody"} {
		w.apply(fleetOf(name, class)...)
	}
	w.waitReady("red", "blue", "plain")
	w.wantPosts(1, "red")
	w.wantPosts(1, "blue")
	w.wantPosts(1, "plain")
	for name, class := range map[string]string{"red": "red", "blue": "blue", "plain": ""} {
		for _, secret := range []string{name + "-kubeconfig", name + "-tls"} {
			if got := w.classOfSecret(secret); got != class {
				t.Errorf("Secret %s is of class %q, want %q", secret, got, class)
			}
		}
	}
	w.wantNotTaken("plain-kubeconfig")
	w.wantNotBorrowed()
	w.eventually(eventTime, func() error { // the last thing that the operator of red does at rest
		if n := w.kubectl("get", "cloudaccount", "red", "-o", "jsonpath={.status.credentials}"); n != "1" {
			return fmt.Errorf("the account counts %q credentials", n)
		}
		return nil
	})
	red.wantChanged(2, "red", w.namespace+"-lent")
	blue.wantChanged(2, "blue")
	plain.wantChanged(2, "plain")

	w.handOver(red, blue)
	plain.wantChanged(2, "plain")
	w.wantPosts(0, "nobody")
	if cc := w.get("nobody"); len(cc.Status.Conditions) > 0 || w.secret("nobody-kubeconfig") != nil {
		t.Errorf("somebody has touched what is of a class that nobody serves: %+v", cc.Status)
	}
}

// handOver labels the object and the account "red" for blue, and sees them go.
func (w *world) handOver(red, blue classed) {
	w.t.Helper()
	before, written := w.secret("red-kubeconfig"), len(red.changes())
	w.kubectl("label", "--overwrite", "clustercredential/red", "cloudaccount/red", v1alpha1.LabelClass+"=blue")
	w.eventually(eventTime, func() error {
		for _, secret := range []string{"red-kubeconfig", "red-tls"} {
			if got := w.classOfSecret(secret); got != "blue" {
				return fmt.Errorf("after the change of the class Secret %s is of class %q", secret, got)
			}
		}
		if blue.shows("red") != 1 || red.shows("red") != 0 {
			return fmt.Errorf("the metrics of red show %d and those of blue %d", red.shows("red"), blue.shows("red"))
		}
		return nil
	})
	w.waitReady("red")
	w.wantPosts(3)
	if string(w.secret("red-kubeconfig").Data["value"]) != string(before.Data["value"]) {
		w.t.Error("the credential has changed with the class")
	}
	w.requestRenewal("after the change", "red") // blue works in earnest
	w.eventually(eventTime, func() error {
		if posts := len(w.posts("red")); posts != 2 {
			return fmt.Errorf("the new operator has asked %d times", posts-1)
		}
		return w.says("red", v1alpha1.ConditionReady, "True", v1alpha1.ReasonValid)
	})
	w.kubectl("delete", "clustercredential", "red")
	for _, secret := range []string{"red-kubeconfig", "red-tls"} {
		w.eventually(30*time.Second, func() error { return w.isGone(w.namespace, secret) })
	}
	if more := red.changes()[written:]; len(more) > 0 {
		w.t.Errorf("after the change of the class the former operator wrote:\n%s", show(more))
	}
	blue.wantChanged(2, "blue", "red")
}

// Two operators have a namespace each. What is in them has the same names, and goes on in the one while the other has no operator.
func TestTwoOperatorsOfDifferentNamespacesShareACluster(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"here", "away"}, keys: []string{"AK-FLEET"}})
	w.kubectl("create", "namespace", w.away())
	clusters := map[string]string{w.namespace: "here", w.away(): "away"}
	operators := map[string]*stack.Manager{}
	for namespace, cluster := range clusters {
		operators[namespace] = w.startAs(namespace+"-operator", namespace)
		documents := namedAccountYAML("fleet", "AK-FLEET") + "\n---\n" + credentialOf("fleet", "fleet", "{id: "+stack.ClusterID(cluster)+"}")
		_, err := w.KubectlInput(documents, "--namespace", namespace, "apply", "-f", "-")
		w.must(err)
	}
	posted := func(here, away int) {
		t.Helper()
		w.eventually(eventTime, func() error {
			if got := [2]int{len(w.posts("here")), len(w.posts("away"))}; got != [2]int{here, away} {
				return fmt.Errorf("the cloud was asked for %v certificates, want %d and %d", got, here, away)
			}
			return nil
		})
	}
	for namespace := range clusters {
		w.kubectl("wait", "-n", namespace, "--for=condition=Ready", "--timeout=28s", "clustercredential/fleet")
	}
	posted(1, 1)

	w.must(operators[w.away()].Kill())
	for namespace := range clusters {
		w.kubectl("annotate", "-n", namespace, "clustercredential/fleet", v1alpha1.AnnotationRenewRequestedAt+"=once")
	}
	posted(2, 1)
	for namespace := range clusters {
		user, secrets := namespace+"-operator", 0
		for _, r := range w.changesOf(user) {
			if r.Object.Namespace != namespace {
				t.Errorf("the operator of %s wrote what is not its own: %s", namespace, r)
			}
			if r.Verb == "create" && r.Object.Resource == "secrets" {
				secrets++
			}
		}
		if secrets != 1 {
			t.Errorf("the operator of %s made %d Secrets, want 1", namespace, secrets)
		}
	}
}
