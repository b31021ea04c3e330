// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// everyFormat are the outputs of one credential: each format is read by the version that comes next.
const everyFormat = `  validity: {days: 90}
  renewal: {before: 240h}
  endpoint: {access: External}
  outputs:
  - {secretName: every-kubeconfig, key: kubeconfig, clusterName: every, labels: {env: prod}}
  - {secretName: every-argocd, format: ArgoCD, argocd: {namespaces: [apps]}}
  - {secretName: every-capi-kubeconfig, format: ClusterAPI}
  - {secretName: every-istio, format: Istio}
  - {secretName: every-kubevela, format: KubeVela}
  - {secretName: every-tls, format: TLS, writePolicy: Once}
  - {secretName: every-template, format: Template, template: {data: {server: "{{ .server }}"}}}`

// upgrade is a world that one version of the operator hands to the next.
type upgrade struct {
	*world
	names   []string
	before  map[string]held // what the Secrets hold, by their names
	leader  *stack.Manager
	probers []*stack.Prober
}

// held is what a Secret is for its readers. Of the data it has digests, so that a failure tells no secret.
type held struct {
	UID  types.UID
	Type corev1.SecretType
	Data map[string]string
}

// Manifests and manager of the next version come while the former one works, lead after it, and go back again: as with
// "kubectl apply" of the one and of the other. For a while both even work at once, as where nobody elects a leader. Nobody asks the
// cloud, no Secret gets other data, and no login fails.
func TestAnUpgradeAsksForNothing(t *testing.T) {
	before, now := versionBefore(t), thisVersion()
	u := newUpgrade(t, before)
	u.installed(before)
	u.leader = u.startVersion(before)
	u.waitWorks(u.leader, takeover)
	u.issue()
	u.bothWork(now)
	u.handTo("the upgrade", now)
	u.handTo("the way back", before)
	u.handTo("the second upgrade", now)
	u.stillWorks()
	logins := 0
	for _, prober := range u.probers {
		seen := u.wantNoFailedLogin(prober)
		logins += seen.Attempts
		if seen.Attempts == 0 {
			t.Error("nobody has logged in")
		}
	}
	t.Logf("%d logins", logins)
}

// newUpgrade is a world on servers that know the version before, and no other.
func newUpgrade(t *testing.T, before version) *upgrade {
	t.Helper()
	own := ownServers(t, filepath.Join(before.config, "crd", "bases"))
	names := []string{"plain", "every", "manual", "lent"}
	return &upgrade{world: newWorld(t, options{suite: own, clusters: names}), names: names}
}

// installed has the manifests of a version applied.
func (u *upgrade) installed(v version) {
	u.t.Helper()
	u.mustInstall(u.t, filepath.Join(v.config, "default"))
}

func (u *upgrade) startVersion(v version) *stack.Manager {
	u.t.Helper()
	return u.startProgram(v.program, "--leader-elect")
}

// issue has the version before issue a credential of each kind, and notes what came of it.
func (u *upgrade) issue() {
	u.t.Helper()
	_, err := u.KubectlInput(keyYAML(lentKeys, stack.AccessKey, canarySecretKey), "--namespace", systemNamespace, "apply", "-f", "-")
	u.must(err)
	u.apply(accountYAML(), lentAccountYAML(u.namespace),
		credentialYAML("plain", "plain"),
		credentialYAML("every", "every", everyFormat),
		credentialYAML("manual", "manual", "  renewal: {policy: Manual}\n  verification: Required\n  deletionPolicy: Delete"),
		credentialOf("lent", "lent\n    kind: ClusterCloudAccount", "{name: lent}"))
	u.waitReady(u.names...)
	for _, name := range u.names {
		u.eventually(eventTime, func() error { return u.says(name, v1alpha1.ConditionPublished, "True", v1alpha1.ReasonPublished) })
	}
	u.before = u.held()
	if want := 3 + 7; len(u.before) != want {
		u.t.Fatalf("there are %d Secrets with credentials, want %d", len(u.before), want)
	}
	for secret, key := range map[string]string{"plain-kubeconfig": "value", "every-kubeconfig": "kubeconfig", "every-capi-kubeconfig": "value", "lent-kubeconfig": "value"} {
		prober, err := u.Prober(stack.ProbeOptions{Namespace: u.namespace, Secret: secret, Key: key})
		u.must(err)
		u.probers = append(u.probers, prober)
	}
	u.must(u.unchanged())
}

// held is what the Secrets of the world hold that are the operator's.
func (u *upgrade) held() map[string]held {
	u.t.Helper()
	var all corev1.SecretList
	u.must(u.client.List(context.Background(), &all, client.InNamespace(u.namespace), client.MatchingLabels{v1alpha1.LabelManaged: "true"}))
	found := map[string]held{}
	for _, secret := range all.Items {
		digests := map[string]string{}
		for key, value := range secret.Data {
			digests[key] = fmt.Sprintf("%x", sha256.Sum256(value))
		}
		found[secret.Name] = held{UID: secret.UID, Type: secret.Type, Data: digests}
	}
	return found
}

// handTo installs a version beside the one that leads, has it wait, and has it lead.
func (u *upgrade) handTo(what string, v version) {
	u.t.Helper()
	begin := u.requestsSoFar()
	u.installed(v)
	next := u.startVersion(v)
	u.throughout(3*time.Second, u.unchanged)
	if works(next) || !works(u.leader) {
		u.t.Fatalf("%s: %s does not wait for the one that leads", what, v.name)
	}
	ctx, cancel := context.WithTimeout(u.t.Context(), grace)
	defer cancel()
	code, _, err := u.leader.Terminate(ctx)
	u.must(err)
	if code != 0 {
		u.t.Errorf("%s: the former leader ended with code %d", what, code)
	}
	u.leader = next
	u.waitWorks(next, takeover)
	u.eventually(takeover, func() error { return u.looked(next) })
	u.throughout(5*time.Second, u.unchanged)
	writes := u.changesSince(begin)
	u.t.Logf("%s: %s leads; %d writes to what it looks after: %s", what, v.name, len(writes), show(writes))
}

// bothWork has another version work beside the one that leads. Neither writes what the other one takes back.
func (u *upgrade) bothWork(other version) {
	u.t.Helper()
	begin := u.requestsSoFar()
	m := u.startProgram(other.program)
	u.waitWorks(m, takeover)
	u.eventually(takeover, func() error { return u.looked(m) })
	u.throughout(5*time.Second, u.unchanged)
	if writes := u.changesSince(begin); len(writes) > len(u.names) {
		u.t.Errorf("beside each other the versions wrote more than once for each credential:\n%s", show(writes))
	}
	u.must(m.Kill())
}

// looked says whether a manager has had a pass over every credential.
func (u *upgrade) looked(m *stack.Manager) error {
	metrics, err := m.Metrics(u.t.Context())
	if err != nil {
		return err
	}
	if n := metrics.Sum("controller_runtime_reconcile_total", "controller", "clustercredential", "result", "requeue_after"); n < float64(len(u.names)) {
		return fmt.Errorf("it has looked %.0f times, at %d credentials", n, len(u.names))
	}
	return nil
}

// unchanged says whether everything is as the version before has left it.
func (u *upgrade) unchanged() error {
	u.t.Helper()
	if asked := u.posts(); len(asked) > len(u.names) {
		return fmt.Errorf("the cloud was asked for %d certificates, want the %d first ones: %+v", len(asked), len(u.names), asked[len(u.names):])
	}
	if diff := cmp.Diff(u.before, u.held()); diff != "" {
		return fmt.Errorf("Secrets have changed (-before +now):\n%s", diff)
	}
	for _, cc := range u.list() {
		if ready := condition(&cc, v1alpha1.ConditionReady); ready.Status != "True" {
			return fmt.Errorf("%s is not ready: %s: %s", cc.Name, ready.Reason, ready.Message)
		}
	}
	for _, prober := range u.probers {
		if seen := prober.Seen(); len(seen.Failures) > 0 {
			return fmt.Errorf("logins failed: %+v", seen.Failures)
		}
	}
	return nil
}

// stillWorks has the last version renew one credential: that nothing was asked for was not for want of being able to.
func (u *upgrade) stillWorks() {
	u.t.Helper()
	u.requestRenewal("after the upgrade", u.names...)
	for _, name := range u.names {
		u.wantRevision(name, 2)
	}
	u.wantPosts(2 * len(u.names))
}
