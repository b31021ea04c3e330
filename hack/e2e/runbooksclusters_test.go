// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// worldOfClusters has a cluster whose API server knows what was revoked, and can be cut off.
func worldOfClusters(t *testing.T) *world {
	w := newWorld(t, options{clusters: []string{"prod-1", "prod-2"}})
	cluster := w.NewCluster("prod-1")
	w.cluster = newFront(t, w.revokingServer())
	cluster.ExternalURL = "https://" + w.cluster.address
	w.must(w.cloud.PutCluster(cluster))
	w.startManager("--verify-interval=1s", "--min-issue-interval=1s")
	w.apply(pagesAccountYAML(), pagesCredential("prod-1", "prod-1"), pagesCredential("prod-2", "prod-2", "  endpoint: {access: Internal}"))
	w.waitReady("prod-1", "prod-2")
	return w
}

// One cluster is cut off, the other is not meant to be reached.
func (w *world) notVerified() {
	r := w.follow("cluster-credential-not-verified")
	w.wantConditions(1, v1alpha1.ConditionVerified, "True", v1alpha1.ReasonAccepted)
	w.cluster.shut()
	w.wantConditions(2, v1alpha1.ConditionVerified, "Unknown", v1alpha1.ReasonUnreachable)
	r.next("could not be asked", w.cluster.address)
	r.next("not from here either")
	w.cluster.open()
	r.next("patched")
	r.next("condition met", "0c97ac3cb280f4d91fa7c0096739e1f8")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionVerified, "Unknown", "")
	w.wantConditions(1, v1alpha1.ConditionVerified, "True", v1alpha1.ReasonAccepted)
	w.wantPosts(2)
}

// One of two credentials of the same cluster leaks. Revoking it hits both: for one a renewal is requested, the other heals itself. The
// credential of another cluster goes on as it was.
func (w *world) leakedKubeconfig() {
	for _, tool := range []string{"openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			w.t.Skipf("the page needs %s", tool)
		}
	}
	w.apply(pagesCredential("prod-1-ci", "prod-1"))
	w.waitReady("prod-1-ci")
	leaked, sibling, other := w.serial("prod-1"), w.serial("prod-1-ci"), w.serial("prod-2")
	r := w.follow("leaked-kubeconfig", "7607CE7666932AD0C06CF18EB51CD0E7", leaked, "11111111-2222-3333-4444-555555555555", w.ClusterID("prod-1"),
		"https://cce.ap-southeast-3.myhuaweicloud.com", w.cloud.URL)
	r.env = []string{"TOKEN=" + canaryToken, "PATH=" + pluginDir(w.t) + ":" + os.Getenv("KUBEBUILDER_ASSETS") + ":" + os.Getenv("PATH")}
	r.write("leaked.kubeconfig", string(w.published("prod-1")))

	r.next("ClusterCredential "+w.namespace+"/prod-1, Active", "prod-1-ci")
	r.next("serial="+leaked, stack.UserID)
	if out := r.next(w.namespace + "/prod-1\t"); strings.Contains(out, "prod-1-ci") {
		w.t.Errorf("it is said to be of both:\n%s", out)
	}
	if out := r.next("prod-1 ", "prod-1-ci ", sibling); strings.Contains(out, "prod-2") {
		w.t.Errorf("another cluster is said to be hit:\n%s", out)
	}
	r.next()
	w.wantRevoked(leaked, sibling)
	r.next("prod-1 condition met")
	r.next("prod-1-ci condition met")
	r.next("refused")
	r.next(w.serial("prod-1"), w.serial("prod-1-ci"), "Superseded")
	r.next("Accepted", "ClusterCredential "+w.namespace+"/prod-1, Superseded")
	r.done()
	w.wantConditions(0, v1alpha1.ConditionReady, "False", "")
	w.wantConditions(2, v1alpha1.ConditionVerified, "True", v1alpha1.ReasonAccepted)
	w.wantRevoked(leaked, sibling)
	if w.serial("prod-1") == leaked || w.serial("prod-1-ci") == sibling || w.serial("prod-2") != other {
		w.t.Error("what was revoked is published still, or another cluster has another certificate")
	}
	w.wantPosts(4, "prod-1")
	w.wantPosts(1, "prod-2")
}

// wantRevoked fails unless these certificates were revoked, and no others.
func (w *world) wantRevoked(want ...string) {
	w.t.Helper()
	revoked, err := w.revoked()
	w.must(err)
	slices.Sort(want)
	if !slices.Equal(revoked, want) {
		w.t.Errorf("revoked are %q, want %q", revoked, want)
	}
}

// revoked are the serial numbers of what the cloud has revoked, sorted.
func (w *world) revoked() ([]string, error) {
	all, err := w.cloud.Ledger()
	var serials []string
	for _, entry := range all {
		if entry.Revoked {
			serials = append(serials, fmt.Sprint(entry.Serial))
		}
	}
	slices.Sort(serials)
	return serials, err
}
