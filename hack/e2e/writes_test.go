// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// atRest is for how long nothing may happen where nothing is due.
const atRest = 20 * time.Second

// About accounts there is a status of their own; it is not counted here, since it is one for all credentials. Leases are not
// in the namespaces of worlds.
func aboutCredentials(requests []request) []request {
	return slices.DeleteFunc(slices.Clone(requests), request.isAboutAccount)
}

func show(requests []request) string {
	lines := make([]string, len(requests))
	for i, r := range requests {
		lines[i] = r.String()
	}
	return strings.Join(lines, "\n")
}

func TestAFirstCredentialTakesFourWritesAndThenNothing(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"quiet"}})
	w.startManager()
	w.apply(accountYAML())
	w.kubectl("wait", "--for=condition=Ready", "--timeout=28s", "cloudaccount/"+theAccount)
	// The key is read once for its account, not once for each credential.
	begin := w.requestsSoFar()
	w.apply(credentialYAML("quiet", "quiet"))
	w.waitReady("quiet")
	w.eventually(eventTime, func() error { return w.wantEvent("quiet", "Issued", "") })
	w.eventually(eventTime, func() error { // the account has counted its users: the last thing to happen
		if n := w.kubectl("get", "cloudaccount", theAccount, "-o", "jsonpath={.status.credentials}"); n != "1" {
			return fmt.Errorf("the account counts %q credentials", n)
		}
		return nil
	})

	writes := aboutCredentials(w.changesSince(begin))
	if len(writes) > 4 {
		t.Errorf("a first credential took %d writes, want at most 4 (intent, Secret, status, event):\n%s", len(writes), show(writes))
	}
	reads := slices.DeleteFunc(w.requestsSince(begin), func(r request) bool { return r.Verb != "get" })
	if len(reads) > 1 {
		t.Errorf("a first credential took %d reads, want at most 1:\n%s", len(reads), show(reads))
	}
	t.Logf("writes:\n%s\nreads:\n%s", show(writes), show(reads))

	w.stillness("at rest", 1, "quiet")
	w.stillnessAfterAKill("after a restart", 1, "quiet")
}

// stillnessAfterAKill kills the manager and starts another, and fails if that one does not look, writes anything, or asks the
// cloud for a certificate.
func (w *world) stillnessAfterAKill(when string, posts int, clusters ...string) {
	w.t.Helper()
	begin, before := w.requestsSoFar(), w.list()
	w.must(w.manager().Kill())
	w.startManager()
	w.eventually(eventTime, func() error {
		read := slices.ContainsFunc(w.requestsSince(begin), func(r request) bool {
			return r.Verb == "get" && r.Object.Resource == "secrets" && strings.HasSuffix(r.Object.Name, "-kubeconfig")
		})
		if !works(w.manager()) || !read {
			return fmt.Errorf("%s, the operator has not looked at any Secret", when)
		}
		return nil
	})
	w.stillnessSince(begin, before, when, posts, clusters...)
}

// stillness fails if, for a while, the operator writes anything or asks the cloud for a certificate.
func (w *world) stillness(when string, posts int, clusters ...string) {
	w.t.Helper()
	w.stillnessSince(w.requestsSoFar(), w.list(), when, posts, clusters...)
}

func (w *world) stillnessSince(begin int, before []v1alpha1.ClusterCredential, when string, posts int, clusters ...string) {
	w.t.Helper()
	w.throughout(atRest, func() error {
		if writes := w.changesSince(begin); len(writes) > 0 {
			return fmt.Errorf("%s, while nothing was due, the operator wrote:\n%s%s", when, show(writes), w.changed(before))
		}
		return nil
	})
	w.wantPosts(posts, clusters...)
}

// changed shows what has changed in status since.
func (w *world) changed(before []v1alpha1.ClusterCredential) string {
	w.t.Helper()
	var text strings.Builder
	for i := range before {
		if diff := cmp.Diff(before[i].Status, w.get(before[i].Name).Status); diff != "" {
			fmt.Fprintf(&text, "\nstatus of %s, -before +after:\n%s", before[i].Name, diff)
		}
	}
	return text.String()
}
