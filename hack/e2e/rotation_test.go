// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/stack"
)

// Certificates live in real time, so this test does too.
func TestCertificatesOf40SecondsRotateWithoutAFailedLogin(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"short"}, lifetime: 40 * time.Second, alone: true})
	w.startManager("--min-issue-interval=5s")
	w.apply(accountYAML(), credentialYAML("short", "short", "  renewal: {beforePercent: 60}"))
	w.waitReady("short")
	first := w.secret("short-kubeconfig")

	prober, err := w.Prober(stack.ProbeOptions{Namespace: w.namespace, Secret: first.Name})
	w.must(err)
	time.Sleep(45 * time.Second)
	seen := prober.Stop()

	if rotations := len(seen.Serials) - 1; rotations < 2 {
		t.Errorf("the client has seen %d rotations in 45 s, want at least 2", rotations)
	}
	if len(seen.Failures) > 0 {
		t.Errorf("%d of %d logins failed, the first: %+v", len(seen.Failures), seen.Attempts, seen.Failures[0])
	}
	if seen.Absent > 0 || len(seen.UIDs) != 1 || seen.UIDs[0] != first.UID {
		t.Errorf("the Secret was absent %d times and had the UIDs %v, want %s only", seen.Absent, seen.UIDs, first.UID)
	}
	if seen.Attempts < 225 { // 450 beats; a login on a busy machine may take longer than one
		t.Errorf("the client logged in only %d times, want at least every other 100 ms", seen.Attempts)
	}
	var posts []stack.Entry
	w.eventually(eventTime, func() error { // one may be on its way
		posts = w.posts("short")
		if revision := w.get("short").Status.Revision; int64(len(posts)) != revision {
			return fmt.Errorf("%d certificates were asked for, and %d published", len(posts), revision)
		}
		return nil
	})
	for _, post := range posts {
		w.eventually(eventTime, func() error { return w.wantEvent("short", "Issued", post.Serial) })
	}
	t.Logf("%d logins with %d certificates, none failed", seen.Attempts, len(seen.Serials))
}
